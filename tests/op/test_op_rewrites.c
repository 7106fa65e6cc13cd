/* A rewritten graph gives the bits of the plain one, and a rewrite is made only where nobody else sees what
 * it would swallow. */
#include "support/rig.h"

#include "graph/internal.h"
#include "op/ops.h"

enum { ROWS = 21, COLS = 37 };

static gr_value *norm(gr_graph *g, gr_value *x, gr_value *y)
{
    (void)y;
    return gr_scale_columns(gr_rms_norm(x, 1e-3f), gr_graph_param(g, "w", 1, COLS));
}

static gr_value *gate(gr_graph *g, gr_value *x, gr_value *y)
{
    (void)g;
    return gr_mul(gr_silu(x), y);
}

static gr_value *residual(gr_graph *g, gr_value *x, gr_value *y)
{
    return gr_add(x, gr_scale_columns(y, gr_graph_param(g, "gamma", 1, COLS)));
}

/* All three, one after the other, on results of nodes, so that the arena and in-place memory take part. */
static gr_value *chain(gr_graph *g, gr_value *x, gr_value *y)
{
    gr_value *h = norm(g, gr_add(x, y), NULL);
    return residual(g, x, gate(g, gr_add(h, y), gr_gelu(h)));
}

static gr_value *twice(gr_graph *g, gr_value *x, gr_value *y)
{
    return gate(g, norm(g, x, y), norm(g, y, x));
}

/* Not to be touched: the first result is read again, named, an output, or stands on the other side. */
static gr_value *read_again(gr_graph *g, gr_value *x, gr_value *y)
{
    (void)g;
    gr_value *s = gr_silu(x);
    return gr_add(gr_mul(s, y), s);
}

static gr_value *tapped(gr_graph *g, gr_value *x, gr_value *y)
{
    (void)g;
    return gr_mul(gr_graph_name(gr_silu(x), "gate"), y);
}

static gr_value *put_out(gr_graph *g, gr_value *x, gr_value *y)
{
    (void)g;
    return gr_mul(gr_graph_output(g, gr_silu(x)), y);
}

static gr_value *a_view_reads(gr_graph *g, gr_value *x, gr_value *y)
{
    gr_value *s = gr_silu(x), *part = gr_graph_columns(s, 1, 4);
    gr_value *wide = gr_linear(part, gr_graph_param(g, "w", COLS, 4), NULL);
    return gr_add(gr_mul(s, y), wide);
}

static gr_value *other_side(gr_graph *g, gr_value *x, gr_value *y)
{
    (void)g;
    return gr_mul(y, gr_silu(x));
}

static const struct {
    const char *name;
    gr_value *(*build)(gr_graph *g, gr_value *x, gr_value *y);
    const char *fused; /* an operator of the rewritten graph, NULL: nothing is rewritten */
    int made;
} cases[] = {
    { "RMSNorm and its weight", norm, "rms_scale", 1 },
    { "SiLU and product", gate, "swiglu", 1 },
    { "layer scale and residual", residual, "add_scaled", 1 },
    { "one after the other", chain, "swiglu", 3 },
    { "two of a kind", twice, "rms_scale", 3 },
    { "read again", read_again, NULL, 0 },
    { "tapped", tapped, NULL, 0 },
    { "an output", put_out, NULL, 0 },
    { "read by a view", a_view_reads, NULL, 0 },
    { "on the other side", other_side, NULL, 0 },
};
enum { N_CASES = sizeof cases / sizeof *cases };

/* Builds case i, rewritten or not, runs it and gives the last output. */
static float *run_case(size_t i, bool rewrite, gr_rounding round, rig_kind kind)
{
    gr_error err = { 0 };
    rig r;
    gr_graph *g;
    float x[ROWS * COLS], y[ROWS * COLS], p[3][COLS * 4];
    rig_draw(x, ROWS * COLS, 1, 2), rig_draw(y, ROWS * COLS, 2, 2);
    rig_data d = { .extents = { ROWS }, .inputs = { x, y }, .round_params = round ? ~0u : 0 };
    for (int k = 0; k < 3; k++) {
        rig_draw(p[k], COLS * 4, 3 + (uint64_t)k, 1);
        d.params[k] = p[k];
    }
    rig_open(&r, kind, 2);
    MUST(gr_graph_new(&g, r.rt, cases[i].name, round, &err));
    const int rows = gr_graph_extent(g, "rows", ROWS + 3);
    gr_value *in_x = gr_graph_input(g, "x", rows, 1, COLS), *in_y = gr_graph_input(g, "y", rows, 1, COLS);
    gr_value *out = gr_graph_output(g, cases[i].build(g, in_x, in_y));
    MUST(gr_graph_status(g, &err));
    if (rewrite) {
        const size_t before = g->n_nodes;
        assert_int_equal(gr_graph_rewrite(g), cases[i].made);
        assert_int_equal(g->n_nodes, before - (size_t)cases[i].made);
        bool found = !cases[i].fused;
        for (size_t n = 0; n < g->n_nodes; n++) {
            found |= cases[i].fused && strcmp(g->nodes[n]->op->name, cases[i].fused) == 0;
            assert_int_equal(g->nodes[n]->number, n);
        }
        assert_true(found);
    }
    rig_call(&r, g, &d);
    float *result = d.outputs[out->output];
    d.outputs[out->output] = NULL;
    rig_release_outputs(&d);
    gr_graph_free(g);
    rig_close(&r);
    return result;
}

static void a_rewritten_graph_gives_the_same_bits(void **state)
{
    (void)state;
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < N_CASES; i++) {
            float *plain = run_case(i, false, (gr_rounding)round, RIG_CPU);
            float *fused = run_case(i, true, (gr_rounding)round, RIG_CPU);
            float *checked = run_case(i, true, (gr_rounding)round, RIG_CHECK);
            rig_same_bits(plain, fused, ROWS * COLS, cases[i].name);
            rig_same_bits(plain, checked, ROWS * COLS, cases[i].name);
            free(plain), free(fused), free(checked);
        }
}

/* The comparison above could not fail if rounding changed nothing, or if the fused operators did not round
 * between. */
static void rounding_shows_in_these_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_CASES; i++) {
        float *exact = run_case(i, true, GR_ROUND_NONE, RIG_CPU),
              *rounded = run_case(i, true, GR_ROUND_BF16, RIG_CPU);
        assert_memory_not_equal(exact, rounded, ROWS * COLS * sizeof(float));
        free(exact), free(rounded);
    }
}

/* After a backward pass the forward values are read again, so nothing is swallowed. */
static void what_a_backward_pass_reads_is_not_rewritten(void **state)
{
    (void)state;
    gr_error err = { 0 };
    gr_runtime *rt = test_runtime();
    gr_graph *g;
    MUST(gr_graph_new(&g, rt, "training", GR_ROUND_NONE, &err));
    const int rows = gr_graph_extent(g, "rows", ROWS);
    gr_value *x = gr_graph_input(g, "x", rows, 1, COLS), *up = gr_graph_input(g, "up", rows, 1, COLS);
    gr_value *y = gate(g, x, up), *dy = gr_graph_input(g, "dy", rows, 1, COLS);
    gr_value *wants[] = { x, up }, *dx[2];
    gr_graph_backward(g, &y, &dy, 1, wants, dx, 2);
    MUST(gr_graph_status(g, &err));
    assert_int_equal(gr_graph_rewrite(g), 0);
    gr_graph_free(g);
    gr_runtime_free(rt);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_rewritten_graph_gives_the_same_bits),
                                        cmocka_unit_test(rounding_shows_in_these_cases),
                                        cmocka_unit_test(what_a_backward_pass_reads_is_not_rewritten) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
