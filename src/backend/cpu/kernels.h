/* kernels.h - the inner loops of the CPU, private to it and to the forward functions of src/op.
 *
 * A table is complete: plain C first, faster sets overwrite what they have. Every kernel keeps the summation
 * order stated here, so that a row computed alone and a row computed among many have the same bits
 * (docs/graph.md, "Same bits"). */
#ifndef GR_BACKEND_CPU_KERNELS_H
#define GR_BACKEND_CPU_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "grasp/dtype.h"

#define GR_K_BLOCK 512 /* a product sums k in blocks of this many, each from zero */
#define GR_LANES                                                                                         \
    16 /* partial sums of a dot product: lane i takes elements i, i + 16, ...; lanes are added pairwise, \
          halving */

typedef struct gr_kernels {
    const char *name;
    /* out[r][0..31] = x[r][0..k) times a panel, for r < m. x rows lie ldx apart, out rows ldo apart; `cols`
     * (1..32) are written. `panel` is [k][32] of the type the entry is for. Per element: blocks of GR_K_BLOCK
     * ascending, ascending k inside. */
    void (*panel[3])(float *out, size_t ldo, size_t cols, const float *x, size_t ldx, size_t m, size_t k,
                     const void *panel);
    /* Sum of a[i] * b[i] in GR_LANES lanes. */
    float (*dot)(const float *a, const float *b, size_t n);
    /* y[i] += s * x[i] */
    void (*axpy)(float *y, float s, const float *x, size_t n);
} gr_kernels;

/* Index into `panel` by the type of a packed weight: F32, BF16, F16. */
static inline int gr_panel_index(gr_dtype dtype)
{
    return dtype == GR_DTYPE_F32 ? 0 : dtype == GR_DTYPE_BF16 ? 1 : 2;
}

extern const gr_kernels gr_kernels_ref;

/* A full, correct set for these GR_CPU_* bits (grasp/runtime.h). */
void gr_kernels_init(gr_kernels *k, unsigned cpu);

#endif
