#ifndef VITRINE_RESIZE_H
#define VITRINE_RESIZE_H
#include <stddef.h>
#include <stdint.h>

// One-dimensional resampling of 8-bit images with fixed-point weights of 22 fractional bits, rounded to nearest and
// clamped to 0...255. Output i is the sum of weights[i * taps + j] * input[first[i] + j], j < length[i].
// The caller guarantees 0 <= first[i], first[i] + length[i] <= input extent, length[i] <= taps.

/// Along rows: src is rows x src_width x channels, dst is rows x dst_width x channels; channels is 1 or 3.
void vk_resize_horizontal(const uint8_t *src, ptrdiff_t rows, ptrdiff_t src_width, ptrdiff_t channels, uint8_t *dst,
                          ptrdiff_t dst_width, const int32_t *first, const int32_t *length, const int32_t *weights,
                          ptrdiff_t taps);

/// Along columns: src holds rows of row_bytes bytes, dst is dst_height x row_bytes.
void vk_resize_vertical(const uint8_t *src, ptrdiff_t row_bytes, uint8_t *dst, ptrdiff_t dst_height, const int32_t *first,
                        const int32_t *length, const int32_t *weights, ptrdiff_t taps);
#endif
