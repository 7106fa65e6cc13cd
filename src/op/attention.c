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

#define ROWS GR_QUERY_BLOCK /* query rows of one unit: they share a block of keys while it is warm */
#define FEW  8              /* rows up to which each is done alone; the bits are the same */

/* Few rows, a token of each conversation: a unit is a row and the query heads that share a key head. */
static bool by_rows(const gr_task *t) { return t->out[0].rows <= FEW; }

static size_t query_blocks(const gr_task *t) { return (t->out[0].rows + ROWS - 1) / ROWS; }

static size_t attention_units(const gr_task *t, int phase)
{
    if (phase == 0)
        return t->attr.paged ? gr_units_rows(t, phase) : 0;
    return by_rows(t) ? t->out[0].rows * (size_t)t->attr.kv_heads : query_blocks(t) * (size_t)t->attr.heads;
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
    float score[KEYS * ROWS];               /* [KEYS][ROWS], or a few rows of KEYS */
    float top[ROWS], sum[ROWS], keep[ROWS]; /* of every row so far */
    int32_t seen[ROWS];                     /* keys of the block that the row sees */
    float *query;                           /* [head_dim][ROWS]: rows side by side */
    float *keys;   /* [head_dim][KEYS]: a block of keys that does not lie in a page */
    float *values; /* [KEYS][head_dim]: likewise */
    float *out;    /* [ROWS][head_dim] */
} workspace;

static size_t attention_scratch(const gr_node *n)
{
    return sizeof(workspace) + 4 * (size_t)n->attr.head_dim * KEYS * sizeof(float);
}

static workspace *place(void *scratch, size_t d)
{
    workspace *w = scratch;
    w->query = (float *)(w + 1);
    w->keys = w->query + d * ROWS;
    w->values = w->keys + d * KEYS;
    w->out = w->values + d * KEYS;
    return w;
}

/* How many keys row r sees: positions 0 .. count - 1 of its span. */
static size_t count_keys(const gr_task *t, const gr_span *s, size_t r)
{
    return t->attr.causal ? (size_t)t->rows->position[r] + 1 : (size_t)s->n_rows;
}

static int32_t seen_of(size_t n_keys, size_t first)
{
    return n_keys <= first ? 0 : n_keys - first < KEYS ? (int32_t)(n_keys - first) : KEYS;
}

/* The page that holds keys first .. first + KEYS - 1 of a key head: K [head_dim][KEYS]; V half a page later.
 */
static const float *page_of(const gr_task *t, const gr_span *s, size_t kv_head, size_t first)
{
    return gr_kv_page(t->kv, s->pages[first / KEYS], t->kv_layer) + kv_head * KEYS * (size_t)t->attr.head_dim;
}

static void finish_head(const gr_task *t, size_t r, size_t head, const float *o, float top, float sum)
{
    const size_t d = (size_t)t->attr.head_dim;
    float *to = gr_row(&t->out[0], r) + head * d;
    for (size_t c = 0; c < d; c++)
        to[c] = o[c] / sum;
    gr_finish(t, to, d);
    gr_row(&t->out[1], r)[head] = top + (float)gr_ln((double)sum);
}

/* Row r, query heads head .. head + n - 1, which share a key head. */
static void attend_row(const gr_task *t, size_t r, size_t head, size_t n, workspace *w)
{
    const size_t d = (size_t)t->attr.head_dim, kv_head = head / (size_t)(t->attr.heads / t->attr.kv_heads);
    const gr_span *s = &t->rows->spans[t->rows->span_of[r]];
    const size_t n_keys = count_keys(t, s, r);
    for (size_t i = 0; i < n; i++)
        w->top[i] = -INFINITY, w->sum[i] = 0;
    memset(w->out, 0, n * d * sizeof(float));
    for (size_t first = 0; first < n_keys; first += KEYS) {
        const size_t seen = (size_t)seen_of(n_keys, first), row = (size_t)s->row + first;
        const float *kt = w->keys, *v;
        if (t->attr.paged) {
            kt = page_of(t, s, kv_head, first);
            v = kt + gr_kv_half_page(t->kv);
        } else {
            t->k->transpose(w->keys, KEYS, gr_row(&t->in[1], row) + kv_head * d, t->in[1].stride, seen, d);
            v = gr_row(&t->in[2], row) + kv_head * d;
        }
        t->k->scores(w->score, gr_row(&t->in[0], r) + head * d, d, n, d, kt, t->attr.scale);
        for (size_t i = 0; i < n; i++) {
            const float sum = t->k->soften(w->score + i * KEYS, seen, &w->top[i], &w->keep[i]);
            w->sum[i] = w->sum[i] * w->keep[i] + sum;
            w->seen[i] = (int32_t)seen;
        }
        t->k->weigh(w->out, d, w->keep, w->score, w->seen, n, v, t->attr.paged ? d : t->in[2].stride, d);
    }
    for (size_t i = 0; i < n; i++)
        finish_head(t, r, head + i, w->out + i * d, w->top[i], w->sum[i]);
}

/* Keys first .. first + n - 1 of a span for rows that stand side by side in `query`. Values that lie in rows
 * are moved together first: their rows are so far apart that they would drive each other out of the cache. */
static void attend_block(const gr_task *t, const gr_span *s, size_t n_rows, size_t kv_head, size_t first,
                         size_t n, workspace *w)
{
    const size_t d = (size_t)t->attr.head_dim, row = (size_t)s->row + first;
    const float *k, *v = w->values;
    size_t key_step = 1, col_step = KEYS;
    if (t->attr.paged) {
        k = page_of(t, s, kv_head, first);
        v = k + gr_kv_half_page(t->kv);
    } else {
        k = gr_row(&t->in[1], row) + kv_head * d;
        key_step = t->in[1].stride, col_step = 1;
        for (size_t j = 0; j < n; j++)
            memcpy(w->values + j * d, gr_row(&t->in[2], row + j) + kv_head * d, d * sizeof(float));
    }
    t->k->scores_many(w->score, w->query, n_rows, d, k, key_step, col_step, n, t->attr.scale);
    t->k->soften_many(w->score, n_rows, n, w->seen, w->top, w->sum, w->keep);
    t->k->weigh_many(w->out, w->keep, w->score, w->seen, n_rows, v, d, d);
}

/* Rows r0 .. r0 + n - 1 of one span. Later rows see as many keys or more. */
static void attend_rows(const gr_task *t, size_t r0, size_t n, size_t head, workspace *w)
{
    const size_t d = (size_t)t->attr.head_dim, kv_head = head / (size_t)(t->attr.heads / t->attr.kv_heads);
    const gr_span *s = &t->rows->spans[t->rows->span_of[r0]];
    const size_t n_keys = count_keys(t, s, r0 + n - 1);
    memset(w->query, 0, d * ROWS * sizeof(float)); /* rows that are not there: zeros */
    t->k->transpose(w->query, ROWS, gr_row(&t->in[0], r0) + head * d, t->in[0].stride, n, d);
    memset(w->out, 0, n * d * sizeof(float));
    for (size_t i = 0; i < ROWS; i++) {
        w->top[i] = i < n ? -INFINITY : 0;
        w->sum[i] = 0;
    }
    for (size_t first = 0; first < n_keys; first += KEYS) {
        for (size_t i = 0; i < ROWS; i++)
            w->seen[i] = seen_of(i < n ? count_keys(t, s, r0 + i) : n_keys, first);
        attend_block(t, s, n, kv_head, first, (size_t)seen_of(n_keys, first), w);
    }
    for (size_t i = 0; i < n; i++)
        finish_head(t, r0 + i, head, w->out + i * d, w->top[i], w->sum[i]);
}

static void attention_forward(const gr_task *t, int phase, size_t unit, void *scratch)
{
    if (phase == 0) {
        store_rows(t, unit);
        return;
    }
    workspace *w = place(scratch, (size_t)t->attr.head_dim);
    if (by_rows(t)) {
        const size_t kv_heads = (size_t)t->attr.kv_heads, group = (size_t)t->attr.heads / kv_heads;
        for (size_t i = 0; i < group; i += ROWS)
            attend_row(t, unit / kv_heads, unit % kv_heads * group + i, group - i < ROWS ? group - i : ROWS,
                       w);
        return;
    }
    const size_t head = unit / query_blocks(t), first = unit % query_blocks(t) * ROWS;
    const size_t end = first + ROWS < t->out[0].rows ? first + ROWS : t->out[0].rows;
    for (size_t r = first, next; r < end; r = next) {
        for (next = r + 1; next < end && t->rows->span_of[next] == t->rows->span_of[r]; next++)
            ;
        if (next - r > FEW)
            attend_rows(t, r, next - r, head, w);
        else
            for (; r < next; r++)
                attend_row(t, r, head, 1, w);
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
