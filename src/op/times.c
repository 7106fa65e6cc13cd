/* times.c - y = s x with a constant s, attr.scale: the factor alpha / r of a low-rank adapter. */
#include "graph/op.h"
#include "op/ops.h"

static void times_forward(const gr_task *t, int phase, size_t unit, void *scratch)
{
    (void)phase, (void)scratch;
    const float s = t->attr.scale;
    const size_t cols = t->out[0].cols;
    size_t r0, r1;
    gr_unit_rows(t, unit, &r0, &r1);
    for (size_t r = r0; r < r1; r++) {
        const float *x = gr_row(&t->in[0], r);
        float *y = gr_row(&t->out[0], r);
        for (size_t c = 0; c < cols; c++)
            y[c] = s * x[c];
        gr_finish(t, y, cols);
    }
}

static void times_grad(gr_graph *g, const gr_node *n, gr_value *const *dy, gr_value **dx, const bool *want)
{
    (void)g, (void)want;
    dx[0] = gr_times(dy[0], n->attr.scale);
}

const gr_op gr_op_times = { .name = "times",
                            .min_in = 1,
                            .max_in = 1,
                            .n_out = 1,
                            .inplace = 1,
                            .infer = gr_infer_first,
                            .forward = times_forward,
                            .grad = times_grad };

gr_value *gr_times(gr_value *x, float s)
{
    gr_node *n = x ? gr_graph_add(x->graph, &gr_op_times, &(gr_attr){ .scale = s }, &x, 1) : NULL;
    return n ? n->out[0] : NULL;
}
