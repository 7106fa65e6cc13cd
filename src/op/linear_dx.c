/* linear_dx.c - dx[r][k] = sum over outputs o, ascending, of dy[r][o] W[o][k]: the gradient of a linear
 * layer's rows. */
#include <string.h>

#include "backend/cpu/kernels.h"
#include "graph/op.h"
#include "op/ops.h"
#include "op/product.h"

static bool dx_infer(gr_node *n)
{
    if (n->in[0]->cols != n->in[1]->factor) {
        gr_graph_fail(n->graph, GR_ERR_SHAPE, "linear_dx: %d columns for %d outputs", n->in[0]->cols,
                      n->in[1]->factor);
        return false;
    }
    n->out[0]->cols = n->in[1]->cols;
    return true;
}

static size_t panel_width(const gr_product *p, size_t c)
{
    const size_t left = p->cols - c * GR_PANEL;
    return left < GR_PANEL ? left : GR_PANEL;
}

/* Inputs c * GR_PANEL .. of outputs i0 .. i0 + n - 1, from the panels of the forward product, in which
 * outputs lie side by side. i0 is a whole number of them. */
static const void *panel_of_panels(const gr_product *p, float *room, size_t c, size_t i0, size_t n)
{
    const gr_weight *w = p->b->weight;
    const size_t width = panel_width(p, c), row_bytes = GR_PANEL * gr_dtype_bytes(w->panel_dtype);
    float dense[GR_PANEL * GR_PANEL]; /* [input][output] */
    for (size_t i = 0; i < n; i += GR_PANEL) {
        const uint8_t *from =
            (const uint8_t *)w->panels + ((i0 + i) / GR_PANEL * w->cols + c * GR_PANEL) * row_bytes;
        gr_panel_widen(dense, from, w->panel_dtype, width);
        p->k->transpose(room + i * GR_PANEL, GR_PANEL, dense, GR_PANEL, width,
                        n - i < GR_PANEL ? n - i : GR_PANEL);
    }
    return room;
}

static gr_product product_of(const gr_task *t)
{
    const gr_mat *dy = &t->in[0], *w = &t->in[1], *dx = &t->out[0];
    const bool paired = w->f && gr_product_by_pairs(t);
    return (gr_product){ .k = t->k,
                         .rows = dx->rows,
                         .cols = dx->cols,
                         .depth = dy->cols,
                         .out = dx->f,
                         .ldo = dx->stride,
                         .block_rows = GR_PRODUCT_ROWS,
                         .strips = paired ? gr_product_row_pairs : gr_product_rows,
                         .panel = paired ? gr_product_column_pairs
                                  : w->f ? gr_product_columns
                                         : panel_of_panels,
                         .multiply = paired ? t->k->strip_paired : t->k->strip[0],
                         .a = dy,
                         .b = w };
}

static size_t dx_units(const gr_task *t, int phase)
{
    (void)phase;
    const gr_product p = product_of(t);
    return gr_product_units(&p, t->n_workers);
}

static size_t dx_scratch(const gr_node *n)
{
    (void)n;
    return gr_product_scratch(GR_PRODUCT_ROWS);
}

static void dx_forward(const gr_task *t, int phase, size_t unit, void *scratch)
{
    (void)phase;
    const gr_product p = product_of(t);
    const gr_product_part made = gr_product_run(&p, t->n_workers, unit, scratch);
    for (size_t r = made.r0; r < made.r1; r++)
        gr_finish(t, gr_row(&t->out[0], r) + made.c0, made.c1 - made.c0);
}

const gr_op gr_op_linear_dx = { .name = "linear_dx",
                                .min_in = 2,
                                .max_in = 2,
                                .n_out = 1,
                                .forms = { GR_FORM_NONE, GR_FORM_PANELS },
                                .infer = dx_infer,
                                .units = dx_units,
                                .scratch = dx_scratch,
                                .forward = dx_forward,
                                .cost = gr_linear_cost };

gr_value *gr_linear_dx(gr_value *dy, gr_value *w)
{
    gr_value *in[] = { dy, w };
    gr_node *n = dy && w ? gr_graph_add(dy->graph, &gr_op_linear_dx, NULL, in, 2) : NULL;
    return n ? n->out[0] : NULL;
}
