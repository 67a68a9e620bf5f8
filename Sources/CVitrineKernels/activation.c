#include "vitrine_kernels.h"
#include "vk_math.h"

#define SQRT_HALF 0.70710678118654752440f
#define INVERSE_SQRT_TWO_PI 0.39894228040143267794f
#define SQRT_TWO_OVER_PI 0.79788456080286535588f
#define GELU_CUBE 0.044715f

// x Phi(x), Phi the normal distribution function.
VK_CLONES void vk_gelu(const float *x, size_t n, float *restrict y) {
    VK_FUSED
    for (size_t i = 0; i < n; i++) y[i] = 0.5f * x[i] * (1.0f + vk_erf(x[i] * SQRT_HALF));
}

VK_CLONES void vk_gelu_gradient(const float *x, const float *dy, size_t n, float *restrict dx) {
    VK_FUSED
    for (size_t i = 0; i < n; i++) {
        float v = x[i];
        float distribution = 0.5f * (1.0f + vk_erf(v * SQRT_HALF));
        float density = INVERSE_SQRT_TWO_PI * vk_exp(-0.5f * v * v);
        dx[i] = dy[i] * (distribution + v * density);
    }
}

VK_CLONES void vk_gelu_tanh(const float *x, size_t n, float *restrict y) {
    VK_FUSED
    for (size_t i = 0; i < n; i++) {
        float v = x[i];
        y[i] = 0.5f * v * (1.0f + vk_tanh(SQRT_TWO_OVER_PI * (v + GELU_CUBE * v * v * v)));
    }
}

VK_CLONES void vk_gelu_tanh_gradient(const float *x, const float *dy, size_t n, float *restrict dx) {
    VK_FUSED
    for (size_t i = 0; i < n; i++) {
        float v = x[i];
        float t = vk_tanh(SQRT_TWO_OVER_PI * (v + GELU_CUBE * v * v * v));
        float slope = SQRT_TWO_OVER_PI * (1.0f + 3.0f * GELU_CUBE * v * v);
        dx[i] = dy[i] * (0.5f * (1.0f + t) + 0.5f * v * (1.0f - t * t) * slope);
    }
}

VK_INLINE float sigmoid(float x) { return 1.0f / (1.0f + vk_exp(-x)); }

VK_CLONES void vk_quick_gelu(const float *x, size_t n, float *restrict y) {
    VK_FUSED
    for (size_t i = 0; i < n; i++) y[i] = x[i] * sigmoid(1.702f * x[i]);
}

VK_CLONES void vk_quick_gelu_gradient(const float *x, const float *dy, size_t n, float *restrict dx) {
    VK_FUSED
    for (size_t i = 0; i < n; i++) {
        float g = sigmoid(1.702f * x[i]);
        dx[i] = dy[i] * (g + 1.702f * x[i] * g * (1.0f - g));
    }
}

VK_CLONES void vk_silu_gate(const float *x, size_t rows, size_t columns, float *restrict y) {
    VK_FUSED
    for (size_t i = 0; i < rows; i++, x += 2 * columns, y += columns)
        for (size_t j = 0; j < columns; j++) y[j] = x[j] * sigmoid(x[j]) * x[columns + j];
}

VK_CLONES void vk_silu_gate_gradient(const float *dy, const float *x, size_t rows, size_t columns, float *restrict dx) {
    VK_FUSED
    for (size_t i = 0; i < rows; i++, x += 2 * columns, dx += 2 * columns, dy += columns)
        for (size_t j = 0; j < columns; j++) {
            float gate = x[j], value = x[columns + j], g = sigmoid(gate);
            dx[j] = dy[j] * value * (g + gate * g * (1.0f - g));
            dx[columns + j] = dy[j] * gate * g;
        }
}
