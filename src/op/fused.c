/* fused.c - operators that only the rewrites make: neighbours in one pass over memory, with the bits of the
 * plain ones. */
#include <math.h>

#include "base/half.h"
#include "backend/cpu/kernels.h"
#include "graph/op.h"
#include "op/ops.h"

/* What a plain pair would have rounded between its two nodes. */
static inline float between(const gr_task *t, float x)
{
    return t->round == GR_ROUND_BF16 ? gr_round_bf16(x) : x;
}

/* rms_norm, then scale_columns. */
static void rms_scale_forward(const gr_task *t, int phase, size_t unit, void *scratch)
{
    (void)phase, (void)scratch;
    size_t r0, r1;
    gr_unit_rows(t, unit, &r0, &r1);
    const size_t n = t->out[0].cols;
    for (size_t r = r0; r < r1; r++) {
        const float *x = gr_row(&t->in[0], r), *w = t->in[1].f;
        float *y = gr_row(&t->out[0], r);
        const float inverse = (float)(1.0 / sqrt(t->k->squares(x, n, 0) / (double)n + (double)t->attr.eps));
        for (size_t c = 0; c < n; c++)
            y[c] = between(t, x[c] * inverse) * w[c];
        gr_finish(t, y, n);
    }
}

const gr_op gr_op_rms_scale = { .name = "rms_scale",
                                .min_in = 2,
                                .max_in = 2,
                                .n_out = 1,
                                .forms = { GR_FORM_NONE, GR_FORM_VECTOR },
                                .inplace = 1,
                                .infer = gr_infer_first,
                                .forward = rms_scale_forward };

/* silu of the first, times the second. */
static void swiglu_forward(const gr_task *t, int phase, size_t unit, void *scratch)
{
    (void)phase, (void)scratch;
    size_t r0, r1;
    gr_unit_rows(t, unit, &r0, &r1);
    for (size_t r = r0; r < r1; r++) {
        const float *gate = gr_row(&t->in[0], r), *up = gr_row(&t->in[1], r);
        float *y = gr_row(&t->out[0], r);
        t->k->silu(y, gate, t->out[0].cols); /* so y must not be where `up` lies */
        for (size_t c = 0; c < t->out[0].cols; c++)
            y[c] = between(t, y[c]) * up[c];
        gr_finish(t, y, t->out[0].cols);
    }
}

const gr_op gr_op_swiglu = { .name = "swiglu",
                             .min_in = 2,
                             .max_in = 2,
                             .n_out = 1,
                             .inplace = 1,
                             .infer = gr_infer_same,
                             .forward = swiglu_forward };

/* The first, plus the second times a vector. */
static void add_scaled_forward(const gr_task *t, int phase, size_t unit, void *scratch)
{
    (void)phase, (void)scratch;
    size_t r0, r1;
    gr_unit_rows(t, unit, &r0, &r1);
    for (size_t r = r0; r < r1; r++) {
        const float *a = gr_row(&t->in[0], r), *b = gr_row(&t->in[1], r), *v = t->in[2].f;
        float *y = gr_row(&t->out[0], r);
        for (size_t c = 0; c < t->out[0].cols; c++)
            y[c] = a[c] + between(t, b[c] * v[c]);
        gr_finish(t, y, t->out[0].cols);
    }
}

const gr_op gr_op_add_scaled = { .name = "add_scaled",
                                 .min_in = 3,
                                 .max_in = 3,
                                 .n_out = 1,
                                 .forms = { GR_FORM_NONE, GR_FORM_NONE, GR_FORM_VECTOR },
                                 .inplace = 3,
                                 .infer = gr_infer_first,
                                 .forward = add_scaled_forward };
