#include "vitrine_kernels.h"
#include "vk_math.h"

VK_CLONES double vk_sum(const float *x, size_t n) {
    VK_RELAXED
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)x[i];
    return sum;
}

VK_CLONES double vk_absolute_sum(const float *x, size_t n) {
    VK_RELAXED
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)fabsf(x[i]);
    return sum;
}

VK_CLONES double vk_dot(const float *a, const float *b, size_t n) {
    VK_RELAXED
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)a[i] * (double)b[i];
    return sum;
}

VK_CLONES double vk_squared_deviations(const float *x, double mean, size_t n) {
    VK_RELAXED
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += ((double)x[i] - mean) * ((double)x[i] - mean);
    return sum;
}

VK_CLONES void vk_non_finite_counts(const float *x, size_t n, size_t *nan, size_t *infinite) {
    size_t nans = 0, infinities = 0;
    for (size_t i = 0; i < n; i++) {
        nans += x[i] != x[i];
        infinities += fabsf(x[i]) == INFINITY;
    }
    *nan = nans;
    *infinite = infinities;
}

VK_CLONES void vk_min_max(const float *x, size_t n, float *minimum, float *maximum) {
    float low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < n; i++) {
        low = x[i] < low ? x[i] : low;
        high = x[i] > high ? x[i] : high;
    }
    *minimum = low;
    *maximum = high;
}
