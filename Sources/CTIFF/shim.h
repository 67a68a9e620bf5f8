#include <stdio.h>
#include <stdint.h>
#include <string.h>
#include <tiffio.h>

// libtiff reports errors through callbacks with a va_list and reads through callbacks: both stay in C.

/// A TIFF file held in memory, and the first thing libtiff complained about while reading it.
typedef struct {
    const uint8_t *bytes;
    uint64_t count;
    uint64_t position;
    char message[256];
} vitrine_tiff_source;

static tmsize_t vitrine_tiff_read(thandle_t handle, void *into, tmsize_t size) {
    vitrine_tiff_source *source = (vitrine_tiff_source *)handle;
    if (size <= 0 || source->position >= source->count) return 0;
    uint64_t left = source->count - source->position;
    uint64_t n = (uint64_t)size < left ? (uint64_t)size : left;
    memcpy(into, source->bytes + source->position, n);
    source->position += n;
    return (tmsize_t)n;
}

static tmsize_t vitrine_tiff_write(thandle_t handle, void *from, tmsize_t size) {
    (void)handle; (void)from; (void)size;
    return 0;
}

static toff_t vitrine_tiff_seek(thandle_t handle, toff_t offset, int whence) {
    vitrine_tiff_source *source = (vitrine_tiff_source *)handle;
    if (whence == SEEK_CUR) offset += source->position;
    else if (whence == SEEK_END) offset += source->count;
    source->position = offset;
    return offset;
}

static int vitrine_tiff_close(thandle_t handle) {
    (void)handle;
    return 0;
}

static toff_t vitrine_tiff_size(thandle_t handle) { return ((vitrine_tiff_source *)handle)->count; }

static int vitrine_tiff_error(TIFF *tiff, void *user, const char *module, const char *format, va_list arguments) {
    (void)tiff; (void)module;
    vitrine_tiff_source *source = (vitrine_tiff_source *)user;
    if (source->message[0] == 0) vsnprintf(source->message, sizeof source->message, format, arguments);
    return 1;
}

static int vitrine_tiff_warning(TIFF *tiff, void *user, const char *module, const char *format, va_list arguments) {
    (void)tiff; (void)user; (void)module; (void)format; (void)arguments;
    return 1;
}

/// Opens `source` for reading, through memory and without any output of its own; close it with `TIFFClose`.
/// No single allocation that the file asks for exceeds `max_allocation` bytes.
static inline TIFF *vitrine_tiff_open(vitrine_tiff_source *source, int64_t max_allocation) {
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    if (!options) return NULL;
    TIFFOpenOptionsSetMaxSingleMemAlloc(options, (tmsize_t)max_allocation);
    TIFFOpenOptionsSetErrorHandlerExtR(options, vitrine_tiff_error, source);
    TIFFOpenOptionsSetWarningHandlerExtR(options, vitrine_tiff_warning, source);
    // "m": no memory mapping, the bytes are in memory already.
    TIFF *tiff = TIFFClientOpenExt("memory", "rm", (thandle_t)source, vitrine_tiff_read, vitrine_tiff_write,
                                   vitrine_tiff_seek, vitrine_tiff_close, vitrine_tiff_size, NULL, NULL, options);
    TIFFOpenOptionsFree(options);
    return tiff;
}

/// `TIFFGetField` is variadic: one plain function per type of answer. Both return `otherwise` where the tag is absent.
static inline uint32_t vitrine_tiff_u32(TIFF *tiff, uint32_t tag, uint32_t otherwise) {
    uint32_t value = 0;
    return TIFFGetField(tiff, tag, &value) ? value : otherwise;
}

static inline uint16_t vitrine_tiff_u16(TIFF *tiff, uint32_t tag, uint16_t otherwise) {
    uint16_t value = 0;
    return TIFFGetFieldDefaulted(tiff, tag, &value) ? value : otherwise;
}
