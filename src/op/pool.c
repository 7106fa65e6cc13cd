/* pool.c - mean pooling of square grids of rows. Source: the adaptive average pooling of transformers
 * PerceptionLMAdaptiveAvgPooling, which is an exact factor x factor mean at the sizes that occur. */
#include "graph/op.h"
#include "op/ops.h"

static bool pool_infer(gr_node *n)
{
    const int side = n->attr.side, factor = n->attr.factor;
    if (factor < 1 || side < 1 || side % factor != 0 || n->in[0]->factor % (side * side) != 0) {
        gr_graph_fail(n->graph, GR_ERR_SHAPE, "mean_pool: grids of side %d among %d rows, pooled by %d", side,
                      n->in[0]->factor, factor);
        return false;
    }
    n->out[0]->factor = n->in[0]->factor / (factor * factor);
    return true;
}

/* Row of the input where cell (y, x) of pooled row r begins. */
static size_t first_cell(const gr_attr *a, size_t r)
{
    const size_t side = (size_t)a->side, factor = (size_t)a->factor, small = side / factor;
    const size_t cell = r % (small * small);
    return r / (small * small) * side * side + cell / small * factor * side + cell % small * factor;
}

static void pool_forward(const gr_task *t, int phase, size_t unit, void *scratch)
{
    (void)phase, (void)scratch;
    const size_t side = (size_t)t->attr.side, factor = (size_t)t->attr.factor, cols = t->out[0].cols;
    const float share = 1.0f / (float)(factor * factor);
    size_t r0, r1;
    gr_unit_rows(t, unit, &r0, &r1);
    for (size_t r = r0; r < r1; r++) {
        float *y = gr_row(&t->out[0], r);
        const size_t first = first_cell(&t->attr, r);
        for (size_t c = 0; c < cols; c++)
            y[c] = 0;
        for (size_t i = 0; i < factor * factor; i++) {
            const float *x = gr_row(&t->in[0], first + i / factor * side + i % factor);
            for (size_t c = 0; c < cols; c++)
                y[c] += x[c];
        }
        for (size_t c = 0; c < cols; c++)
            y[c] *= share;
        gr_finish(t, y, cols);
    }
}

extern const gr_op gr_op_mean_pool_grad;

static void pool_rule(gr_graph *g, const gr_node *n, gr_value *const *dy, gr_value **dx, const bool *want)
{
    (void)want;
    gr_value *in[] = { dy[0] };
    gr_node *back = gr_graph_add(g, &gr_op_mean_pool_grad, &n->attr, in, 1);
    dx[0] = back ? back->out[0] : NULL;
}

const gr_op gr_op_mean_pool = { .name = "mean_pool",
                                .min_in = 1,
                                .max_in = 1,
                                .n_out = 1,
                                .infer = pool_infer,
                                .forward = pool_forward,
                                .grad = pool_rule };

/* Every cell of the large grid gets its pooled cell's gradient, divided. */
static bool spread_infer(gr_node *n)
{
    n->out[0]->factor = n->in[0]->factor * n->attr.factor * n->attr.factor;
    return true;
}

static void spread_forward(const gr_task *t, int phase, size_t unit, void *scratch)
{
    (void)phase, (void)scratch;
    const size_t side = (size_t)t->attr.side, factor = (size_t)t->attr.factor, small = side / factor;
    const float share = 1.0f / (float)(factor * factor);
    size_t r0, r1;
    gr_unit_rows(t, unit, &r0, &r1);
    for (size_t r = r0; r < r1; r++) {
        const size_t cell = r % (side * side), from = r / (side * side) * small * small +
                                                      cell / side / factor * small + cell % side / factor;
        const float *dy = gr_row(&t->in[0], from);
        float *dx = gr_row(&t->out[0], r);
        for (size_t c = 0; c < t->out[0].cols; c++)
            dx[c] = dy[c] * share;
        gr_finish(t, dx, t->out[0].cols);
    }
}

const gr_op gr_op_mean_pool_grad = { .name = "mean_pool_grad",
                                     .min_in = 1,
                                     .max_in = 1,
                                     .n_out = 1,
                                     .infer = spread_infer,
                                     .forward = spread_forward };

gr_value *gr_mean_pool(gr_value *x, int side, int factor)
{
    const gr_attr attr = { .side = side, .factor = factor };
    gr_node *n = x ? gr_graph_add(x->graph, &gr_op_mean_pool, &attr, &x, 1) : NULL;
    return n ? n->out[0] : NULL;
}
