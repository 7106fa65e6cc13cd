/* Whether the target has the greatest logit: as torch.argmax finds it. */
#include "support/rig.h"

#include "op/ops.h"

enum { COLS = 3 };

static const struct {
    float logits[COLS];
    int32_t target;
    float hit;
} rows[] = {
    { { 1, 2, 3 }, 2, 1 },   { { 1, 2, 3 }, 1, 0 },   { { 3, 2, 1 }, 0, 1 },   { { -3, -2, -9 }, 1, 1 },
    { { 5, 5, 1 }, 0, 1 }, /* the first of equal ones */
    { { 5, 5, 1 }, 1, 0 },   { { 0, 7, 7 }, 1, 1 },   { { 0, 7, 7 }, 2, 0 },   { { -INFINITY, 0, 0 }, 1, 1 },
    { { NAN, 2, 1 }, 1, 0 }, { { NAN, 2, 1 }, 0, 0 }, { { 1, 2, NAN }, 1, 0 }, { { 0, -0.0f, -1 }, 0, 1 },
};
enum { N_ROWS = sizeof rows / sizeof *rows };

static void the_first_of_the_greatest_is_the_hit(void **state)
{
    (void)state;
    gr_error err = { 0 };
    float logits[N_ROWS * COLS];
    int32_t targets[N_ROWS];
    for (int i = 0; i < N_ROWS; i++) {
        memcpy(logits + i * COLS, rows[i].logits, sizeof rows[i].logits);
        targets[i] = rows[i].target;
    }
    for (int kind = RIG_CPU; kind <= RIG_CHECK; kind++) {
        rig r;
        gr_graph *g;
        rig_open(&r, (rig_kind)kind, 3);
        MUST(gr_graph_new(&g, r.rt, "hits", GR_ROUND_NONE, &err));
        const int n = gr_graph_extent(g, "rows", N_ROWS);
        gr_value *x = gr_graph_input(g, "x", n, 1, COLS);
        gr_graph_output(g, gr_top_hit(x, gr_graph_input_index(g, "target", n, 1, 1)));
        MUST(gr_graph_status(g, &err));
        rig_data d = { .extents = { N_ROWS }, .inputs = { logits, targets } };
        rig_call(&r, g, &d);
        for (int i = 0; i < N_ROWS; i++)
            if (d.outputs[0][i] != rows[i].hit)
                fail_msg("row %d: %g, expected %g", i, (double)d.outputs[0][i], (double)rows[i].hit);
        rig_release_outputs(&d);
        gr_graph_free(g);
        rig_close(&r);
    }
}

static void targets_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    gr_error err = { 0 };
    gr_runtime *rt = test_runtime();
    for (int wrong = 0; wrong < 2; wrong++) {
        gr_graph *g;
        MUST(gr_graph_new(&g, rt, "hits", GR_ROUND_NONE, &err));
        const int n = gr_graph_extent(g, "rows", N_ROWS);
        gr_value *x = gr_graph_input(g, "x", n, 1, COLS);
        gr_top_hit(x, wrong ? x : gr_graph_input_index(g, "target", n, 2, 1));
        MUST_FAIL(gr_graph_status(g, &err), GR_ERR_SHAPE, "top_hit: the targets must be an index");
        gr_graph_free(g);
    }
    gr_runtime_free(rt);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(the_first_of_the_greatest_is_the_hit),
                                        cmocka_unit_test(targets_that_do_not_fit_are_refused) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
