/* elementwise.c - sums and products of rows, of columns with a vector, of groups of rows with a table. */
#include "graph/op.h"
#include "op/ops.h"

/* A forward function that makes every y[c] of a row from a[c] of the first input and b[c] of `second`. */
#define BY_ROWS(name, second, result)                                                   \
    static void name##_forward(const gr_task *t, int phase, size_t unit, void *scratch) \
    {                                                                                   \
        (void)phase, (void)scratch;                                                     \
        const size_t cols = t->out[0].cols;                                             \
        size_t r0, r1;                                                                  \
        gr_unit_rows(t, unit, &r0, &r1);                                                \
        for (size_t r = r0; r < r1; r++) {                                              \
            const float *a = gr_row(&t->in[0], r), *b = second;                         \
            float *y = gr_row(&t->out[0], r);                                           \
            for (size_t c = 0; c < cols; c++)                                           \
                y[c] = result;                                                          \
            gr_finish(t, y, cols);                                                      \
        }                                                                               \
    }

BY_ROWS(add, gr_row(&t->in[1], r), a[c] + b[c])
BY_ROWS(mul, gr_row(&t->in[1], r), a[c] * b[c])
BY_ROWS(scale, t->in[1].f, a[c] * b[c])
BY_ROWS(table, t->in[1].f + r % (size_t)t->attr.group * cols, a[c] + b[c])

static void add_grad(gr_graph *g, const gr_node *n, gr_value *const *dy, gr_value **dx, const bool *want)
{
    (void)g, (void)n, (void)want;
    dx[0] = dx[1] = dy[0];
}

const gr_op gr_op_add = { .name = "add",
                          .min_in = 2,
                          .max_in = 2,
                          .n_out = 1,
                          .inplace = 3,
                          .infer = gr_infer_same,
                          .forward = add_forward,
                          .grad = add_grad };

static void mul_grad(gr_graph *g, const gr_node *n, gr_value *const *dy, gr_value **dx, const bool *want)
{
    (void)g;
    dx[0] = want[0] ? gr_mul(dy[0], n->in[1]) : NULL;
    dx[1] = want[1] ? gr_mul(dy[0], n->in[0]) : NULL;
}

const gr_op gr_op_mul = { .name = "mul",
                          .min_in = 2,
                          .max_in = 2,
                          .n_out = 1,
                          .inplace = 3,
                          .infer = gr_infer_same,
                          .forward = mul_forward,
                          .grad = mul_grad };

static void scale_grad(gr_graph *g, const gr_node *n, gr_value *const *dy, gr_value **dx, const bool *want)
{
    (void)g;
    dx[0] = want[0] ? gr_scale_columns(dy[0], n->in[1]) : NULL;
    dx[1] = want[1] ? gr_sum_groups(gr_mul(dy[0], n->in[0]), 1) : NULL;
}

const gr_op gr_op_scale_columns = { .name = "scale_columns",
                                    .min_in = 2,
                                    .max_in = 2,
                                    .n_out = 1,
                                    .forms = { GR_FORM_NONE, GR_FORM_VECTOR },
                                    .inplace = 1,
                                    .infer = gr_infer_first,
                                    .forward = scale_forward,
                                    .grad = scale_grad };

static bool table_infer(gr_node *n)
{
    const int group = n->attr.group;
    if (n->in[1]->factor != group || group < 1 || n->in[0]->factor % group != 0) {
        gr_graph_fail(n->graph, GR_ERR_SHAPE, "add_table: a table of %d rows for groups of %d among %d rows",
                      n->in[1]->factor, group, n->in[0]->factor);
        return false;
    }
    return gr_infer_first(n);
}

static void table_grad(gr_graph *g, const gr_node *n, gr_value *const *dy, gr_value **dx, const bool *want)
{
    (void)g;
    dx[0] = dy[0];
    dx[1] = want[1] ? gr_sum_groups(dy[0], n->attr.group) : NULL;
}

const gr_op gr_op_add_table = { .name = "add_table",
                                .min_in = 2,
                                .max_in = 2,
                                .n_out = 1,
                                .forms = { GR_FORM_NONE, GR_FORM_VECTOR },
                                .inplace = 1,
                                .infer = table_infer,
                                .forward = table_forward,
                                .grad = table_grad };

static gr_value *binary(const gr_op *op, const gr_attr *attr, gr_value *a, gr_value *b)
{
    gr_value *in[] = { a, b };
    gr_node *n = a && b ? gr_graph_add(a->graph, op, attr, in, 2) : NULL;
    return n ? n->out[0] : NULL;
}

gr_value *gr_add(gr_value *a, gr_value *b) { return binary(&gr_op_add, NULL, a, b); }
gr_value *gr_mul(gr_value *a, gr_value *b) { return binary(&gr_op_mul, NULL, a, b); }
gr_value *gr_scale_columns(gr_value *x, gr_value *v) { return binary(&gr_op_scale_columns, NULL, x, v); }

gr_value *gr_add_table(gr_value *x, gr_value *table, int group)
{
    return binary(&gr_op_add_table, &(gr_attr){ .group = group }, x, table);
}
