#include "vitrine_kernels.h"
#include <string.h>

void vk_image_to_patches(const float *image, size_t channels, size_t height, size_t width, size_t p, float *patches) {
    size_t grid_rows = height / p, grid_columns = width / p;
    for (size_t gi = 0; gi < grid_rows; gi++)
        for (size_t gj = 0; gj < grid_columns; gj++)
            for (size_t c = 0; c < channels; c++)
                for (size_t i = 0; i < p; i++, patches += p)
                    memcpy(patches, image + (c * height + gi * p + i) * width + gj * p, p * sizeof(float));
}

void vk_patches_to_image(const float *patches, size_t channels, size_t height, size_t width, size_t p, float *image) {
    size_t grid_rows = height / p, grid_columns = width / p;
    memset(image, 0, channels * height * width * sizeof(float));
    for (size_t gi = 0; gi < grid_rows; gi++)
        for (size_t gj = 0; gj < grid_columns; gj++)
            for (size_t c = 0; c < channels; c++)
                for (size_t i = 0; i < p; i++, patches += p)
                    memcpy(image + (c * height + gi * p + i) * width + gj * p, patches, p * sizeof(float));
}
