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

#define KEYS GR_KEY_BLOCK /* = GR_PAGE_TOKENS */

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

#define ROWS 64 /* query rows of one unit: they share a block of keys while it is warm */

static size_t query_blocks(const gr_task *t) { return (t->out[0].rows + ROWS - 1) / ROWS; }

static size_t attention_units(const gr_task *t, int phase)
{
    if (phase == 0)
        return t->attr.paged ? gr_units_rows(t, phase) : 0;
    return query_blocks(t) * (size_t)t->attr.heads;
}

/* Phase 0: new keys and values go to their pages; a key is a column there. */
static void store_rows(const gr_task *t, size_t unit)
{
    const size_t d = (size_t)t->attr.head_dim, half = gr_kv_half_page(t->kv);
    size_t r0, r1;
    gr_unit_rows(t, unit, &r0, &r1);
    for (size_t r = r0; r < r1; r++) {
        const gr_span *s = &t->rows->spans[t->rows->span_of[r]];
        const int32_t pos = t->rows->position[r];
        float *page = gr_kv_page(t->kv, s->pages[pos / KEYS], t->kv_layer), *v = page + half;
        for (size_t h = 0; h < (size_t)t->attr.kv_heads; h++) {
            const float *k = gr_row(&t->in[1], r) + h * d;
            for (size_t c = 0; c < d; c++)
                page[(h * d + c) * KEYS + (size_t)(pos % KEYS)] = k[c];
            memcpy(v + (h * KEYS + (size_t)(pos % KEYS)) * d, gr_row(&t->in[2], r) + h * d,
                   d * sizeof(float));
        }
    }
}

/* What a unit works with; all of it lies in the worker's scratch. */
typedef struct {
    float score[ROWS * KEYS];
    float top[ROWS], sum[ROWS]; /* of every row so far */
    int32_t seen[ROWS];         /* keys of the block that the row sees */
    float keys[];               /* [head_dim][KEYS]: a block of keys that does not lie in a page */
} workspace;

static size_t attention_scratch(const gr_node *n)
{
    return sizeof(workspace) + (size_t)n->attr.head_dim * KEYS * sizeof(float);
}

/* Keys and values of one head and one block of positions, wherever they lie. */
typedef struct {
    const float *kt, *v; /* [head_dim][KEYS]; rows v_stride apart */
    size_t v_stride;
} key_block;

static key_block block_at(const gr_task *t, const gr_span *s, size_t kv_head, size_t first, workspace *w)
{
    const size_t d = (size_t)t->attr.head_dim;
    if (t->attr.paged) {
        const float *page = gr_kv_page(t->kv, s->pages[first / KEYS], t->kv_layer) + kv_head * KEYS * d;
        return (key_block){ page, page + gr_kv_half_page(t->kv), d };
    }
    const size_t row = (size_t)s->row + first, left = (size_t)s->n_rows - first,
                 n = left < KEYS ? left : KEYS;
    for (size_t c = 0; c < d; c++)
        for (size_t j = 0; j < KEYS; j++)
            w->keys[c * KEYS + j] = j < n ? gr_row(&t->in[1], row + j)[kv_head * d + c] : 0.0f;
    return (key_block){ w->keys, gr_row(&t->in[2], row) + kv_head * d, t->in[2].stride };
}

/* How many keys row r sees: positions 0 .. count - 1 of its span. */
static size_t count_keys(const gr_task *t, const gr_span *s, size_t r)
{
    return t->attr.causal ? (size_t)t->rows->position[r] + 1 : (size_t)s->n_rows;
}

/* Rows r0 .. r0 + n - 1, which see some of the block that begins at key `first`. */
static void attend_block(const gr_task *t, const gr_span *s, size_t r0, size_t n, size_t head, size_t first,
                         size_t at, workspace *w)
{
    const size_t d = (size_t)t->attr.head_dim, kv_head = head / (size_t)(t->attr.heads / t->attr.kv_heads);
    const key_block b = block_at(t, s, kv_head, first, w);
    float *score = w->score + at * KEYS, *o = gr_row(&t->out[0], r0) + head * d;
    t->k->scores(score, gr_row(&t->in[0], r0) + head * d, t->in[0].stride, n, d, b.kt, t->attr.scale);
    for (size_t i = 0; i < n; i++) {
        const size_t left = count_keys(t, s, r0 + i) - first;
        const float before = w->top[at + i];
        w->seen[at + i] = (int32_t)(left < KEYS ? left : KEYS);
        const float sum = t->k->soften(score + i * KEYS, (size_t)w->seen[at + i], &w->top[at + i]);
        const float keep = gr_expf(before - w->top[at + i]);
        w->sum[at + i] = w->sum[at + i] * keep + sum;
        if (keep != 1.0f)
            for (size_t c = 0; c < d; c++)
                o[i * t->out[0].stride + c] *= keep;
    }
    t->k->weigh(o, t->out[0].stride, score, w->seen + at, n, b.v, b.v_stride, d);
}

/* Rows r0 .. r0 + n - 1 of one span. Later rows see as many keys or more. */
static void attend_rows(const gr_task *t, size_t r0, size_t n, size_t head, workspace *w)
{
    const size_t d = (size_t)t->attr.head_dim;
    const gr_span *s = &t->rows->spans[t->rows->span_of[r0]];
    const size_t n_keys = count_keys(t, s, r0 + n - 1);
    for (size_t i = 0; i < n; i++) {
        w->top[i] = -INFINITY;
        w->sum[i] = 0;
        memset(gr_row(&t->out[0], r0 + i) + head * d, 0, d * sizeof(float));
    }
    size_t at = 0; /* the first row that sees anything of the block */
    for (size_t first = 0; first < n_keys; first += KEYS) {
        while (count_keys(t, s, r0 + at) <= first)
            at++;
        attend_block(t, s, r0 + at, n - at, head, first, at, w);
    }
    for (size_t i = 0; i < n; i++) {
        float *o = gr_row(&t->out[0], r0 + i) + head * d;
        for (size_t c = 0; c < d; c++)
            o[c] /= w->sum[i];
        gr_finish(t, o, d);
        gr_row(&t->out[1], r0 + i)[head] = w->top[i] + (float)gr_ln((double)w->sum[i]);
    }
}

static void attention_forward(const gr_task *t, int phase, size_t unit, void *scratch)
{
    if (phase == 0) {
        store_rows(t, unit);
        return;
    }
    const size_t head = unit / query_blocks(t), first = unit % query_blocks(t) * ROWS;
    const size_t end = first + ROWS < t->out[0].rows ? first + ROWS : t->out[0].rows;
    for (size_t r = first, next; r < end; r = next) {
        for (next = r + 1; next < end && t->rows->span_of[next] == t->rows->span_of[r]; next++)
            ;
        attend_rows(t, r, next - r, head, scratch);
    }
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

extern const gr_op gr_op_attention_grad; /* attention_grad.c */

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

const gr_op gr_op_attention = { .name = "attention",
                                .min_in = 3,
                                .max_in = 3,
                                .n_out = 2,
                                .reads_rows = true,
                                .n_phases = 2,
                                .infer = attention_infer,
                                .units = attention_units,
                                .scratch = attention_scratch,
                                .forward = attention_forward,
                                .cost = attention_cost,
                                .grad = attention_rule };

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
