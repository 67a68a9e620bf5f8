#include "vitrine_kernels.h"
#include "vk_math.h"

// c = alpha a b + beta c, in the usual shape of fast matrix products (Goto and van de Geijn 2008, https://doi.org/10.1145/1356052.1356053;
// Van Zee and van de Geijn 2015, https://doi.org/10.1145/2764454): tiles of c in registers, their rows of a in the first cache, panels
// of b in the second. b is copied into panels as it is used, unless it was packed so before; a is read where it lies, unless it is
// transposed, only a part of its values is wanted, or its rows would meet in one set of the first cache.
//
// An element of c is one chain of fused products over each block of VK_DEPTH terms, and a sum of the blocks, wherever the element
// lies in its tile and whatever other rows and columns there are. So any cut of rows or columns gives the same bits.

// Terms of a block. Copied rows of a lie this far apart.
#define VK_DEPTH 256
// Rows of a that are copied at a time, at most.
#define VK_BLOCK 1008
// Columns of b that are copied at a time, at most: whole panels.
#define VK_COLUMNS 256

// Terms that a tile takes at a time where it goes through its rows in groups.
#define VK_SLICE 32

size_t vk_product_scratch(void) { return (size_t)VK_BLOCK * VK_DEPTH + (size_t)VK_DEPTH * VK_COLUMNS; }

VK_INLINE size_t vk_least(size_t a, size_t b) { return a < b ? a : b; }

// Makes the compiler forget what it knows of a value in a register.
#define VK_OPAQUE(value) __asm__("" : "+r"(value))

#define VK_JOIN_(a, b) a##_##b
#define VK_JOIN(a, b) VK_JOIN_(a, b)

#if defined(__x86_64__) && defined(__GLIBC__)
#define VK_TARGET __attribute__((target("arch=x86-64-v4"), min_vector_width(512)))
#define VK_NAME(name) VK_JOIN(name, v4)
#define VK_LANES 16
#define VK_ROWS 14
#define VK_ROW_CASES VK_CASE(14) VK_CASE(13) VK_CASE(12) VK_CASE(11) VK_CASE(10) VK_CASE(9) VK_CASE(8) VK_CASE(7) VK_FIRST_CASES
#include "product_tile.h"
#define VK_TARGET __attribute__((target("arch=x86-64-v3")))
#define VK_NAME(name) VK_JOIN(name, v3)
#define VK_LANES 8
#define VK_ROWS 6
#define VK_ROW_CASES VK_FIRST_CASES
#include "product_tile.h"
#endif
#define VK_TARGET
#define VK_NAME(name) VK_JOIN(name, plain)
#define VK_LANES 4
#define VK_ROWS 6
#define VK_ROW_CASES VK_FIRST_CASES
#include "product_tile.h"

void vk_product(int path, const vk_factors *f, float *c, size_t stride, float *scratch) {
    switch (path) {
#if defined(__x86_64__) && defined(__GLIBC__)
    case 2: vk_product_v4(f, c, stride, scratch); return;
    case 1: vk_product_v3(f, c, stride, scratch); return;
#endif
    default: vk_product_plain(f, c, stride, scratch);
    }
}

size_t vk_panel_width(int path) {
    switch (path) {
    case 2: return 32;
    case 1: return 16;
    default: return 8;
    }
}

void vk_pack(int path, vk_factor x, size_t rows, size_t columns, size_t first, size_t last, float *to) {
    switch (path) {
#if defined(__x86_64__) && defined(__GLIBC__)
    case 2: vk_pack_v4(x, rows, columns, vk_panel_width(path), first, last, to); return;
    case 1: vk_pack_v3(x, rows, columns, vk_panel_width(path), first, last, to); return;
#endif
    default: vk_pack_plain(x, rows, columns, vk_panel_width(path), first, last, to);
    }
}
