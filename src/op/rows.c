/* rows.c - moving rows and columns about: groups cut and padded, rows gathered and scattered, rows summed. */
#include <string.h>

#include "graph/op.h"
#include "op/ops.h"

#define COLUMN_BLOCK 64 /* columns of one unit, for sums that run over all rows */

static size_t column_units(const gr_task *t, int phase)
{
    (void)phase;
    return (t->out[0].cols + COLUMN_BLOCK - 1) / COLUMN_BLOCK;
}

/* Columns of a unit, and the output's share of them set to zero unless it is added to. */
static void clear_columns(const gr_task *t, size_t unit, size_t *c0, size_t *n)
{
    *c0 = unit * COLUMN_BLOCK;
    *n = t->out[0].cols - *c0 < COLUMN_BLOCK ? t->out[0].cols - *c0 : COLUMN_BLOCK;
    for (size_t r = 0; r < t->out[0].rows && !t->adds; r++)
        memset(gr_row(&t->out[0], r) + *c0, 0, *n * sizeof(float));
}

static void finish_columns(const gr_task *t, size_t c0, size_t n)
{
    for (size_t r = 0; r < t->out[0].rows && !t->adds; r++)
        gr_finish(t, gr_row(&t->out[0], r) + c0, n);
}

static void add_columns(float *to, const float *from, size_t n)
{
    for (size_t c = 0; c < n; c++)
        to[c] += from[c];
}

/* --- slice_rows, pad_rows: attr.group rows in, attr.factor rows out, attr.side = first row
 * -------------------------------- */

static bool groups_infer(gr_node *n)
{
    const gr_attr *a = &n->attr;
    const bool slices = strcmp(n->op->name, "slice_rows") == 0;
    const int inner = slices ? a->factor : a->group, outer = slices ? a->group : a->factor;
    if (inner < 1 || a->side < 0 || a->side + inner > outer || n->in[0]->factor % a->group != 0) {
        gr_graph_fail(n->graph, GR_ERR_SHAPE, "%s: %d rows at %d of %d, in groups of %d among %d",
                      n->op->name, inner, a->side, outer, a->group, n->in[0]->factor);
        return false;
    }
    n->out[0]->factor = n->in[0]->factor / a->group * a->factor;
    return true;
}

static void slice_forward(const gr_task *t, int phase, size_t unit, void *scratch)
{
    (void)phase, (void)scratch;
    const size_t group = (size_t)t->attr.group, n = (size_t)t->attr.factor, from = (size_t)t->attr.side;
    size_t r0, r1;
    gr_unit_rows(t, unit, &r0, &r1);
    for (size_t r = r0; r < r1; r++)
        memcpy(gr_row(&t->out[0], r), gr_row(&t->in[0], r / n * group + from + r % n),
               t->out[0].cols * sizeof(float));
}

static void pad_forward(const gr_task *t, int phase, size_t unit, void *scratch)
{
    (void)phase, (void)scratch;
    const size_t group = (size_t)t->attr.group, total = (size_t)t->attr.factor, from = (size_t)t->attr.side;
    size_t r0, r1;
    gr_unit_rows(t, unit, &r0, &r1);
    for (size_t r = r0; r < r1; r++) {
        const size_t i = r % total, bytes = t->out[0].cols * sizeof(float);
        if (i >= from && i < from + group)
            memcpy(gr_row(&t->out[0], r), gr_row(&t->in[0], r / total * group + i - from), bytes);
        else
            memset(gr_row(&t->out[0], r), 0, bytes);
    }
}

static void slice_rule(gr_graph *g, const gr_node *n, gr_value *const *dy, gr_value **dx, const bool *want)
{
    (void)g, (void)want;
    dx[0] = gr_pad_rows(dy[0], n->attr.factor, n->attr.side, n->attr.group);
}

static void pad_rule(gr_graph *g, const gr_node *n, gr_value *const *dy, gr_value **dx, const bool *want)
{
    (void)g, (void)want;
    dx[0] = gr_slice_rows(dy[0], n->attr.factor, n->attr.side, n->attr.group);
}

const gr_op gr_op_slice_rows = { .name = "slice_rows",
                                 .min_in = 1,
                                 .max_in = 1,
                                 .n_out = 1,
                                 .infer = groups_infer,
                                 .forward = slice_forward,
                                 .grad = slice_rule };
const gr_op gr_op_pad_rows = { .name = "pad_rows",
                               .min_in = 1,
                               .max_in = 1,
                               .n_out = 1,
                               .infer = groups_infer,
                               .forward = pad_forward,
                               .grad = pad_rule };

/* --- prepend_row
 * -----------------------------------------------------------------------------------------------------------
 */

static bool prepend_infer(gr_node *n)
{
    const int group = n->attr.group;
    if (group < 1 || n->in[0]->factor % group != 0 || n->in[1]->factor != 1 ||
        n->in[1]->cols != n->in[0]->cols) {
        gr_graph_fail(n->graph, GR_ERR_SHAPE,
                      "prepend_row: groups of %d among %d rows of %d columns, a row of %d", group,
                      n->in[0]->factor, n->in[0]->cols, n->in[1]->cols);
        return false;
    }
    n->out[0]->factor = n->in[0]->factor / group * (group + 1);
    return true;
}

static void prepend_forward(const gr_task *t, int phase, size_t unit, void *scratch)
{
    (void)phase, (void)scratch;
    const size_t group = (size_t)t->attr.group;
    size_t r0, r1;
    gr_unit_rows(t, unit, &r0, &r1);
    for (size_t r = r0; r < r1; r++) {
        const size_t i = r % (group + 1);
        const float *from = i == 0 ? t->in[1].f : gr_row(&t->in[0], r / (group + 1) * group + i - 1);
        memcpy(gr_row(&t->out[0], r), from, t->out[0].cols * sizeof(float));
    }
}

static void prepend_rule(gr_graph *g, const gr_node *n, gr_value *const *dy, gr_value **dx, const bool *want)
{
    (void)g;
    const int group = n->attr.group;
    dx[0] = want[0] ? gr_slice_rows(dy[0], group + 1, 1, group) : NULL;
    dx[1] = want[1] ? gr_sum_groups(gr_slice_rows(dy[0], group + 1, 0, 1), 1) : NULL;
}

const gr_op gr_op_prepend_row = { .name = "prepend_row",
                                  .min_in = 2,
                                  .max_in = 2,
                                  .n_out = 1,
                                  .forms = { GR_FORM_NONE, GR_FORM_VECTOR },
                                  .infer = prepend_infer,
                                  .forward = prepend_forward,
                                  .grad = prepend_rule };

/* --- gather_rows, scatter_rows
 * --------------------------------------------------------------------------------------------- */

static bool gather_infer(gr_node *n)
{
    if (!n->in[1]->index || n->in[1]->cols != 1) {
        gr_graph_fail(n->graph, GR_ERR_SHAPE, "gather_rows: the second input must be an index of one column");
        return false;
    }
    n->out[0]->extent = n->in[1]->extent;
    n->out[0]->factor = n->in[1]->factor;
    return true;
}

static void gather_forward(const gr_task *t, int phase, size_t unit, void *scratch)
{
    (void)phase, (void)scratch;
    size_t r0, r1;
    gr_unit_rows(t, unit, &r0, &r1);
    for (size_t r = r0; r < r1; r++)
        memcpy(gr_row(&t->out[0], r), gr_row(&t->in[0], (size_t)t->in[1].i[r]),
               t->out[0].cols * sizeof(float));
}

static void gather_rule(gr_graph *g, const gr_node *n, gr_value *const *dy, gr_value **dx, const bool *want)
{
    (void)g, (void)want;
    dx[0] = gr_scatter_rows(dy[0], n->in[1], n->in[0]);
}

const gr_op gr_op_gather_rows = { .name = "gather_rows",
                                  .min_in = 2,
                                  .max_in = 2,
                                  .n_out = 1,
                                  .infer = gather_infer,
                                  .forward = gather_forward,
                                  .grad = gather_rule };

/* Inputs dy, index, and a value that only gives the shape. An index below 0 means row -1 - index of that
 * shape when attr.inverse is set (the feature rows of gr_embed), and is passed over otherwise. */
static bool scatter_infer(gr_node *n)
{
    n->out[0]->extent = n->in[2]->extent;
    n->out[0]->factor = n->in[2]->factor;
    n->out[0]->cols = n->in[0]->cols;
    return true;
}

static void scatter_forward(const gr_task *t, int phase, size_t unit, void *scratch)
{
    (void)phase, (void)scratch;
    size_t c0, n;
    clear_columns(t, unit, &c0, &n);
    for (size_t r = 0; r < t->in[0].rows; r++) {
        const int32_t i = t->in[1].i[r], to = t->attr.inverse ? -1 - i : i;
        if (to >= 0 && (size_t)to < t->out[0].rows)
            add_columns(gr_row(&t->out[0], (size_t)to) + c0, gr_row(&t->in[0], r) + c0, n);
    }
    finish_columns(t, c0, n);
}

const gr_op gr_op_scatter_rows = { .name = "scatter_rows",
                                   .min_in = 3,
                                   .max_in = 3,
                                   .n_out = 1,
                                   .forms = { GR_FORM_NONE, GR_FORM_NONE, GR_FORM_ROWS },
                                   .adds = true,
                                   .infer = scatter_infer,
                                   .units = column_units,
                                   .forward = scatter_forward };

/* --- sum_groups, pad_columns
 * ------------------------------------------------------------------------------------------------ */

static bool sum_infer(gr_node *n)
{
    if (n->attr.group < 1 || n->in[0]->factor % n->attr.group != 0) {
        gr_graph_fail(n->graph, GR_ERR_SHAPE, "sum_groups: groups of %d among %d rows", n->attr.group,
                      n->in[0]->factor);
        return false;
    }
    n->out[0]->extent = GR_FIXED;
    n->out[0]->factor = n->attr.group;
    return true;
}

static void sum_forward(const gr_task *t, int phase, size_t unit, void *scratch)
{
    (void)phase, (void)scratch;
    size_t c0, n;
    clear_columns(t, unit, &c0, &n);
    for (size_t r = 0; r < t->in[0].rows; r++)
        add_columns(gr_row(&t->out[0], r % (size_t)t->attr.group) + c0, gr_row(&t->in[0], r) + c0, n);
    finish_columns(t, c0, n);
}

const gr_op gr_op_sum_groups = { .name = "sum_groups",
                                 .min_in = 1,
                                 .max_in = 1,
                                 .n_out = 1,
                                 .adds = true,
                                 .infer = sum_infer,
                                 .units = column_units,
                                 .forward = sum_forward };

static bool pad_columns_infer(gr_node *n)
{
    if (n->attr.side < 0 || n->attr.side + n->in[0]->cols > n->attr.factor) {
        gr_graph_fail(n->graph, GR_ERR_SHAPE, "pad_columns: %d columns at %d of %d", n->in[0]->cols,
                      n->attr.side, n->attr.factor);
        return false;
    }
    n->out[0]->cols = n->attr.factor;
    return true;
}

static void pad_columns_forward(const gr_task *t, int phase, size_t unit, void *scratch)
{
    (void)phase, (void)scratch;
    size_t r0, r1;
    gr_unit_rows(t, unit, &r0, &r1);
    for (size_t r = r0; r < r1; r++) {
        memset(gr_row(&t->out[0], r), 0, t->out[0].cols * sizeof(float));
        memcpy(gr_row(&t->out[0], r) + t->attr.side, gr_row(&t->in[0], r), t->in[0].cols * sizeof(float));
    }
}

const gr_op gr_op_pad_columns = { .name = "pad_columns",
                                  .min_in = 1,
                                  .max_in = 1,
                                  .n_out = 1,
                                  .infer = pad_columns_infer,
                                  .forward = pad_columns_forward };

/* --- builders
 * -----------------------------------------------------------------------------------------------------------------
 */

static gr_value *one(const gr_op *op, gr_value *x, gr_attr attr)
{
    gr_node *n = x ? gr_graph_add(x->graph, op, &attr, &x, 1) : NULL;
    return n ? n->out[0] : NULL;
}

gr_value *gr_slice_rows(gr_value *x, int group, int from, int n)
{
    return one(&gr_op_slice_rows, x, (gr_attr){ .group = group, .side = from, .factor = n });
}

gr_value *gr_pad_rows(gr_value *x, int group, int from, int total)
{
    return one(&gr_op_pad_rows, x, (gr_attr){ .group = group, .side = from, .factor = total });
}

gr_value *gr_sum_groups(gr_value *x, int group)
{
    return one(&gr_op_sum_groups, x, (gr_attr){ .group = group });
}

gr_value *gr_pad_columns(gr_value *x, int col0, int total)
{
    return one(&gr_op_pad_columns, x, (gr_attr){ .side = col0, .factor = total });
}

gr_value *gr_prepend_row(gr_value *x, gr_value *row, int group)
{
    gr_value *in[] = { x, row };
    gr_node *n =
        x && row ? gr_graph_add(x->graph, &gr_op_prepend_row, &(gr_attr){ .group = group }, in, 2) : NULL;
    return n ? n->out[0] : NULL;
}

gr_value *gr_gather_rows(gr_value *x, gr_value *index)
{
    gr_value *in[] = { x, index };
    gr_node *n = x && index ? gr_graph_add(x->graph, &gr_op_gather_rows, NULL, in, 2) : NULL;
    return n ? n->out[0] : NULL;
}

static gr_value *scatter(gr_value *dy, gr_value *index, gr_value *like, bool inverse)
{
    gr_value *in[] = { dy, index, like };
    const gr_attr attr = { .inverse = inverse };
    gr_node *n = dy && index && like ? gr_graph_add(dy->graph, &gr_op_scatter_rows, &attr, in, 3) : NULL;
    return n ? n->out[0] : NULL;
}

gr_value *gr_scatter_rows(gr_value *dy, gr_value *index, gr_value *like)
{
    return scatter(dy, index, like, false);
}
gr_value *gr_scatter_features(gr_value *dy, gr_value *index, gr_value *like)
{
    return scatter(dy, index, like, true);
}
