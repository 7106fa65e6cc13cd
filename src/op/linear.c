/* linear.c - y = x W^T + b on packed panels, and its two gradients. */
#include "backend/cpu/kernels.h"
#include "graph/op.h"
#include "op/ops.h"

#define ROWS_A_UNIT   60 /* rows that share one pass over panels: whole strips of 4, 6 and 12 */
#define PANELS_A_UNIT 16 /* most panels that share one packing of those rows */

static size_t row_blocks(size_t rows) { return (rows + ROWS_A_UNIT - 1) / ROWS_A_UNIT; }

static size_t panel_bytes(const gr_weight *w) { return w->cols * GR_PANEL * gr_dtype_bytes(w->panel_dtype); }

static const void *panel_of(const gr_weight *w, size_t p)
{
    return (const uint8_t *)w->panels + p * panel_bytes(w);
}

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

/* A unit is a group of panels for a block of rows: as large as leaves four units to each worker, since a
 * group shares the packing of its rows. A lone row is not packed, and its units are single panels: it waits
 * for memory, and more units keep all threads waiting for it at once. */
static size_t panels_a_unit(const gr_task *t)
{
    const size_t blocks = row_blocks(t->out[0].rows), n_panels = gr_n_panels(t->out[0].cols);
    size_t group = t->out[0].rows == 1 ? 1 : PANELS_A_UNIT;
    while (group > 1 && blocks * ((n_panels + group - 1) / group) < 4 * (size_t)t->n_workers)
        group /= 2;
    return group;
}

static size_t linear_units(const gr_task *t, int phase)
{
    (void)phase;
    const size_t group = panels_a_unit(t);
    return row_blocks(t->out[0].rows) * ((gr_n_panels(t->out[0].cols) + group - 1) / group);
}

static size_t linear_scratch(const gr_node *n)
{
    (void)n;
    return (ROWS_A_UNIT + GR_STRIP_MAX) * GR_K_BLOCK * sizeof(float);
}

static size_t panel_cols(const gr_mat *y, size_t p)
{
    const size_t left = y->cols - p * GR_PANEL;
    return left < GR_PANEL ? left : GR_PANEL;
}

/* Rows r0 .. r0 + m - 1 times panels p0 .. p1 - 1: a block of k is packed into strips once, then meets every
 * panel's part of that block. */
static void many_rows(const gr_task *t, size_t r0, size_t m, size_t p0, size_t p1, float *strips)
{
    const gr_mat *x = &t->in[0], *y = &t->out[0];
    const gr_weight *w = t->in[1].weight;
    const int type = gr_panel_index(w->panel_dtype);
    const size_t tall = (size_t)t->k->strip_rows, row_bytes = GR_PANEL * gr_dtype_bytes(w->panel_dtype);
    for (size_t k0 = 0; k0 < x->cols; k0 += GR_K_BLOCK) {
        const size_t n = x->cols - k0 < GR_K_BLOCK ? x->cols - k0 : GR_K_BLOCK;
        for (size_t r = 0; r < m; r += tall)
            t->k->transpose(strips + r * GR_K_BLOCK, tall, gr_row(x, r0 + r) + k0, x->stride,
                            m - r < tall ? m - r : tall, n);
        for (size_t p = p0; p < p1; p++)
            for (size_t r = 0; r < m; r += tall)
                t->k->strip[type](gr_row(y, r0 + r) + p * GR_PANEL, y->stride, m - r < tall ? m - r : tall,
                                  panel_cols(y, p), strips + r * GR_K_BLOCK, n,
                                  (const uint8_t *)panel_of(w, p) + k0 * row_bytes, k0 == 0);
    }
}

static void linear_forward(const gr_task *t, int phase, size_t unit, void *scratch)
{
    (void)phase;
    const gr_mat *x = &t->in[0], *y = &t->out[0];
    const gr_weight *w = t->in[1].weight;
    const size_t blocks = row_blocks(y->rows), group = panels_a_unit(t), n_panels = gr_n_panels(y->cols);
    const size_t r0 = unit % blocks * ROWS_A_UNIT,
                 m = y->rows - r0 < ROWS_A_UNIT ? y->rows - r0 : ROWS_A_UNIT;
    const size_t p0 = unit / blocks * group, p1 = p0 + group < n_panels ? p0 + group : n_panels;
    if (y->rows == 1)
        t->k->row[gr_panel_index(w->panel_dtype)](y->f + p0 * GR_PANEL, panel_cols(y, p0), x->f, x->cols,
                                                  panel_of(w, p0));
    else
        many_rows(t, r0, m, p0, p1, scratch);
    const float *bias = t->n_in > 2 ? t->in[2].f : NULL;
    const size_t c0 = p0 * GR_PANEL, c1 = p1 * GR_PANEL < y->cols ? p1 * GR_PANEL : y->cols;
    for (size_t r = r0; r < r0 + m; r++) {
        float *row = gr_row(y, r);
        for (size_t c = c0; bias && c < c1; c++)
            row[c] += bias[c];
        gr_finish(t, row + c0, c1 - c0);
    }
}

static gr_cost linear_cost(const gr_node *n, const int *extents)
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
                             .cost = linear_cost,
                             .grad = linear_grad };

gr_value *gr_linear(gr_value *x, gr_value *w, gr_value *b)
{
    gr_value *in[] = { x, w, b };
    gr_node *n = x && w ? gr_graph_add(x->graph, &gr_op_linear, NULL, in, b ? 3 : 2) : NULL;
    return n ? n->out[0] : NULL;
}

/* dx[r][k] = sum over outputs o, ascending, of dy[r][o] W[o][k]; W is read from its panels, 32 outputs of one
 * k lying side by side. */
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

static size_t dx_scratch(const gr_node *n) { return ((size_t)n->in[1]->factor + GR_PANEL) * sizeof(float); }

static void dx_forward(const gr_task *t, int phase, size_t unit, void *scratch)
{
    (void)phase;
    const gr_mat *dy = &t->in[0], *out = &t->out[0];
    const gr_weight *w = t->in[1].weight;
    const size_t n_panels = gr_n_panels(w->rows);
    size_t r0, r1;
    gr_unit_rows(t, unit, &r0, &r1);
    float *padded = scratch; /* dy of a row, zeros up to a whole panel: one dot product a panel and k */
    for (size_t r = r0; r < r1; r++) {
        float *row = gr_row(out, r);
        for (size_t o = 0; o < n_panels * GR_PANEL; o++)
            padded[o] = o < dy->cols ? gr_row(dy, r)[o] : 0.0f;
        for (size_t k = 0; k < out->cols; k++) {
            float sum = 0;
            for (size_t p = 0; p < n_panels; p++) {
                float wide[GR_PANEL];
                gr_panel_widen(
                    wide, (const uint8_t *)panel_of(w, p) + k * GR_PANEL * gr_dtype_bytes(w->panel_dtype),
                    w->panel_dtype, 1);
                sum += t->k->dot(padded + p * GR_PANEL, wide, GR_PANEL);
            }
            row[k] = sum;
        }
        gr_finish(t, row, out->cols);
    }
}

const gr_op gr_op_linear_dx = { .name = "linear_dx",
                                .min_in = 2,
                                .max_in = 2,
                                .n_out = 1,
                                .forms = { GR_FORM_NONE, GR_FORM_PANELS },
                                .infer = dx_infer,
                                .scratch = dx_scratch,
                                .forward = dx_forward,
                                .cost = linear_cost };

gr_value *gr_linear_dx(gr_value *dy, gr_value *w)
{
    gr_value *in[] = { dy, w };
    gr_node *n = dy && w ? gr_graph_add(dy->graph, &gr_op_linear_dx, NULL, in, 2) : NULL;
    return n ? n->out[0] : NULL;
}

/* dW[o][k] = sum over rows r, ascending, of dy[r][o] x[r][k]. */
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

static void dw_forward(const gr_task *t, int phase, size_t unit, void *scratch)
{
    (void)phase;
    (void)scratch;
    const gr_mat *dy = &t->in[0], *x = &t->in[1], *dw = &t->out[0];
    size_t o0, o1;
    gr_unit_rows(t, unit, &o0, &o1);
    for (size_t o = o0; o < o1; o++) {
        float *row = gr_row(dw, o);
        for (size_t k = 0; k < dw->cols; k++)
            row[k] = 0;
        for (size_t r = 0; r < dy->rows; r++)
            t->k->axpy(row, gr_row(dy, r)[o], gr_row(x, r), dw->cols);
        gr_finish(t, row, dw->cols);
    }
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
                                .infer = dw_infer,
                                .forward = dw_forward,
                                .cost = dw_cost };

gr_value *gr_linear_dw(gr_value *dy, gr_value *x)
{
    gr_value *in[] = { dy, x };
    gr_node *n = dy && x ? gr_graph_add(dy->graph, &gr_op_linear_dw, NULL, in, 2) : NULL;
    return n ? n->out[0] : NULL;
}
