#include "test.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_linear_layer_gives_the_sums_written_out) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
