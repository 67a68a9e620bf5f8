#include "vitrine_optimiser.h"
#include "vk_math.h"

VK_CLONES void vk_sgd_step(float *restrict weight, const float *restrict gradient, float *restrict buffer, size_t n,
                           float gradient_scale, float rate, float momentum, float decay) {
    VK_FUSED
    for (size_t i = 0; i < n; i++) {
        float g = gradient[i] * gradient_scale + decay * weight[i];
        buffer[i] = momentum * buffer[i] + g;
        weight[i] -= rate * buffer[i];
    }
}

VK_CLONES void vk_adam_step(float *restrict weight, const float *restrict gradient, float *restrict m, float *restrict v, size_t n,
                            float gradient_scale, float rate, double beta1, double beta2, float epsilon, float correction1,
                            float correction2, float decay, int decoupled) {
    VK_FUSED
    float keep = decoupled ? 1 - rate * decay : 1;
    float pull = decoupled ? 0 : decay;
    float step = rate / correction1;
    float root = 1 / sqrtf(correction2);
    // Rounded once each: 1 - 0.999f is off by 1e-5.
    float old1 = (float)beta1, old2 = (float)beta2, new1 = (float)(1 - beta1), new2 = (float)(1 - beta2);
    for (size_t i = 0; i < n; i++) {
        float g = gradient[i] * gradient_scale + pull * weight[i];
        m[i] = old1 * m[i] + new1 * g;
        v[i] = old2 * v[i] + new2 * g * g;
        weight[i] = keep * weight[i] - step * m[i] / (sqrtf(v[i]) * root + epsilon);
    }
}
