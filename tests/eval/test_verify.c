/* A model's own outputs under one combination must be recognised as that combination's. */
#include "test.h"

#include "eval/verify_grid.h"
#include "grasp/verify.h"
#include "support/outputs.h"

typedef struct {
    int skipped, stop_after;
    char item[256], why[512];
} watcher;

static void on_skipped(void *user, const char *item, const char *why)
{
    watcher *w = user;
    w->skipped++;
    snprintf(w->item, sizeof w->item, "%s", item);
    snprintf(w->why, sizeof w->why, "%s", why);
}

static bool on_progress(void *user, uint64_t done, uint64_t total)
{
    const watcher *w = user;
    assert_true(done <= total);
    return !w->stop_after || done < (uint64_t)w->stop_after;
}

static gr_verify_options options(watcher *w)
{
    gr_verify_options o;
    *w = (watcher){ 0 };
    gr_verify_options_init(&o);
    o.max_tokens = OUTPUTS_TOKENS;
    o.watch = (gr_verify_watch){ NULL, on_progress, on_skipped, w };
    return o;
}

static const char *winner(const gr_verification *v, int *n)
{
    const char *name = "";
    *n = 0;
    for (size_t i = 0; gr_verification_row(v, i); i++)
        if (gr_verification_row(v, i)->best) {
            name = gr_verification_row(v, i)->name;
            ++*n;
        }
    return name;
}

/* The first case runs all four axes of the grid, the others fix some. */
static const struct {
    const char *profile, *grid, *name;
    int max_tiles;
    size_t rows, limit;
} hidden[] = {
    { "released,roi_mode=paper,mask_resample=bicubic", "max_tiles=4,max_tiles=6",
      "roi_mode=paper double_bos=on mask_resample=bicubic max_tiles=6", 6, 16, 2 },
    { "released,double_bos=off", "max_tiles=4,mask_resample=nearest",
      "roi_mode=released double_bos=off mask_resample=nearest max_tiles=4", 4, 4, OUTPUTS_ITEMS },
    { "released,mask_resample=bicubic", "roi_mode=released,double_bos=on,max_tiles=4",
      "roi_mode=released double_bos=on mask_resample=bicubic max_tiles=4", 4, 2, OUTPUTS_ITEMS },
};

static void the_combination_that_made_the_outputs_is_named(void **state)
{
    (void)state;
    gr_runtime *rt = test_runtime();
    gr_error err = { 0 };
    test_outputs o;
    gr_model *m;
    test_outputs_make(rt, &o);
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++) {
        watcher w;
        int n;
        gr_verification *v;
        gr_verify_summary s = { .size = sizeof s };
        gr_verify_options vo = options(&w);
        vo.grid = hidden[i].grid;
        vo.limit = hidden[i].limit;
        test_outputs_write(rt, &o, hidden[i].profile, hidden[i].max_tiles);
        MUST(gr_model_open(&m, rt, o.model.path, NULL, &err));
        MUST(gr_verify_outputs(&v, m, o.reference, &vo, &err));
        MUST(gr_verification_summary(v, &s, &err));
        assert_int_equal(s.rows, hidden[i].rows);
        assert_int_equal(s.items, hidden[i].limit);
        assert_int_equal(s.compared, hidden[i].limit);
        assert_true(s.answers <= s.rows * s.items);
        assert_string_equal(winner(v, &n), hidden[i].name);
        assert_int_equal(n, 1);
        for (size_t k = 0; gr_verification_row(v, k); k++) {
            const gr_verify_row *row = gr_verification_row(v, k);
            assert_true(row->best == (row->identical == hidden[i].limit));
            assert_true(row->best ? row->prefix == 1 : row->prefix < 1);
        }
        gr_verification_free(v);
        gr_model_close(m);
    }
    test_outputs_remove(&o);
    gr_runtime_free(rt);
}

static void a_grid_can_be_narrowed_and_items_limited(void **state)
{
    (void)state;
    gr_runtime *rt = test_runtime();
    gr_error err = { 0 };
    test_outputs o;
    gr_model *m;
    watcher w;
    int n;
    gr_verification *v;
    gr_verify_summary s = { .size = sizeof s };
    gr_verify_options vo = options(&w);
    test_outputs_make(rt, &o);
    MUST(gr_model_open(&m, rt, o.model.path, NULL, &err));
    test_outputs_write(rt, &o, "released,roi_mode=paper,multi_bbox=own", 4);
    vo.grid = "multi_bbox=last,multi_bbox=own,roi_mode=paper,max_tiles=config,double_bos=on,mask_resample="
              "nearest";
    MUST(gr_verify_outputs(&v, m, o.reference, &vo, &err));
    MUST(gr_verification_summary(v, &s, &err));
    assert_int_equal(s.rows, 2);
    /* only the item of two regions tells the boxes apart; the others are answered once for both rows */
    assert_int_equal(s.answers, OUTPUTS_ITEMS + 1);
    assert_non_null(strstr(winner(v, &n), "multi_bbox=own"));
    assert_int_equal(n, 1);
    gr_verification_free(v);
    gr_model_close(m);
    MUST(gr_model_open(&m, rt, o.model.path, NULL, &err));
    vo.limit = OUTPUTS_ITEMS - 1; /* the one with two regions comes last, so both rows are alike */
    MUST(gr_verify_outputs(&v, m, o.reference, &vo, &err));
    MUST(gr_verification_summary(v, &s, &err));
    assert_int_equal(s.answers, OUTPUTS_ITEMS - 1);
    winner(v, &n);
    assert_int_equal(n, 2);
    gr_verification_free(v);
    gr_model_close(m);
    test_outputs_remove(&o);
    gr_runtime_free(rt);
}

static void a_missing_picture_is_named_and_left_out(void **state)
{
    (void)state;
    gr_runtime *rt = test_runtime();
    gr_error err = { 0 };
    test_outputs o;
    gr_model *m;
    watcher w;
    gr_verification *v;
    gr_verify_summary s = { .size = sizeof s };
    gr_verify_options vo = options(&w);
    vo.grid = "roi_mode=released,double_bos=on,mask_resample=nearest,max_tiles=4";
    test_outputs_make(rt, &o);
    MUST(gr_model_open(&m, rt, o.model.path, NULL, &err));
    test_outputs_write(rt, &o, "released", 4);
    assert_int_equal(remove(test_dir_file(&o.dir, "images/1.ppm")), 0);
    MUST(gr_verify_outputs(&v, m, o.reference, &vo, &err));
    MUST(gr_verification_summary(v, &s, &err));
    assert_int_equal(s.skipped, 1);
    assert_int_equal(s.compared, OUTPUTS_ITEMS - 1);
    assert_int_equal(gr_verification_row(v, 0)->identical, OUTPUTS_ITEMS - 1);
    assert_int_equal(w.skipped, 1);
    assert_string_equal(w.item, "images/1.ppm");
    assert_non_null(strstr(w.why, "images/1.ppm"));
    gr_verification_free(v);

    test_dir_write(&o.model, "tokenizer_config.json", "{\"clean_up_tokenization_spaces\":1}", 34);
    MUST_FAIL(gr_verify_outputs(&v, m, o.reference, &vo, &err), GR_ERR_FORMAT, "tokenizer_config.json");
    assert_int_equal(remove(test_dir_file(&o.model, "tokenizer_config.json")), 0);
    vo.images = "/no/such/folder";
    MUST_FAIL(gr_verify_outputs(&v, m, o.reference, &vo, &err), GR_ERR_IO,
              "none of 4 items could be run; the first one: /no/such/folder/images/0.ppm");
    assert_null(v);
    vo.images = NULL;
    vo.grid = "roi=paper";
    MUST_FAIL(gr_verify_outputs(&v, m, o.reference, &vo, &err), GR_ERR_ARG, "there is no switch 'roi'");
    MUST_FAIL(gr_verify_outputs(&v, m, "/no/such/file", NULL, &err), GR_ERR_IO, "/no/such/file");
    gr_model_close(m);
    test_outputs_remove(&o);
    gr_runtime_free(rt);
}

static void what_was_compared_before_a_cancellation_is_there(void **state)
{
    (void)state;
    gr_runtime *rt = test_runtime();
    gr_error err = { 0 };
    test_outputs o;
    gr_model *m;
    watcher w;
    gr_verification *v;
    gr_verify_summary s = { .size = sizeof s };
    gr_verify_options vo = options(&w);
    vo.grid = "max_tiles=4,mask_resample=nearest";
    test_outputs_make(rt, &o);
    MUST(gr_model_open(&m, rt, o.model.path, NULL, &err));
    test_outputs_write(rt, &o, "released", 4);
    w.stop_after = 2 * 4 + 3;
    assert_int_equal(gr_verify_outputs(&v, m, o.reference, &vo, &err), GR_ERR_CANCELLED);
    assert_non_null(v);
    err = (gr_error){ 0 };
    MUST(gr_verification_summary(v, &s, &err));
    assert_int_equal(s.compared, 2);
    assert_int_equal(gr_verification_row(v, 0)->identical, 2);
    gr_verification_free(v);
    gr_model_close(m);
    test_outputs_remove(&o);
    gr_runtime_free(rt);
}

/* --- the grid ------------------------------------------------------------------------------------------- */

static void grids_are_products_of_what_is_listed(void **state)
{
    (void)state;
    gr_error err = { 0 };
    static gr_grid g;
    MUST(gr_grid_parse(&g, "all", 8, &err));
    assert_int_equal(g.n, 16);
    assert_string_equal(g.rows[0].name, "roi_mode=released double_bos=on mask_resample=nearest max_tiles=8");
    assert_string_equal(g.rows[15].name, "roi_mode=paper double_bos=off mask_resample=bicubic max_tiles=16");
    for (size_t i = 0; i < g.n; i++) {
        assert_int_equal(g.rows[i].profile.value[GR_SWITCH_EXTRA_PROMPTS], 1);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(g.rows[i].name, g.rows[k].name);
    }
    MUST(gr_grid_parse(&g, NULL, 16, &err));
    assert_int_equal(g.n, 8);
    assert_string_equal(g.rows[0].name, "roi_mode=released double_bos=on mask_resample=nearest");
    MUST(gr_grid_parse(&g, "roi_mode=paper,max_tiles=36,max_tiles=config", 16, &err));
    assert_int_equal(g.n, 8);
    assert_string_equal(g.rows[0].name, "roi_mode=paper double_bos=on mask_resample=nearest max_tiles=36");
    assert_int_equal(g.rows[1].max_tiles, 16);
    MUST_FAIL(gr_grid_parse(&g, "", 16, &err), GR_ERR_ARG, "expected \"all\" or NAME=VALUE");
    MUST_FAIL(gr_grid_parse(&g, "roi_mode=paper,", 16, &err), GR_ERR_ARG, "expected \"all\" or NAME=VALUE");
    MUST_FAIL(gr_grid_parse(&g, "max_tiles=65", 16, &err), GR_ERR_ARG, "a number from 1 to 64");
    MUST_FAIL(gr_grid_parse(&g, "max_tiles=", 16, &err), GR_ERR_ARG, "a number from 1 to 64");
    MUST_FAIL(gr_grid_parse(&g, "roi_mode=x", 16, &err), GR_ERR_ARG, "switch roi_mode is 'x'");
    MUST_FAIL(
        gr_grid_parse(
            &g, "max_tiles=1,max_tiles=2,max_tiles=3,max_tiles=4,max_tiles=5,multi_bbox=last,multi_bbox=own",
            16, &err),
        GR_ERR_LIMIT, "80 combinations, at most 64");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_combination_that_made_the_outputs_is_named),
        cmocka_unit_test(a_grid_can_be_narrowed_and_items_limited),
        cmocka_unit_test(a_missing_picture_is_named_and_left_out),
        cmocka_unit_test(what_was_compared_before_a_cancellation_is_there),
        cmocka_unit_test(grids_are_products_of_what_is_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
