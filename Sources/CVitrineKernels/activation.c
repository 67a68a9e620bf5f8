#include "vitrine_kernels.h"
#include "vk_math.h"

#define INVERSE_SQRT_TWO_PI 0.39894228040143267794f
#define SQRT_EIGHT_OVER_PI 1.59576912160573071176f
#define GELU_CUBE 0.044715f

// x Phi(x).
VK_CLONES void vk_gelu(const float *x, size_t n, float *restrict y) {
    VK_FUSED
    for (size_t i = 0; i < n; i++) {
        float v = x[i];
        y[i] = v * vk_normal_distribution(v, vk_exp(-0.5f * (v * v)));
    }
}

VK_CLONES void vk_gelu_gradient(const float *x, const float *dy, size_t n, float *restrict dx) {
    VK_FUSED
    for (size_t i = 0; i < n; i++) {
        float v = x[i];
        float gaussian = vk_exp(-0.5f * (v * v));
        dx[i] = dy[i] * (vk_normal_distribution(v, gaussian) + v * (INVERSE_SQRT_TWO_PI * gaussian));
    }
}

// (1 + tanh z) / 2 = sigmoid(2 z): one exponential, and no cancellation for negative z.
VK_CLONES void vk_gelu_tanh(const float *x, size_t n, float *restrict y) {
    VK_FUSED
    for (size_t i = 0; i < n; i++) {
        float v = x[i];
        y[i] = v * vk_sigmoid(SQRT_EIGHT_OVER_PI * (v + GELU_CUBE * v * v * v));
    }
}

VK_CLONES void vk_gelu_tanh_gradient(const float *x, const float *dy, size_t n, float *restrict dx) {
    VK_FUSED
    for (size_t i = 0; i < n; i++) {
        float v = x[i];
        float steepness, g = vk_sigmoid_and_slope(SQRT_EIGHT_OVER_PI * (v + GELU_CUBE * v * v * v), &steepness);
        // Beyond 20 the sigmoid is flat: its derivative 0, times an overflown square, would be NaN.
        float w = vk_clamp(v, 20.0f);
        dx[i] = dy[i] * (g + w * steepness * (SQRT_EIGHT_OVER_PI * (1.0f + 3.0f * GELU_CUBE * w * w)));
    }
}

VK_CLONES void vk_quick_gelu(const float *x, size_t n, float *restrict y) {
    VK_FUSED
    for (size_t i = 0; i < n; i++) y[i] = x[i] * vk_sigmoid(1.702f * x[i]);
}

VK_CLONES void vk_quick_gelu_gradient(const float *x, const float *dy, size_t n, float *restrict dx) {
    VK_FUSED
    for (size_t i = 0; i < n; i++) {
        float v = vk_clamp(1.702f * x[i], 200.0f); // from where on the sigmoid is flat; an infinity times its slope would be NaN
        float slope, g = vk_sigmoid_and_slope(v, &slope);
        dx[i] = dy[i] * (g + v * slope);
    }
}

VK_CLONES void vk_silu_gate(const float *x, size_t rows, size_t columns, float *restrict y) {
    VK_FUSED
    for (size_t i = 0; i < rows; i++, x += 2 * columns, y += columns)
        for (size_t j = 0; j < columns; j++) y[j] = x[j] * vk_sigmoid(x[j]) * x[columns + j];
}

VK_CLONES void vk_silu_gate_gradient(const float *dy, const float *x, size_t rows, size_t columns, float *restrict dx) {
    VK_FUSED
    for (size_t i = 0; i < rows; i++, x += 2 * columns, dx += 2 * columns, dy += columns)
        for (size_t j = 0; j < columns; j++) {
            float gate = x[j], value = x[columns + j];
            float slope, g = vk_sigmoid_and_slope(gate, &slope);
            dx[j] = dy[j] * value * (g + gate * slope);
            dx[columns + j] = dy[j] * gate * g;
        }
}

// At 0, where f(x) / x has no value, its limit: one half for every x * gate(x) with gate(0) = 1/2.
VK_CLONES void vk_activation_secant(const float *x, const float *y, const float *dy, size_t n, float *restrict dx) {
    VK_FUSED
    for (size_t i = 0; i < n; i++) {
        float ratio = y[i] / (x[i] == 0.0f ? 1.0f : x[i]);
        dx[i] = dy[i] * (x[i] == 0.0f ? 0.5f : ratio);
    }
}

VK_CLONES void vk_silu_gate_secant(const float *dy, const float *x, size_t rows, size_t columns, float *restrict dx) {
    VK_FUSED
    for (size_t i = 0; i < rows; i++, x += 2 * columns, dx += 2 * columns, dy += columns)
        for (size_t j = 0; j < columns; j++) {
            float half = 0.5f * dy[j] * vk_sigmoid(x[j]);
            dx[j] = half * x[columns + j];
            dx[columns + j] = half * x[j];
        }
}
