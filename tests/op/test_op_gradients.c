/* Every operator with a gradient rule, alone and in the company models keep, against finite differences;
 * forward and backward with the same bits on both backends, with any number of threads, with and without
 * rounding.
 *
 * Finite differences: central, at h and 2h (error h^4), of the loss sum(dy y) taken in double, along random
 * directions of one input at a time. What remains is the rounding of y in f32, about 1e-7 |dy| |y| / h, and
 * the curvature of whole blocks. TOLERANCE is relative to the gradient's length |dx|; the worst case measured
 * is 8.7e-5 (GR_SHOW=1 prints all). One wrong element among n moves a slope by about 0.6 |dx| / sqrt(n):
 * noticed up to n = 10^6. */
#include "support/rig.h"

#include "base/half.h"
#include "base/rng.h"
#include "graph/internal.h"
#include "op/ops.h"

#define TOLERANCE  5e-4
#define STEP       (1.0 / 128)
#define DIRECTIONS 3

typedef struct {
    const char *name;
    gr_value *(*build)(gr_graph *g);
    int extents[GR_MAX_EXTENTS];
    int32_t spans[4];                            /* lengths of spans, for rope and attention */
    void (*set)(int slot, void *data, size_t n); /* fills inputs that are not random: indices, boxes */
    unsigned set_inputs;                         /* bit i: input i is filled by `set` and has no gradient */
    unsigned fixed_params;                       /* bit i: parameter i has no gradient */
} grad_case;

/* --- single operators -------------------------------------------------------------------------------------
 */

static gr_value *rows_in(gr_graph *g, int factor, int cols)
{
    const int rows = g->n_extents ? 0 : gr_graph_extent(g, "rows", 90);
    return gr_graph_input(g, "x", rows, factor, cols);
}

static gr_value *linear_bias(gr_graph *g)
{
    return gr_linear(rows_in(g, 1, 19), gr_graph_param(g, "w", 45, 19), gr_graph_param(g, "b", 1, 45));
}

static gr_value *linear_long(gr_graph *g) /* more than one block of k, exactly two panels */
{
    return gr_linear(rows_in(g, 1, 520), gr_graph_param(g, "w", 64, 520), NULL);
}

static gr_value *add(gr_graph *g) { return gr_add(rows_in(g, 1, 7), rows_in(g, 1, 7)); }
static gr_value *mul(gr_graph *g) { return gr_mul(rows_in(g, 1, 7), rows_in(g, 1, 7)); }
static gr_value *scale(gr_graph *g)
{
    return gr_scale_columns(rows_in(g, 1, 70), gr_graph_param(g, "v", 1, 70));
}
static gr_value *table(gr_graph *g)
{
    return gr_add_table(rows_in(g, 6, 5), gr_graph_param(g, "t", 3, 5), 3);
}
static gr_value *times(gr_graph *g) { return gr_times(rows_in(g, 1, 70), -1.7f); }
static gr_value *gelu(gr_graph *g) { return gr_gelu(rows_in(g, 1, 9)); }
static gr_value *silu(gr_graph *g) { return gr_silu(rows_in(g, 1, 9)); }
static gr_value *rms(gr_graph *g) { return gr_rms_norm(rows_in(g, 1, 11), 1e-2f); }

static gr_value *layer(gr_graph *g)
{
    return gr_layer_norm(rows_in(g, 1, 11), gr_graph_param(g, "w", 1, 11), gr_graph_param(g, "b", 1, 11),
                         1e-2f);
}

static gr_value *rope_pairs(gr_graph *g)
{
    return gr_rope(rows_in(g, 1, 24), gr_graph_param(g, "t", 40, 8), 3, true);
}
static gr_value *rope_half(gr_graph *g)
{
    return gr_rope(rows_in(g, 1, 24), gr_graph_param(g, "t", 40, 8), 3, false);
}

static gr_value *attention(gr_graph *g, int heads, int kv_heads, bool causal)
{
    gr_value *q = rows_in(g, 1, 8 * heads), *k = rows_in(g, 1, 8 * kv_heads),
             *v = rows_in(g, 1, 8 * kv_heads);
    return gr_attention(q, k, v, heads, kv_heads, 0.7f, causal, false);
}

static gr_value *attention_causal(gr_graph *g) { return attention(g, 4, 2, true); }
static gr_value *attention_both(gr_graph *g) { return attention(g, 3, 3, false); }
static gr_value *attention_mqa(gr_graph *g) { return attention(g, 4, 1, true); }

static gr_value *slice(gr_graph *g) { return gr_slice_rows(rows_in(g, 6, 4), 3, 1, 2); }
static gr_value *pad(gr_graph *g) { return gr_pad_rows(rows_in(g, 4, 4), 2, 1, 5); }
static gr_value *prepend(gr_graph *g)
{
    return gr_prepend_row(rows_in(g, 4, 6), gr_graph_param(g, "r", 1, 6), 2);
}

static gr_value *gather(gr_graph *g)
{
    gr_value *x = rows_in(g, 2, 5);
    return gr_gather_rows(x, gr_graph_input_index(g, "i", gr_graph_extent(g, "picked", 12), 1, 1));
}

static void set_gather(int slot, void *data, size_t n) /* a row twice, one thrice, some never */
{
    static const int32_t index[] = { 3, 0, 3, 8, 3, 1, 1, 9, 5 };
    assert_true(slot == 1 && n <= 9);
    memcpy(data, index, n * sizeof *index);
}

static gr_value *embed(gr_graph *g)
{
    gr_value *ids = gr_graph_input_index(g, "ids", gr_graph_extent(g, "rows", 12), 1, 1);
    gr_value *features = gr_graph_input(g, "features", gr_graph_extent(g, "features", 8), 2, 5);
    return gr_embed(ids, gr_graph_param(g, "table", 11, 5), features);
}

static gr_value *entropy(gr_graph *g)
{
    gr_value *logits = rows_in(g, 1, 1100); /* more than one piece of exponentials */
    return gr_cross_entropy(gr_mul(logits, logits), gr_graph_input_index(g, "target", 0, 1, 1));
}

static void set_targets(int slot, void *data, size_t n)
{
    static const int32_t targets[] = { 0, 1099, 511, 3, 3 };
    assert_true(slot == 1 && n <= 5);
    memcpy(data, targets, n * sizeof *targets);
}

static gr_value *embed_text(gr_graph *g)
{
    gr_value *ids = gr_graph_input_index(g, "ids", gr_graph_extent(g, "rows", 12), 1, 1);
    return gr_embed(ids, gr_graph_param(g, "table", 11, 70), NULL);
}

static void set_ids(int slot, void *data, size_t n)
{
    static const int32_t ids[] = { 4, -1, -4, 10, 0, 4, -2, -1, 7 };
    assert_true(slot == 0 && n <= 9);
    memcpy(data, ids, n * sizeof *ids);
}

static void set_text_ids(int slot, void *data, size_t n)
{
    set_ids(slot, data, n);
    for (size_t i = 0; i < n; i++)
        ((int32_t *)data)[i] &= 7;
}

static gr_value *pool(gr_graph *g) { return gr_mean_pool(rows_in(g, 72, 3), 6, 2); }
static gr_value *pool_three(gr_graph *g) { return gr_mean_pool(rows_in(g, 36, 3), 6, 3); }

/* The Perception Encoder's patch embedding: a convolution as a linear layer. */
static gr_value *patches(gr_graph *g)
{
    return gr_linear(gr_patchify(rows_in(g, 1, 2 * 36), 2, 3, 6, 3), gr_graph_param(g, "w", 7, 54), NULL);
}

static void set_picture(int slot, void *data, size_t n) { rig_draw(data, n, 7 + (uint64_t)slot, 1); }

/* Two tiles across and two down, after a thumbnail's rows. */
static gr_value *roi(gr_graph *g)
{
    gr_value *features = gr_graph_input(g, "features", gr_graph_extent(g, "tiles", 6), 16, 3);
    gr_value *boxes = gr_graph_input(g, "boxes", gr_graph_extent(g, "boxes", 5), 1, 4);
    gr_value *canvas = gr_graph_input_index(g, "canvas", GR_FIXED, 1, 3);
    return gr_roi_align(features, boxes, canvas, 4, 3);
}

static void set_roi(int slot, void *data, size_t n)
{
    static const float boxes[][4] = { { 1.3f, 2.1f, 6.4f, 5.2f },     /* inside, over all four tiles */
                                      { -4.0f, 5.0f, 3.5f, 12.0f },   /* half outside */
                                      { 9.5f, 9.5f, 12.0f, 14.0f },   /* all outside: zeros */
                                      { 2.25f, 3.5f, 2.25f, 3.5f } }; /* a point */
    static const int32_t canvas[] = { 2, 2, 16 };
    if (slot == 1)
        memcpy(data, boxes, n * sizeof(float));
    else
        memcpy(data, canvas, sizeof canvas);
}

/* --- in company --------------------------------------------------------------------------------------------
 */

/* Columns of one projection, as the Perception Encoder has them. */
static gr_value *fused_qkv(gr_graph *g)
{
    gr_value *x = rows_in(g, 1, 12);
    gr_value *qkv = gr_linear(x, gr_graph_param(g, "qkv", 48, 12), gr_graph_param(g, "b", 1, 48));
    gr_value *turn = gr_graph_param(g, "turn", 40, 8);
    gr_value *q = gr_rope(gr_graph_columns(qkv, 0, 16), turn, 2, true);
    gr_value *k = gr_rope(gr_graph_columns(qkv, 16, 16), turn, 2, true);
    return gr_attention(q, k, gr_graph_columns(qkv, 32, 16), 2, 2, 0.35f, false, false);
}

/* Columns that overlap, columns nobody reads, and the whole value besides. */
static gr_value *views(gr_graph *g)
{
    gr_value *y = gr_gelu(rows_in(g, 1, 12));
    gr_value *a = gr_mul(gr_graph_columns(y, 0, 5), gr_graph_columns(y, 3, 5));
    return gr_linear(gr_mul(a, a), gr_graph_param(g, "w", 12, 5), NULL);
}

static gr_value *views_and_whole(gr_graph *g)
{
    gr_value *y = gr_silu(rows_in(g, 1, 6));
    gr_value *wide = gr_linear(gr_mul(gr_graph_columns(y, 1, 2), gr_graph_columns(y, 4, 2)),
                               gr_graph_param(g, "w", 6, 2), NULL);
    return gr_add(y, gr_mul(wide, y));
}

static gr_value *used_twice(gr_graph *g)
{
    gr_value *x = rows_in(g, 1, 6), *w = gr_graph_param(g, "w", 6, 6);
    gr_value *y = gr_linear(x, w, NULL); /* the weight is used twice as well */
    return gr_add(gr_mul(y, x), gr_linear(gr_add(y, y), w, NULL));
}

/* A frozen linear layer with a low-rank adapter: W gets no gradient, A and B do. */
static gr_value *adapter(gr_graph *g)
{
    gr_value *x = gr_silu(rows_in(g, 1, 19));
    gr_value *w = gr_graph_param(g, "w", 45, 19), *a = gr_graph_param(g, "a", 3, 19),
             *b = gr_graph_param(g, "b", 45, 3);
    return gr_add(gr_linear(x, w, NULL), gr_linear(gr_times(gr_linear(x, a, NULL), 0.6f), b, NULL));
}

static gr_value *llama_block(gr_graph *g)
{
    enum { D = 16, H = 4, KV = 2, HD = 4, M = 24 };
    gr_value *x = rows_in(g, 1, D), *turn = gr_graph_param(g, "turn", 40, HD);
    gr_value *h = gr_scale_columns(gr_rms_norm(x, 1e-2f), gr_graph_param(g, "n1", 1, D));
    gr_value *q = gr_rope(gr_linear(h, gr_graph_param(g, "q", H * HD, D), NULL), turn, H, false);
    gr_value *k = gr_rope(gr_linear(h, gr_graph_param(g, "k", KV * HD, D), NULL), turn, KV, false);
    gr_value *v = gr_linear(h, gr_graph_param(g, "v", KV * HD, D), NULL);
    gr_value *o =
        gr_linear(gr_attention(q, k, v, H, KV, 0.5f, true, false), gr_graph_param(g, "o", D, H * HD), NULL);
    x = gr_add(x, o);
    h = gr_scale_columns(gr_rms_norm(x, 1e-2f), gr_graph_param(g, "n2", 1, D));
    gr_value *gate = gr_silu(gr_linear(h, gr_graph_param(g, "gate", M, D), NULL));
    gr_value *up = gr_linear(h, gr_graph_param(g, "up", M, D), NULL);
    return gr_add(x, gr_linear(gr_mul(gate, up), gr_graph_param(g, "down", D, M), NULL));
}

static const grad_case cases[] = {
    { "linear", linear_bias, { 21 }, { 0 }, NULL, 0, 0 },
    { "linear, long", linear_long, { 5 }, { 0 }, NULL, 0, 0 },
    { "add", add, { 9 }, { 0 }, NULL, 0, 0 },
    { "mul", mul, { 9 }, { 0 }, NULL, 0, 0 },
    { "scale_columns", scale, { 20 }, { 0 }, NULL, 0, 0 },
    { "add_table", table, { 7 }, { 0 }, NULL, 0, 0 },
    { "times", times, { 20 }, { 0 }, NULL, 0, 0 },
    { "gelu", gelu, { 33 }, { 0 }, NULL, 0, 0 },
    { "silu", silu, { 33 }, { 0 }, NULL, 0, 0 },
    { "layer_norm", layer, { 18 }, { 0 }, NULL, 0, 0 },
    { "rms_norm", rms, { 18 }, { 0 }, NULL, 0, 0 },
    { "rope of neighbours", rope_pairs, { 30 }, { 7, 1, 22 }, NULL, 0, 1 },
    { "rope of halves", rope_half, { 30 }, { 7, 1, 22 }, NULL, 0, 1 },
    { "causal attention, grouped", attention_causal, { 86 }, { 3, 1, 70, 12 }, NULL, 0, 0 },
    { "attention both ways", attention_both, { 82 }, { 66, 1, 15 }, NULL, 0, 0 },
    { "causal attention, one key head", attention_mqa, { 17 }, { 17 }, NULL, 0, 0 },
    { "slice_rows", slice, { 5 }, { 0 }, NULL, 0, 0 },
    { "pad_rows", pad, { 5 }, { 0 }, NULL, 0, 0 },
    { "prepend_row", prepend, { 9 }, { 0 }, NULL, 0, 0 },
    { "gather_rows", gather, { 5, 9 }, { 0 }, set_gather, 2, 0 },
    { "embed with features", embed, { 9, 2 }, { 0 }, set_ids, 1, 0 },
    { "embed", embed_text, { 9 }, { 0 }, set_text_ids, 1, 0 },
    { "cross_entropy", entropy, { 5 }, { 0 }, set_targets, 2, 0 },
    { "mean_pool", pool, { 2 }, { 0 }, NULL, 0, 0 },
    { "mean_pool by 3", pool_three, { 3 }, { 0 }, NULL, 0, 0 },
    { "roi_align", roi, { 5, 4 }, { 0 }, set_roi, 6, 0 },
    { "patchify, before a linear layer", patches, { 3 }, { 0 }, set_picture, 1, 0 },
    { "columns of a fused projection", fused_qkv, { 25 }, { 5, 20 }, NULL, 0, 4 },
    { "columns that overlap", views, { 6 }, { 0 }, NULL, 0, 0 },
    { "columns and the whole", views_and_whole, { 6 }, { 0 }, NULL, 0, 0 },
    { "values and weights used twice", used_twice, { 6 }, { 0 }, NULL, 0, 0 },
    { "a low-rank adapter", adapter, { 21 }, { 0 }, NULL, 0, 1 },
    { "a decoder block", llama_block, { 23 }, { 6, 17 }, NULL, 0, 1 },
};
enum { N_CASES = sizeof cases / sizeof *cases };

/* --- the harness -------------------------------------------------------------------------------------------
 */

typedef struct {
    gr_graph *forward, *both; /* both: forward, backward; inputs as forward and then dy */
    rig_data data;            /* inputs of `both`; `forward` reads the first of them */
    float *owned[2 * GR_MAX_SLOTS];
    int n_owned;
    rig_rows rows;
    gr_span spans[4];
    size_t n_y;
    int n_slots; /* that have gradients */
    struct {
        float *values;
        size_t n;
    } slot[2 * GR_MAX_SLOTS]; /* in the order of the outputs of `both` after y */
} setup;

static float *own(setup *s, size_t n, uint64_t seed)
{
    float *p = s->owned[s->n_owned++] = malloc(n * sizeof *p + 1);
    assert_non_null(p);
    rig_draw(p, n, seed, 1);
    return p;
}

static void make_inputs(setup *s, const grad_case *c)
{
    for (int i = 0; i < s->forward->n_inputs; i++) {
        const size_t n = rig_size(s->forward->inputs[i], c->extents);
        float *x = own(s, n, 100 + (uint64_t)i);
        if (c->set_inputs >> i & 1)
            c->set(i, x, n);
        s->data.inputs[i] = x;
    }
    for (int i = 0; i < s->forward->n_params; i++) {
        const gr_value *p = s->forward->params[i];
        s->data.params[i] = own(s, (size_t)p->factor * (size_t)p->cols, 200 + (uint64_t)i);
    }
    int32_t row = 0;
    int n_spans = 0;
    for (; n_spans < 4 && c->spans[n_spans]; row += c->spans[n_spans++])
        s->spans[n_spans] = (gr_span){ .row = row, .n_rows = c->spans[n_spans] };
    rig_make_rows(&s->rows, s->spans, n_spans);
    s->data.rows = &s->rows.table;
}

/* Makes both graphs; every input and parameter that has a gradient gets one as an output. */
static void make_graphs(setup *s, const grad_case *c, gr_runtime *rt, gr_rounding round, bool trains)
{
    gr_error err = { 0 };
    MUST(gr_graph_new(&s->forward, rt, c->name, round, &err));
    MUST(gr_graph_new(&s->both, rt, c->name, round, &err));
    if (trains) {
        gr_graph_train(s->forward, ~0u);
        gr_graph_train(s->both, ~0u);
    }
    gr_graph_output(s->forward, c->build(s->forward));
    MUST(gr_graph_status(s->forward, &err));
    memcpy(s->data.extents, c->extents, sizeof s->data.extents);
    make_inputs(s, c);

    gr_graph *g = s->both;
    gr_value *y = gr_graph_output(g, c->build(g)), *wants[2 * GR_MAX_SLOTS], *dx[2 * GR_MAX_SLOTS];
    MUST(gr_graph_status(g, &err));
    for (int i = 0; i < g->n_inputs; i++)
        if (!(c->set_inputs >> i & 1)) {
            s->slot[s->n_slots].values = (float *)(uintptr_t)s->data.inputs[i];
            wants[s->n_slots++] = g->inputs[i];
        }
    for (int i = 0; i < g->n_params; i++)
        if (!(c->fixed_params >> i & 1)) {
            s->slot[s->n_slots].values = (float *)(uintptr_t)s->data.params[i];
            wants[s->n_slots++] = g->params[i];
        }
    gr_value *dy = gr_graph_input(g, "dy", y->extent, y->factor, y->cols);
    s->n_y = rig_size(y, c->extents);
    s->data.inputs[g->n_inputs - 1] = own(s, s->n_y, 300);
    gr_graph_backward(g, &y, &dy, 1, wants, dx, s->n_slots);
    for (int i = 0; i < s->n_slots; i++) {
        s->slot[i].n = rig_size(wants[i], c->extents);
        if (!gr_graph_output(g, dx[i]))
            fail_msg("%s: %s gets no gradient: %s", c->name, wants[i]->name, g->err.msg);
        assert_int_equal(dx[i]->cols, wants[i]->cols);
        assert_int_equal(rig_size(dx[i], c->extents), s->slot[i].n);
    }
    MUST(gr_graph_status(g, &err));
}

static void release(setup *s)
{
    gr_graph_free(s->forward);
    gr_graph_free(s->both);
    rig_release_outputs(&s->data);
    for (int i = 0; i < s->n_owned; i++)
        free(s->owned[i]);
}

static double loss(setup *s, rig *r)
{
    rig_data d = s->data;
    memset(d.outputs, 0, sizeof d.outputs);
    rig_call(r, s->forward, &d);
    const float *dy = s->data.inputs[s->both->n_inputs - 1];
    double sum = 0;
    for (size_t i = 0; i < s->n_y; i++)
        sum += (double)dy[i] * d.outputs[0][i];
    rig_release_outputs(&d);
    return sum;
}

/* The loss with slot k moved by `step` along u. */
static double moved(setup *s, rig *r, int k, const float *u, double step)
{
    const size_t n = s->slot[k].n;
    float *x = s->slot[k].values, *kept = malloc(n * sizeof *kept);
    assert_non_null(kept);
    memcpy(kept, x, n * sizeof *x);
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(x[i] + step * u[i]);
    const double l = loss(s, r);
    memcpy(x, kept, n * sizeof *x);
    free(kept);
    return l;
}

/* The largest error of a slope, relative to |dx|. */
static double worst_slope(setup *s, rig *r, int k, const float *dx)
{
    const size_t n = s->slot[k].n;
    float *u = malloc(n * sizeof *u);
    double worst = 0, norm = 0;
    assert_non_null(u);
    for (size_t i = 0; i < n; i++)
        norm += (double)dx[i] * dx[i];
    for (uint64_t t = 0; t < DIRECTIONS; t++) {
        rig_draw(u, n, 1000 + t, 1);
        double slope = 0;
        for (size_t i = 0; i < n; i++)
            slope += (double)dx[i] * u[i];
        const double near = moved(s, r, k, u, STEP) - moved(s, r, k, u, -STEP),
                     far = moved(s, r, k, u, 2 * STEP) - moved(s, r, k, u, -2 * STEP);
        const double error = fabs((8 * near - far) / (12 * STEP) - slope) / sqrt(norm);
        worst = error > worst || isnan(error) ? error : worst;
    }
    free(u);
    return norm > 0 ? worst : INFINITY;
}

static double check_case(const grad_case *c, rig *r)
{
    setup s = { 0 };
    double worst = 0;
    make_graphs(&s, c, r->rt, GR_ROUND_NONE, false);
    rig_call(r, s.both, &s.data);
    for (int k = 0; k < s.n_slots; k++) {
        const double error = worst_slope(&s, r, k, s.data.outputs[1 + k]);
        if (getenv("GR_SHOW"))
            printf("%-34s slot %d: %.2e\n", c->name, k, error);
        worst = error > worst ? error : worst;
    }
    release(&s);
    return worst;
}

static void gradients_are_the_slopes_of_the_loss(void **state)
{
    (void)state;
    rig r;
    rig_open(&r, RIG_CPU, 1);
    for (size_t i = 0; i < N_CASES; i++) {
        const double error = check_case(&cases[i], &r);
        if (!(error < TOLERANCE))
            fail_msg("%s: the slope differs by %.2e of the gradient's length", cases[i].name, error);
    }
    rig_close(&r);
}

static void wrong_rule(gr_graph *g, const gr_node *n, gr_value *const *dy, gr_value **dx, const bool *want)
{
    (void)g, (void)want;
    dx[0] = gr_mul(dy[0], n->in[1]);
    dx[1] = gr_mul(dy[0], n->in[1]); /* in[0], it should be */
}

static gr_op wrong_mul;

static gr_value *build_wrong(gr_graph *g)
{
    gr_value *in[] = { rows_in(g, 1, 7), rows_in(g, 1, 7) };
    gr_node *n = gr_graph_add(g, &wrong_mul, NULL, in, 2);
    return n ? n->out[0] : NULL;
}

static void a_wrong_rule_is_noticed(void **state)
{
    (void)state;
    rig r;
    const grad_case c = { "wrong", build_wrong, { 9 }, { 0 }, NULL, 0, 0 };
    wrong_mul = gr_op_mul;
    wrong_mul.grad = wrong_rule;
    rig_open(&r, RIG_CPU, 1);
    assert_true(check_case(&c, &r) > 100 * TOLERANCE);
    rig_close(&r);
}

/* Runs forward and backward on one backend; outputs stay in *d. */
static void run_both(const grad_case *c, rig_kind kind, int threads, gr_rounding round, bool trains, setup *s)
{
    rig r;
    rig_open(&r, kind, threads);
    *s = (setup){ 0 };
    make_graphs(s, c, r.rt, round, trains);
    s->data.round_params = round == GR_ROUND_BF16 ? ~0u : 0;
    s->data.rows = &s->rows.table;
    rig_call(&r, s->both, &s->data);
    const int n_outputs = s->both->n_outputs;
    gr_graph_free(s->forward);
    gr_graph_free(s->both);
    s->forward = s->both = NULL;
    assert_int_equal(n_outputs, 1 + s->n_slots);
    rig_close(&r);
}

static void compare_runs(const grad_case *c, const setup *a, const setup *b, const char *what)
{
    char text[128];
    for (int k = 0; k <= a->n_slots; k++) {
        snprintf(text, sizeof text, "%s: %s, output %d", c->name, what, k);
        rig_same_bits(a->data.outputs[k], b->data.outputs[k], k == 0 ? a->n_y : a->slot[k - 1].n, text);
    }
}

static void both_backends_and_any_threads_give_the_same_bits(void **state)
{
    (void)state;
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < N_CASES; i++) {
            setup one, three, checked, trained;
            run_both(&cases[i], RIG_CPU, 1, (gr_rounding)round, false, &one);
            run_both(&cases[i], RIG_CPU, 3, (gr_rounding)round, false, &three);
            run_both(&cases[i], RIG_CHECK, 2, (gr_rounding)round, false, &checked);
            run_both(&cases[i], RIG_CHECK, 3, (gr_rounding)round, true, &trained);
            compare_runs(&cases[i], &one, &three, "1 and 3 threads");
            compare_runs(&cases[i], &one, &checked, "cpu and check");
            if (round == GR_ROUND_NONE) /* where all is bf16, panels may meet instructions of their own */
                compare_runs(&cases[i], &one, &trained, "weights as panels and as rows");
            release(&one), release(&three), release(&checked), release(&trained);
        }
}

/* What has no rule, and why nobody may want one. */
static const char *const without_rule[] = {
    "patchify", /* pictures are given, not learned */
    "top_hit",  /* counts, and is checked by test_op_top_hit.c */
    "linear_dx",       "linear_dw",     "cross_entropy_grad", "gelu_grad",
    "silu_grad", /* backward partners: no second
derivatives */
    "layer_norm_grad", "rms_norm_grad", "attention_grad",     "mean_pool_grad",
    "roi_align_grad",  "scatter_rows",  "sum_groups",         "pad_columns",
    "rms_scale",       "swiglu",        "add_scaled", /* made by rewrites, for inference */
};

/* Gradients of a linear layer, a norm and a table are added to what is there: before + fresh, up to rounding.
 */
static void gradients_of_weights_add_to_what_is_there(void **state)
{
    (void)state;
    static const float before[45 * 19] = { 0 };
    static float drawn[45 * 19];
    rig_draw(drawn, 45 * 19, 77, 1);
    for (int kind = 0; kind < 2; kind++) {
        float *results[2][3] = { 0 };
        size_t sizes[3] = { 0 };
        for (int sums = 0; sums < 2; sums++) {
            rig r;
            gr_error err = { 0 };
            gr_graph *g;
            rig_open(&r, (rig_kind)kind, 2);
            MUST(gr_graph_new(&g, r.rt, "adding", GR_ROUND_NONE, &err));
            const int rows = gr_graph_extent(g, "rows", 9);
            gr_value *ids = gr_graph_input_index(g, "ids", rows, 1, 1),
                     *dy = gr_graph_input(g, "dy", rows, 1, 45);
            gr_value *wants[] = { gr_graph_param(g, "table", 11, 19), gr_graph_param(g, "norm", 1, 19),
                                  gr_graph_param(g, "w", 45, 19) };
            gr_value *x = gr_scale_columns(gr_rms_norm(gr_embed(ids, wants[0], NULL), 1e-5f), wants[1]);
            gr_value *y = gr_linear(x, wants[2], NULL), *dx[3];
            gr_graph_backward(g, &y, &dy, 1, wants, dx, 3);
            static float fresh_dy[9 * 45], table[11 * 19], norm[19], w[45 * 19];
            static int32_t index[9] = { 4, 1, 3, 10, 0, 4, 2, 1, 7 };
            rig_draw(fresh_dy, 9 * 45, 1, 1), rig_draw(table, 11 * 19, 2, 1);
            rig_draw(norm, 19, 3, 1), rig_draw(w, 45 * 19, 4, 1);
            rig_data d = { .extents = { 9 }, .inputs = { index, fresh_dy }, .params = { table, norm, w } };
            for (int i = 0; i < 3; i++) {
                assert_non_null((sums ? gr_graph_output_sum : gr_graph_output)(g, dx[i]));
                d.before[i] = sums ? drawn : before;
                sizes[i] = rig_size(dx[i], d.extents);
            }
            rig_call(&r, g, &d);
            memcpy(results[sums], d.outputs, sizeof results[sums]);
            gr_graph_free(g);
            rig_close(&r);
        }
        for (int i = 0; i < 3; i++) {
            for (size_t k = 0; k < sizes[i]; k++)
                if (!(fabs((double)results[1][i][k] - ((double)drawn[k] + results[0][i][k])) < 1e-5))
                    fail_msg("gradient %d, element %zu: %g after adding %g to %g", i, k,
                             (double)results[1][i][k], (double)results[0][i][k], (double)drawn[k]);
            free(results[0][i]), free(results[1][i]);
        }
    }
}

/* Only operators that can. */
static void an_operator_that_cannot_add_is_refused(void **state)
{
    (void)state;
    gr_runtime *rt = test_runtime();
    gr_error err = { 0 };
    gr_graph *g;
    MUST(gr_graph_new(&g, rt, "adding", GR_ROUND_NONE, &err));
    gr_value *x = gr_graph_input(g, "x", gr_graph_extent(g, "rows", 9), 1, 5);
    assert_null(gr_graph_output_sum(g, gr_gelu(x)));
    MUST_FAIL(gr_graph_status(g, &err), GR_ERR_UNSUPPORTED, "gelu, which cannot add to what is there");
    gr_graph_free(g);
    gr_runtime_free(rt);
}

static bool listed(const char *name)
{
    for (size_t i = 0; i < sizeof without_rule / sizeof *without_rule; i++)
        if (strcmp(without_rule[i], name) == 0)
            return true;
    return false;
}

static bool runs_somewhere(const gr_op *op, bool as_forward, gr_runtime *rt)
{
    for (size_t i = 0; i < N_CASES; i++) {
        setup s = { 0 };
        bool found = false;
        make_graphs(&s, &cases[i], rt, GR_ROUND_NONE, false);
        const gr_graph *g = as_forward ? s.forward : s.both;
        for (size_t n = 0; n < g->n_nodes; n++)
            found |= g->nodes[n]->op == op;
        release(&s);
        if (found)
            return true;
    }
    return false;
}

static void every_operator_of_the_table_is_covered(void **state)
{
    (void)state;
    gr_runtime *rt = test_runtime();
    for (const gr_op *const *op = gr_all_ops; *op; op++) {
        const bool exempt = listed((*op)->name);
        if (!(*op)->grad != exempt)
            fail_msg("%s %s a gradient rule", (*op)->name,
                     exempt ? "is listed as having none, and has" : "lacks");
        if (!exempt && !runs_somewhere(*op, true, rt))
            fail_msg("%s: no case checks its rule", (*op)->name);
        const bool fused = strcmp((*op)->name, "rms_scale") == 0 || strcmp((*op)->name, "swiglu") == 0 ||
                           strcmp((*op)->name, "add_scaled") == 0; /* test_op_rewrites.c */
        const bool counts = strcmp((*op)->name, "top_hit") == 0;
        if (exempt && !fused && !counts && !runs_somewhere(*op, false, rt))
            fail_msg("%s: no backward pass runs it", (*op)->name);
    }
    gr_runtime_free(rt);
}

/* y = a + b: both gradients are dy, and both can be outputs; the same for one asked for twice. */
static void gradients_can_all_be_outputs(void **state)
{
    (void)state;
    gr_error err = { 0 };
    gr_runtime *rt = test_runtime();
    gr_graph *g;
    MUST(gr_graph_new(&g, rt, "sum", GR_ROUND_NONE, &err));
    gr_value *a = rows_in(g, 1, 3), *b = rows_in(g, 1, 3), *dy = rows_in(g, 1, 3), *y = gr_add(a, b);
    gr_value *wants[] = { a, b, a }, *dx[3];
    gr_graph_backward(g, &y, &dy, 1, wants, dx, 3);
    for (int i = 0; i < 3; i++)
        assert_non_null(gr_graph_output(g, dx[i]));
    MUST(gr_graph_status(g, &err));
    gr_graph_free(g);
    gr_runtime_free(rt);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(gradients_are_the_slopes_of_the_loss),
                                        cmocka_unit_test(a_wrong_rule_is_noticed),
                                        cmocka_unit_test(both_backends_and_any_threads_give_the_same_bits),
                                        cmocka_unit_test(every_operator_of_the_table_is_covered),
                                        cmocka_unit_test(gradients_of_weights_add_to_what_is_there),
                                        cmocka_unit_test(an_operator_that_cannot_add_is_refused),
                                        cmocka_unit_test(gradients_can_all_be_outputs) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
