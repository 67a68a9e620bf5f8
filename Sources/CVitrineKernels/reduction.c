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
    for (size_t start = 0; start < n; start += 65536) {
        size_t end = n - start < 65536 ? n : start + 65536;
        uint32_t block_nans = 0, block_infinities = 0; // narrow counters keep the loop at the width of a float
        for (size_t i = start; i < end; i++) {
            block_nans += x[i] != x[i];
            block_infinities += fabsf(x[i]) == INFINITY;
        }
        nans += block_nans;
        infinities += block_infinities;
    }
    *nan = nans;
    *infinite = infinities;
}

VK_CLONES void vk_min_max(const float *x, size_t n, float *minimum, float *maximum) {
    vk_lanes lows, highs, v;
    for (size_t k = 0; k < 16; k++) {
        lows[k] = INFINITY;
        highs[k] = -INFINITY;
    }
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        memcpy(&v, x + i, sizeof v);
        lows = v < lows ? v : lows;
        highs = v > highs ? v : highs;
    }
    float low = INFINITY, high = -INFINITY;
    for (size_t k = 0; k < 16; k++) {
        low = lows[k] < low ? lows[k] : low;
        high = highs[k] > high ? highs[k] : high;
    }
    for (; i < n; i++) {
        low = x[i] < low ? x[i] : low;
        high = x[i] > high ? x[i] : high;
    }
    *minimum = low;
    *maximum = high;
}
