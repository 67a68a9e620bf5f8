#include "vitrine_convert.h"
#include <string.h>

static inline float from_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, 4);
    return value;
}

/* Exponent rebiased by a multiplication, which is exact and treats denormals alike; infinities and NaN get theirs back. */
static inline float half_to_float(uint16_t half) {
    uint32_t magnitude = (uint32_t)(half & 0x7fff) << 13;
    uint32_t sign = (uint32_t)(half & 0x8000) << 16;
    float scaled = from_bits(magnitude) * 0x1p112f;
    uint32_t bits;
    memcpy(&bits, &scaled, 4);
    uint32_t special = magnitude | 0x7f800000u;
    bits = magnitude >= 0x0f800000u ? special : bits;
    return from_bits(bits | sign);
}

static inline float half_bits(uint16_t x) { return half_to_float(x); }
static inline float bfloat_bits(uint16_t x) { return from_bits((uint32_t)x << 16); }
static inline float float_bits(uint32_t x) { return from_bits(x); }
static inline float double_bits(uint64_t x) {
    double value;
    memcpy(&value, &x, 8);
    return (float)value;
}
static inline float i64_bits(uint64_t x) { return (float)(int64_t)x; }
static inline float i32_bits(uint32_t x) { return (float)(int32_t)x; }
static inline float i16_bits(uint16_t x) { return (float)(int16_t)x; }
static inline float i8_bits(uint8_t x) { return (float)(int8_t)x; }
static inline float u64_bits(uint64_t x) { return (float)x; }
static inline float u32_bits(uint32_t x) { return (float)x; }
static inline float u16_bits(uint16_t x) { return (float)x; }
static inline float u8_bits(uint8_t x) { return (float)x; }
static inline float bool_bits(uint8_t x) { return x != 0 ? 1.0f : 0.0f; }

static inline uint8_t swapped8(uint8_t x) { return x; }
static inline uint16_t swapped16(uint16_t x) { return __builtin_bswap16(x); }
static inline uint32_t swapped32(uint32_t x) { return __builtin_bswap32(x); }
static inline uint64_t swapped64(uint64_t x) { return __builtin_bswap64(x); }

#define CONVERT(name, word, swapped)                                                                     \
    static void convert_##name(const uint8_t *source, ptrdiff_t stride, size_t count, int swap, float *out) { \
        if (stride == 1 && !swap) { /* the case that matters, kept apart so that it vectorises */        \
            for (size_t i = 0; i < count; i++) {                                                         \
                word x;                                                                                  \
                memcpy(&x, source + i * sizeof(word), sizeof(word));                                     \
                out[i] = name##_bits(x);                                                                 \
            }                                                                                            \
        } else {                                                                                         \
            for (size_t i = 0; i < count; i++) {                                                         \
                word x;                                                                                  \
                memcpy(&x, source + (ptrdiff_t)i * stride * (ptrdiff_t)sizeof(word), sizeof(word));      \
                out[i] = name##_bits(swap ? swapped(x) : x);                                             \
            }                                                                                            \
        }                                                                                                \
    }

CONVERT(float, uint32_t, swapped32)
CONVERT(half, uint16_t, swapped16)
CONVERT(bfloat, uint16_t, swapped16)
CONVERT(double, uint64_t, swapped64)
CONVERT(i64, uint64_t, swapped64)
CONVERT(i32, uint32_t, swapped32)
CONVERT(i16, uint16_t, swapped16)
CONVERT(i8, uint8_t, swapped8)
CONVERT(u64, uint64_t, swapped64)
CONVERT(u32, uint32_t, swapped32)
CONVERT(u16, uint16_t, swapped16)
CONVERT(u8, uint8_t, swapped8)
CONVERT(bool, uint8_t, swapped8)

void vk_to_float(int type, const uint8_t *source, ptrdiff_t stride, size_t count, int swap, float *out) {
    switch (type) {
    case 0: convert_float(source, stride, count, swap, out); break;
    case 1: convert_half(source, stride, count, swap, out); break;
    case 2: convert_bfloat(source, stride, count, swap, out); break;
    case 3: convert_double(source, stride, count, swap, out); break;
    case 4: convert_i64(source, stride, count, swap, out); break;
    case 5: convert_i32(source, stride, count, swap, out); break;
    case 6: convert_i16(source, stride, count, swap, out); break;
    case 7: convert_i8(source, stride, count, swap, out); break;
    case 8: convert_u64(source, stride, count, swap, out); break;
    case 9: convert_u32(source, stride, count, swap, out); break;
    case 10: convert_u16(source, stride, count, swap, out); break;
    case 11: convert_u8(source, stride, count, swap, out); break;
    default: convert_bool(source, stride, count, swap, out); break;
    }
}

void vk_float_to_half(const float *source, size_t count, uint16_t *out) {
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, source + i, 4);
        uint16_t sign = (uint16_t)((bits >> 16) & 0x8000);
        bits &= 0x7fffffffu;
        uint16_t half;
        if (bits > 0x7f800000u) { /* NaN stays NaN, quiet, with the top of its payload */
            half = (uint16_t)(0x7e00 | ((bits >> 13) & 0x1ff));
        } else if (bits >= 0x477ff000u) { /* 65520 and above round to infinity */
            half = 0x7c00;
        } else if (bits >= 0x38800000u) { /* normal: rebias, round half to even on the 13 bits that go */
            uint32_t rounded = bits - 0x38000000u + 0x0fffu + ((bits >> 13) & 1);
            half = (uint16_t)(rounded >> 13);
        } else { /* denormal: the addition of 0.5 shifts and rounds in the float unit */
            float value = from_bits(bits) + 0.5f;
            uint32_t sum;
            memcpy(&sum, &value, 4);
            half = (uint16_t)(sum - 0x3f000000u);
        }
        out[i] = sign | half;
    }
}

void vk_crc32_tables(uint32_t *tables) {
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int k = 0; k < 8; k++) c = (c >> 1) ^ (c & 1 ? 0xedb88320u : 0);
        tables[i] = c;
    }
    for (uint32_t i = 0; i < 256; i++) {
        for (int t = 1; t < 8; t++) {
            uint32_t before = tables[(t - 1) * 256 + i];
            tables[t * 256 + i] = (before >> 8) ^ tables[before & 255];
        }
    }
}

/* Eight bytes at a time ("slicing by 8", Kounavis and Berry 2005). */
uint32_t vk_crc32(const uint32_t *tables, uint32_t crc, const uint8_t *bytes, size_t count) {
    crc = ~crc;
    while (count >= 8) {
        uint32_t low = crc ^ (bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24);
        crc = tables[7 * 256 + (low & 255)] ^ tables[6 * 256 + (low >> 8 & 255)] ^ tables[5 * 256 + (low >> 16 & 255)]
              ^ tables[4 * 256 + (low >> 24)] ^ tables[3 * 256 + bytes[4]] ^ tables[2 * 256 + bytes[5]]
              ^ tables[256 + bytes[6]] ^ tables[bytes[7]];
        bytes += 8;
        count -= 8;
    }
    while (count-- > 0) crc = (crc >> 8) ^ tables[(crc ^ *bytes++) & 255];
    return ~crc;
}
