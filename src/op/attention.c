/* attention.c - softmax(scale q k^T) v over spans of rows, with grouped key heads, causal or not, keys in
 * rows or in KV pages. Source: Vaswani et al. 2017; the one-pass form of Milakov & Gimelshein 2018 and Dao et
 * al. 2022, in blocks of 64 absolute key positions.
 *
 * Per query row and head, over blocks ascending: m' = max(m, max s); o = o exp(m - m') + sum exp(s - m') v; l
 * likewise; out = o / l. A row meets the same blocks whatever chunk it arrived in, so its bits do not depend
 * on it. Second output: log-sum-exp, [rows, heads]. */
#include <math.h>
#include <string.h>

#include "backend/cpu/kernels.h"
#include "base/mathx.h"
#include "graph/op.h"
#include "op/ops.h"

#define KEYS GR_PAGE_TOKENS

static bool attention_infer(gr_node *n)
{
    const gr_value *q = n->in[0], *k = n->in[1], *v = n->in[2];
    gr_attr *a = &n->attr;
    if (a->heads < 1 || a->kv_heads < 1 || a->heads % a->kv_heads != 0 || q->cols % a->heads != 0 ||
        !gr_same_shape(k, v) || k->cols != q->cols / a->heads * a->kv_heads || k->extent != q->extent ||
        k->factor != q->factor || (a->paged && (!a->causal || q->factor != 1))) {
        gr_graph_fail(n->graph, GR_ERR_SHAPE,
                      "attention: q has %d columns for %d heads, k %d and v %d for %d%s", q->cols, a->heads,
                      k->cols, v->cols, a->kv_heads,
                      a->paged && !a->causal ? "; pages need causal attention" : "");
        return false;
    }
    a->head_dim = q->cols / a->heads;
    n->out[1]->cols = a->heads;
    return true;
}

static size_t attention_units(const gr_task *t, int phase)
{
    const size_t blocks = gr_units_rows(t, phase);
    return phase == 0 ? (t->attr.paged ? blocks : 0) : blocks * (size_t)t->attr.heads;
}

/* Phase 0: new keys and values go to their pages. */
static void store_rows(const gr_task *t, size_t unit)
{
    const size_t d = (size_t)t->attr.head_dim, half = gr_kv_half_page(t->kv);
    size_t r0, r1;
    gr_unit_rows(t, unit, &r0, &r1);
    for (size_t r = r0; r < r1; r++) {
        const gr_span *s = &t->rows->spans[t->rows->span_of[r]];
        const int32_t pos = t->rows->position[r];
        float *page = gr_kv_page(t->kv, s->pages[pos / KEYS], t->kv_layer) + (size_t)(pos % KEYS) * d;
        for (size_t h = 0; h < (size_t)t->attr.kv_heads; h++) {
            memcpy(page + h * KEYS * d, gr_row(&t->in[1], r) + h * d, d * sizeof(float));
            memcpy(page + half + h * KEYS * d, gr_row(&t->in[2], r) + h * d, d * sizeof(float));
        }
    }
}

/* Keys and values of one head and one block of positions, wherever they lie. */
typedef struct {
    const float *k, *v;
    size_t k_stride, v_stride;
} key_block;

static key_block block_at(const gr_task *t, const gr_span *s, size_t kv_head, size_t first)
{
    const size_t d = (size_t)t->attr.head_dim;
    if (t->attr.paged) {
        const float *page = gr_kv_page(t->kv, s->pages[first / KEYS], t->kv_layer) + kv_head * KEYS * d;
        return (key_block){ page, page + gr_kv_half_page(t->kv), d, d };
    }
    const size_t row = (size_t)s->row + first;
    return (key_block){ gr_row(&t->in[1], row) + kv_head * d, gr_row(&t->in[2], row) + kv_head * d,
                        t->in[1].stride, t->in[2].stride };
}

/* How many keys row r sees: positions 0 .. count - 1 of its span. */
static size_t count_keys(const gr_task *t, const gr_span *s, size_t r)
{
    return t->attr.causal ? (size_t)t->rows->position[r] + 1 : (size_t)s->n_rows;
}

static void attend_row(const gr_task *t, size_t r, size_t head)
{
    const size_t d = (size_t)t->attr.head_dim, kv_head = head / (size_t)(t->attr.heads / t->attr.kv_heads);
    const gr_span *s = &t->rows->spans[t->rows->span_of[r]];
    const float *q = gr_row(&t->in[0], r) + head * d;
    float *o = gr_row(&t->out[0], r) + head * d, m = -INFINITY, l = 0;
    const size_t n_keys = count_keys(t, s, r);
    memset(o, 0, d * sizeof *o);
    for (size_t first = 0; first < n_keys; first += KEYS) {
        const size_t n = n_keys - first < KEYS ? n_keys - first : KEYS;
        const key_block b = block_at(t, s, kv_head, first);
        float score[KEYS], top = m;
        for (size_t j = 0; j < n; j++) {
            score[j] = t->k->dot(q, b.k + j * b.k_stride, d) * t->attr.scale;
            top = score[j] > top ? score[j] : top;
        }
        const float keep = gr_expf(m - top);
        for (size_t c = 0; c < d; c++)
            o[c] *= keep;
        l *= keep;
        for (size_t j = 0; j < n; j++) {
            const float p = gr_expf(score[j] - top);
            l += p;
            t->k->axpy(o, p, b.v + j * b.v_stride, d);
        }
        m = top;
    }
    for (size_t c = 0; c < d; c++)
        o[c] /= l;
    gr_finish(t, o, d);
    gr_row(&t->out[1], r)[head] = m + (float)gr_ln((double)l);
}

static void attention_forward(const gr_task *t, int phase, size_t unit, void *scratch)
{
    (void)scratch;
    if (phase == 0) {
        store_rows(t, unit);
        return;
    }
    const size_t blocks = gr_units_rows(t, phase);
    size_t r0, r1;
    gr_unit_rows(t, unit % blocks, &r0, &r1);
    for (size_t r = r0; r < r1; r++)
        attend_row(t, r, unit / blocks);
}

/* Work depends on the row table, which is not known here: counted as if one span held all rows. */
static gr_cost attention_cost(const gr_node *n, const int *extents)
{
    const double rows = (double)gr_value_rows(n->in[0], extents),
                 pairs = rows * rows * (n->attr.causal ? 0.5 : 1.0);
    gr_cost c = gr_cost_elementwise(n, extents);
    c.flop = 4.0 * pairs * n->in[0]->cols;
    return c;
}

static void attention_rule(gr_graph *g, const gr_node *n, gr_value *const *dy, gr_value **dx,
                           const bool *want);

const gr_op gr_op_attention = { .name = "attention",
                                .min_in = 3,
                                .max_in = 3,
                                .n_out = 2,
                                .reads_rows = true,
                                .n_phases = 2,
                                .infer = attention_infer,
                                .units = attention_units,
                                .forward = attention_forward,
                                .cost = attention_cost,
                                .grad = attention_rule };

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

static void attention_rule(gr_graph *g, const gr_node *n, gr_value *const *dy, gr_value **dx,
                           const bool *want)
{
    (void)want;
    if (n->attr.paged) {
        gr_graph_fail(g, GR_ERR_UNSUPPORTED,
                      "attention: keys in pages have no gradient; training attends to rows");
        return;
    }
    if (dy[1]) {
        gr_graph_fail(g, GR_ERR_UNSUPPORTED, "attention: no gradient through the log-sum-exp");
        return;
    }
    gr_value *in[] = { dy[0], n->in[0], n->in[1], n->in[2], n->out[0], n->out[1] };
    gr_node *back = gr_graph_add(g, &gr_op_attention_grad, &n->attr, in, 6);
    for (int i = 0; back && i < 3; i++)
        dx[i] = back->out[i];
}

gr_value *gr_attention(gr_value *q, gr_value *k, gr_value *v, int heads, int kv_heads, float scale,
                       bool causal, bool paged)
{
    gr_value *in[] = { q, k, v };
    const gr_attr attr = {
        .heads = heads, .kv_heads = kv_heads, .scale = scale, .causal = causal, .paged = paged
    };
    gr_node *n = q && k && v ? gr_graph_add(q->graph, &gr_op_attention, &attr, in, 3) : NULL;
    return n ? n->out[0] : NULL;
}
