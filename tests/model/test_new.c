#include "test.h"

#include "grasp/model.h"
#include "grasp/new.h"
#include "support/tempdir.h"

typedef struct {
    test_dir dir;
    gr_runtime *rt;
} fixture;

static int setup(void **state)
{
    static fixture f;
    test_dir_make(&f.dir);
    f.rt = test_runtime();
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    gr_runtime_free(f->rt);
    test_dir_remove(&f->dir);
    return 0;
}

static void every_preset_has_a_size_and_the_published_ones_theirs(void **state)
{
    static const struct {
        const char *name;
        int tensors, files;
        int64_t parameters;
    } want[] = { { "gar-1b", 478, 1, 1534139392 },
                 { "gar-8b", 958, 4, 0 },
                 { "gar-test", 0, 1, 0 },
                 { "gar-small", 113, 1, 7621888 } };
    fixture *f = *state;
    gr_error err = { 0 };
    size_t n = 0;
    for (; gr_new_preset(n); n++) {
        gr_new_size size;
        assert_true(n < sizeof want / sizeof *want);
        assert_string_equal(gr_new_preset(n), want[n].name);
        MUST(gr_new_measure(&size, f->rt, gr_new_preset(n), NULL, &err));
        assert_true(want[n].tensors == 0 || size.tensors == want[n].tensors);
        assert_true(want[n].parameters == 0 || size.parameters == want[n].parameters);
        assert_int_equal(size.files, want[n].files);
        assert_int_equal(size.bytes, (uint64_t)size.parameters * gr_dtype_bytes(size.dtype));
    }
    assert_int_equal(n, sizeof want / sizeof *want);
}

static bool keep_last(void *user, uint64_t done, uint64_t total)
{
    uint64_t *last = user;
    last[0] = done;
    last[1] = total;
    return true;
}

static void what_was_measured_is_what_is_made(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    gr_new_size size;
    gr_new_options o;
    uint64_t last[2] = { 0 };
    gr_new_options_init(&o);
    o.seed = 3;
    o.dtype = GR_DTYPE_F16;
    o.shard_bytes = 300000;
    o.progress = keep_last;
    o.progress_user = last;
    MUST(gr_new_measure(&size, f->rt, "gar-test", &o, &err));
    MUST(gr_checkpoint_new(f->rt, "gar-test", test_dir_file(&f->dir, "m"), &o, &err));
    assert_true(size.files > 2 && last[0] == size.bytes && last[1] == size.bytes);

    gr_model *m;
    gr_model_info info = { .size = sizeof info };
    MUST(gr_model_open(&m, f->rt, test_dir_file(&f->dir, "m"), NULL, &err));
    MUST(gr_model_describe(m, &info, &err));
    assert_int_equal(info.tensors, size.tensors);
    assert_int_equal(info.parameters, size.parameters);
    assert_int_equal(info.stored_bytes, size.bytes);
    assert_string_equal(info.dtypes, "F16");
    char shard[64];
    snprintf(shard, sizeof shard, "m/model-%05d-of-%05d.safetensors", size.files, size.files);
    assert_int_equal(access(test_dir_file(&f->dir, shard), R_OK), 0);
    gr_model_close(m);
}

static void wrong_options_are_refused_and_leave_nothing(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    gr_new_options o;
    gr_new_size size;
    const char *dir = test_dir_file(&f->dir, "m");
    gr_new_options_init(&o);
    MUST_FAIL(gr_checkpoint_new(f->rt, "gar-2b", dir, &o, &err), GR_ERR_ARG, "there is no preset 'gar-2b'");
    MUST_FAIL(gr_new_measure(&size, f->rt, "gar-2b", &o, &err), GR_ERR_ARG, "there is no preset 'gar-2b'");
    o.dtype = GR_DTYPE_I32;
    MUST_FAIL(gr_checkpoint_new(f->rt, "gar-test", dir, &o, &err), GR_ERR_ARG, "type I32");
    MUST_FAIL(gr_new_measure(&size, f->rt, "gar-test", &o, &err), GR_ERR_ARG, "type I32");
    o.size -= 8;
    MUST_FAIL(gr_checkpoint_new(f->rt, "gar-test", dir, &o, &err), GR_ERR_ARG, "gr_new_options.size");
    assert_int_equal(test_dir_count(&f->dir), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(every_preset_has_a_size_and_the_published_ones_theirs),
        TEST(what_was_measured_is_what_is_made),
        TEST(wrong_options_are_refused_and_leave_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
