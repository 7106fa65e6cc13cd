/* The boxes of feature replay, by the worked example of the model's description: 640 x 480 in 16 tiles, that
 * is a canvas of 4 x 3 tiles and a map of 64 x 48 cells, and the map 100 row + column. */
#include "model/gar_segments.h"

#include "grasp/region.h"
#include "op/ops.h"
#include "region/box.h"
#include "support/rig.h"

enum { SIDE = 16, ACROSS = 4, DOWN = 3, CELLS = SIDE * SIDE, MAP = ACROSS * DOWN * CELLS, REPLAY = 16 };

typedef struct {
    double row, column;
} pooled[CELLS];

/* Pools a box of a map that holds, in two columns, its own row and column. */
static void pool(pooled out, const double box[4], bool scaled_twice)
{
    gr_error err = { 0 };
    gr_gar_config c;
    MUST(gr_gar_config_preset(&c, "gar-1b", &err));
    assert_int_equal(c.tokens_side, SIDE);
    float cells[4], *map = malloc(sizeof *map * MAP * 2);
    assert_non_null(map);
    gr_gar_replay_box(cells, box, ACROSS, DOWN, &c, scaled_twice);
    for (int i = 0; i < MAP; i++) {
        const int tile = i / CELLS, y = i % CELLS / SIDE, x = i % SIDE;
        map[2 * i] = (float)(tile / ACROSS * SIDE + y);
        map[2 * i + 1] = (float)(tile % ACROSS * SIDE + x);
    }
    const int32_t canvas[3] = { ACROSS, DOWN, 0 };
    rig r;
    rig_data data = { 0 };
    gr_graph *g;
    rig_open(&r, RIG_CPU, 2);
    MUST(gr_graph_new(&g, r.rt, "replay", GR_ROUND_NONE, &err));
    gr_value *features = gr_graph_input(g, "features", GR_FIXED, MAP, 2);
    gr_value *boxes = gr_graph_input(g, "boxes", GR_FIXED, 1, 4);
    gr_value *shape = gr_graph_input_index(g, "canvas", GR_FIXED, 1, 3);
    data.inputs[features->slot] = map;
    data.inputs[boxes->slot] = cells;
    data.inputs[shape->slot] = canvas;
    gr_graph_output(g, gr_roi_align(features, boxes, shape, SIDE, REPLAY));
    rig_call(&r, g, &data);
    for (int i = 0; i < CELLS; i++) {
        out[i].row = data.outputs[0][2 * i];
        out[i].column = data.outputs[0][2 * i + 1];
    }
    rig_release_outputs(&data);
    gr_graph_free(g);
    rig_close(&r);
    free(map);
}

static void near(const char *what, int i, double got, double want)
{
    if (!(fabs(got - want) <= 6e-5 * fmax(1, fabs(want) / 100)))
        fail_msg("%s %d is %.6f, expected %.6f", what, i, got, want);
}

static void check_diagonal(const double box[4], bool scaled_twice, const double want[5])
{
    static const int at[5] = { 0, 4, 8, 12, 15 };
    pooled cell;
    pool(cell, box, scaled_twice);
    for (int i = 0; i < 5; i++) {
        const int k = at[i] * REPLAY + at[i];
        near("diagonal cell", at[i], 100 * cell[k].row + cell[k].column, want[i]);
    }
}

/* Columns 160..479 and rows 120..359. */
static void mask_boxes(double inclusive[4], double exclusive[4])
{
    gr_error err = { 0 };
    gr_runtime *rt = test_runtime();
    gr_mask *mask;
    MUST(gr_mask_new(&mask, rt, 640, 480, &err));
    for (int y = 120; y < 360; y++)
        memset(mask->data + y * 640 + 160, 1, 320);
    MUST(gr_mask_unit_box(inclusive, mask, GR_BOX_INCLUSIVE, &err));
    MUST(gr_mask_unit_box(exclusive, mask, GR_BOX_EXCLUSIVE, &err));
    gr_mask_free(mask);
    gr_runtime_free(rt);
}

static void released_boxes_see_only_the_corner(void **state)
{
    (void)state;
    double box[4], exclusive[4];
    pooled cell;
    mask_boxes(box, exclusive);
    near("edge", 0, box[0], 0.25);
    near("edge", 1, box[1], 0.25);
    near("edge", 2, box[2], 0.7484375);
    near("edge", 3, box[3], 0.7479167);
    pool(cell, box, true);
    near("column", 0, cell[0].column, 0.1070);
    near("column", 1, cell[1].column, 0.1782);
    near("column", 2, cell[2].column, 0.2494);
    near("column", 15, cell[15].column, 1.1751);
    near("row", 0, cell[0].row, 0);
    near("row", 1, cell[REPLAY].row, 0.0110);
    near("row", 2, cell[2 * REPLAY].row, 0.0619);
    near("row", 15, cell[15 * REPLAY].row, 0.7555);
}

static void paper_boxes_see_their_region(void **state)
{
    (void)state;
    double box[4], exclusive[4];
    pooled cell;
    mask_boxes(box, exclusive);
    pool(cell, box, false);
    near("column", 0, cell[0].column, 16.4969);
    near("column", 1, cell[1].column, 18.4906);
    near("column", 15, cell[15].column, 46.4031);
    near("row", 0, cell[0].row, 12.2469);
    near("row", 1, cell[REPLAY].row, 13.7406);
    near("row", 15, cell[15 * REPLAY].row, 34.6531);
}

static void diagonals_have_the_published_numbers(void **state)
{
    (void)state;
    double inclusive[4], exclusive[4];
    mask_boxes(inclusive, exclusive);
    check_diagonal(inclusive, true, (double[]){ 0.1070, 17.2557, 38.8798, 60.5039, 76.7220 });
    check_diagonal(inclusive, false, (double[]){ 1241.1843, 1846.6594, 2452.1343, 3057.6094, 3511.7156 });
    check_diagonal(exclusive, false, (double[]){ 1241.5, 1849.5, 2457.5, 3065.5, 3521.5 });
    const double second[4] = { 500 / 640.0, 400 / 480.0, 620 / 640.0, 470 / 480.0 };
    check_diagonal(second, true, (double[]){ 94.9375, 101.2946, 107.6518, 114.0089, 118.7768 });
    check_diagonal(second, false, (double[]){ 4021.75, 4199.75, 4377.75, 4555.75, 4689.25 });
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(released_boxes_see_only_the_corner),
        cmocka_unit_test(paper_boxes_see_their_region),
        cmocka_unit_test(diagonals_have_the_published_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
