/* linear.c - y = x W^T + b. W lies in packed panels; in a graph that trains it, as its rows. */
#include "backend/cpu/kernels.h"
#include "graph/op.h"
#include "op/ops.h"
#include "op/product.h"

#define ROWS_A_UNIT 60 /* whole strips of 4, 6 and 12 */

static bool linear_infer(gr_node *n)
{
    const gr_value *x = n->in[0], *w = n->in[1], *b = n->n_in > 2 ? n->in[2] : NULL;
    if (x->cols != w->cols || (b && b->cols != w->factor)) {
        gr_graph_fail(n->graph, GR_ERR_SHAPE, "linear: weight '%s' is [%d, %d], the rows have %d columns%s",
                      w->name, w->factor, w->cols, x->cols,
                      b && b->cols != w->factor ? " and the bias another length" : "");
        return false;
    }
    n->out[0]->cols = w->factor;
    return true;
}

/* --- what is multiplied ----------------------------------------------------------------------------------
 */

static const void *packed_panel(const gr_product *p, float *room, size_t c, size_t i0, size_t n)
{
    (void)room, (void)n;
    const gr_weight *w = p->b->weight;
    return (const uint8_t *)w->panels + (c * w->cols + i0) * GR_PANEL * gr_dtype_bytes(w->panel_dtype);
}

/* Weights that are being trained lie row by row: GR_PANEL outputs are put side by side. */
static const void *panel_of_rows(const gr_product *p, float *room, size_t c, size_t i0, size_t n)
{
    const size_t cols = p->b->cols, outputs = p->b->rows - c * GR_PANEL;
    p->k->transpose(room, GR_PANEL, p->b->f + c * GR_PANEL * cols + i0, cols,
                    outputs < GR_PANEL ? outputs : GR_PANEL, n);
    return room;
}

/* Whether packed weights are bf16, rows are or are to be, and the processor multiplies those. */
static bool by_pairs(const gr_task *t)
{
    return t->round != GR_ROUND_NONE && !t->in[1].f && t->in[1].weight->panel_dtype == GR_DTYPE_BF16 &&
           t->k->strip_pairs;
}

/* Trained weights in mixed precision. */
static const void *panel_of_row_pairs(const gr_product *p, float *room, size_t c, size_t i0, size_t n)
{
    const size_t cols = p->b->cols, left = p->b->rows - c * GR_PANEL,
                 outputs = left < GR_PANEL ? left : GR_PANEL;
    float two[GR_PANEL][GR_K_BLOCK / 2];
    for (size_t o = 0; o < outputs; o++)
        p->k->to_pairs(two[o], p->b->f + (c * GR_PANEL + o) * cols + i0, n);
    p->k->transpose(room, GR_PANEL, two[0], GR_K_BLOCK / 2, outputs, (n + 1) / 2);
    return room;
}

static gr_product product_of(const gr_task *t)
{
    const gr_mat *x = &t->in[0], *w = &t->in[1], *y = &t->out[0];
    const int type = w->f ? 0 : gr_panel_index(w->weight->panel_dtype);
    const bool paired = w->f && gr_product_by_pairs(t);
    return (gr_product){ .k = t->k,
                         .rows = y->rows,
                         .cols = y->cols,
                         .depth = x->cols,
                         .out = y->f,
                         .ldo = y->stride,
                         .block_rows = w->f ? GR_PRODUCT_ROWS : ROWS_A_UNIT,
                         .strips = paired || by_pairs(t) ? gr_product_row_pairs : gr_product_rows,
                         .panel = paired ? panel_of_row_pairs
                                  : w->f ? panel_of_rows
                                         : packed_panel,
                         .multiply = paired        ? t->k->strip_paired
                                     : by_pairs(t) ? t->k->strip_pairs
                                                   : t->k->strip[type],
                         .a = x,
                         .b = w };
}

/* A lone row is not packed, and its units are single panels: it waits for memory, and more units keep all
 * threads waiting for it at once. */
static bool lone_row(const gr_task *t) { return t->out[0].rows == 1 && !t->in[1].f; }

static size_t linear_units(const gr_task *t, int phase)
{
    (void)phase;
    const gr_product p = product_of(t);
    return lone_row(t) ? gr_n_panels(p.cols) : gr_product_units(&p, t->n_workers);
}

static size_t linear_scratch(const gr_node *n)
{
    (void)n;
    return gr_product_scratch(GR_PRODUCT_ROWS);
}

static gr_product_part run_lone_row(const gr_task *t, const gr_product *p, size_t panel)
{
    const size_t c0 = panel * GR_PANEL, c1 = c0 + GR_PANEL < p->cols ? c0 + GR_PANEL : p->cols;
    (by_pairs(t) ? t->k->row_pairs : t->k->row[gr_panel_index(p->b->weight->panel_dtype)])(
        p->out + c0, c1 - c0, p->a->f, p->depth, packed_panel(p, NULL, panel, 0, p->depth));
    return (gr_product_part){ 0, 1, c0, c1 };
}

static void linear_forward(const gr_task *t, int phase, size_t unit, void *scratch)
{
    (void)phase;
    const gr_product p = product_of(t);
    const gr_product_part made =
        lone_row(t) ? run_lone_row(t, &p, unit) : gr_product_run(&p, t->n_workers, unit, scratch);
    const float *bias = t->n_in > 2 ? t->in[2].f : NULL;
    for (size_t r = made.r0; r < made.r1; r++) {
        float *row = gr_row(&t->out[0], r);
        for (size_t c = made.c0; bias && c < made.c1; c++)
            row[c] += bias[c];
        gr_finish(t, row + made.c0, made.c1 - made.c0);
    }
}

gr_cost gr_linear_cost(const gr_node *n, const int *extents)
{
    const double rows = (double)gr_value_rows(n->in[0], extents), in = n->in[1]->cols, out = n->in[1]->factor;
    return (gr_cost){ 2 * rows * in * out, 4 * rows * (in + out) + 2 * in * out };
}

static void linear_grad(gr_graph *g, const gr_node *n, gr_value *const *dy, gr_value **dx, const bool *want)
{
    (void)g;
    if (want[0])
        dx[0] = gr_linear_dx(dy[0], n->in[1]);
    if (want[1])
        dx[1] = gr_linear_dw(dy[0], n->in[0]);
    if (n->n_in > 2 && want[2])
        dx[2] = gr_sum_groups(dy[0], 1);
}

const gr_op gr_op_linear = { .name = "linear",
                             .min_in = 2,
                             .max_in = 3,
                             .n_out = 1,
                             .forms = { GR_FORM_NONE, GR_FORM_PANELS, GR_FORM_VECTOR },
                             .infer = linear_infer,
                             .units = linear_units,
                             .scratch = linear_scratch,
                             .forward = linear_forward,
                             .cost = gr_linear_cost,
                             .grad = linear_grad };

gr_value *gr_linear(gr_value *x, gr_value *w, gr_value *b)
{
    gr_value *in[] = { x, w, b };
    gr_node *n = x && w ? gr_graph_add(x->graph, &gr_op_linear, NULL, in, b ? 3 : 2) : NULL;
    return n ? n->out[0] : NULL;
}
