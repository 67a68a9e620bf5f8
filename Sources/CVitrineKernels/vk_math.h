#ifndef VK_MATH_H
#define VK_MATH_H
// Scalar building blocks of the kernels: always inlined, so that the loops around them vectorise on each CPU path.
#include <math.h>
#include <stdint.h>
#include <string.h>

#if __has_include(<features.h>)
#include <features.h>
#endif

// On x86-64 with glibc each kernel exists three times and the loader picks one for the CPU at hand.
#if defined(__x86_64__) && defined(__GLIBC__)
#define VK_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define VK_CLONES
#endif

#define VK_INLINE static inline __attribute__((always_inline))

// Sums in any order, products and sums fused: first line of a kernel that reduces a row.
#define VK_RELAXED _Pragma("clang fp reassociate(on) contract(fast)")
// Products and sums fused, order kept: for element-wise kernels.
#define VK_FUSED _Pragma("clang fp contract(fast)")

// Sixteen floats side by side, for minima and maxima, which compilers do not vectorise where NaN counts.
typedef float vk_lanes __attribute__((ext_vector_type(16)));

// x within [-limit, limit]; NaN stays NaN.
VK_INLINE float vk_clamp(float x, float limit) {
    x = x > limit ? limit : x;
    return x < -limit ? -limit : x;
}

VK_INLINE float vk_bits_to_float(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

VK_INLINE uint32_t vk_float_to_bits(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

// e^x within 1 ulp, denormal results and overflow included.
// x = n ln 2 + r with |r| <= ln 2 / 2; e^r = 1 + r + r^2 q(r), q fitted to least maximal relative error (3e-9).
VK_INLINE float vk_exp(float x) {
    VK_FUSED
    const float round = 12582912.0f; // 1.5 * 2^23: adding it rounds to an integer, which the low bits then hold
    x = x < -104.0f ? -104.0f : x;
    x = x > 89.0f ? 89.0f : x;
    float shifted = x * 1.44269504f + round;
    float n = shifted - round;
    // ln 2 in two parts, the first with so few bits that n times it is exact.
    float r = (x - n * 0.693145751953125f) - n * 1.42860682e-06f;
    float q = 1.381459817e-03f;
    q = q * r + 8.368717287e-03f;
    q = q * r + 4.166838808e-02f;
    q = q * r + 1.666652063e-01f;
    q = q * r + 4.999999345e-01f;
    float p = 1.0f + (r + r * r * q);
    // 2^n in two factors: n reaches from -150 to 128, further than one exponent field.
    int32_t exponent = (int32_t)(vk_float_to_bits(shifted) - 0x4B400000u);
    int32_t half = exponent >> 1;
    float first = vk_bits_to_float((uint32_t)(half + 127) << 23);
    float second = vk_bits_to_float((uint32_t)(exponent - half + 127) << 23);
    return p * first * second;
}

// 1 / (1 + e^-x) within 3 ulp; 0 below -88, where the exponential overflows.
VK_INLINE float vk_sigmoid(float x) { return 1.0f / (1.0f + vk_exp(-x)); }

// The same, and its derivative without cancellation at either end.
VK_INLINE float vk_sigmoid_and_slope(float x, float *slope) {
    float e = vk_exp(-fabsf(x));
    float larger = 1.0f / (1.0f + e);
    float smaller = e * larger;
    *slope = larger * smaller;
    return x > 0.0f ? larger : smaller;
}

// The normal distribution function, with no cancellation in the lower tail; gaussian is e^(-x^2 / 2), which derivatives need too.
// For t = |x|, 1 - Phi(t) = e^(-t^2 / 2) k P(k) with k = 1 / (1 + 0.3 t), P fitted to least maximal relative error (5e-8) up to 14.5,
// where the Gaussian underflows.
VK_INLINE float vk_normal_distribution(float x, float gaussian) {
    VK_FUSED
    float k = 1.0f / (1.0f + 0.3f * fabsf(x));
    float p = 3.720941058e-02f;
    p = p * k - 1.634990503e-01f;
    p = p * k + 2.170043429e-01f;
    p = p * k - 6.326851911e-02f;
    p = p * k + 1.334898955e-01f;
    p = p * k + 9.847476910e-02f;
    p = p * k + 1.209732328e-01f;
    p = p * k + 1.196159412e-01f;
    float tail = gaussian * (k * p);
    return x > 0.0f ? 1.0f - tail : tail;
}

// a / (b + 1e-9), 0 where b is 0; where b + 1e-9 is exactly 0 the denominator is 1e-9.
VK_INLINE float vk_safe_divide(float a, float b) {
    float denominator = b + 1e-9f;
    denominator = denominator == 0.0f ? 1e-9f : denominator;
    float quotient = a / denominator;
    return b == 0.0f ? 0.0f : quotient;
}

#endif
