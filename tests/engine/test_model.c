#include "test.h"

#include "grasp/engine.h"
#include "grasp/new.h"
#include "support/tempdir.h"

typedef struct {
    test_dir dir;
    gr_runtime *rt;
    gr_model *model;
} fixture;

static int setup(void **state)
{
    static fixture f;
    gr_error err = { 0 };
    test_dir_make(&f.dir);
    f.rt = test_runtime();
    MUST(gr_checkpoint_new(f.rt, "gar-test", test_dir_file(&f.dir, "m"), NULL, &err));
    MUST(gr_model_open(&f.model, f.rt, test_dir_file(&f.dir, "m"), NULL, &err));
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    gr_model_close(f->model);
    gr_runtime_free(f->rt);
    test_dir_remove(&f->dir);
    return 0;
}

/* 112 px a tile, 4 tiles at most. */
static void a_picture_is_cut_into_the_tiles_that_suit_it(void **state)
{
    static const struct {
        int width, height, max_tiles, across, down;
    } cases[] = {
        { 100, 100, 0, 2, 2 }, { 200, 200, 0, 2, 2 }, { 400, 100, 0, 4, 1 }, { 100, 400, 0, 1, 4 },
        { 400, 400, 0, 2, 2 }, { 400, 400, 1, 1, 1 }, { 400, 400, 9, 3, 3 },
    };
    fixture *f = *state;
    gr_error err = { 0 };
    int across = 0, down = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        MUST(gr_model_tiles(f->model, cases[i].width, cases[i].height, cases[i].max_tiles, &across, &down,
                            &err));
        if (across != cases[i].across || down != cases[i].down)
            fail_msg("case %zu: %d x %d tiles, expected %d x %d", i, across, down, cases[i].across,
                     cases[i].down);
    }
    MUST_FAIL(gr_model_tiles(f->model, 0, 5, 0, &across, &down, &err), GR_ERR_ARG, "0");
    MUST_FAIL(gr_model_tiles(f->model, 5, 5, 65, &across, &down, &err), GR_ERR_ARG, "65");
}

static void parts_make_up_the_model(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    gr_model_info info = { .size = sizeof info };
    MUST(gr_model_describe(f->model, &info, &err));
    int tensors = 0;
    int64_t parameters = 0;
    uint64_t bytes = 0;
    for (int i = 0; i < GR_MODEL_PARTS; i++) {
        tensors += info.parts[i].tensors;
        parameters += info.parts[i].parameters;
        bytes += info.parts[i].stored_bytes;
    }
    assert_int_equal(tensors, info.tensors);
    assert_int_equal(parameters, info.parameters);
    assert_int_equal(bytes, info.stored_bytes);
    assert_int_equal(info.tokens, 296);
    assert_null(info.license);
    info.size -= 8;
    MUST_FAIL(gr_model_describe(f->model, &info, &err), GR_ERR_ARG, "gr_model_info.size");
}

/* What is larger takes more, in its own item; the limits are checked before anything is built. */
static void memory_follows_what_is_asked_for(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    gr_memory small, large;
    gr_engine_options o;
    gr_engine_options_init(&o);
    o.max_context = 100;
    o.max_tiles = o.max_regions = 1;
    MUST(gr_engine_measure(f->model, &o, &small, &err));
    assert_int_equal(small.total,
                     small.weights + small.kv + small.arena + small.features + small.buffers + small.picture);
    o.max_context = 1000;
    MUST(gr_engine_measure(f->model, &o, &large, &err));
    assert_true(large.kv > small.kv && large.features == small.features && large.picture == small.picture);
    o.max_context = 100;
    o.max_tiles = 4;
    MUST(gr_engine_measure(f->model, &o, &large, &err));
    assert_true(large.kv == small.kv && large.features > small.features && large.picture > small.picture);
    o.max_context = 5000;
    MUST_FAIL(gr_engine_measure(f->model, &o, &large, &err), GR_ERR_LIMIT, "5000");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_picture_is_cut_into_the_tiles_that_suit_it),
        TEST(parts_make_up_the_model),
        TEST(memory_follows_what_is_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
