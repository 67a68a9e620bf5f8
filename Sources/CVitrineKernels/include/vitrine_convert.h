#ifndef VITRINE_CONVERT_H
#define VITRINE_CONVERT_H
#include <stddef.h>
#include <stdint.h>

/* Stored numbers to and from float32. `source` needs no alignment; element i lies at source + i * stride * (bytes per element).
 * `swap` reverses the bytes of each element first (files written on big-endian machines). */

/* type: the codes of VitrineTensor's ElementType, in its order (f32, f16, bf16, f64, i64, i32, i16, i8, u64, u32, u16, u8, bool). */
void vk_to_float(int type, const uint8_t *source, ptrdiff_t stride, size_t count, int swap, float *out);

/* float32 to IEEE 754 binary16, round to nearest even; what is too large becomes infinite. */
void vk_float_to_half(const float *source, size_t count, uint16_t *out);

/* CRC-32 (polynomial 0xEDB88320) of `count` bytes, continuing from `crc` (0 to begin).
 * tables: 8 x 256 words as vk_crc32_tables fills them. */
void vk_crc32_tables(uint32_t *tables);
uint32_t vk_crc32(const uint32_t *tables, uint32_t crc, const uint8_t *bytes, size_t count);

#endif
