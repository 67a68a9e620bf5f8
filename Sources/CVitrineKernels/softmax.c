#include "vitrine_kernels.h"
#include "vk_math.h"

VK_CLONES void vk_softmax(float *s, float scale, size_t rows, size_t columns) {
    VK_RELAXED
    for (size_t i = 0; i < rows; i++, s += columns) {
        float maximum = -INFINITY;
        for (size_t j = 0; j < columns; j++) {
            float v = s[j] * scale;
            maximum = v > maximum ? v : maximum;
        }
        float sum = 0;
        for (size_t j = 0; j < columns; j++) {
            float e = vk_exp(s[j] * scale - maximum);
            s[j] = e;
            sum += e;
        }
        float inverse = 1.0f / sum;
        for (size_t j = 0; j < columns; j++) s[j] *= inverse;
    }
}

VK_CLONES void vk_softmax_gradient(const float *da, const float *a, float scale, size_t rows, size_t columns,
                                   float *restrict ds) {
    VK_RELAXED
    for (size_t i = 0; i < rows; i++, da += columns, a += columns, ds += columns) {
        float sum = 0;
        for (size_t j = 0; j < columns; j++) sum += a[j] * da[j];
        for (size_t j = 0; j < columns; j++) ds[j] = scale * (a[j] * (da[j] - sum));
    }
}
