/* kernels.h - the inner loops of the CPU, private to it and to the forward functions of src/op.
 *
 * A table is complete: plain C first, faster sets overwrite what they have. Every kernel keeps the order of
 * sums stated here, so that a row computed alone and a row computed among many have the same bits
 * (docs/graph.md, "Same bits"). Sets differ from each other in the last bits only (fused products, widths of
 * dot products). */
#ifndef GR_BACKEND_CPU_KERNELS_H
#define GR_BACKEND_CPU_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "grasp/dtype.h"

/* A product sums k in blocks of this many, each from zero, and adds the blocks in order. */
#define GR_K_BLOCK 512
/* Keys that attention takes at a time: a KV page. */
#define GR_KEY_BLOCK 64
/* Rows that attend together. */
#define GR_QUERY_BLOCK 64
/* Rows of the widest strip. */
#define GR_STRIP_MAX 12
/* Partial sums of a dot product: lane i takes elements i, i + 16, ...; lanes are added pairwise, halving. */
#define GR_LANES 16

typedef struct gr_kernels {
    const char *name;

    /* to[k][r] = x[r][k] for r < rows and k < n: rows side by side. */
    void (*transpose)(float *to, size_t ldto, const float *x, size_t ldx, size_t rows, size_t n);

    /* A strip: strip_rows rows of x side by side, k-major, [n][strip_rows]. What stands for rows that are not
     * there does not matter. */
    int strip_rows;
    /* One block of k: out[r][c] = (or, unless `first`, +=) sum over k ascending of strip[k][r] * panel[k][c],
     * for r < rows and c < cols (1..32); n <= GR_K_BLOCK. `panel` is [n][32] of the type the entry is for,
     * see weight.h. */
    void (*strip[3])(float *out, size_t ldo, size_t rows, size_t cols, const float *strip, size_t n,
                     const void *panel, bool first);
    /* All of k for one row, with the very same sums. */
    void (*row[3])(float *out, size_t cols, const float *x, size_t k, const void *panel);

    /* The same for x and panels of bf16, whose products are exact and summed in f32 two by two; NULL where no
     * instruction does it. For graphs that round every value to bf16 anyway. `to_pairs` rounds n numbers and
     * packs k and k + 1 into 32 bits, the last with zero: a strip is [(n + 1) / 2][strip_rows] of those.
     * Subnormal numbers count as zero. */
    void (*to_pairs)(float *to, const float *x, size_t n);
    void (*strip_pairs)(float *out, size_t ldo, size_t rows, size_t cols, const float *strip, size_t n,
                        const void *panel, bool first);
    void (*row_pairs)(float *out, size_t cols, const float *x, size_t k, const void *panel);
    /* The same where the panel lies in pairs too, [(n + 1) / 2][32] of k and k + 1 of one output: products
     * whose weights are trained. `pair_rows` packs a[i] and b[i], rounded, for i < n; b NULL: zeros. */
    void (*strip_paired)(float *out, size_t ldo, size_t rows, size_t cols, const float *strip, size_t n,
                         const void *panel, bool first);
    void (*pair_rows)(float *to, const float *a, const float *b, size_t n);

    /* Attention of a block of GR_KEY_BLOCK keys, in two ways that give a row the same bits: for a few rows, a
     * vector holding keys, and for up to GR_QUERY_BLOCK rows, a vector holding rows. A row's results do not
     * depend on the rows beside it.
     * scores: s[r][j] = scale times the sum over c ascending of q[r][c] kt[c][j], for all j; kt is
     * [d][GR_KEY_BLOCK]. soften: s[i] = exp(s[i] - top) for i < n, top the greatest of *top and s[0..n); *top
     * gets it, *keep the exponential of its change; returned is the sum, in GR_LANES lanes; s has room for a
     * whole block. weigh: o[r] = keep[r] o[r] + sum over j ascending, j < n_keys[r], of p[r][j] v[j]; p rows
     * lie GR_KEY_BLOCK apart. */
    void (*scores)(float *s, const float *q, size_t ldq, size_t rows, size_t d, const float *kt, float scale);
    float (*soften)(float *s, size_t n, float *top, float *keep);
    void (*weigh)(float *o, size_t ldo, const float *keep, const float *p, const int32_t *n_keys, size_t rows,
                  const float *v, size_t ldv, size_t d);
    /* The same with s[j][r] and p[j][r], GR_QUERY_BLOCK apart, for n keys; qt is [d][GR_QUERY_BLOCK], element
     * c of key j is k[j * key_step + c * col_step], o is [rows][d]. Row r sees the first seen[r] <= n keys of
     * the block; its sum so far, sum[r], becomes keep[r] sum[r] + the new weights. The vectors have
     * GR_QUERY_BLOCK elements, of which those past `rows` are anything finite. */
    void (*scores_many)(float *s, const float *qt, size_t rows, size_t d, const float *k, size_t key_step,
                        size_t col_step, size_t n, float scale);
    void (*soften_many)(float *s, size_t rows, size_t n, const int32_t *seen, float *top, float *sum,
                        float *keep);
    void (*weigh_many)(float *o, const float *keep, const float *p, const int32_t *seen, size_t rows,
                       const float *v, size_t ldv, size_t d);

    /* y[r] = sum over c ascending of a[c][r] b[c][r], for GR_QUERY_BLOCK rows: the order of `scores_many`, so
     * that a row that sees one key gets a difference of exactly 0. */
    void (*column_products)(float *y, const float *a, const float *b, size_t d);
    /* Backward, on scores s and products g = dout v of n keys, [n][GR_QUERY_BLOCK]: s = exp(s + minus_lse), 0
     * for keys that the row does not see; g = s (g - delta) scale. */
    void (*weights_grad)(float *s, float *g, size_t n, const int32_t *seen, const float *minus_lse,
                         const float *delta, float scale);

    /* y[i] = x[i] Phi(x[i]), y[i] = x[i] / (1 + exp(-x[i])); y may be x. */
    void (*gelu)(float *y, const float *x, size_t n);
    void (*silu)(float *y, const float *x, size_t n);
    /* dx[i] = dy[i] times the slope of the same at x[i]; dx may be either. */
    void (*gelu_grad)(float *dx, const float *dy, const float *x, size_t n);
    void (*silu_grad)(float *dx, const float *dy, const float *x, size_t n);

    /* y[i] = exp(x[i] - from); y may be x. */
    void (*exp_from)(float *y, const float *x, size_t n, float from);
    /* Sum of x[i], and of (x[i] - from)^2, in double and in GR_LANES lanes: norms. */
    double (*sum)(const float *x, size_t n);
    double (*squares)(const float *x, size_t n, double from);

    /* Sum of a[i] * b[i] in GR_LANES lanes. */
    float (*dot)(const float *a, const float *b, size_t n);
    /* y[i] += s * x[i] */
    void (*axpy)(float *y, float s, const float *x, size_t n);

    /* Nothing but multiply-adds of the set's vectors between registers, n steps of them: the most that a
     * product could reach. Returns the FLOP; *sum gets what keeps the compiler from leaving them out. */
    double (*peak)(float *sum, size_t n);
} gr_kernels;

/* Index into `strip` and `row` by the type of a packed weight: F32, BF16, F16. */
static inline int gr_panel_index(gr_dtype dtype)
{
    return dtype == GR_DTYPE_F32 ? 0 : dtype == GR_DTYPE_BF16 ? 1 : 2;
}

extern const gr_kernels gr_kernels_ref;

/* GR_CPU_* bits of this processor, as its instructions say at run time. */
unsigned gr_cpu_features(void);

/* A full, correct set for these GR_CPU_* bits; only bits that this build and this processor have are used. */
void gr_kernels_init(gr_kernels *k, unsigned cpu);

/* The sets: each overwrites what it has. Compiled where the compiler can (cmake/kernels.cmake). */
void gr_kernels_add_avx2(gr_kernels *k);
void gr_kernels_add_avx512(gr_kernels *k);
void gr_kernels_add_avx512bf16(gr_kernels *k); /* on top of AVX-512 */
void gr_kernels_add_neon(gr_kernels *k);

#endif
