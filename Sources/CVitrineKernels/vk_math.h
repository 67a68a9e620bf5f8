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

VK_INLINE float vk_exp(float x) { return expf(x); }
VK_INLINE float vk_erf(float x) { return erff(x); }
VK_INLINE float vk_tanh(float x) { return tanhf(x); }

// a / (b + 1e-9), 0 where b is 0; where b + 1e-9 is exactly 0 the denominator is 1e-9.
VK_INLINE float vk_safe_divide(float a, float b) {
    float denominator = b + 1e-9f;
    denominator = denominator == 0.0f ? 1e-9f : denominator;
    float quotient = a / denominator;
    return b == 0.0f ? 0.0f : quotient;
}

#endif
