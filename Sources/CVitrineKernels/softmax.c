#include "vitrine_kernels.h"
#include "vk_math.h"

// Largest scale * s[j]; NaN is passed over.
VK_INLINE float scaled_maximum(const float *s, float scale, size_t n) {
    vk_lanes lanes, v;
    for (size_t k = 0; k < 16; k++) lanes[k] = -INFINITY;
    size_t j = 0;
    for (; j + 16 <= n; j += 16) {
        memcpy(&v, s + j, sizeof v);
        v *= scale;
        lanes = v > lanes ? v : lanes;
    }
    float maximum = -INFINITY;
    for (size_t k = 0; k < 16; k++) maximum = lanes[k] > maximum ? lanes[k] : maximum;
    for (; j < n; j++) {
        float t = s[j] * scale;
        maximum = t > maximum ? t : maximum;
    }
    return maximum;
}

// From here on the rounding of a product, which fused subtraction sees, would no longer be small beside 1.
#define VK_LARGE_SCORE 0x1p20f

// e^(scale * s[j] - maximum) with the product rounded as it was for the maximum, so that the largest is 1 whatever its size.
VK_INLINE float rounded_exponential(float s, float scale, float maximum) {
    _Pragma("clang fp contract(off)")
    float product = s * scale;
    return vk_exp(product - maximum);
}

VK_CLONES void vk_softmax(float *s, float scale, size_t rows, size_t columns) {
    VK_RELAXED
    for (size_t i = 0; i < rows; i++, s += columns) {
        float maximum = scaled_maximum(s, scale, columns);
        float sum = 0;
        if (fabsf(maximum) > VK_LARGE_SCORE) {
            for (size_t j = 0; j < columns; j++) {
                float e = rounded_exponential(s[j], scale, maximum);
                s[j] = e;
                sum += e;
            }
        } else {
            for (size_t j = 0; j < columns; j++) {
                float e = vk_exp(s[j] * scale - maximum);
                s[j] = e;
                sum += e;
            }
        }
        float inverse = 1.0f / sum;
        for (size_t j = 0; j < columns; j++) s[j] *= inverse;
    }
}

VK_CLONES void vk_softmax_gradient(const float *da, const float *a, float scale, size_t rows, size_t columns,
                                   float *restrict ds) {
    VK_RELAXED
    for (size_t i = 0; i < rows; i++, da += columns, a += columns, ds += columns) {
        float sum = 0;
        for (size_t j = 0; j < columns; j++) sum += a[j] * da[j];
        for (size_t j = 0; j < columns; j++) ds[j] = scale * (a[j] * (da[j] - sum));
    }
}
