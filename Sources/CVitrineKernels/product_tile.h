// The product for one kind of processor: included by product.c with VK_TARGET, VK_NAME, VK_LANES, VK_ROWS (of a tile, at most) and
// VK_ROW_CASES. A tile is up to VK_ROWS rows by two vectors.

typedef float VK_NAME(vk_vector) __attribute__((ext_vector_type(VK_LANES)));
typedef float VK_NAME(vk_unaligned) __attribute__((ext_vector_type(VK_LANES), aligned(4)));
typedef float VK_NAME(vk_eight) __attribute__((ext_vector_type(8), aligned(4)));
#if VK_LANES == 16
typedef unsigned short VK_NAME(vk_mask);
#else
typedef int VK_NAME(vk_mask) __attribute__((ext_vector_type(VK_LANES)));
#endif
#define vector VK_NAME(vk_vector)
#define mask VK_NAME(vk_mask)
#define unaligned VK_NAME(vk_unaligned)
#define eight VK_NAME(vk_eight)
#define VK_WIDTH (2 * VK_LANES)

// to[j * to_stride + i] = x[i * stride + j] for a square that fits into the registers: pairs of rows are merged, then pairs of pairs, ...
#if VK_LANES == 16
#define VK_SIDE 16
VK_INLINE VK_TARGET void VK_NAME(transpose_square)(const float *x, size_t stride, float *to, size_t to_stride) {
    vector r[16], s[16];
#pragma clang loop unroll(full)
    for (int q = 0; q < 16; q++) r[q] = *(const unaligned *)(x + q * stride);
#pragma clang loop unroll(full)
    for (int q = 0; q < 16; q += 2) {
        s[q] = __builtin_shufflevector(r[q], r[q + 1], 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29);
        s[q + 1] = __builtin_shufflevector(r[q], r[q + 1], 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31);
    }
    // r[q + p]: in its quarter L, column 4 L + p of rows q to q + 3.
#pragma clang loop unroll(full)
    for (int q = 0; q < 16; q += 4)
#pragma clang loop unroll(full)
        for (int p = 0; p < 2; p++) {
            vector above = s[q + p], below = s[q + p + 2];
            r[q + 2 * p] = __builtin_shufflevector(above, below, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29);
            r[q + 2 * p + 1] = __builtin_shufflevector(above, below, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
        }
    // s[q + p]: columns p and 8 + p of rows q to q + 3, then of rows q + 4 to q + 7; s[q + 4 + p]: columns 4 + p and 12 + p.
#pragma clang loop unroll(full)
    for (int q = 0; q < 16; q += 8)
#pragma clang loop unroll(full)
        for (int p = 0; p < 4; p++) {
            vector above = r[q + p], below = r[q + p + 4];
            s[q + p] = __builtin_shufflevector(above, below, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27);
            s[q + p + 4] = __builtin_shufflevector(above, below, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
        }
#pragma clang loop unroll(full)
    for (int p = 0; p < 8; p++) {
        vector above = s[p], below = s[p + 8];
        *(unaligned *)(to + p * to_stride) =
            __builtin_shufflevector(above, below, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27);
        *(unaligned *)(to + (p + 8) * to_stride) =
            __builtin_shufflevector(above, below, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
    }
}
#else
#define VK_SIDE 8
VK_INLINE VK_TARGET void VK_NAME(transpose_square)(const float *x, size_t stride, float *to, size_t to_stride) {
    eight r[8], s[8];
    for (int q = 0; q < 8; q++) r[q] = *(const eight *)(x + q * stride);
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
        *(eight *)(to + q * to_stride) = __builtin_shufflevector(r[q], r[q + 4], 0, 1, 2, 3, 8, 9, 10, 11);
        *(eight *)(to + (q + 4) * to_stride) = __builtin_shufflevector(r[q], r[q + 4], 4, 5, 6, 7, 12, 13, 14, 15);
    }
}
#endif

// The same for [rows, columns] of x, square by square.
VK_TARGET static void VK_NAME(transpose)(const float *x, size_t stride, size_t rows, size_t columns, float *to,
                                         size_t to_stride) {
    size_t whole_rows = rows / VK_SIDE * VK_SIDE, whole_columns = columns / VK_SIDE * VK_SIDE;
    for (size_t i = 0; i < whole_rows; i += VK_SIDE)
        for (size_t j = 0; j < whole_columns; j += VK_SIDE) {
            // Rows go on; the squares after next come from the second cache meanwhile.
            for (size_t q = 0; q < VK_SIDE; q++) __builtin_prefetch(x + (i + q) * stride + j + 2 * VK_SIDE, 0, 3);
            VK_NAME(transpose_square)(x + i * stride + j, stride, to + j * to_stride + i, to_stride);
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

// The same of a factor that may be packed, panel by panel.
VK_TARGET static void VK_NAME(gather)(vk_factor x, size_t row, size_t column, size_t rows, size_t columns, float *to, size_t to_stride) {
    if (x.panel == 0) {
        VK_NAME(take)(x, row, column, rows, columns, to, to_stride);
        return;
    }
    size_t across = x.is_transposed ? row : column, extent = x.is_transposed ? rows : columns;
    for (size_t done = 0; done < extent;) {
        size_t inside = (across + done) % x.panel, some = vk_least(x.panel - inside, extent - done);
        vk_factor panel = {x.values + (across + done - inside) * x.stride, x.panel, x.is_transposed, x.part, 0};
        if (x.is_transposed)
            VK_NAME(take)(panel, inside, column, some, columns, to + done * to_stride, to_stride);
        else
            VK_NAME(take)(panel, row, inside, rows, some, to + done, to_stride);
        done += some;
    }
}

// Where a block of b lies: [terms, columns] from row `row` and column `column` on.
typedef struct {
    size_t row, column, terms, columns;
} VK_NAME(vk_place);

// Asks for piece `piece` of `pieces` of a block of b, so that it comes bit by bit while another one is worked on.
VK_TARGET static void VK_NAME(ask_for)(vk_factor b, VK_NAME(vk_place) at, size_t piece, size_t pieces) {
    // Stored as `lines` of so many `floats`.
    size_t lines = b.is_transposed ? at.columns : at.terms, floats = b.is_transposed ? at.terms : at.columns;
    size_t line = b.is_transposed ? at.column : at.row, column = b.is_transposed ? at.row : at.column;
    if (b.panel == 0) {
        const float *from = b.values + line * b.stride + column;
        for (size_t i = lines * piece / pieces; i < lines * (piece + 1) / pieces; i++)
            for (size_t j = 0; j < floats; j += 16) __builtin_prefetch(from + i * b.stride + j, 0, 2);
        return;
    }
    // Of every panel that the block reaches into, the same lines: consecutive memory.
    size_t first = column / b.panel, panels = (column + floats - 1) / b.panel + 1 - first, all = panels * lines;
    for (size_t i = all * piece / pieces; i < all * (piece + 1) / pieces; i++) {
        const float *from = b.values + (first + i / lines) * b.panel * b.stride + (line + i % lines) * b.panel;
        for (size_t j = 0; j < b.panel; j += 16) __builtin_prefetch(from + j, 0, 2);
    }
}

// Rows of a for a tile: as they lie in memory, or copied.
typedef struct {
    const float *values;
    size_t stride;
} VK_NAME(vk_rows);

VK_INLINE VK_TARGET vector VK_NAME(plus_product)(vector sum, vector x, vector y) {
#if VK_LANES > 4
    return __builtin_elementwise_fma(x, y, sum);
#else
    return sum + x * y;
#endif
}

// acc[i][v] = sum over `terms` of a[i, .] b[., v]; b has rows of VK_WIDTH.
VK_INLINE VK_TARGET void VK_NAME(accumulate)(int rows, int vectors, size_t terms, VK_NAME(vk_rows) a, const float *b,
                                             vector acc[VK_ROWS][2]) {
    // One pointer for five rows: an address may have once, twice and four times the stride, or once its triple, so that nothing is added
    // from row to row. VK_OPAQUE keeps the compiler from other ways that it prefers: fewer registers for more additions.
    const char *x[3] = {(const char *)a.values, (const char *)(a.values + (rows > 5 ? 5 : 0) * a.stride),
                        (const char *)(a.values + (rows > 10 ? 10 : 0) * a.stride)};
    size_t stride = a.stride * sizeof *a.values, triple = 3 * stride;
    VK_OPAQUE(stride);
    VK_OPAQUE(triple);
    const float *end = b + terms * VK_WIDTH;
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++)
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) acc[i][v] = (vector)(0.0f);
    for (; b != end; b += VK_WIDTH) {
        vector y[2];
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) y[v] = *(const vector *)(b + v * VK_LANES);
#pragma clang loop unroll(full)
        for (int i = 0; i < rows; i++) {
            const char *row = x[i / 5];
            vector left = (vector)(*(const float *)(i % 5 == 3 ? row + triple : row + i % 5 * stride));
#pragma clang loop unroll(full)
            for (int v = 0; v < vectors; v++) acc[i][v] = VK_NAME(plus_product)(acc[i][v], left, y[v]);
        }
#pragma clang loop unroll(full)
        for (int g = 0; g < (rows + 4) / 5; g++) {
            x[g] += sizeof *a.values;
            VK_OPAQUE(x[g]);
        }
    }
}

// Whether each value of a tile's vector of x is above 0; columns that are cut off count as 0.
VK_INLINE VK_TARGET mask VK_NAME(positives_of)(const float *x, size_t columns) {
    vector values = (vector)(0.0f);
    if (columns >= VK_LANES)
        values = *(const unaligned *)x;
    else
        memcpy(&values, x, columns * sizeof *x);
#if VK_LANES == 16
    return __builtin_ia32_cmpps512_mask(values, (vector)(0.0f), 0x1E, 0xFFFF, 4);
#else
    return values > (vector)(0.0f);
#endif
}

VK_INLINE VK_TARGET vector VK_NAME(choose)(mask chooser, vector above, vector below) {
#if VK_LANES == 16
    return __builtin_ia32_selectps_512(chooser, above, below);
#else
    return chooser ? above : below;
#endif
}

// acc[i][0] = sum over `terms` of a[i, .] times, of b's row, the first vector where x[i, .] is above 0 and the second one elsewhere.
//
// Seven rows at a time, for which there are mask registers: where a processor chooses beside its products, the sums take hardly longer
// than one product and not as long as two. A slice of b stays in the first cache from one group of rows to the next.
VK_INLINE VK_TARGET void VK_NAME(accumulate_chosen)(int rows, size_t terms, VK_NAME(vk_rows) a, const float *b, VK_NAME(vk_rows) x,
                                                    size_t columns, vector acc[VK_ROWS][2]) {
    mask masks[VK_ROWS];
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++) {
        masks[i] = VK_NAME(positives_of)(x.values + i * x.stride, columns);
        acc[i][0] = (vector)(0.0f);
    }
    size_t stride = a.stride, triple = 3 * stride;
    VK_OPAQUE(stride);
    VK_OPAQUE(triple);
    for (size_t from = 0; from < terms; from += VK_SLICE) {
        const float *begin = b + from * VK_WIDTH, *end = begin + vk_least(VK_SLICE, terms - from) * VK_WIDTH;
#pragma clang loop unroll(full)
        for (int first = 0; first < rows; first += 7) {
            int count = rows - first < 7 ? rows - first : 7;
            const float *left[2] = {a.values + first * a.stride + from, a.values + (first + (count > 5 ? 5 : 0)) * a.stride + from};
            mask chooser[7];
#pragma clang loop unroll(full)
            for (int i = 0; i < count; i++) {
                chooser[i] = masks[first + i];
#if VK_LANES == 16
                // Kept in mask registers, not compared anew with every term.
                __asm__("" : "+k"(chooser[i]));
#endif
            }
            for (const float *y = begin; y != end; y += VK_WIDTH) {
                vector above = *(const vector *)y, below = *(const vector *)(y + VK_LANES);
                if (first > 0) {
                    __builtin_prefetch(y + VK_SLICE * VK_WIDTH, 0, 3);
                    __builtin_prefetch(y + VK_SLICE * VK_WIDTH + VK_LANES, 0, 3);
                }
                vector chosen[7];
#pragma clang loop unroll(full)
                for (int i = 0; i < 7; i++) chosen[i] = i < count ? VK_NAME(choose)(chooser[i], above, below) : above;
#if VK_LANES == 16
                // All of them before the first product; in turns with the products they take a third more time.
                __asm__("" : "+v"(chosen[0]), "+v"(chosen[1]), "+v"(chosen[2]), "+v"(chosen[3]), "+v"(chosen[4]), "+v"(chosen[5]),
                             "+v"(chosen[6]));
#endif
#pragma clang loop unroll(full)
                for (int i = 0; i < count; i++) {
                    const float *row = left[i / 5];
                    vector factor = (vector)(*(i % 5 == 3 ? row + triple : row + i % 5 * stride));
                    acc[first + i][0] = VK_NAME(plus_product)(acc[first + i][0], factor, chosen[i]);
                }
                left[0]++;
                left[1]++;
                VK_OPAQUE(left[0]);
                VK_OPAQUE(left[1]);
            }
        }
    }
}

// How a tile is written: `scale * c + bias + alpha * tile` for the first block of terms, `c + alpha * tile` for those that follow.
typedef struct {
    float alpha, scale;
    const float *bias;
} VK_NAME(vk_store);

// Writes a tile. `is_whole` and `is_new` say when the code is made that no column is cut off, and that c is not read. Columns at the
// edge of c go through memory of their own, so that all are summed alike.
VK_INLINE VK_TARGET void VK_NAME(store)(int rows, int vectors, int is_whole, int is_new, const vector acc[VK_ROWS][2],
                                        VK_NAME(vk_store) how, size_t columns, float *c, size_t stride) {
#pragma clang fp contract(off)
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) {
        size_t first = (size_t)v * VK_LANES, some = (columns - first) * sizeof *c;
        int fits = is_whole || columns >= first + VK_LANES;
        vector bias = (vector)(0.0f);
        if (how.bias && fits)
            bias = *(const unaligned *)(how.bias + first);
        else if (how.bias)
            memcpy(&bias, how.bias + first, some);
#pragma clang loop unroll(full)
        for (int i = 0; i < rows; i++) {
            float *to = c + i * stride + first;
            vector sum = (vector)(0.0f);
            if (!is_new && how.scale != 0.0f) {
                if (fits)
                    sum = *(const unaligned *)to;
                else
                    memcpy(&sum, to, some);
                if (how.scale != 1.0f) sum = how.scale * sum;
            }
            if (how.bias) sum = sum + bias;
            vector product = how.alpha * acc[i][v];
            sum = sum + product;
            if (fits)
                *(unaligned *)to = sum;
            else
                memcpy(to, &sum, some);
        }
    }
}

// The rows of a tile: what it multiplies, and what its results choose by, if they do.
typedef struct {
    VK_NAME(vk_rows) a, chooser;
} VK_NAME(vk_left);

VK_INLINE VK_TARGET void VK_NAME(tile)(int rows, int vectors, int chooses, size_t terms, VK_NAME(vk_left) left, const float *b,
                                       VK_NAME(vk_store) how, size_t columns, float *c, size_t stride) {
    vector acc[VK_ROWS][2];
    // What the tile will be added to, asked for before the sums instead of after them.
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++) {
        __builtin_prefetch(c + i * stride, 1, 3);
        __builtin_prefetch(c + i * stride + columns - 1, 1, 3);
    }
    if (chooses)
        VK_NAME(accumulate_chosen)(rows, terms, left.a, b, left.chooser, columns, acc);
    else
        VK_NAME(accumulate)(rows, vectors, terms, left.a, b, acc);
    // The first block of terms and those that follow, without conditions inside; then edges, and what is rare.
    int is_whole = columns >= (size_t)vectors * VK_LANES;
    VK_NAME(vk_store) sum_only = {how.alpha, 1.0f, 0};
    if (is_whole && how.scale == 0.0f)
        VK_NAME(store)(rows, vectors, 1, 1, acc, how, columns, c, stride);
    else if (is_whole && how.scale == 1.0f && !how.bias)
        VK_NAME(store)(rows, vectors, 1, 0, acc, sum_only, columns, c, stride);
    else
        VK_NAME(store)(rows, vectors, 0, 0, acc, how, columns, c, stride);
}

#define VK_CASE(n) \
    case n: \
        if (left.chooser.values) \
            VK_NAME(tile)(n, 1, 1, terms, left, b, how, columns, c, stride); \
        else if (columns > VK_LANES) \
            VK_NAME(tile)(n, 2, 0, terms, left, b, how, columns, c, stride); \
        else \
            VK_NAME(tile)(n, 1, 0, terms, left, b, how, columns, c, stride); \
        break;
#define VK_FIRST_CASES VK_CASE(6) VK_CASE(5) VK_CASE(4) VK_CASE(3) VK_CASE(2) VK_CASE(1)

VK_TARGET static void VK_NAME(any_tile)(size_t rows, size_t terms, VK_NAME(vk_left) left, const float *b, VK_NAME(vk_store) how,
                                        size_t columns, float *c, size_t stride) {
    switch (rows) { VK_ROW_CASES }
}

// The block of b that is worked on after `at`: the columns further on, or the first ones of the next terms.
VK_INLINE VK_NAME(vk_place) VK_NAME(following)(const vk_factors *f, VK_NAME(vk_place) at, size_t most) {
    int is_last = at.column + at.columns == f->columns;
    VK_NAME(vk_place) next = {is_last ? at.row + at.terms : at.row, is_last ? 0 : at.column + at.columns, 0, 0};
    next.terms = vk_least(VK_DEPTH, f->terms - next.row);
    next.columns = vk_least(most, f->columns - next.column);
    return next;
}

// Panels of VK_WIDTH columns, `stride` floats apart.
typedef struct {
    const float *values;
    size_t stride;
} VK_NAME(vk_panels);

// The panels of a block of b: where they lie, if b is packed for this kind of processor, else copied into `scratch`. For a product that
// chooses, a panel has one vector of columns: first what is positive in it, then what is negative.
VK_INLINE VK_TARGET VK_NAME(vk_panels) VK_NAME(panels_of)(vk_factor b, int chooses, VK_NAME(vk_place) at, float *scratch) {
    if (b.panel == VK_WIDTH && !b.is_transposed && b.part == VK_ALL && !chooses)
        return (VK_NAME(vk_panels)){b.values + at.column * b.stride + at.row * VK_WIDTH, VK_WIDTH * b.stride};
    size_t width = chooses ? VK_LANES : VK_WIDTH;
    float *panel = scratch;
    for (size_t p = 0; p < at.columns; p += width, panel += VK_WIDTH * VK_DEPTH) {
        VK_NAME(gather)(b, at.row, at.column + p, at.terms, vk_least(width, at.columns - p), panel, VK_WIDTH);
        if (!chooses) continue;
        for (float *row = panel; row != panel + at.terms * VK_WIDTH; row += VK_WIDTH) {
            vector all = *(const vector *)row;
            *(vector *)row = VK_NAME(part_of)(VK_POSITIVE, all);
            *(vector *)(row + VK_LANES) = VK_NAME(part_of)(VK_NEGATIVE, all);
        }
    }
    return (VK_NAME(vk_panels)){scratch, VK_WIDTH * VK_DEPTH};
}

// Adds the product of `height` rows of a and a block of b. Each tile of rows stays in the first cache while it meets the panels of b,
// which stay in the second.
VK_TARGET static void VK_NAME(multiply_block)(const vk_factors *f, VK_NAME(vk_place) at, VK_NAME(vk_place) next, size_t height,
                                              VK_NAME(vk_left) left, float *scratch, float *c, size_t stride) {
    int chooses = f->chooser != 0;
    VK_NAME(vk_panels) panels = VK_NAME(panels_of)(f->b, chooses, at, scratch);
    size_t width = chooses ? VK_LANES : VK_WIDTH;
    size_t tiles = (height + VK_ROWS - 1) / VK_ROWS, wide = (at.columns + width - 1) / width;
    for (size_t t = 0; t < tiles; t++) {
        size_t first = height * t / tiles, count = height * (t + 1) / tiles - first;
        for (size_t p = 0; p < wide; p++) {
            size_t column = at.column + p * width;
            if (next.terms > 0) VK_NAME(ask_for)(f->b, next, t * wide + p, tiles * wide);
            VK_NAME(vk_store) how = {f->alpha, 1.0f, 0};
            if (at.row == 0) how = (VK_NAME(vk_store)){f->alpha, f->beta, f->bias ? f->bias + column : 0};
            VK_NAME(vk_left) mine = {{left.a.values + first * left.a.stride, left.a.stride}, {0, 0}};
            if (chooses)
                mine.chooser = (VK_NAME(vk_rows)){left.chooser.values + first * left.chooser.stride + column, left.chooser.stride};
            VK_NAME(any_tile)(count, at.terms, mine, panels.values + p * panels.stride, how, vk_least(width, at.columns - p * width),
                              c + first * stride + column, stride);
        }
    }
}

VK_TARGET static void VK_NAME(vk_product)(const vk_factors *f, float *c, size_t stride, float *scratch) {
    float *panels = scratch, *copy = scratch + (size_t)VK_DEPTH * VK_COLUMNS;
    // Rows that lie whole pages apart share one set of the first cache, which holds fewer than a tile has: they are copied.
    int is_plain = !f->a.is_transposed && f->a.part == VK_ALL && f->a.stride % 1024 != 0;
    size_t blocks = (f->rows + VK_BLOCK - 1) / VK_BLOCK, most = f->chooser ? VK_COLUMNS / 2 : VK_COLUMNS;
    for (size_t block = 0; block < blocks; block++) {
        size_t top = f->rows * block / blocks, height = f->rows * (block + 1) / blocks - top;
        size_t from = 0;
        do {
            size_t terms = vk_least(VK_DEPTH, f->terms - from);
            VK_NAME(vk_left) rows = {{f->a.values + top * f->a.stride + from, f->a.stride}, {0, 0}};
            if (!is_plain) {
                rows.a = (VK_NAME(vk_rows)){copy, VK_DEPTH};
                VK_NAME(take)(f->a, top, from, height, terms, copy, VK_DEPTH);
            }
            if (f->chooser) rows.chooser = (VK_NAME(vk_rows)){f->chooser + top * f->chooser_stride, f->chooser_stride};
            for (size_t column = 0; column < f->columns; column += most) {
                VK_NAME(vk_place) at = {from, column, terms, vk_least(most, f->columns - column)};
                VK_NAME(multiply_block)(f, at, VK_NAME(following)(f, at, most), height, rows, panels, c + top * stride, stride);
            }
            from += terms;
        } while (from < f->terms);
    }
}

// Packs panels `first` to `last`: [rows, columns] of x become panels of `width` columns.
VK_TARGET static void VK_NAME(vk_pack)(vk_factor x, size_t rows, size_t columns, size_t width, size_t first, size_t last, float *to) {
    for (size_t p = first; p < last; p++) {
        size_t some = vk_least(width, columns - p * width);
        float *panel = to + p * width * rows;
        if (some < width) memset(panel, 0, rows * width * sizeof *to);
        // Piece by piece, so that what a transposition writes stays in the first cache.
        for (size_t from = 0; from < rows; from += VK_DEPTH)
            VK_NAME(gather)(x, from, p * width, vk_least(VK_DEPTH, rows - from), some, panel + from * width, width);
    }
}

#undef vector
#undef mask
#undef unaligned
#undef eight
#undef VK_WIDTH
#undef VK_SIDE
#undef VK_CASE
#undef VK_FIRST_CASES
#undef VK_TARGET
#undef VK_NAME
#undef VK_LANES
#undef VK_ROWS
#undef VK_ROW_CASES
