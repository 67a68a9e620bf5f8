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

VK_CLONES void vk_fill_rows(const float *row, size_t rows, size_t columns, size_t stride, float *restrict y) {
    for (size_t i = 0; i < rows; i++) memcpy(y + i * stride, row, columns * sizeof *row);
}

VK_CLONES void vk_column_sums(const float *x, size_t rows, size_t columns, float *restrict sums) {
    // Partial sums over 64 rows and 64 columns: few roundings pile up, and a block's sums stay in the first cache.
    for (size_t top = 0; top < rows; top += 64)
        for (size_t left = 0; left < columns; left += 64) {
            size_t bottom = rows - top < 64 ? rows : top + 64;
            size_t width = columns - left < 64 ? columns - left : 64;
            float block[64] = {0};
            for (size_t i = top; i < bottom; i++) {
                const float *row = x + i * columns + left;
                for (size_t j = 0; j < width; j++) block[j] += row[j];
            }
            for (size_t j = 0; j < width; j++) sums[left + j] += block[j];
        }
}

VK_CLONES void vk_scale_columns(const float *x, const float *gamma, size_t rows, size_t columns, float *restrict y) {
    for (size_t i = 0; i < rows; i++, x += columns, y += columns)
        for (size_t j = 0; j < columns; j++) y[j] = x[j] * gamma[j];
}
