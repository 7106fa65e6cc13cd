/* The work of GAR's segments, as the graph counts it, against the published models' counts in gar.md 9.2
 * and 9.4. */
#include "test.h"

#include "model/gar_segments.h"
#include "model/llama.h"
#include "model/perception.h"

/* GFLOP of one call; the graph is freed. */
static double cost(gr_graph *g, int extent_0, int extent_1)
{
    const int extents[GR_MAX_EXTENTS] = { extent_0, extent_1 };
    double flop, bytes;
    gr_graph_cost(g, extents, &flop, &bytes);
    assert_true(bytes > 0);
    gr_graph_free(g);
    return flop * 1e-9;
}

/* The published counts have products and attention only; norms, activations and sums come on top: at most
 * `more`. */
static void about(const char *what, double got, double want, double more)
{
    if (!(got >= want * 0.998 && got <= want * (1 + more)))
        fail_msg("%s: %.2f GFLOP, expected %.2f", what, got, want);
}

static const struct {
    const char *preset;
    double tower, convolutions, projector,
        token; /* GFLOP; tower: linears and attention; convolutions: 4 x 1024 x 588 D */
} models[] = { { "gar-1b", 593.3 + 99.0, 2.466, 12.9, 2.47 },
               { "gar-8b", 3557.8 + 302.8, 3.699, 47.2, 15.01 } };

static int start(void **state) { return (*state = test_runtime()) == NULL; }

static int stop(void **state)
{
    gr_runtime_free(*state);
    return 0;
}

static void a_tile_costs_what_is_published(void **state)
{
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        gr_error err = { 0 };
        gr_gar_config c;
        gr_graph *g;
        MUST(gr_gar_config_preset(&c, models[i].preset, &err));
        MUST(gr_pe_block_segment(&g, *state, &c.vision, 1, GR_ROUND_NONE, &err));
        about("tower", c.vision.depth * cost(g, 1, 0), models[i].tower, 0.01);
        MUST(gr_pe_embed_segment(&g, *state, &c.vision, 1, GR_ROUND_NONE, &err));
        about("convolutions", cost(g, 1, 0), models[i].convolutions, 0.01);
        MUST(gr_gar_projector_segment(&g, *state, &c, 1, GR_ROUND_NONE, &err));
        about("projector", cost(g, 1, 0), models[i].projector, 0.01);
    }
}

static void a_token_costs_what_is_published(void **state)
{
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        gr_error err = { 0 };
        gr_gar_config c;
        gr_graph *g;
        MUST(gr_gar_config_preset(&c, models[i].preset, &err));
        MUST(gr_llama_block_segment(&g, *state, &c.text, 1, 4096, true, GR_ROUND_NONE, &err));
        double all = c.text.layers * cost(g, 1, 0);
        MUST(gr_llama_head_segment(&g, *state, &c.text, 1, 1, GR_ROUND_NONE, &err));
        all += cost(g, 1, 1);
        about("token", all, models[i].token, 0.005);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_tile_costs_what_is_published, start, stop),
        cmocka_unit_test_setup_teardown(a_token_costs_what_is_published, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
