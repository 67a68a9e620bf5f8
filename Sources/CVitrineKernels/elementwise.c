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

// Adds the sums over `rows` rows of a block of `width` columns, at most 64, whose rows lie `stride` apart.
VK_INLINE void block_sums(const float *x, size_t rows, size_t width, size_t stride, float *restrict sums) {
    float block[64] = {0};
    for (size_t i = 0; i < rows; i++, x += stride)
        for (size_t j = 0; j < width; j++) block[j] += x[j];
    for (size_t j = 0; j < width; j++) sums[j] += block[j];
}

VK_CLONES void vk_column_sums(const float *x, size_t rows, size_t columns, float *restrict sums) {
    // Partial sums over 64 rows and 64 columns: few roundings pile up. A whole block has a width that the compiler knows, so that its
    // sums stay in registers; at the edge they stay in the first cache.
    for (size_t top = 0; top < rows; top += 64) {
        size_t height = rows - top < 64 ? rows - top : 64, left = 0;
        const float *first = x + top * columns;
        for (; left + 64 <= columns; left += 64) block_sums(first + left, height, 64, columns, sums + left);
        if (left < columns) block_sums(first + left, height, columns - left, columns, sums + left);
    }
}

VK_CLONES void vk_scale_columns(const float *x, const float *gamma, size_t rows, size_t columns, float *restrict y) {
    for (size_t i = 0; i < rows; i++, x += columns, y += columns)
        for (size_t j = 0; j < columns; j++) y[j] = x[j] * gamma[j];
}
