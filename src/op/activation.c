/* activation.c - GELU (exact, by erf) and SiLU. Sources: torch.nn.functional.gelu(approximate="none"), silu.
 */
#include "backend/cpu/kernels.h"
#include "graph/op.h"
#include "op/ops.h"

static void map(const gr_task *t, size_t unit, void (*f)(float *y, const float *x, size_t n))
{
    size_t r0, r1;
    gr_unit_rows(t, unit, &r0, &r1);
    for (size_t r = r0; r < r1; r++) {
        const float *x = gr_row(&t->in[0], r);
        float *y = gr_row(&t->out[0], r);
        f(y, x, t->out[0].cols);
        gr_finish(t, y, t->out[0].cols);
    }
}

static void map_grad(const gr_task *t, size_t unit,
                     void (*f)(float *dx, const float *dy, const float *x, size_t n))
{
    size_t r0, r1;
    gr_unit_rows(t, unit, &r0, &r1);
    for (size_t r = r0; r < r1; r++) {
        const float *dy = gr_row(&t->in[0], r), *x = gr_row(&t->in[1], r);
        float *dx = gr_row(&t->out[0], r);
        f(dx, dy, x, t->out[0].cols);
        gr_finish(t, dx, t->out[0].cols);
    }
}

static void gelu_forward(const gr_task *t, int phase, size_t unit, void *scratch)
{
    (void)phase, (void)scratch;
    map(t, unit, t->k->gelu);
}

static void silu_forward(const gr_task *t, int phase, size_t unit, void *scratch)
{
    (void)phase, (void)scratch;
    map(t, unit, t->k->silu);
}

static void gelu_grad_forward(const gr_task *t, int phase, size_t unit, void *scratch)
{
    (void)phase, (void)scratch;
    map_grad(t, unit, t->k->gelu_grad);
}

static void silu_grad_forward(const gr_task *t, int phase, size_t unit, void *scratch)
{
    (void)phase, (void)scratch;
    map_grad(t, unit, t->k->silu_grad);
}

static void gelu_rule(gr_graph *g, const gr_node *n, gr_value *const *dy, gr_value **dx, const bool *want)
{
    (void)g, (void)want;
    dx[0] = gr_gelu_grad(dy[0], n->in[0]);
}

static void silu_rule(gr_graph *g, const gr_node *n, gr_value *const *dy, gr_value **dx, const bool *want)
{
    (void)g, (void)want;
    dx[0] = gr_silu_grad(dy[0], n->in[0]);
}

const gr_op gr_op_gelu = { .name = "gelu",
                           .min_in = 1,
                           .max_in = 1,
                           .n_out = 1,
                           .inplace = 1,
                           .infer = gr_infer_same,
                           .forward = gelu_forward,
                           .grad = gelu_rule };
const gr_op gr_op_silu = { .name = "silu",
                           .min_in = 1,
                           .max_in = 1,
                           .n_out = 1,
                           .inplace = 1,
                           .infer = gr_infer_same,
                           .forward = silu_forward,
                           .grad = silu_rule };
const gr_op gr_op_gelu_grad = { .name = "gelu_grad",
                                .min_in = 2,
                                .max_in = 2,
                                .n_out = 1,
                                .inplace = 3,
                                .infer = gr_infer_same,
                                .forward = gelu_grad_forward };
const gr_op gr_op_silu_grad = { .name = "silu_grad",
                                .min_in = 2,
                                .max_in = 2,
                                .n_out = 1,
                                .inplace = 3,
                                .infer = gr_infer_same,
                                .forward = silu_grad_forward };

static gr_value *make(const gr_op *op, gr_value *a, gr_value *b, int n_in)
{
    gr_value *in[] = { a, b };
    gr_node *n = a && (b || n_in == 1) ? gr_graph_add(a->graph, op, NULL, in, n_in) : NULL;
    return n ? n->out[0] : NULL;
}

gr_value *gr_gelu(gr_value *x) { return make(&gr_op_gelu, x, NULL, 1); }
gr_value *gr_silu(gr_value *x) { return make(&gr_op_silu, x, NULL, 1); }
gr_value *gr_gelu_grad(gr_value *dy, gr_value *x) { return make(&gr_op_gelu_grad, dy, x, 2); }
gr_value *gr_silu_grad(gr_value *dy, gr_value *x) { return make(&gr_op_silu_grad, dy, x, 2); }
