#include "vitrine_kernels.h"
#include "vk_math.h"

// The loader picks among the clones by these same two questions, in this order.
int vk_cpu_path(void) {
#if defined(__x86_64__) && defined(__GLIBC__)
    if (__builtin_cpu_supports("x86-64-v4")) return 2;
    if (__builtin_cpu_supports("x86-64-v3")) return 1;
#endif
    return 0;
}
