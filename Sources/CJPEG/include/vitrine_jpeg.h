#ifndef VITRINE_JPEG_H
#define VITRINE_JPEG_H

#include <stddef.h>
#include <stdint.h>

// libjpeg reports errors by longjmp and warnings through a callback: both stay in C.

#ifdef __cplusplus
extern "C" {
#endif

enum {
    VITRINE_JPEG_OK = 0,
    /// The file is damaged; `reason` says how.
    VITRINE_JPEG_DAMAGED = 1,
    /// The file is sound and of a kind that libjpeg-turbo was not built for; `reason` names it.
    VITRINE_JPEG_UNSUPPORTED = 2,
};

typedef struct {
    uint32_t width, height;
    /// Samples per pixel of the output: 1 grey, 3 RGB, 4 ink (CMYK).
    uint32_t channels;
    /// Bits per sample as the frame header states them.
    uint32_t bits;
    /// An Adobe marker stands in the file: its ink is stored inverted.
    uint32_t is_adobe;
    char reason[256];
} vitrine_jpeg_info;

/// Reads the header. Returns one of the codes above.
int vitrine_jpeg_header(const uint8_t *bytes, size_t count, vitrine_jpeg_info *info);

/// Decodes into `pixels`, which holds height rows of width x channels bytes, as `vitrine_jpeg_header` gave them.
///
/// The accurate integer transform and smooth chroma upsampling. Every warning of libjpeg is looked at: those that touch no
/// pixel pass (see jpeg.c), any other one makes the file damaged, whatever was warned about before.
int vitrine_jpeg_decode(const uint8_t *bytes, size_t count, uint8_t *pixels, vitrine_jpeg_info *info);

/// Encodes height rows of width x channels bytes (1 grey, 3 RGB with chroma halved in both directions) at a quality of 1 to 100.
///
/// Returns the bytes written, or 0 where `capacity` is too small.
size_t vitrine_jpeg_encode(const uint8_t *pixels, uint32_t width, uint32_t height, uint32_t channels, int quality, uint8_t *bytes,
                           size_t capacity);

#ifdef __cplusplus
}
#endif

#endif
