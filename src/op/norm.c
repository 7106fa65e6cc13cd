/* norm.c - LayerNorm with weight and bias, RMSNorm without (its weight is a separate rounding point of the
 * published code), and their gradients. Sums run in double, over a row alone. */
#include <math.h>

#include "backend/cpu/kernels.h"
#include "graph/op.h"
#include "op/ops.h"

/* Mean and 1 / sqrt(variance + eps) of a row; the variance is taken around the mean, in a second pass, as
 * PyTorch does. */
static void moments(const gr_task *t, const float *x, size_t n, float *mean, float *inverse)
{
    const double m = t->k->sum(x, n) / (double)n;
    *mean = (float)m;
    *inverse = (float)(1.0 / sqrt(t->k->squares(x, n, m) / (double)n + (double)t->attr.eps));
}

static float rms_inverse(const gr_task *t, const float *x, size_t n)
{
    return (float)(1.0 / sqrt(t->k->squares(x, n, 0) / (double)n + (double)t->attr.eps));
}

static void layer_norm_forward(const gr_task *t, int phase, size_t unit, void *scratch)
{
    (void)phase, (void)scratch;
    size_t r0, r1;
    gr_unit_rows(t, unit, &r0, &r1);
    const float *w = t->in[1].f, *b = t->in[2].f;
    const size_t n = t->out[0].cols;
    for (size_t r = r0; r < r1; r++) {
        const float *x = gr_row(&t->in[0], r);
        float *y = gr_row(&t->out[0], r), mean, inverse;
        moments(t, x, n, &mean, &inverse);
        for (size_t c = 0; c < n; c++)
            y[c] = (x[c] - mean) * inverse * w[c] + b[c];
        gr_finish(t, y, n);
    }
}

/* Inputs dy, x, w. With h = (x - mean) inverse and d = dy w: dx = inverse (d - mean(d) - h mean(d h)); the
 * second output is dy h, whose sum over rows is the weight's gradient. */
static void layer_norm_grad_forward(const gr_task *t, int phase, size_t unit, void *scratch)
{
    (void)phase, (void)scratch;
    size_t r0, r1;
    gr_unit_rows(t, unit, &r0, &r1);
    const float *w = t->in[2].f;
    const size_t n = t->out[0].cols;
    for (size_t r = r0; r < r1; r++) {
        const float *dy = gr_row(&t->in[0], r), *x = gr_row(&t->in[1], r);
        float *dx = gr_row(&t->out[0], r), *dyh = gr_row(&t->out[1], r), mean, inverse;
        moments(t, x, n, &mean, &inverse);
        double sum = 0, sum_h = 0;
        for (size_t c = 0; c < n; c++) {
            const float h = (x[c] - mean) * inverse, d = dy[c] * w[c];
            sum += d;
            sum_h += (double)d * h;
        }
        const float m = (float)(sum / (double)n), mh = (float)(sum_h / (double)n);
        for (size_t c = 0; c < n; c++) {
            const float h = (x[c] - mean) * inverse;
            dyh[c] = dy[c] * h;
            dx[c] = inverse * (dy[c] * w[c] - m - h * mh);
        }
        gr_finish(t, dx, n);
        gr_finish(t, dyh, n);
    }
}

extern const gr_op gr_op_layer_norm_grad;

static void layer_norm_rule(gr_graph *g, const gr_node *n, gr_value *const *dy, gr_value **dx,
                            const bool *want)
{
    gr_value *in[] = { dy[0], n->in[0], n->in[1] };
    gr_node *back = gr_graph_add(g, &gr_op_layer_norm_grad, &n->attr, in, 3);
    if (!back)
        return;
    dx[0] = back->out[0];
    dx[1] = want[1] ? gr_sum_groups(back->out[1], 1) : NULL;
    dx[2] = want[2] ? gr_sum_groups(dy[0], 1) : NULL;
}

const gr_op gr_op_layer_norm = { .name = "layer_norm",
                                 .min_in = 3,
                                 .max_in = 3,
                                 .n_out = 1,
                                 .forms = { GR_FORM_NONE, GR_FORM_VECTOR, GR_FORM_VECTOR },
                                 .inplace = 1,
                                 .infer = gr_infer_first,
                                 .forward = layer_norm_forward,
                                 .grad = layer_norm_rule };
const gr_op gr_op_layer_norm_grad = { .name = "layer_norm_grad",
                                      .min_in = 3,
                                      .max_in = 3,
                                      .n_out = 2,
                                      .forms = { GR_FORM_NONE, GR_FORM_NONE, GR_FORM_VECTOR },
                                      .infer = gr_infer_first,
                                      .forward = layer_norm_grad_forward };

static void rms_norm_forward(const gr_task *t, int phase, size_t unit, void *scratch)
{
    (void)phase, (void)scratch;
    size_t r0, r1;
    gr_unit_rows(t, unit, &r0, &r1);
    const size_t n = t->out[0].cols;
    for (size_t r = r0; r < r1; r++) {
        const float *x = gr_row(&t->in[0], r), inverse = rms_inverse(t, x, n);
        float *y = gr_row(&t->out[0], r);
        for (size_t c = 0; c < n; c++)
            y[c] = x[c] * inverse;
        gr_finish(t, y, n);
    }
}

/* Inputs dy, x. With h = x inverse: dx = inverse (dy - h mean(dy h)). */
static void rms_norm_grad_forward(const gr_task *t, int phase, size_t unit, void *scratch)
{
    (void)phase, (void)scratch;
    size_t r0, r1;
    gr_unit_rows(t, unit, &r0, &r1);
    const size_t n = t->out[0].cols;
    for (size_t r = r0; r < r1; r++) {
        const float *dy = gr_row(&t->in[0], r), *x = gr_row(&t->in[1], r), inverse = rms_inverse(t, x, n);
        float *dx = gr_row(&t->out[0], r);
        double sum = 0;
        for (size_t c = 0; c < n; c++)
            sum += (double)dy[c] * (x[c] * inverse);
        const float m = (float)(sum / (double)n);
        for (size_t c = 0; c < n; c++)
            dx[c] = inverse * (dy[c] - x[c] * inverse * m);
        gr_finish(t, dx, n);
    }
}

extern const gr_op gr_op_rms_norm_grad;

static void rms_norm_rule(gr_graph *g, const gr_node *n, gr_value *const *dy, gr_value **dx, const bool *want)
{
    (void)want;
    gr_value *in[] = { dy[0], n->in[0] };
    gr_node *back = gr_graph_add(g, &gr_op_rms_norm_grad, &n->attr, in, 2);
    dx[0] = back ? back->out[0] : NULL;
}

const gr_op gr_op_rms_norm = { .name = "rms_norm",
                               .min_in = 1,
                               .max_in = 1,
                               .n_out = 1,
                               .inplace = 1,
                               .infer = gr_infer_same,
                               .forward = rms_norm_forward,
                               .grad = rms_norm_rule };
const gr_op gr_op_rms_norm_grad = { .name = "rms_norm_grad",
                                    .min_in = 2,
                                    .max_in = 2,
                                    .n_out = 1,
                                    .infer = gr_infer_same,
                                    .forward = rms_norm_grad_forward };

gr_value *gr_layer_norm(gr_value *x, gr_value *w, gr_value *b, float eps)
{
    gr_value *in[] = { x, w, b };
    gr_node *n =
        x && w && b ? gr_graph_add(x->graph, &gr_op_layer_norm, &(gr_attr){ .eps = eps }, in, 3) : NULL;
    return n ? n->out[0] : NULL;
}

gr_value *gr_rms_norm(gr_value *x, float eps)
{
    gr_node *n = x ? gr_graph_add(x->graph, &gr_op_rms_norm, &(gr_attr){ .eps = eps }, &x, 1) : NULL;
    return n ? n->out[0] : NULL;
}
