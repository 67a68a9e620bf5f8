#ifndef VITRINE_KERNELS_H
#define VITRINE_KERNELS_H
#include <stddef.h>
#include <stdint.h>

// Leaves of the numeric code: pointers and counts in, no allocation, no globals, no I/O. Matrices are row-major [rows, columns].
// Unless a line says otherwise, outputs do not overlap inputs; a NaN in gives a NaN out. Float64 sums of resampling tests stand in
// vitrine_resampling.h.

// The CPU path the loader chose for every kernel: 2 x86-64-v4 (AVX-512), 1 x86-64-v3 (AVX2, FMA), 0 the compiler's baseline.
int vk_cpu_path(void);

// What a thread does between two looks at a value that another one will change.
static inline void vk_pause(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

// Matrix products. A factor [rows, columns] is stored by rows, `stride` floats apart, or transposed; of each
// value x the product takes a part: x, |x|, max(x, 0) or min(x, 0); NaN stays NaN. The second factor may be packed: what is stored lies
// in panels of `panel` columns, one after the other, each by rows; `stride` is then the number of rows.
typedef enum { VK_ALL, VK_MAGNITUDE, VK_POSITIVE, VK_NEGATIVE } vk_part;
typedef struct {
    const float *values;
    size_t stride;
    int is_transposed;
    vk_part part;
    size_t panel;
} vk_factor;
// c = alpha a b + beta c + bias: a [rows, terms], b [terms, columns], bias [columns] or null, added to every row. With beta = 0
// whatever stands in c is overwritten, NaN included. chooser [rows, columns], or null: where its value is above 0, the element takes of b
// the positive values alone, elsewhere the negative ones, bit for bit as if c were put together from two products. Its rows lie
// `chooser_stride` floats apart; b's part is then VK_ALL.
typedef struct {
    size_t rows, columns, terms;
    float alpha, beta;
    vk_factor a, b;
    const float *bias;
    const float *chooser;
    size_t chooser_stride;
} vk_factors;
// c [rows, columns], `stride` floats apart; scratch: vk_product_scratch() floats, 64-byte aligned. Each element's bits depend on its row
// of a and its column of b alone, not on the others nor on where it lies. path: vk_cpu_path(), or a lower one.
void vk_product(int path, const vk_factors *factors, float *c, size_t stride, float *scratch);
size_t vk_product_scratch(void);
// Packs a factor [rows, columns] so that the product of this path reads it where it lies: panels of vk_panel_width columns, the last
// one filled up with zeros. Writes those from `first` up to, not including, `last`. to: [columns / width, rounded up][rows][width].
size_t vk_panel_width(int path);
void vk_pack(int path, vk_factor x, size_t rows, size_t columns, size_t first, size_t last, float *to);

// Layer normalisation. x, y [rows, columns]; weight, bias [columns]; mean, inverse_deviation [rows].
void vk_layer_norm(const float *x, const float *weight, const float *bias, float epsilon, size_t rows, size_t columns, float *y,
                   float *mean, float *inverse_deviation);
void vk_layer_norm_gradient(const float *dy, const float *x, const float *weight, const float *mean,
                            const float *inverse_deviation, size_t rows, size_t columns, float *dx);
// The deviation counts as a constant.
void vk_layer_norm_frozen_gradient(const float *dy, const float *weight, const float *inverse_deviation, size_t rows, size_t columns,
                                   float *dx);
// Adds to d_weight, d_bias [columns].
void vk_layer_norm_weight_gradient(const float *dy, const float *x, const float *mean, const float *inverse_deviation,
                                   size_t rows, size_t columns, float *d_weight, float *d_bias);

// softmax(scale * s) of every row, in place. s [rows, columns].
void vk_softmax(float *s, float scale, size_t rows, size_t columns);
// ds = scale * a * (da - rowsum(a * da)). All [rows, columns].
void vk_softmax_gradient(const float *da, const float *a, float scale, size_t rows, size_t columns, float *ds);

// Activations, [n].
void vk_gelu(const float *x, size_t n, float *y);
void vk_gelu_gradient(const float *x, const float *dy, size_t n, float *dx);
void vk_gelu_tanh(const float *x, size_t n, float *y);
void vk_gelu_tanh_gradient(const float *x, const float *dy, size_t n, float *dx);
void vk_quick_gelu(const float *x, size_t n, float *y);
void vk_quick_gelu_gradient(const float *x, const float *dy, size_t n, float *dx);
// SwiGLU: x, dx [rows, 2 * columns] as (gate | value), y, dy [rows, columns].
void vk_silu_gate(const float *x, size_t rows, size_t columns, float *y);
void vk_silu_gate_gradient(const float *dy, const float *x, size_t rows, size_t columns, float *dx);

// Secants, f(x) / x in the place of f'(x): dx = dy * y / x. For SwiGLU each factor gets half, and the gate counts as a constant.
void vk_activation_secant(const float *x, const float *y, const float *dy, size_t n, float *dx);
void vk_silu_gate_secant(const float *dy, const float *x, size_t rows, size_t columns, float *dx);

// Element by element, [n].
void vk_add(const float *a, const float *b, size_t n, float *y);
void vk_add_to(const float *a, size_t n, float *y);
void vk_add_scaled(const float *a, float factor, size_t n, float *y);
void vk_scale(float *y, float factor, size_t n);
void vk_multiply(const float *a, const float *b, size_t n, float *y);
void vk_absolute(const float *x, size_t n, float *y);
void vk_safe_divide_all(const float *a, const float *b, size_t n, float *y);

// Along columns. x, y [rows, columns]; bias, gamma, sums [columns].
// Copies row [columns] into every row of y, stride apart.
void vk_fill_rows(const float *row, size_t rows, size_t columns, size_t stride, float *y);
void vk_add_bias(const float *bias, size_t rows, size_t columns, float *y);
void vk_column_sums(const float *x, size_t rows, size_t columns, float *sums);
void vk_scale_columns(const float *x, const float *gamma, size_t rows, size_t columns, float *y);

// Over all n elements, accumulated in double.
double vk_sum(const float *x, size_t n);
double vk_absolute_sum(const float *x, size_t n);
double vk_dot(const float *a, const float *b, size_t n);
double vk_squared_deviations(const float *x, double mean, size_t n);
void vk_non_finite_counts(const float *x, size_t n, size_t *nan, size_t *infinite);
// NaN is passed over; (inf, -inf) if nothing else is there.
void vk_min_max(const float *x, size_t n, float *minimum, float *maximum);

// Relevance, [n].
// s = safe_divide(r, z), z the sum of the positive ones among the products of a row of x and a row of weight: (y - bias + p) / 2, or
// summed anew where that cancels. r, y, p, s [rows, columns]; bias [columns] or null; x [rows, terms]; weight [columns, terms].
void vk_relevance_ratio(const float *r, const float *y, const float *bias, const float *p, const float *x, const float *weight,
                        size_t rows, size_t columns, size_t terms, float *s);
// r1 = z1 * s, r2 = z2 * s with s = safe_divide(r, q), q = z1 + z2, or s = r q / (q^2 + stabiliser^2) if stabiliser > 0.
// sums [3] receives the sums of r, r1, r2.
void vk_relevance_add(const float *r, const float *z1, const float *z2, float stabiliser, size_t n, float *r1, float *r2,
                      double *sums);
// r = x * (safe_divide(r1, x) + safe_divide(r2, x)).
void vk_relevance_clone(const float *r1, const float *r2, const float *x, size_t n, float *r);

// image [channels, height, width] -> patches [(height / p) * (width / p), channels * p * p], columns ordered channel, row, column.
void vk_image_to_patches(const float *image, size_t channels, size_t height, size_t width, size_t p, float *patches);
// The transpose: pixels outside every patch become 0.
void vk_patches_to_image(const float *patches, size_t channels, size_t height, size_t width, size_t p, float *image);
#endif
