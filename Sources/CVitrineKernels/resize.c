#include <features.h>
#include <string.h>

#include "include/vitrine_resize.h"

#if defined(__GLIBC__) && defined(__x86_64__)
#define VK_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define VK_CLONES
#endif

enum { BITS = 22, HALF = 1 << (BITS - 1) };

typedef uint8_t u8x4 __attribute__((vector_size(4)));
typedef uint8_t u8x8 __attribute__((vector_size(8)));
typedef int32_t i32x4 __attribute__((vector_size(16)));
typedef int32_t i32x8 __attribute__((vector_size(32)));

#define LOAD4(p) ({ u8x4 v_; memcpy(&v_, (p), 4); __builtin_convertvector(v_, i32x4); })
#define LOAD8(p) ({ u8x8 v_; memcpy(&v_, (p), 8); __builtin_convertvector(v_, i32x8); })

static inline __attribute__((always_inline)) uint8_t clip(int32_t sum) {
    sum >>= BITS;
    return (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
}

VK_CLONES static void horizontal_rgb(const uint8_t *src, ptrdiff_t rows, ptrdiff_t src_width, uint8_t *dst,
                                     ptrdiff_t dst_width, const int32_t *first, const int32_t *length,
                                     const int32_t *weights, ptrdiff_t taps) {
    const ptrdiff_t pitch = 3 * src_width, out_pitch = 3 * dst_width;
    ptrdiff_t y = 0;
    // Four rows at a time share each weight. A pixel is read as four bytes of which the last is ignored: the pixel after
    // it, or the first of the next row, which exists because the last row is left to the loop below.
    for (; y + 4 < rows; y += 4) {
        const uint8_t *row = src + y * pitch;
        uint8_t *out = dst + y * out_pitch;
        for (ptrdiff_t i = 0; i < dst_width; i++) {
            const int32_t *w = weights + i * taps;
            const uint8_t *p = row + 3 * (ptrdiff_t)first[i];
            const int32_t n = length[i];
            i32x4 a = (i32x4){HALF, HALF, HALF, HALF}, b = a, c = a, d = a;
            for (int32_t j = 0; j < n; j++, p += 3) {
                const i32x4 k = (i32x4){w[j], w[j], w[j], w[j]};
                a += LOAD4(p) * k;
                b += LOAD4(p + pitch) * k;
                c += LOAD4(p + 2 * pitch) * k;
                d += LOAD4(p + 3 * pitch) * k;
            }
            uint8_t *q = out + 3 * i;
            for (int e = 0; e < 3; e++) {
                q[e] = clip(a[e]);
                q[out_pitch + e] = clip(b[e]);
                q[2 * out_pitch + e] = clip(c[e]);
                q[3 * out_pitch + e] = clip(d[e]);
            }
        }
    }
    for (; y < rows; y++) {
        const uint8_t *row = src + y * pitch;
        uint8_t *out = dst + y * out_pitch;
        for (ptrdiff_t i = 0; i < dst_width; i++) {
            const int32_t *w = weights + i * taps;
            const uint8_t *p = row + 3 * (ptrdiff_t)first[i];
            int32_t r = HALF, g = HALF, b = HALF;
            for (int32_t j = 0; j < length[i]; j++) {
                r += p[3 * j] * w[j];
                g += p[3 * j + 1] * w[j];
                b += p[3 * j + 2] * w[j];
            }
            out[3 * i] = clip(r);
            out[3 * i + 1] = clip(g);
            out[3 * i + 2] = clip(b);
        }
    }
}

VK_CLONES static void horizontal_grey(const uint8_t *src, ptrdiff_t rows, ptrdiff_t src_width, uint8_t *dst,
                                      ptrdiff_t dst_width, const int32_t *first, const int32_t *length,
                                      const int32_t *weights, ptrdiff_t taps) {
    for (ptrdiff_t y = 0; y < rows; y++) {
        const uint8_t *row = src + y * src_width;
        uint8_t *out = dst + y * dst_width;
        for (ptrdiff_t i = 0; i < dst_width; i++) {
            const int32_t *w = weights + i * taps;
            const uint8_t *p = row + first[i];
            const int32_t n = length[i];
            int32_t sum = HALF, j = 0;
            if (n >= 8) {
                i32x8 a = {0};
                for (; j + 8 <= n; j += 8) {
                    i32x8 k;
                    memcpy(&k, w + j, sizeof k);
                    a += LOAD8(p + j) * k;
                }
                sum += ((a[0] + a[1]) + (a[2] + a[3])) + ((a[4] + a[5]) + (a[6] + a[7]));
            }
            if (j + 4 <= n) {
                i32x4 k;
                memcpy(&k, w + j, sizeof k);
                const i32x4 a = LOAD4(p + j) * k;
                sum += (a[0] + a[1]) + (a[2] + a[3]);
                j += 4;
            }
            for (; j < n; j++) sum += p[j] * w[j];
            out[i] = clip(sum);
        }
    }
}

void vk_resize_horizontal(const uint8_t *src, ptrdiff_t rows, ptrdiff_t src_width, ptrdiff_t channels, uint8_t *dst,
                          ptrdiff_t dst_width, const int32_t *first, const int32_t *length, const int32_t *weights,
                          ptrdiff_t taps) {
    if (channels == 3) horizontal_rgb(src, rows, src_width, dst, dst_width, first, length, weights, taps);
    else horizontal_grey(src, rows, src_width, dst, dst_width, first, length, weights, taps);
}

VK_CLONES static void vertical(const uint8_t *src, ptrdiff_t row_bytes, uint8_t *dst, ptrdiff_t dst_height,
                               const int32_t *first, const int32_t *length, const int32_t *weights, ptrdiff_t taps) {
    for (ptrdiff_t y = 0; y < dst_height; y++) {
        const int32_t *w = weights + y * taps;
        const uint8_t *top = src + first[y] * row_bytes;
        const int32_t n = length[y];
        uint8_t *out = dst + y * row_bytes;
        ptrdiff_t x = 0;
        for (; x + 32 <= row_bytes; x += 32) {
            i32x8 a = {HALF, HALF, HALF, HALF, HALF, HALF, HALF, HALF}, b = a, c = a, d = a;
            const uint8_t *p = top + x;
            for (int32_t j = 0; j < n; j++, p += row_bytes) {
                const i32x8 k = {w[j], w[j], w[j], w[j], w[j], w[j], w[j], w[j]};
                a += LOAD8(p) * k;
                b += LOAD8(p + 8) * k;
                c += LOAD8(p + 16) * k;
                d += LOAD8(p + 24) * k;
            }
            int32_t sums[32];
            memcpy(sums, &a, 32);
            memcpy(sums + 8, &b, 32);
            memcpy(sums + 16, &c, 32);
            memcpy(sums + 24, &d, 32);
            for (int e = 0; e < 32; e++) out[x + e] = clip(sums[e]);
        }
        for (; x < row_bytes; x++) {
            int32_t sum = HALF;
            for (int32_t j = 0; j < n; j++) sum += top[x + j * row_bytes] * w[j];
            out[x] = clip(sum);
        }
    }
}

void vk_resize_vertical(const uint8_t *src, ptrdiff_t row_bytes, uint8_t *dst, ptrdiff_t dst_height, const int32_t *first,
                        const int32_t *length, const int32_t *weights, ptrdiff_t taps) {
    vertical(src, row_bytes, dst, dst_height, first, length, weights, taps);
}
