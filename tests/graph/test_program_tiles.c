/* The second program of docs/graph.md: a tower that runs tile by tile, on both backends. */
#include "graph/internal.h"
#include "op/ops.h"
#include "support/toy.h"

enum {
    SIDE = 16,
    PATCH = 4,
    GRID = 4,
    TILE_ROWS = GRID * GRID + 1,
    TD = 24,
    TOWER_HEADS = 3,
    TH = 8,
    TM = 40,
    CELLS = 4,
    TILES = 5,
    BLOCKS = 2,
    TILE_CAPACITY = 2
};

enum { T_CONV, T_CLASS, T_PLACE, T_PATCH_PARAMS };
enum {
    T_N1,
    T_N1B,
    T_QKV,
    T_QKVB,
    T_PROJ,
    T_PROJB,
    T_G1,
    T_N2,
    T_N2B,
    T_FC1,
    T_FC1B,
    T_FC2,
    T_FC2B,
    T_G2,
    T_TURN,
    T_PARAMS
};

static const struct {
    int rows, cols;
} tower_params[T_PARAMS] = { { 1, TD }, { 1, TD },  { 3 * TD, TD }, { 1, 3 * TD }, { TD, TD },
                             { 1, TD }, { 1, TD },  { 1, TD },      { 1, TD },     { TM, TD },
                             { 1, TM }, { TD, TM }, { 1, TD },      { 1, TD },     { TILE_ROWS, TH } };

static gr_value *tower_block(gr_value *x, gr_value *const *p)
{
    gr_value *y = gr_linear(gr_layer_norm(x, p[T_N1], p[T_N1B], 1e-5f), p[T_QKV], p[T_QKVB]);
    gr_value *q = gr_rope(gr_graph_columns(y, 0, TD), p[T_TURN], TOWER_HEADS, true);
    gr_value *k = gr_rope(gr_graph_columns(y, TD, TD), p[T_TURN], TOWER_HEADS, true);
    y = gr_attention(q, k, gr_graph_columns(y, 2 * TD, TD), TOWER_HEADS, TOWER_HEADS, 0.35f, false, false);
    x = gr_add(x, gr_scale_columns(gr_linear(y, p[T_PROJ], p[T_PROJB]), p[T_G1]));
    y = gr_gelu(gr_linear(gr_layer_norm(x, p[T_N2], p[T_N2B], 1e-5f), p[T_FC1], p[T_FC1B]));
    return gr_add(x, gr_scale_columns(gr_linear(y, p[T_FC2], p[T_FC2B]), p[T_G2]));
}

typedef struct {
    rig r;
    gr_graph *patches, *block, *tail;
    gr_weight *patch_weights[T_PATCH_PARAMS], *weights[BLOCKS][T_PARAMS], *norm, *norm_bias;
    float *host[64];
    int n_host;
} tower;

static gr_weight *tower_weight(tower *t, const gr_graph *g, int slot)
{
    const gr_value *p = g->params[slot];
    const size_t n = (size_t)p->factor * (size_t)p->cols;
    float *host = toy_draw(n, 700 + (uint64_t)t->n_host, 0.5f);
    t->host[t->n_host++] = host;
    gr_weight *w = rig_weight(&t->r, p->name, host, (size_t)p->factor, (size_t)p->cols);
    rig_prepare(&t->r, g, slot, w);
    return w;
}

static void tower_open(tower *t, rig_kind kind, int threads)
{
    gr_error err = { 0 };
    gr_value *p[T_PARAMS];
    *t = (tower){ 0 };
    rig_open(&t->r, kind, threads);
    gr_graph *g = t->patches = toy_graph(&t->r, "patches");
    gr_value *pixels =
        gr_graph_input(g, "pixels", gr_graph_extent(g, "tiles", TILE_CAPACITY), 1, 3 * SIDE * SIDE);
    gr_value *conv = gr_graph_param(g, "conv", TD, 3 * PATCH * PATCH),
             *class = gr_graph_param(g, "class", 1, TD);
    gr_value *x = gr_linear(gr_patchify(pixels, 3, 1, SIDE, PATCH), conv, NULL);
    x = gr_prepend_row(x, class, GRID * GRID);
    gr_graph_output(g, gr_add_table(x, gr_graph_param(g, "place", TILE_ROWS, TD), TILE_ROWS));
    MUST(gr_graph_plan(g, t->r.be, &err));

    g = t->block = toy_graph(&t->r, "tower block");
    x = gr_graph_input(g, "x", gr_graph_extent(g, "tiles", TILE_CAPACITY), TILE_ROWS, TD);
    for (int i = 0; i < T_PARAMS; i++)
        p[i] = gr_graph_param(g, "p", tower_params[i].rows, tower_params[i].cols);
    gr_graph_output(g, tower_block(x, p));
    assert_int_equal(gr_graph_rewrite(g), 2); /* both residuals */
    MUST(gr_graph_plan(g, t->r.be, &err));

    g = t->tail = toy_graph(&t->r, "tail");
    x = gr_graph_input(g, "x", gr_graph_extent(g, "tiles", TILE_CAPACITY), TILE_ROWS, TD);
    gr_value *norm = gr_graph_param(g, "norm", 1, TD);
    x = gr_layer_norm(x, norm, gr_graph_param(g, "bias", 1, TD), 1e-5f);
    gr_graph_output(g, gr_mean_pool(gr_slice_rows(x, TILE_ROWS, 1, GRID * GRID), GRID, 2));
    MUST(gr_graph_plan(g, t->r.be, &err));

    for (int i = 0; i < T_PATCH_PARAMS; i++)
        t->patch_weights[i] = tower_weight(t, t->patches, i);
    for (int b = 0; b < BLOCKS; b++)
        for (int i = 0; i < T_PARAMS; i++)
            t->weights[b][i] = tower_weight(t, t->block, i);
    t->norm = tower_weight(t, t->tail, 0);
    t->norm_bias = tower_weight(t, t->tail, 1);
}

static void tower_close(tower *t)
{
    gr_graph_free(t->patches);
    gr_graph_free(t->block);
    gr_graph_free(t->tail);
    rig_close(&t->r);
    for (int i = 0; i < t->n_host; i++)
        free(t->host[i]);
}

/* Features of all tiles, `at_once` a call, straight into their place. */
static void run_tiles(tower *t, int at_once, const float *pixels, float *features)
{
    gr_error err = { 0 };
    static rig_rows rows;
    size_t arena = gr_graph_arena_bytes(t->block);
    arena = arena > gr_graph_arena_bytes(t->patches) ? arena : gr_graph_arena_bytes(t->patches);
    uint8_t *memory =
        rig_space(&t->r, arena > gr_graph_arena_bytes(t->tail) ? arena : gr_graph_arena_bytes(t->tail));
    float *in = rig_put(&t->r, pixels, TILES * 3 * SIDE * SIDE * 4);
    float *out = rig_space(&t->r, TILES * CELLS * TD * 4);
    void *x[2];
    for (int i = 0; i < 2; i++)
        x[i] = rig_space(&t->r, TILE_CAPACITY * TILE_ROWS * TD * 4);
    for (int tile = 0; tile < TILES; tile += at_once) {
        const int n = TILES - tile < at_once ? TILES - tile : at_once;
        gr_span spans[TILE_CAPACITY];
        for (int i = 0; i < n; i++)
            spans[i] = (gr_span){ .row = i * TILE_ROWS, .n_rows = TILE_ROWS };
        rig_make_rows(&rows, spans, n);
        gr_run run = {
            .extents = { n }, .inputs = { in + tile * 3 * SIDE * SIDE }, .outputs = { x[0] }, .arena = memory
        };
        memcpy(run.params, t->patch_weights, sizeof t->patch_weights);
        MUST(gr_graph_run(t->patches, t->r.be, &run, &err));
        for (int b = 0; b < BLOCKS; b++) {
            run = (gr_run){ .extents = { n },
                            .inputs = { x[b % 2] },
                            .outputs = { x[1 - b % 2] },
                            .rows = &rows.table,
                            .arena = memory };
            memcpy(run.params, t->weights[b], sizeof t->weights[b]);
            MUST(gr_graph_run(t->block, t->r.be, &run, &err));
        }
        run = (gr_run){ .extents = { n },
                        .inputs = { x[BLOCKS % 2] },
                        .outputs = { out + tile * CELLS * TD },
                        .params = { t->norm, t->norm_bias },
                        .arena = memory };
        MUST(gr_graph_run(t->tail, t->r.be, &run, &err));
    }
    rig_get(&t->r, features, out, TILES * CELLS * TD * 4);
}

static void tiles_one_or_two_at_a_time_have_the_same_features(void **state)
{
    (void)state;
    static float pixels[TILES * 3 * SIDE * SIDE], want[TILES * CELLS * TD], got[TILES * CELLS * TD];
    static const struct {
        rig_kind kind;
        int threads, at_once;
    } ways[] = { { RIG_CPU, 1, 1 }, { RIG_CPU, 1, 2 },   { RIG_CPU, 3, 1 },
                 { RIG_CPU, 8, 2 }, { RIG_CHECK, 2, 1 }, { RIG_CHECK, 2, 2 } };
    rig_draw(pixels, TILES * 3 * SIDE * SIDE, 80, 1);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        tower t;
        tower_open(&t, ways[i].kind, ways[i].threads);
        run_tiles(&t, ways[i].at_once, pixels, i ? got : want);
        if (i)
            rig_same_bits(got, want, TILES * CELLS * TD, "features");
        tower_close(&t);
    }
    for (int i = 0; i < CELLS * TD; i++) /* tiles differ, so that mixing them up would show */
        assert_true(want[i] != want[CELLS * TD + i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(tiles_one_or_two_at_a_time_have_the_same_features) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
