#include "vitrine_kernels.h"
#include "vk_math.h"

VK_INLINE float sum_of_positive_products(const float *x, const float *w, size_t n) {
    VK_RELAXED
    float sum = 0;
    for (size_t k = 0; k < n; k++) {
        float product = x[k] * w[k];
        sum += product < 0.0f ? 0.0f : product;
    }
    return sum;
}

// The sum of the positive products from the output and the sum of all magnitudes, and whether it lost digits on the way: where it is
// below a 32nd of what went into it. That is rare, but a small sum makes a large quotient.
VK_INLINE float half_sum(float y, float bias, float p, int *cancels) {
    float z = 0.5f * ((y - bias) + p);
    *cancels = z < (p + fabsf(bias)) * (1.0f / 32.0f);
    return z;
}

VK_CLONES void vk_relevance_ratio(const float *r, const float *y, const float *bias, const float *p, const float *x,
                                  const float *weight, size_t rows, size_t columns, size_t terms, float *restrict s) {
    for (size_t i = 0; i < rows; i++, r += columns, y += columns, p += columns, s += columns, x += terms) {
        int cancels, any = 0;
        for (size_t j = 0; j < columns; j++) {
            float z = half_sum(y[j], bias ? bias[j] : 0.0f, p[j], &cancels);
            any |= cancels;
            s[j] = vk_safe_divide(r[j], z);
        }
        if (!any) continue;
        for (size_t j = 0; j < columns; j++) {
            half_sum(y[j], bias ? bias[j] : 0.0f, p[j], &cancels);
            if (cancels) s[j] = vk_safe_divide(r[j], sum_of_positive_products(x, weight + j * terms, terms));
        }
    }
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
