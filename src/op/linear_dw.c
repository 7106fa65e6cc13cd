/* linear_dw.c - dW[o][k] = sum over rows r, ascending, of dy[r][o] x[r][k]: the gradient of a linear layer's
 * weight. Rows of dy already lie side by side, and so do those of x. */
#include <string.h>

#include "backend/cpu/kernels.h"
#include "graph/op.h"
#include "op/ops.h"
#include "op/product.h"

static bool dw_infer(gr_node *n)
{
    if (n->in[0]->extent != n->in[1]->extent || n->in[0]->factor != n->in[1]->factor) {
        gr_graph_fail(n->graph, GR_ERR_SHAPE, "linear_dw: the rows of dy and x differ");
        return false;
    }
    n->out[0]->extent = GR_FIXED;
    n->out[0]->factor = n->in[0]->cols;
    n->out[0]->cols = n->in[1]->cols;
    return true;
}

/* All strips of a row at once: its outputs lie side by side. */
static void columns(const gr_product *p, float *strips, size_t r0, size_t rows, size_t i0, size_t n)
{
    const size_t tall = (size_t)p->k->strip_rows;
    for (size_t i = 0; i < n; i++) {
        const float *from = gr_row(p->a, i0 + i) + r0;
        for (size_t r = 0; r < rows && i + GR_PRODUCT_AHEAD < n; r += 16)
            __builtin_prefetch(from + GR_PRODUCT_AHEAD * p->a->stride + r);
        for (size_t r = 0; r < rows; r += tall) {
            float *to = strips + r * GR_K_BLOCK + i * tall;
            if (tall == 12 && rows - r >= 12) /* a constant, for the compiler */
                memcpy(to, from + r, 12 * sizeof(float));
            else
                memcpy(to, from + r, (rows - r < tall ? rows - r : tall) * sizeof(float));
        }
    }
}

static void column_pairs(const gr_product *p, float *strips, size_t r0, size_t rows, size_t i0, size_t n)
{
    const size_t tall = (size_t)p->k->strip_rows;
    float two[GR_PRODUCT_ROWS];
    for (size_t i = 0; i < n; i += 2) {
        const float *from = gr_row(p->a, i0 + i) + r0;
        for (size_t r = 0; r < 2 * rows && i + GR_PRODUCT_AHEAD + 1 < n; r += 32) {
            __builtin_prefetch(from + GR_PRODUCT_AHEAD * p->a->stride + r / 2);
            __builtin_prefetch(from + (GR_PRODUCT_AHEAD + 1) * p->a->stride + r / 2);
        }
        p->k->pair_rows(two, from, i + 1 < n ? from + p->a->stride : NULL, rows);
        for (size_t r = 0; r < rows; r += tall) {
            float *to = strips + r * GR_K_BLOCK + i / 2 * tall;
            if (tall == 12 && rows - r >= 12)
                memcpy(to, two + r, 12 * sizeof(float));
            else
                memcpy(to, two + r, (rows - r < tall ? rows - r : tall) * sizeof(float));
        }
    }
}

static gr_product product_of(const gr_task *t)
{
    const gr_mat *dy = &t->in[0], *x = &t->in[1], *dw = &t->out[0];
    const bool paired = gr_product_by_pairs(t);
    return (gr_product){ .k = t->k,
                         .rows = dw->rows,
                         .cols = dw->cols,
                         .depth = dy->rows,
                         .out = dw->f,
                         .ldo = dw->stride,
                         .adds = t->adds,
                         .block_rows = GR_PRODUCT_ROWS,
                         .strips = paired ? column_pairs : columns,
                         .panel = paired ? gr_product_column_pairs : gr_product_columns,
                         .multiply = paired ? t->k->strip_paired : t->k->strip[0],
                         .a = dy,
                         .b = x };
}

static size_t dw_units(const gr_task *t, int phase)
{
    (void)phase;
    const gr_product p = product_of(t);
    return gr_product_units(&p, t->n_workers);
}

static size_t dw_scratch(const gr_node *n)
{
    (void)n;
    return gr_product_scratch(GR_PRODUCT_ROWS);
}

static void dw_forward(const gr_task *t, int phase, size_t unit, void *scratch)
{
    (void)phase;
    const gr_product p = product_of(t);
    const gr_product_part made = gr_product_run(&p, t->n_workers, unit, scratch);
    for (size_t o = made.r0; o < made.r1 && !t->adds; o++)
        gr_finish(t, gr_row(&t->out[0], o) + made.c0, made.c1 - made.c0);
}

static gr_cost dw_cost(const gr_node *n, const int *extents)
{
    const double rows = (double)gr_value_rows(n->in[0], extents), out = n->in[0]->cols, in = n->in[1]->cols;
    return (gr_cost){ 2 * rows * in * out, 4 * (rows * (in + out) + in * out) };
}

const gr_op gr_op_linear_dw = { .name = "linear_dw",
                                .min_in = 2,
                                .max_in = 2,
                                .n_out = 1,
                                .adds = true,
                                .infer = dw_infer,
                                .units = dw_units,
                                .scratch = dw_scratch,
                                .forward = dw_forward,
                                .cost = dw_cost };

gr_value *gr_linear_dw(gr_value *dy, gr_value *x)
{
    gr_value *in[] = { dy, x };
    gr_node *n = dy && x ? gr_graph_add(dy->graph, &gr_op_linear_dw, NULL, in, 2) : NULL;
    return n ? n->out[0] : NULL;
}
