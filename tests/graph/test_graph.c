#include "support/rig.h"

#include "backend/backend.h"
#include "base/alloc.h"
#include "graph/graph.h"
#include "op/ops.h"

/* y = x W^T + b on three rows, W of 40 outputs (a whole panel and a part of one), against sums written out.
 */
static void a_linear_layer_gives_the_sums_written_out(void **state)
{
    (void)state;
    enum { R = 3, IN = 5, OUT = 40 };
    gr_error err = { 0 };
    gr_runtime *rt = test_runtime();
    gr_backend *be;
    gr_graph *g;
    MUST(gr_backend_cpu_new(&be, rt, &err));
    MUST(gr_graph_new(&g, rt, "linear", GR_ROUND_NONE, &err));
    const int rows = gr_graph_extent(g, "rows", 8);
    gr_value *x = gr_graph_input(g, "x", rows, 1, IN);
    gr_value *w = gr_graph_param(g, "w", OUT, IN), *b = gr_graph_param(g, "b", 1, OUT);
    gr_graph_output(g, gr_linear(x, w, b));
    MUST(gr_graph_plan(g, be, &err));

    float xs[R * IN], ws[OUT * IN], bs[OUT], ys[R * OUT];
    for (int i = 0; i < R * IN; i++)
        xs[i] = (float)(i % 7) - 3;
    for (int i = 0; i < OUT * IN; i++)
        ws[i] = (float)(i % 11) * 0.25f - 1;
    for (int i = 0; i < OUT; i++)
        bs[i] = (float)i;
    gr_weight weight = { .name = "w", .dtype = GR_DTYPE_F32, .rows = OUT, .cols = IN, .stored = ws };
    gr_weight bias = { .name = "b", .dtype = GR_DTYPE_F32, .rows = 1, .cols = OUT, .stored = bs };
    MUST(be->ops->prepare(be, &weight, GR_FORM_PANELS, &err));
    MUST(be->ops->prepare(be, &bias, GR_FORM_VECTOR, &err));
    uint8_t *arena = be->ops->place(be, gr_graph_arena_bytes(g) + 1, &err);
    const gr_run run = {
        .extents = { R }, .inputs = { xs }, .outputs = { ys }, .params = { &weight, &bias }, .arena = arena
    };
    MUST(gr_graph_run(g, be, &run, &err));
    for (int r = 0; r < R; r++)
        for (int o = 0; o < OUT; o++) {
            float want = 0;
            for (int k = 0; k < IN; k++)
                want += xs[r * IN + k] * ws[o * IN + k];
            assert_true(ys[r * OUT + o] == want + bs[o]);
        }
    be->ops->release(be, arena);
    be->ops->unprepare(be, &weight);
    be->ops->unprepare(be, &bias);
    gr_graph_free(g);
    gr_backend_free(be);
    gr_runtime_free(rt);
}

/* A graph with one of everything that a call can forget. */
typedef struct {
    rig r;
    gr_graph *g;
    gr_run run;
    gr_weight *w;
} callee;

static void callee_open(callee *c, gr_span *span, rig_rows *rows)
{
    static const float values[64 * 8];
    gr_error err = { 0 };
    memset(c, 0, sizeof *c);
    rig_open(&c->r, RIG_CPU, 2);
    MUST(gr_graph_new(&c->g, c->r.rt, "called", GR_ROUND_NONE, &err));
    const int n = gr_graph_extent(c->g, "rows", 8);
    gr_value *x = gr_graph_input(c->g, "x", n, 1, 8), *w = gr_graph_param(c->g, "w", 16, 8);
    gr_value *y = gr_linear(x, w, NULL), *half = gr_graph_columns(y, 0, 8);
    gr_graph_output(c->g, gr_attention(half, half, gr_graph_columns(y, 8, 8), 1, 1, 1, true, true));
    MUST(gr_graph_plan(c->g, c->r.be, &err));
    c->w = rig_weight(&c->r, "weight", values, 16, 8);
    *span = (gr_span){ .n_rows = 4 };
    rig_make_rows(rows, span, 1);
    c->run = (gr_run){ .extents = { 4 },
                       .inputs = { rig_space(&c->r, 256) },
                       .outputs = { rig_space(&c->r, 256) },
                       .params = { c->w },
                       .rows = &rows->table,
                       .arena = rig_space(&c->r, gr_graph_arena_bytes(c->g)) };
}

static void a_call_that_lacks_something_is_refused_with_a_sentence(void **state)
{
    (void)state;
    static rig_rows rows;
    gr_span span;
    gr_error err = { 0 };
    gr_run bad;
    callee c;
    callee_open(&c, &span, &rows);
#define REFUSED(field, value, status, part)                             \
    do {                                                                \
        bad = c.run;                                                    \
        bad.field = value;                                              \
        MUST_FAIL(gr_graph_run(c.g, c.r.be, &bad, &err), status, part); \
    } while (0)
    REFUSED(extents[0], 9, GR_ERR_ARG, "extent 'rows' is 9, its capacity is 8");
    REFUSED(inputs[0], NULL, GR_ERR_ARG, "input 'x' has no memory");
    REFUSED(arena, NULL, GR_ERR_ARG, "has no arena");
    REFUSED(params[0], NULL, GR_ERR_ARG, "parameter 'w' is missing");
    REFUSED(kv_layer, 0, GR_ERR_ARG, "weight 'weight' was not prepared");
    rig_prepare(&c.r, c.g, 0, c.w);
    REFUSED(outputs[0], NULL, GR_ERR_ARG, "output 0 has no memory");
    REFUSED(rows, NULL, GR_ERR_ARG, "attention has 4 rows, the row table 0");
    REFUSED(extents[0], 3, GR_ERR_ARG, "attention has 3 rows, the row table 4");
    REFUSED(kv_layer, 0, GR_ERR_ARG, "attention needs KV pages");
    c.w->rows = 8, c.w->cols = 16; /* as many elements, another matrix */
    REFUSED(kv_layer, 0, GR_ERR_SHAPE, "parameter 'w' is 'weight' of 8 x 16, expected 16 x 8");
#undef REFUSED
    gr_graph_free(c.g);
    rig_close(&c.r);
}

static void a_plan_for_fewer_workers_is_refused(void **state)
{
    (void)state;
    gr_error err = { 0 };
    rig one, four;
    gr_graph *g;
    rig_open(&one, RIG_CPU, 1);
    rig_open(&four, RIG_CPU, 4);
    MUST(gr_graph_new(&g, one.rt, "small", GR_ROUND_NONE, &err));
    gr_graph_output(g, gr_gelu(gr_graph_input(g, "x", GR_FIXED, 1, 1)));
    MUST(gr_graph_plan(g, one.be, &err));
    const gr_run run = { .inputs = { rig_space(&four, 4) }, .outputs = { rig_space(&four, 4) } };
    MUST_FAIL(gr_graph_run(g, four.be, &run, &err), GR_ERR_ARG,
              "planned for 1 workers, the cpu backend has 4");
    gr_graph_free(g);
    rig_close(&one);
    rig_close(&four);
}

static void a_form_that_cannot_be_made_is_not_there(void **state)
{
    (void)state;
    gr_error err = { 0 };
    for (int kind = 0; kind < 2; kind++) {
        rig r;
        float values[6] = { 1, 2, 3, 4, NAN, 6 };
        rig_open(&r, (rig_kind)kind, 2);
        gr_weight *w = rig_weight(&r, "spoilt", values, 2, 3);
        for (int again = 0; again < 2; again++) {
            MUST_FAIL(r.be->ops->prepare(r.be, w, GR_FORM_PANELS, &err), GR_ERR_FORMAT,
                      "row 1, column 1 is nan");
            MUST_FAIL(r.be->ops->prepare(r.be, w, GR_FORM_VECTOR, &err), GR_ERR_FORMAT, "'spoilt'");
        }
        assert_true(!w->panels && !w->vector);
        w->dtype = GR_DTYPE_I64;
        MUST_FAIL(r.be->ops->prepare(r.be, w, GR_FORM_ROWS, &err), GR_ERR_UNSUPPORTED, "is I64");
        rig_close(&r);
    }
}

static gr_value *bad_pool(gr_graph *g, gr_value *x)
{
    (void)g;
    return gr_mean_pool(x, 0, 1);
}
static gr_value *bad_slice(gr_graph *g, gr_value *x)
{
    (void)g;
    return gr_slice_rows(x, 3, 2, 2);
}
static gr_value *bad_pad(gr_graph *g, gr_value *x)
{
    (void)g;
    return gr_pad_rows(x, 0, 0, 4);
}
static gr_value *bad_patch(gr_graph *g, gr_value *x)
{
    (void)g;
    return gr_patchify(x, 1, 1, 0, 4);
}
static gr_value *bad_columns(gr_graph *g, gr_value *x)
{
    (void)g;
    return gr_graph_columns(gr_gelu(x), 3, 3);
}
static gr_value *bad_heads(gr_graph *g, gr_value *x)
{
    (void)g;
    return gr_attention(x, x, x, 3, 2, 1, true, false);
}
static gr_value *bad_form(gr_graph *g, gr_value *x)
{
    gr_value *w = gr_graph_param(g, "w", 5, 5);
    return gr_scale_columns(gr_linear(x, w, NULL), w);
}

static void a_wrong_graph_is_named_when_it_is_planned(void **state)
{
    (void)state;
    static const struct {
        gr_value *(*build)(gr_graph *g, gr_value *x);
        const char *part;
        gr_status status;
    } cases[] = { { bad_pool, "graph 'wrong', node 0: mean_pool: grids of side 0", GR_ERR_SHAPE },
                  { bad_slice, "slice_rows: 2 rows at 2 of 3", GR_ERR_SHAPE },
                  { bad_pad, "pad_rows: 0 rows at 0 of 4", GR_ERR_SHAPE },
                  { bad_patch, "patchify: 5 columns for 1 channels of side 0", GR_ERR_SHAPE },
                  { bad_columns, "columns 3..6 of ''", GR_ERR_SHAPE },
                  { bad_heads, "attention: q has 5 columns for 3 heads", GR_ERR_SHAPE },
                  { bad_form, "scale_columns cannot take parameter 'w' as input 1", GR_ERR_ARG } };
    gr_error err = { 0 };
    rig r;
    gr_graph *g;
    rig_open(&r, RIG_CPU, 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        MUST(gr_graph_new(&g, r.rt, "wrong", GR_ROUND_NONE, &err));
        gr_value *x = gr_graph_input(g, "x", GR_FIXED, 6, 5);
        assert_null(gr_gelu(cases[i].build(g, x))); /* builders accept what failed */
        MUST_FAIL(gr_graph_plan(g, r.be, &err), cases[i].status, cases[i].part);
        gr_graph_free(g);
    }
    rig_close(&r);
}

typedef struct {
    int lines;
    char last[512];
} dumped;

static void keep_line(void *user, const char *text)
{
    dumped *d = user;
    d->lines++;
    snprintf(d->last, sizeof d->last, "%s", text);
}

/* A dump is read by people: a line a node, with its operator, shape and inputs. */
static void a_dump_shows_every_node(void **state)
{
    (void)state;
    gr_error err = { 0 };
    gr_runtime *rt = test_runtime();
    gr_graph *g;
    dumped d = { 0 };
    MUST(gr_graph_new(&g, rt, "shown", GR_ROUND_NONE, &err));
    const int rows = gr_graph_extent(g, "rows", 8);
    gr_value *x = gr_graph_input(g, "x", rows, 3, 5);
    gr_graph_name(gr_add(gr_gelu(x), x), "sum");
    gr_graph_dump(g, keep_line, &d);
    assert_int_equal(d.lines, 2);
    assert_non_null(strstr(d.last, "add"));
    assert_non_null(strstr(d.last, "sum[rows*3, 5]"));
    assert_non_null(strstr(d.last, "x:0"));
    gr_graph_free(g);
    gr_runtime_free(rt);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_dump_shows_every_node),
                                        cmocka_unit_test(a_linear_layer_gives_the_sums_written_out),
                                        cmocka_unit_test(
                                            a_call_that_lacks_something_is_refused_with_a_sentence),
                                        cmocka_unit_test(a_plan_for_fewer_workers_is_refused),
                                        cmocka_unit_test(a_form_that_cannot_be_made_is_not_there),
                                        cmocka_unit_test(a_wrong_graph_is_named_when_it_is_planned) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
