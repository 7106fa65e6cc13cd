/* cross_entropy.c - the loss of each row: log(sum(exp(logits))) - logits[target], in f32 with sums in double.
 * Source: torch.nn.functional.cross_entropy(reduction="none"). Results are not rounded, as the published code
 * takes its loss in f32 whatever the model computes in. */
#include <math.h>

#include "backend/cpu/kernels.h"
#include "base/mathx.h"
#include "graph/op.h"
#include "op/ops.h"

#define PIECE 1024 /* logits whose exponentials are summed at a time */

static size_t row_units(const gr_task *t, int phase)
{
    (void)phase;
    return t->in[0].rows;
}

static float log_sum_exp(const gr_task *t, const float *x, size_t n, float *piece)
{
    float top = x[0];
    double sum = 0;
    for (size_t i = 1; i < n; i++)
        top = x[i] > top ? x[i] : top;
    for (size_t i = 0; i < n; i += PIECE) {
        const size_t m = n - i < PIECE ? n - i : PIECE;
        t->k->exp_from(piece, x + i, m, top);
        sum += t->k->sum(piece, m);
    }
    return (float)((double)top + gr_ln(sum));
}

bool gr_infer_targets(gr_node *n)
{
    const gr_value *target = n->in[1];
    if (!target->index || target->cols != 1 || target->extent != n->in[0]->extent ||
        target->factor != n->in[0]->factor) {
        gr_graph_fail(n->graph, GR_ERR_SHAPE,
                      "%s: the targets must be an index of one column and have a row for each of the logits",
                      n->op->name);
        return false;
    }
    n->out[0]->cols = 1;
    return true;
}

static size_t piece_scratch(const gr_node *n)
{
    (void)n;
    return PIECE * sizeof(float);
}

static void entropy_forward(const gr_task *t, int phase, size_t unit, void *scratch)
{
    (void)phase;
    const float *x = gr_row(&t->in[0], unit);
    gr_row(&t->out[0], unit)[0] = log_sum_exp(t, x, t->in[0].cols, scratch) - x[t->in[1].i[unit]];
}

static void entropy_rule(gr_graph *g, const gr_node *n, gr_value *const *dy, gr_value **dx, const bool *want)
{
    (void)want;
    gr_value *in[] = { n->in[0], n->in[1], dy[0] };
    gr_node *back = gr_graph_add(g, &gr_op_cross_entropy_grad, NULL, in, 3);
    dx[0] = back ? back->out[0] : NULL;
}

/* 3 FLOP for each logit, about. */
static gr_cost entropy_cost(const gr_node *n, const int *extents)
{
    const double logits = (double)gr_value_rows(n->in[0], extents) * n->in[0]->cols;
    return (gr_cost){ 3 * logits, 8 * logits };
}

const gr_op gr_op_cross_entropy = { .name = "cross_entropy",
                                    .min_in = 2,
                                    .max_in = 2,
                                    .n_out = 1,
                                    .infer = gr_infer_targets,
                                    .units = row_units,
                                    .scratch = piece_scratch,
                                    .forward = entropy_forward,
                                    .cost = entropy_cost,
                                    .grad = entropy_rule };

/* Inputs logits, targets, dy [rows, 1]: dy (softmax - one at the target). */
static void entropy_grad_forward(const gr_task *t, int phase, size_t unit, void *scratch)
{
    (void)phase;
    const size_t n = t->in[0].cols, target = (size_t)t->in[1].i[unit];
    const float *x = gr_row(&t->in[0], unit), dy = gr_row(&t->in[2], unit)[0];
    const float lse = log_sum_exp(t, x, n, scratch);
    float *dx = gr_row(&t->out[0], unit);
    t->k->exp_from(dx, x, n, lse);
    dx[target] -= 1;
    for (size_t i = 0; i < n; i++)
        dx[i] *= dy;
    gr_finish(t, dx, n);
}

const gr_op gr_op_cross_entropy_grad = { .name = "cross_entropy_grad",
                                         .min_in = 3,
                                         .max_in = 3,
                                         .n_out = 1,
                                         .inplace = 1,
                                         .infer = gr_infer_first,
                                         .units = row_units,
                                         .scratch = piece_scratch,
                                         .forward = entropy_grad_forward,
                                         .cost = entropy_cost };

gr_value *gr_cross_entropy(gr_value *logits, gr_value *target)
{
    gr_value *in[] = { logits, target };
    gr_node *n = logits && target ? gr_graph_add(logits->graph, &gr_op_cross_entropy, NULL, in, 2) : NULL;
    return n ? n->out[0] : NULL;
}
