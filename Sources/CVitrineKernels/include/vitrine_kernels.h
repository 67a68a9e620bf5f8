#ifndef VITRINE_KERNELS_H
#define VITRINE_KERNELS_H
#include <stddef.h>
#include <stdint.h>
#endif
