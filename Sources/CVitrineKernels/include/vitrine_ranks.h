#ifndef VITRINE_RANKS_H
#define VITRINE_RANKS_H
#include <stddef.h>
#include <stdint.h>

// Vertical half of an upsampling. wide is rows x width; output row y is the sum over t < taps of weights[y * taps + t] times
// row cells[y * taps + t] of wide (0 <= cell < rows, taps >= 1). out is height x width; row_minima and row_maxima hold height
// values, column_maxima width values. All values finite.
void vk_upsample_rows(const float *wide, ptrdiff_t width, const int32_t *cells, const float *weights, ptrdiff_t taps,
                      ptrdiff_t height, float *out, float *row_minima, float *row_maxima, float *column_maxima);

// Step of each value: (value - low) * scale, truncated and clamped to 0...step_count - 1 (<= 32767); NaN takes step 0.
// histogram and spare hold step_count words each, zero on entry; histogram then counts the values of each step in its low 32
// bits and the sum of their marks (0 or 1) in its high 32 bits. spare is scratch.
void vk_rank_histogram(const float *values, const uint8_t *marks, ptrdiff_t count, float low, float scale, int16_t *steps,
                       uint64_t *histogram, uint64_t *spare, ptrdiff_t step_count);
#endif
