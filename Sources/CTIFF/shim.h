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
    /// While pixels are read: the first warning of a decoder of JPEG or fax codes, which for them means lost pixels.
    int watches;
    char warning[256];
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
    (void)tiff;
    vitrine_tiff_source *source = (vitrine_tiff_source *)user;
    const int is_decoder =
        module && (strncmp(module, "JPEG", 4) == 0 || strncmp(module, "OJPEG", 5) == 0 || strncmp(module, "Fax", 3) == 0);
    if (!source->watches || !is_decoder || source->warning[0] != 0) return 1;
    vsnprintf(source->warning, sizeof source->warning, format, arguments);
    // Spectral bounds that a sequential scan does not use, and version numbers, touch no pixel.
    if (strstr(source->warning, "Invalid SOS parameters") || strstr(source->warning, "JFIF")) source->warning[0] = 0;
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

/// The largest sample that the file states, or a negative number: `SMaxSampleValue`, else `MaxSampleValue` where it is really present.
static inline double vitrine_tiff_maximum(TIFF *tiff) {
    double value = -1;
    uint16_t whole = 0;
    if (TIFFGetField(tiff, TIFFTAG_SMAXSAMPLEVALUE, &value)) return value;
    return TIFFGetField(tiff, TIFFTAG_MAXSAMPLEVALUE, &whole) ? whole : -1;
}

/// What the first extra sample of a pixel is: 0 unspecified, 1 alpha that colours were multiplied by, 2 alpha; -1 where there is none.
static inline int vitrine_tiff_extra(TIFF *tiff) {
    uint16_t count = 0, *kinds = NULL;
    return TIFFGetField(tiff, TIFFTAG_EXTRASAMPLES, &count, &kinds) && count > 0 && kinds ? kinds[0] : -1;
}

/// The colours of `count` indices, 16 bits each, into `out` (red, green, blue of one index side by side). 0 where there is no map.
static inline int vitrine_tiff_colours(TIFF *tiff, uint32_t count, uint16_t *out) {
    uint16_t *red = NULL, *green = NULL, *blue = NULL;
    if (!TIFFGetField(tiff, TIFFTAG_COLORMAP, &red, &green, &blue) || !red || !green || !blue) return 0;
    for (uint32_t i = 0; i < count; i++) {
        out[3 * i] = red[i];
        out[3 * i + 1] = green[i];
        out[3 * i + 2] = blue[i];
    }
    return 1;
}

/// Encoded bytes of a strip or tile, as the directory states them.
static inline uint64_t vitrine_tiff_block_bytes(TIFF *tiff, uint32_t block) { return TIFFGetStrileByteCount(tiff, block); }
