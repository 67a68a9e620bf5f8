#include "vitrine_kernels.h"
#include "vk_math.h"

VK_CLONES void vk_layer_norm(const float *x, const float *weight, const float *bias, float epsilon, size_t rows, size_t columns,
                             float *restrict y, float *restrict mean, float *restrict inverse_deviation) {
    VK_RELAXED
    for (size_t i = 0; i < rows; i++, x += columns, y += columns) {
        float sum = 0;
        for (size_t j = 0; j < columns; j++) sum += x[j];
        float m = sum / (float)columns;
        // The second pass over a row that lies in the first cache: no cancellation, unlike mean of squares.
        float squares = 0;
        for (size_t j = 0; j < columns; j++) squares += (x[j] - m) * (x[j] - m);
        float inverse = 1.0f / sqrtf(squares / (float)columns + epsilon);
        for (size_t j = 0; j < columns; j++) y[j] = (x[j] - m) * inverse * weight[j] + bias[j];
        mean[i] = m;
        inverse_deviation[i] = inverse;
    }
}

VK_CLONES void vk_layer_norm_gradient(const float *dy, const float *x, const float *weight, const float *mean,
                                      const float *inverse_deviation, size_t rows, size_t columns, float *restrict dx) {
    VK_RELAXED
    for (size_t i = 0; i < rows; i++, x += columns, dy += columns, dx += columns) {
        float m = mean[i], inverse = inverse_deviation[i];
        float sum = 0, product = 0;
        for (size_t j = 0; j < columns; j++) {
            float g = dy[j] * weight[j];
            sum += g;
            product += g * (x[j] - m);
        }
        float a = sum / (float)columns;
        float b = product * inverse * inverse / (float)columns;
        for (size_t j = 0; j < columns; j++) dx[j] = inverse * (dy[j] * weight[j] - a - (x[j] - m) * b);
    }
}

VK_CLONES void vk_layer_norm_frozen_gradient(const float *dy, const float *weight, const float *inverse_deviation, size_t rows,
                                             size_t columns, float *restrict dx) {
    VK_RELAXED
    for (size_t i = 0; i < rows; i++, dy += columns, dx += columns) {
        float sum = 0;
        for (size_t j = 0; j < columns; j++) sum += dy[j] * weight[j];
        float a = sum / (float)columns;
        for (size_t j = 0; j < columns; j++) dx[j] = inverse_deviation[i] * (dy[j] * weight[j] - a);
    }
}

// Adds the gradients from `rows` rows of a block of `width` columns, at most 64, whose rows lie `stride` apart.
VK_INLINE void block_weight_gradient(const float *dy, const float *x, const float *mean, const float *inverse_deviation, size_t rows,
                                     size_t width, size_t stride, float *restrict d_weight, float *restrict d_bias) {
    VK_FUSED
    float weights[64] = {0}, biases[64] = {0};
    for (size_t i = 0; i < rows; i++, dy += stride, x += stride) {
        float m = mean[i], inverse = inverse_deviation[i];
        for (size_t j = 0; j < width; j++) {
            weights[j] += dy[j] * ((x[j] - m) * inverse);
            biases[j] += dy[j];
        }
    }
    for (size_t j = 0; j < width; j++) {
        d_weight[j] += weights[j];
        d_bias[j] += biases[j];
    }
}

VK_CLONES void vk_layer_norm_weight_gradient(const float *dy, const float *x, const float *mean, const float *inverse_deviation,
                                             size_t rows, size_t columns, float *restrict d_weight, float *restrict d_bias) {
    // Partial sums over 64 rows and 64 columns, as in vk_column_sums.
    for (size_t top = 0; top < rows; top += 64) {
        size_t height = rows - top < 64 ? rows - top : 64, at = top * columns, left = 0;
        for (; left + 64 <= columns; left += 64)
            block_weight_gradient(dy + at + left, x + at + left, mean + top, inverse_deviation + top, height, 64, columns,
                                  d_weight + left, d_bias + left);
        if (left < columns)
            block_weight_gradient(dy + at + left, x + at + left, mean + top, inverse_deviation + top, height, columns - left, columns,
                                  d_weight + left, d_bias + left);
    }
}
