#include "vitrine_resampling.h"
#include "vk_math.h"

// Neither fused nor in another order: reports print these sums to the last digit, on every processor.
#define VK_EXACT _Pragma("clang fp contract(off) reassociate(off)")

// Eight doubles side by side, wherever they lie.
typedef double vk_doubles __attribute__((ext_vector_type(8), aligned(8), may_alias));

// Patients whose columns stay in the second cache while all resamples pass over them.
enum { vk_patient_block = 512 };

VK_CLONES void vk_resample_sums(const uint8_t *counts, ptrdiff_t resamples, ptrdiff_t patients, const double *values,
                                ptrdiff_t groups, double *sums) {
    VK_EXACT
    double number[256]; // a look-up and a broadcast in one load, which a conversion is not
    for (int i = 0; i < 256; i++) number[i] = i;
    ptrdiff_t columns = 8 * groups;
    memset(sums, 0, (size_t)(resamples * columns) * sizeof *sums);
    for (ptrdiff_t start = 0; start < patients; start += vk_patient_block) {
        ptrdiff_t size = patients - start < vk_patient_block ? patients - start : vk_patient_block;
        ptrdiff_t r = 0;
        for (; r + 4 <= resamples; r += 4) {
            const uint8_t *w0 = counts + r * patients + start;
            const uint8_t *w1 = w0 + patients, *w2 = w1 + patients, *w3 = w2 + patients;
            for (ptrdiff_t g = 0; g < groups; g++) {
                const vk_doubles *v = (const vk_doubles *)(values + (g * patients + start) * 8);
                vk_doubles *s = (vk_doubles *)(sums + r * columns) + g;
                vk_doubles s0 = s[0], s1 = s[groups], s2 = s[2 * groups], s3 = s[3 * groups];
                for (ptrdiff_t c = 0; c < size; c++) {
                    s0 = s0 + v[c] * number[w0[c]];
                    s1 = s1 + v[c] * number[w1[c]];
                    s2 = s2 + v[c] * number[w2[c]];
                    s3 = s3 + v[c] * number[w3[c]];
                }
                s[0] = s0;
                s[groups] = s1;
                s[2 * groups] = s2;
                s[3 * groups] = s3;
            }
        }
        for (; r < resamples; r++) {
            const uint8_t *w = counts + r * patients + start;
            for (ptrdiff_t g = 0; g < groups; g++) {
                const vk_doubles *v = (const vk_doubles *)(values + (g * patients + start) * 8);
                vk_doubles sum = ((vk_doubles *)(sums + r * columns))[g];
                for (ptrdiff_t c = 0; c < size; c++) sum = sum + v[c] * number[w[c]];
                ((vk_doubles *)(sums + r * columns))[g] = sum;
            }
        }
    }
}

// The sums of eight values under every choice of their signs, in the order of the values.
VK_INLINE void vk_sign_table(const double *values, ptrdiff_t count, double *table) {
    VK_EXACT
    table[0] = 0;
    for (ptrdiff_t k = 0; k < 8; k++) {
        ptrdiff_t known = (ptrdiff_t)1 << k;
        double value = k < count ? values[k] : 0;
        for (ptrdiff_t i = 0; i < known; i++) {
            double sum = table[i];
            // Behind the last value a bit says nothing.
            table[known + i] = k < count ? sum - value : sum;
            table[i] = k < count ? sum + value : sum;
        }
    }
}

VK_CLONES void vk_sign_sums(const uint8_t *signs, ptrdiff_t draws, const double *values, ptrdiff_t count, double *sums) {
    VK_EXACT
    double t0[256], t1[256], t2[256], t3[256];
    memset(sums, 0, (size_t)draws * sizeof *sums);
    ptrdiff_t groups = (count + 7) / 8, g = 0;
    for (; g + 4 <= groups; g += 4) {
        vk_sign_table(values + 8 * g, count - 8 * g, t0);
        vk_sign_table(values + 8 * g + 8, count - 8 * g - 8, t1);
        vk_sign_table(values + 8 * g + 16, count - 8 * g - 16, t2);
        vk_sign_table(values + 8 * g + 24, count - 8 * g - 24, t3);
        const uint8_t *b = signs + g * draws;
        for (ptrdiff_t d = 0; d < draws; d++) {
            double sum = sums[d] + t0[b[d]];
            sum = sum + t1[b[draws + d]];
            sum = sum + t2[b[2 * draws + d]];
            sums[d] = sum + t3[b[3 * draws + d]];
        }
    }
    for (; g < groups; g++) {
        vk_sign_table(values + 8 * g, count - 8 * g, t0);
        const uint8_t *b = signs + g * draws;
        for (ptrdiff_t d = 0; d < draws; d++) sums[d] = sums[d] + t0[b[d]];
    }
}
