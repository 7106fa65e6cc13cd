#include "test.h"

#include "base/alloc.h"
#include "base/file.h"
#include "io/json.h"
#include "region/canvas.h"

static void check(int width, int height, int max_tiles, int cols, int rows)
{
    gr_error err = { 0 };
    gr_canvas c;
    MUST(gr_canvas_choose(&c, width, height, max_tiles, 448, &err));
    if (c.cols != cols || c.rows != rows)
        fail_msg("%d x %d in %d tiles: (%d, %d), expected (%d, %d)", width, height, max_tiles, c.cols, c.rows,
                 cols, rows);
}

/* Worked examples of the specification, for 8, 16 and 36 tiles. */
static void the_worked_examples_come_out(void **state)
{
    (void)state;
    static const struct {
        int w, h, at8[2], at16[2], at36[2];
    } rows[] = {
        { 640, 480, { 3, 2 }, { 4, 3 }, { 7, 5 } },   { 1920, 1080, { 3, 2 }, { 5, 3 }, { 8, 4 } },
        { 300, 1200, { 1, 4 }, { 2, 8 }, { 3, 12 } }, { 5000, 100, { 8, 1 }, { 16, 1 }, { 36, 1 } },
        { 448, 448, { 2, 2 }, { 4, 4 }, { 6, 6 } },   { 224, 224, { 2, 2 }, { 4, 4 }, { 6, 6 } },
        { 449, 448, { 3, 2 }, { 4, 4 }, { 6, 6 } },   { 500, 333, { 4, 2 }, { 5, 3 }, { 7, 5 } },
        { 1280, 720, { 4, 2 }, { 5, 3 }, { 8, 4 } },  { 4000, 3000, { 2, 2 }, { 4, 3 }, { 4, 3 } },
        { 3000, 4000, { 2, 2 }, { 4, 4 }, { 4, 5 } }, { 100, 5000, { 1, 8 }, { 1, 16 }, { 1, 36 } },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        check(rows[i].w, rows[i].h, 8, rows[i].at8[0], rows[i].at8[1]);
        check(rows[i].w, rows[i].h, 16, rows[i].at16[0], rows[i].at16[1]);
        check(rows[i].w, rows[i].h, 36, rows[i].at36[0], rows[i].at36[1]);
        check(rows[i].w, rows[i].h, 1, 1, 1);
    }
}

/* Wide pictures may take their own ratio, tall ones only a strictly larger one. */
static void nearest_shape_is_not_symmetric(void **state)
{
    (void)state;
    check(4000, 3000, 16, 4, 3);
    check(3000, 4000, 16, 4, 4);
}

static void every_size_has_a_canvas_within_the_limit(void **state)
{
    (void)state;
    static const int sides[] = { 1, 2, 9, 447, 448, 449, 1000, 5000, 65535, 1000000000 };
    for (int max = 1; max <= GR_CANVAS_MAX_TILES; max++)
        for (int i = 0; i < 10; i++)
            for (int j = 0; j < 10; j++) {
                gr_error err = { 0 };
                gr_canvas c;
                MUST(gr_canvas_choose(&c, sides[i], sides[j], max, 448, &err));
                assert_true(c.cols >= 1 && c.rows >= 1 && c.cols * c.rows <= max);
            }
    gr_error err = { 0 };
    gr_canvas c;
    MUST_FAIL(gr_canvas_choose(&c, 0, 5, 8, 448, &err), GR_ERR_ARG, "0 x 5");
    MUST_FAIL(gr_canvas_choose(&c, 5, 5, 65, 448, &err), GR_ERR_ARG, "65 tiles");
    MUST_FAIL(gr_canvas_choose(&c, 5, 5, 0, 448, &err), GR_ERR_ARG, "0 tiles");
}

/* rows: [w, h, [[cols, rows] for each of max_num_tiles]], from the published image processor. */
static void golden_rows_are_reproduced(void **state)
{
    (void)state;
    const char *path = TEST_FILE("golden/vision/canvas.json");
    gr_runtime *rt = test_runtime();
    gr_error err = { 0 };
    char *text;
    size_t n;
    MUST(gr_file_read(rt, path, 1 << 24, &text, &n, &err));
    gr_json j;
    gr_json_init(&j, rt, text, n, path, 1024);
    int max[8], n_max = 0, n_rows = 0;
    const char *key;
    for (gr_json_object(&j); gr_json_key(&j, &key);) {
        if (strcmp(key, "max_num_tiles") == 0)
            for (gr_json_array(&j); gr_json_item(&j);)
                max[n_max++ & 7] = (int)gr_json_int(&j, 1, 64);
        else if (strcmp(key, "rows") == 0)
            for (gr_json_array(&j); gr_json_item(&j); n_rows++) {
                int size[2] = { 0 }, at = 0;
                for (gr_json_array(&j); gr_json_item(&j); at++)
                    if (at < 2)
                        size[at] = (int)gr_json_int(&j, 1, 1 << 30);
                    else {
                        int limit = 0;
                        for (gr_json_array(&j); gr_json_item(&j); limit++) {
                            int pair[2] = { 0 }, k = 0;
                            for (gr_json_array(&j); gr_json_item(&j);)
                                pair[k++ & 1] = (int)gr_json_int(&j, 1, 64);
                            check(size[0], size[1], max[limit], pair[0], pair[1]);
                        }
                    }
            }
        else
            gr_json_skip(&j);
    }
    MUST(gr_json_status(&j, true, &err));
    assert_true(n_rows == 300 && n_max == 3);
    gr_json_fini(&j);
    gr_free(rt, text);
    gr_runtime_free(rt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worked_examples_come_out),
        cmocka_unit_test(nearest_shape_is_not_symmetric),
        cmocka_unit_test(every_size_has_a_canvas_within_the_limit),
        cmocka_unit_test(golden_rows_are_reproduced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
