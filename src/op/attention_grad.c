/* attention_grad.c - the backward pass of attention over rows; keys in pages have no gradient. */
#include <string.h>

#include "backend/cpu/kernels.h"
#include "base/mathx.h"
#include "graph/op.h"
#include "op/ops.h"

/* How many keys row r sees: as in attention.c. */
static size_t count_keys(const gr_task *t, const gr_span *s, size_t r)
{
    return t->attr.causal ? (size_t)t->rows->position[r] + 1 : (size_t)s->n_rows;
}

/* Inputs dout, q, k, v, out, lse; outputs dq, dk, dv. With p = exp(s - lse) and delta = dout . out:
 * ds = p (dout . v - delta) scale; dq = sum ds k, dk = sum ds q, dv = sum p dout. Phase 0 makes dq by query
 * rows, phase 1 dk and dv by key rows. */
static bool grad_infer(gr_node *n)
{
    for (int i = 1; i <= 2; i++) {
        n->out[i]->cols = n->in[2]->cols;
        n->out[i]->factor = n->in[2]->factor;
    }
    return true;
}

static size_t grad_units(const gr_task *t, int phase)
{
    return gr_units_rows(t, phase) * (size_t)(phase == 0 ? t->attr.heads : t->attr.kv_heads);
}

typedef struct {
    float p, ds;
} pair_grad;

static pair_grad pair_at(const gr_task *t, size_t i, size_t j, size_t head, size_t kv_head)
{
    const size_t d = (size_t)t->attr.head_dim;
    const float *dout = gr_row(&t->in[0], i) + head * d, *q = gr_row(&t->in[1], i) + head * d;
    const float *k = gr_row(&t->in[2], j) + kv_head * d, *v = gr_row(&t->in[3], j) + kv_head * d;
    const float p = gr_expf(t->k->dot(q, k, d) * t->attr.scale - gr_row(&t->in[5], i)[head]);
    const float delta = t->k->dot(dout, gr_row(&t->in[4], i) + head * d, d);
    return (pair_grad){ p, p * (t->k->dot(dout, v, d) - delta) * t->attr.scale };
}

static void grad_query(const gr_task *t, size_t i, size_t head)
{
    const size_t d = (size_t)t->attr.head_dim, kv_head = head / (size_t)(t->attr.heads / t->attr.kv_heads);
    const gr_span *s = &t->rows->spans[t->rows->span_of[i]];
    float *dq = gr_row(&t->out[0], i) + head * d;
    memset(dq, 0, d * sizeof *dq);
    for (size_t j = 0; j < count_keys(t, s, i); j++)
        t->k->axpy(dq, pair_at(t, i, (size_t)s->row + j, head, kv_head).ds,
                   gr_row(&t->in[2], (size_t)s->row + j) + kv_head * d, d);
    gr_finish(t, dq, d);
}

static void grad_key(const gr_task *t, size_t j, size_t kv_head)
{
    const size_t d = (size_t)t->attr.head_dim, group = (size_t)(t->attr.heads / t->attr.kv_heads);
    const gr_span *s = &t->rows->spans[t->rows->span_of[j]];
    float *dk = gr_row(&t->out[1], j) + kv_head * d, *dv = gr_row(&t->out[2], j) + kv_head * d;
    memset(dk, 0, d * sizeof *dk);
    memset(dv, 0, d * sizeof *dv);
    for (size_t head = kv_head * group; head < (kv_head + 1) * group; head++)
        for (size_t i = t->attr.causal ? j : (size_t)s->row; i < (size_t)(s->row + s->n_rows); i++) {
            const pair_grad g = pair_at(t, i, j, head, kv_head);
            t->k->axpy(dk, g.ds, gr_row(&t->in[1], i) + head * d, d);
            t->k->axpy(dv, g.p, gr_row(&t->in[0], i) + head * d, d);
        }
    gr_finish(t, dk, d);
    gr_finish(t, dv, d);
}

static void grad_forward(const gr_task *t, int phase, size_t unit, void *scratch)
{
    (void)scratch;
    const size_t blocks = gr_units_rows(t, phase);
    size_t r0, r1;
    gr_unit_rows(t, unit % blocks, &r0, &r1);
    for (size_t r = r0; r < r1; r++)
        if (phase == 0)
            grad_query(t, r, unit / blocks);
        else
            grad_key(t, r, unit / blocks);
}

static gr_cost grad_cost(const gr_node *n, const int *extents)
{
    const double rows = (double)gr_value_rows(n->in[0], extents),
                 pairs = rows * rows * (n->attr.causal ? 0.5 : 1.0);
    gr_cost c = gr_cost_elementwise(n, extents);
    c.flop = 18.0 * pairs * n->in[0]->cols;
    return c;
}

const gr_op gr_op_attention_grad = { .name = "attention_grad",
                                     .min_in = 6,
                                     .max_in = 6,
                                     .n_out = 3,
                                     .reads_rows = true,
                                     .n_phases = 2,
                                     .infer = grad_infer,
                                     .units = grad_units,
                                     .forward = grad_forward,
                                     .cost = grad_cost };
