#include "vitrine_kernels.h"
#include "vk_math.h"

VK_CLONES void vk_add(const float *a, const float *b, size_t n, float *restrict y) {
    for (size_t i = 0; i < n; i++) y[i] = a[i] + b[i];
}

VK_CLONES void vk_add_to(const float *a, size_t n, float *restrict y) {
    for (size_t i = 0; i < n; i++) y[i] += a[i];
}

VK_CLONES void vk_add_scaled(const float *a, float factor, size_t n, float *restrict y) {
    VK_FUSED
    for (size_t i = 0; i < n; i++) y[i] += factor * a[i];
}

VK_CLONES void vk_scale(float *y, float factor, size_t n) {
    for (size_t i = 0; i < n; i++) y[i] *= factor;
}

VK_CLONES void vk_multiply(const float *a, const float *b, size_t n, float *restrict y) {
    for (size_t i = 0; i < n; i++) y[i] = a[i] * b[i];
}

VK_CLONES void vk_absolute(const float *x, size_t n, float *restrict y) {
    for (size_t i = 0; i < n; i++) y[i] = fabsf(x[i]);
}

VK_CLONES void vk_safe_divide_all(const float *a, const float *b, size_t n, float *restrict y) {
    for (size_t i = 0; i < n; i++) y[i] = vk_safe_divide(a[i], b[i]);
}

VK_CLONES void vk_add_bias(const float *bias, size_t rows, size_t columns, float *restrict y) {
    for (size_t i = 0; i < rows; i++, y += columns)
        for (size_t j = 0; j < columns; j++) y[j] += bias[j];
}

VK_CLONES void vk_column_sums(const float *x, size_t rows, size_t columns, float *restrict sums) {
    for (size_t i = 0; i < rows; i++, x += columns)
        for (size_t j = 0; j < columns; j++) sums[j] += x[j];
}

VK_CLONES void vk_scale_columns(const float *x, const float *gamma, size_t rows, size_t columns, float *restrict y) {
    for (size_t i = 0; i < rows; i++, x += columns, y += columns)
        for (size_t j = 0; j < columns; j++) y[j] = x[j] * gamma[j];
}
