// The product for one kind of processor: included by product.c with VK_TARGET, VK_NAME, VK_LANES, VK_ROWS (of a tile, at most) and
// VK_ROW_CASES. A tile is up to VK_ROWS rows by two vectors.

typedef float VK_NAME(vk_vector) __attribute__((ext_vector_type(VK_LANES)));
typedef float VK_NAME(vk_unaligned) __attribute__((ext_vector_type(VK_LANES), aligned(4)));
typedef float VK_NAME(vk_eight) __attribute__((ext_vector_type(8), aligned(4)));
#define vector VK_NAME(vk_vector)
#define unaligned VK_NAME(vk_unaligned)
#define eight VK_NAME(vk_eight)
#define VK_WIDTH (2 * VK_LANES)

// to[j * to_stride + i] = x[i * stride + j] for [rows, columns] of x; eight by eight in registers.
VK_TARGET static void VK_NAME(transpose)(const float *x, size_t stride, size_t rows, size_t columns, float *to,
                                         size_t to_stride) {
    size_t whole_rows = rows / 8 * 8, whole_columns = columns / 8 * 8;
    for (size_t i = 0; i < whole_rows; i += 8) {
        const float *from = x + i * stride;
        for (size_t j = 0; j < whole_columns; j += 8) {
            eight r[8], s[8];
            for (int q = 0; q < 8; q++) r[q] = *(const eight *)(from + q * stride + j);
            for (int q = 0; q < 8; q += 2) {
                s[q] = __builtin_shufflevector(r[q], r[q + 1], 0, 8, 1, 9, 4, 12, 5, 13);
                s[q + 1] = __builtin_shufflevector(r[q], r[q + 1], 2, 10, 3, 11, 6, 14, 7, 15);
            }
            for (int q = 0; q < 8; q += 4)
                for (int p = 0; p < 2; p++) {
                    r[q + 2 * p] = __builtin_shufflevector(s[q + p], s[q + p + 2], 0, 1, 8, 9, 4, 5, 12, 13);
                    r[q + 2 * p + 1] = __builtin_shufflevector(s[q + p], s[q + p + 2], 2, 3, 10, 11, 6, 7, 14, 15);
                }
            for (int q = 0; q < 4; q++) {
                *(eight *)(to + (j + q) * to_stride + i) = __builtin_shufflevector(r[q], r[q + 4], 0, 1, 2, 3, 8, 9, 10, 11);
                *(eight *)(to + (j + q + 4) * to_stride + i) = __builtin_shufflevector(r[q], r[q + 4], 4, 5, 6, 7, 12, 13, 14, 15);
            }
        }
    }
    for (size_t i = 0; i < rows; i++)
        for (size_t j = i < whole_rows ? whole_columns : 0; j < columns; j++) to[j * to_stride + i] = x[i * stride + j];
}

VK_INLINE VK_TARGET vector VK_NAME(part_of)(vk_part part, vector x) {
    vector zero = (vector)(0.0f);
    switch (part) {
    case VK_ALL: return x;
    case VK_MAGNITUDE: return __builtin_elementwise_abs(x);
    case VK_POSITIVE: return x < zero ? zero : x;
    case VK_NEGATIVE: return x > zero ? zero : x;
    }
}

// Copies a part of each value of [rows, columns], whose rows are `stride` and become `to_stride` apart; may be in place.
VK_INLINE VK_TARGET void VK_NAME(copy_part)(vk_part part, const float *x, size_t stride, size_t rows, size_t columns, float *to,
                                            size_t to_stride) {
    size_t whole = columns / VK_LANES * VK_LANES, rest = (columns - whole) * sizeof *x;
    for (size_t i = 0; i < rows; i++, x += stride, to += to_stride) {
        for (size_t j = 0; j < whole; j += VK_LANES) *(unaligned *)(to + j) = VK_NAME(part_of)(part, *(const unaligned *)(x + j));
        if (rest > 0) {
            vector last = (vector)(0.0f);
            memcpy(&last, x + whole, rest);
            last = VK_NAME(part_of)(part, last);
            memcpy(to + whole, &last, rest);
        }
    }
}

VK_TARGET static void VK_NAME(copy)(vk_part part, const float *x, size_t stride, size_t rows, size_t columns, float *to,
                                    size_t to_stride) {
    switch (part) {
    case VK_ALL: VK_NAME(copy_part)(VK_ALL, x, stride, rows, columns, to, to_stride); break;
    case VK_MAGNITUDE: VK_NAME(copy_part)(VK_MAGNITUDE, x, stride, rows, columns, to, to_stride); break;
    case VK_POSITIVE: VK_NAME(copy_part)(VK_POSITIVE, x, stride, rows, columns, to, to_stride); break;
    case VK_NEGATIVE: VK_NAME(copy_part)(VK_NEGATIVE, x, stride, rows, columns, to, to_stride); break;
    }
}

// The part that the product takes of a factor's [rows, columns] from row `row` and column `column` on, row by row `to_stride` apart.
VK_TARGET static void VK_NAME(take)(vk_factor x, size_t row, size_t column, size_t rows, size_t columns, float *to, size_t to_stride) {
    if (!x.is_transposed) {
        VK_NAME(copy)(x.part, x.values + row * x.stride + column, x.stride, rows, columns, to, to_stride);
        return;
    }
    VK_NAME(transpose)(x.values + column * x.stride + row, x.stride, columns, rows, to, to_stride);
    if (x.part != VK_ALL) VK_NAME(copy)(x.part, to, to_stride, rows, columns, to, to_stride);
}

// Asks for piece `piece` of `pieces` of what the next panel of b will read, [terms, columns] from row `row` and column `column` on.
VK_TARGET static void VK_NAME(ask_for)(vk_factor b, size_t row, size_t column, size_t terms, size_t columns, size_t piece, size_t pieces) {
    size_t rows = b.is_transposed ? columns : terms, floats = b.is_transposed ? terms : columns;
    const float *from = b.is_transposed ? b.values + column * b.stride + row : b.values + row * b.stride + column;
    for (size_t i = rows * piece / pieces; i < rows * (piece + 1) / pieces; i++)
        for (size_t j = 0; j < floats; j += 16) __builtin_prefetch(from + i * b.stride + j, 0, 2);
}

// acc[i][v] = sum over `terms` of a[i, .] b[., v]; a has rows VK_DEPTH apart, b rows of VK_WIDTH.
VK_INLINE VK_TARGET void VK_NAME(accumulate)(int rows, int vectors, size_t terms, const float *a, const float *b, vector acc[VK_ROWS][2]) {
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++)
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) acc[i][v] = (vector)(0.0f);
    for (size_t t = 0; t < terms; t++, a++, b += VK_WIDTH) {
        vector y[2];
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) y[v] = *(const vector *)(b + v * VK_LANES);
#pragma clang loop unroll(full)
        for (int i = 0; i < rows; i++) {
            vector x = (vector)(a[i * VK_DEPTH]);
#pragma clang loop unroll(full)
            for (int v = 0; v < vectors; v++) {
#if VK_LANES > 4
                acc[i][v] = __builtin_elementwise_fma(x, y[v], acc[i][v]);
#else
                acc[i][v] += x * y[v];
#endif
            }
        }
    }
}

// How a tile is written: `scale * c + bias + alpha * tile` for the first block of terms, `c + alpha * tile` for those that follow.
typedef struct {
    float alpha, scale;
    const float *bias;
} VK_NAME(vk_store);

// `columns` of a tile's row; columns at the edge of c go through memory of their own, so that all are summed alike.
VK_INLINE VK_TARGET void VK_NAME(store_row)(const vector tile[2], int vectors, VK_NAME(vk_store) how, size_t columns, float *c) {
#pragma clang fp contract(off)
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) {
        size_t first = (size_t)v * VK_LANES;
        vector sum = (vector)(0.0f), bias = (vector)(0.0f);
        int isWhole = columns >= first + VK_LANES;
        size_t some = columns - first;
        if (isWhole) {
            if (how.scale != 0.0f) sum = *(const unaligned *)(c + first);
            if (how.bias) bias = *(const unaligned *)(how.bias + first);
        } else {
            if (how.scale != 0.0f) memcpy(&sum, c + first, some * sizeof(float));
            if (how.bias) memcpy(&bias, how.bias + first, some * sizeof(float));
        }
        if (how.scale != 1.0f) sum = how.scale * sum;
        if (how.bias) sum = sum + bias;
        vector product = how.alpha * tile[v];
        sum = sum + product;
        if (isWhole)
            *(unaligned *)(c + first) = sum;
        else
            memcpy(c + first, &sum, some * sizeof(float));
    }
}

VK_INLINE VK_TARGET void VK_NAME(tile)(int rows, int vectors, size_t terms, const float *a, const float *b, VK_NAME(vk_store) how,
                                       size_t columns, float *c, size_t stride) {
    vector acc[VK_ROWS][2];
    // What the tile will be added to, asked for before the sums instead of after them.
    for (int i = 0; i < rows; i++) {
        __builtin_prefetch(c + i * stride, 1, 3);
        __builtin_prefetch(c + i * stride + columns - 1, 1, 3);
    }
    VK_NAME(accumulate)(rows, vectors, terms, a, b, acc);
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++) VK_NAME(store_row)(acc[i], vectors, how, columns, c + i * stride);
}

#define VK_CASE(n) \
    case n: \
        if (columns > VK_LANES) \
            VK_NAME(tile)(n, 2, terms, a, b, how, columns, c, stride); \
        else \
            VK_NAME(tile)(n, 1, terms, a, b, how, columns, c, stride); \
        break;
#define VK_FIRST_CASES VK_CASE(6) VK_CASE(5) VK_CASE(4) VK_CASE(3) VK_CASE(2) VK_CASE(1)

VK_TARGET static void VK_NAME(any_tile)(size_t rows, size_t terms, const float *a, const float *b, VK_NAME(vk_store) how, size_t columns,
                                        float *c, size_t stride) {
    switch (rows) { VK_ROW_CASES }
}

VK_TARGET static void VK_NAME(vk_product)(const vk_factors *f, float *c, size_t stride, float *scratch) {
    float *panel = scratch, *rows = scratch + VK_DEPTH * VK_WIDTH;
    size_t blocks = (f->rows + VK_BLOCK - 1) / VK_BLOCK;
    for (size_t block = 0; block < blocks; block++) {
        size_t top = f->rows * block / blocks, height = f->rows * (block + 1) / blocks - top;
        size_t tiles = (height + VK_ROWS - 1) / VK_ROWS;
        size_t from = 0;
        do {
            size_t terms = vk_least(VK_DEPTH, f->terms - from);
            VK_NAME(take)(f->a, top, from, height, terms, rows, VK_DEPTH);
            VK_NAME(vk_store) how = {f->alpha, from == 0 ? f->beta : 1.0f, from == 0 ? f->bias : 0};
            for (size_t left = 0; left < f->columns; left += VK_WIDTH) {
                size_t columns = vk_least(VK_WIDTH, f->columns - left), next = left + columns;
                VK_NAME(take)(f->b, from, left, terms, columns, panel, VK_WIDTH);
                VK_NAME(vk_store) here = {how.alpha, how.scale, how.bias ? how.bias + left : 0};
                for (size_t t = 0; t < tiles; t++) {
                    if (next < f->columns)
                        VK_NAME(ask_for)(f->b, from, next, terms, vk_least(VK_WIDTH, f->columns - next), t, tiles);
                    size_t first = height * t / tiles, count = height * (t + 1) / tiles - first;
                    VK_NAME(any_tile)(count, terms, rows + first * VK_DEPTH, panel, here, columns, c + (top + first) * stride + left, stride);
                }
            }
            from += terms;
        } while (from < f->terms);
    }
}

#undef vector
#undef unaligned
#undef eight
#undef VK_WIDTH
#undef VK_CASE
#undef VK_FIRST_CASES
#undef VK_TARGET
#undef VK_NAME
#undef VK_LANES
#undef VK_ROWS
#undef VK_ROW_CASES
