#ifndef VITRINE_RESAMPLING_H
#define VITRINE_RESAMPLING_H
#include <stddef.h>
#include <stdint.h>

// Sums of columns over resampled patients: sums[r * 8 * groups + 8 * g + k] = sum over c of
// values[(g * patients + c) * 8 + k] * counts[r * patients + c].
// Each sum runs over the patients in order, and every product and sum is rounded: no bit depends on what is computed beside it.
void vk_resample_sums(const uint8_t *counts, ptrdiff_t resamples, ptrdiff_t patients, const double *values, ptrdiff_t groups,
                      double *sums);

// Sums of values under random signs: sums[d] = sum over groups g of eight values of (sum of +- values, in order), in order;
// bit k of signs[g * draws + d] makes value 8 g + k of draw d negative. sums holds draws values, signs ceil(count / 8) * draws.
void vk_sign_sums(const uint8_t *signs, ptrdiff_t draws, const double *values, ptrdiff_t count, double *sums);
#endif
