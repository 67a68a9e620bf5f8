#include "vitrine_kernels.h"
#include "vk_math.h"

VK_CLONES void vk_relevance_ratio(const float *r, const float *y, const float *bias, const float *p, size_t rows, size_t columns,
                                  float *restrict s) {
    for (size_t i = 0; i < rows; i++, r += columns, y += columns, p += columns, s += columns)
        for (size_t j = 0; j < columns; j++) {
            float z = 0.5f * ((bias ? y[j] - bias[j] : y[j]) + p[j]);
            z = z < 0.0f ? 0.0f : z;
            s[j] = vk_safe_divide(r[j], z);
        }
}

VK_CLONES void vk_relevance_combine(const float *x, const float *a, const float *b, size_t n, float *restrict r) {
    VK_FUSED
    for (size_t i = 0; i < n; i++) r[i] = 0.5f * (x[i] * a[i] + fabsf(x[i]) * b[i]);
}

VK_CLONES void vk_relevance_add(const float *r, const float *z1, const float *z2, float stabiliser, size_t n,
                                float *restrict r1, float *restrict r2, double *sums) {
    VK_RELAXED
    double total = 0, first = 0, second = 0;
    float floor = stabiliser * stabiliser;
    if (stabiliser > 0.0f) {
        for (size_t i = 0; i < n; i++) {
            float q = z1[i] + z2[i];
            float s = r[i] * q / (q * q + floor);
            float a = z1[i] * s, b = z2[i] * s;
            r1[i] = a;
            r2[i] = b;
            total += (double)r[i];
            first += (double)a;
            second += (double)b;
        }
    } else {
        for (size_t i = 0; i < n; i++) {
            float s = vk_safe_divide(r[i], z1[i] + z2[i]);
            float a = z1[i] * s, b = z2[i] * s;
            r1[i] = a;
            r2[i] = b;
            total += (double)r[i];
            first += (double)a;
            second += (double)b;
        }
    }
    sums[0] = total;
    sums[1] = first;
    sums[2] = second;
}

VK_CLONES void vk_relevance_clone(const float *r1, const float *r2, const float *x, size_t n, float *restrict r) {
    VK_FUSED
    for (size_t i = 0; i < n; i++) r[i] = x[i] * (vk_safe_divide(r1[i], x[i]) + vk_safe_divide(r2[i], x[i]));
}
