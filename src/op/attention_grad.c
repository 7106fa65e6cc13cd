/* attention_grad.c - the backward pass of attention over rows; keys in pages have no gradient. Source: Dao et
 * al. 2022 (FlashAttention), appendix B: weights are made again from the log-sum-exp.
 *
 * Inputs dout, q, k, v, out, lse; outputs dq, dk, dv. With s = scale q k^T, p = exp(s - lse), delta = dout .
 * out and ds = scale p (dout v^T - delta): dq = sum over keys of ds k, dk = sum over rows of ds q, dv = sum
 * over rows of p dout. Phase 0 makes dq by blocks of rows, phase 1 dk and dv by blocks of keys; both make p
 * and ds of a block of 64 keys and 64 rows with the kernels of the forward pass. Every sum runs in ascending
 * order. */
#include <string.h>

#include "backend/cpu/kernels.h"
#include "graph/op.h"
#include "op/ops.h"

#define ROWS GR_QUERY_BLOCK
#define KEYS GR_KEY_BLOCK

enum { DOUT, Q, K, V, OUT, LSE };

static bool grad_infer(gr_node *n)
{
    for (int i = 1; i <= 2; i++) {
        n->out[i]->cols = n->in[2]->cols;
        n->out[i]->factor = n->in[2]->factor;
    }
    return true;
}

static size_t blocks(const gr_task *t) { return (t->out[0].rows + ROWS - 1) / ROWS; }

static size_t grad_units(const gr_task *t, int phase)
{
    return blocks(t) * (size_t)(phase == 0 ? t->attr.heads : t->attr.kv_heads);
}

/* What a unit works with. p and ds are [KEYS][ROWS], then turned to [ROWS][KEYS] where keys gather. */
typedef struct {
    float p[KEYS * ROWS], ds[KEYS * ROWS], turned[ROWS * KEYS];
    float minus_lse[ROWS], delta[ROWS];
    int32_t seen[ROWS], whole[KEYS];
    float ones[ROWS];
    float *q, *dout, *out; /* [head_dim][ROWS]: rows side by side */
    float *sum[2];         /* [64][head_dim] */
} workspace;

static size_t grad_scratch(const gr_node *n)
{
    return sizeof(workspace) + 5 * (size_t)n->attr.head_dim * ROWS * sizeof(float);
}

static workspace *place(void *scratch, size_t d)
{
    workspace *w = scratch;
    w->q = (float *)(w + 1);
    w->dout = w->q + d * ROWS;
    w->out = w->dout + d * ROWS;
    w->sum[0] = w->out + d * ROWS;
    w->sum[1] = w->sum[0] + d * ROWS;
    for (int i = 0; i < ROWS; i++)
        w->ones[i] = 1;
    return w;
}

static size_t kv_head_of(const gr_task *t, size_t head)
{
    return head / (size_t)(t->attr.heads / t->attr.kv_heads);
}

/* Rows r0 .. r0 + n - 1 of a head: q and dout side by side, and what each row brings to every key. */
static void load_rows(const gr_task *t, size_t r0, size_t n, size_t head, workspace *w)
{
    const size_t d = (size_t)t->attr.head_dim;
    memset(w->q, 0, 3 * d * ROWS * sizeof(float)); /* of rows that are not there, too */
    t->k->transpose(w->q, ROWS, gr_row(&t->in[Q], r0) + head * d, t->in[Q].stride, n, d);
    t->k->transpose(w->dout, ROWS, gr_row(&t->in[DOUT], r0) + head * d, t->in[DOUT].stride, n, d);
    t->k->transpose(w->out, ROWS, gr_row(&t->in[OUT], r0) + head * d, t->in[OUT].stride, n, d);
    t->k->column_products(w->delta, w->dout, w->out, d);
    for (size_t i = 0; i < ROWS; i++)
        w->minus_lse[i] = i < n ? -gr_row(&t->in[LSE], r0 + i)[head] : 0;
}

/* p and ds of the n keys from row `key` on, for the loaded rows r0 .. of span s. */
static void weights_of_block(const gr_task *t, const gr_span *s, size_t r0, size_t n_rows, size_t head,
                             size_t key, size_t n, workspace *w)
{
    const size_t d = (size_t)t->attr.head_dim, at = kv_head_of(t, head) * d;
    t->k->scores_many(w->p, w->q, n_rows, d, gr_row(&t->in[K], key) + at, t->in[K].stride, 1, n,
                      t->attr.scale);
    t->k->scores_many(w->ds, w->dout, n_rows, d, gr_row(&t->in[V], key) + at, t->in[V].stride, 1, n, 1.0f);
    for (size_t i = 0; i < ROWS; i++) {
        const size_t sees = i >= n_rows ? 0 : t->attr.causal ? r0 + i + 1 : (size_t)(s->row + s->n_rows);
        w->seen[i] = sees <= key ? 0 : sees - key < n ? (int32_t)(sees - key) : (int32_t)n;
    }
    t->k->weights_grad(w->p, w->ds, n, w->seen, w->minus_lse, w->delta, t->attr.scale);
}

/* The end of the rows from r0 on that belong to one span and lie below `end`. */
static size_t same_span(const gr_task *t, size_t r0, size_t end)
{
    const gr_span *s = &t->rows->spans[t->rows->span_of[r0]];
    const size_t last = (size_t)(s->row + s->n_rows);
    return last < end ? last : end;
}

static void put(const gr_task *t, gr_mat *to, size_t r0, size_t n, size_t at, const float *from)
{
    const size_t d = (size_t)t->attr.head_dim;
    for (size_t i = 0; i < n; i++) {
        memcpy(gr_row(to, r0 + i) + at, from + i * d, d * sizeof(float));
        gr_finish(t, gr_row(to, r0 + i) + at, d);
    }
}

static void grad_queries(const gr_task *t, size_t r0, size_t n, size_t head, workspace *w)
{
    const size_t d = (size_t)t->attr.head_dim;
    const gr_span *s = &t->rows->spans[t->rows->span_of[r0]];
    const size_t end = t->attr.causal ? r0 + n : (size_t)(s->row + s->n_rows);
    gr_mat dq = t->out[0];
    load_rows(t, r0, n, head, w);
    memset(w->sum[0], 0, n * d * sizeof(float));
    for (size_t key = (size_t)s->row; key < end; key += KEYS) {
        weights_of_block(t, s, r0, n, head, key, end - key < KEYS ? end - key : KEYS, w);
        t->k->weigh_many(w->sum[0], w->ones, w->ds, w->seen, n,
                         gr_row(&t->in[K], key) + kv_head_of(t, head) * d, t->in[K].stride, d);
    }
    put(t, &dq, r0, n, head * d, w->sum[0]);
}

/* Adds the weighted rows of `of` to the sums of n keys; `weights` is [KEYS][ROWS]. */
static void gather(const gr_task *t, const float *weights, size_t n, size_t r0, size_t n_rows, size_t head,
                   const gr_mat *of, float *sum, workspace *w)
{
    const size_t d = (size_t)t->attr.head_dim;
    t->k->transpose(w->turned, KEYS, weights, ROWS, n, n_rows);
    for (size_t j = 0; j < n; j++)
        w->whole[j] = (int32_t)n_rows;
    t->k->weigh_many(sum, w->ones, w->turned, w->whole, n, gr_row(of, r0) + head * d, of->stride, d);
}

static void grad_keys(const gr_task *t, size_t key, size_t n, size_t kv_head, workspace *w)
{
    const size_t d = (size_t)t->attr.head_dim, group = (size_t)(t->attr.heads / t->attr.kv_heads);
    const gr_span *s = &t->rows->spans[t->rows->span_of[key]];
    const size_t end = (size_t)(s->row + s->n_rows);
    gr_mat dk = t->out[1], dv = t->out[2];
    memset(w->sum[0], 0, n * d * sizeof(float));
    memset(w->sum[1], 0, n * d * sizeof(float));
    for (size_t head = kv_head * group; head < (kv_head + 1) * group; head++)
        for (size_t r0 = t->attr.causal ? key : (size_t)s->row; r0 < end; r0 += ROWS) {
            const size_t n_rows = end - r0 < ROWS ? end - r0 : ROWS;
            load_rows(t, r0, n_rows, head, w);
            weights_of_block(t, s, r0, n_rows, head, key, n, w);
            gather(t, w->ds, n, r0, n_rows, head, &t->in[Q], w->sum[0], w);
            gather(t, w->p, n, r0, n_rows, head, &t->in[DOUT], w->sum[1], w);
        }
    put(t, &dk, key, n, kv_head * d, w->sum[0]);
    put(t, &dv, key, n, kv_head * d, w->sum[1]);
}

static void grad_forward(const gr_task *t, int phase, size_t unit, void *scratch)
{
    workspace *w = place(scratch, (size_t)t->attr.head_dim);
    const size_t first = unit % blocks(t) * ROWS, head = unit / blocks(t);
    const size_t end = first + ROWS < t->out[0].rows ? first + ROWS : t->out[0].rows;
    for (size_t r = first, next; r < end; r = next) {
        next = same_span(t, r, end);
        if (phase == 0)
            grad_queries(t, r, next - r, head, w);
        else
            grad_keys(t, r, next - r, head, w);
    }
}

static gr_cost grad_cost(const gr_node *n, const int *extents)
{
    const double rows = (double)gr_value_rows(n->in[0], extents),
                 pairs = rows * rows * (n->attr.causal ? 0.5 : 1.0);
    gr_cost c = gr_cost_elementwise(n, extents);
    c.flop = 14.0 * pairs * n->in[0]->cols; /* seven products */
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
                                     .scratch = grad_scratch,
                                     .forward = grad_forward,
                                     .cost = grad_cost };
