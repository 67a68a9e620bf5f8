#ifndef VITRINE_OPTIMISER_H
#define VITRINE_OPTIMISER_H
#include <stddef.h>

// One step of an optimiser over n weights. gradient is multiplied by gradient_scale first; nothing overlaps.

// buffer = momentum * buffer + g with g = gradient + decay * weight; weight -= rate * buffer.
void vk_sgd_step(float *weight, const float *gradient, float *buffer, size_t n, float gradient_scale, float rate, float momentum,
                 float decay);

// m = beta1 * m + (1 - beta1) * g, v = beta2 * v + (1 - beta2) * g^2, weight -= rate / correction1 * m / (sqrt(v / correction2) + epsilon).
// g = gradient + decay * weight, or, decoupled, weight *= 1 - rate * decay first.
void vk_adam_step(float *weight, const float *gradient, float *m, float *v, size_t n, float gradient_scale, float rate, double beta1,
                  double beta2, float epsilon, float correction1, float correction2, float decay, int decoupled);
#endif
