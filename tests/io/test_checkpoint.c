#include "test.h"

#include "io/checkpoint.h"
#include "io/safetensors.h"
#include "io/shard_index.h"
#include "support/tempdir.h"

#define A "model-00001-of-00002.safetensors"
#define B "model-00002-of-00002.safetensors"
#define I "model.safetensors.index.json"

typedef struct {
    gr_runtime *rt;
    test_dir dir;
    int n_warnings;
    char warning[1024];
} fixture;

static void note(void *user, gr_log_level level, const char *line)
{
    fixture *f = user;
    if (level == GR_LOG_WARNING) {
        f->n_warnings++;
        snprintf(f->warning, sizeof f->warning, "%s", line);
    }
}

static int setup(void **state)
{
    static fixture f;
    gr_error err = { 0 };
    gr_runtime_options o;
    f = (fixture){ 0 };
    gr_runtime_options_init(&o);
    o.n_threads = 1;
    o.log = note;
    o.log_user = &f;
    MUST(gr_runtime_new(&f.rt, &o, &err));
    test_dir_make(&f.dir);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    test_dir_remove(&f->dir);
    gr_runtime_free(f->rt);
    return 0;
}

/* A file whose tensors of two bytes hold the letters of `names`, doubled: "ab" gives a = "aa", b = "bb". */
static void put(fixture *f, const char *file, const char *names)
{
    gr_error err = { 0 };
    gr_tensor_spec specs[8];
    char text[8][2];
    const size_t n = strlen(names);
    for (size_t i = 0; i < n; i++) {
        text[i][0] = names[i], text[i][1] = '\0';
        specs[i] = (gr_tensor_spec){ text[i], GR_DTYPE_U8, 1, { 2 } };
    }
    gr_safetensors_writer *w;
    MUST(gr_safetensors_writer_open(&w, f->rt, test_dir_file(&f->dir, file), specs, n, NULL, &err));
    for (size_t i; (i = gr_safetensors_writer_next(w)) < n;) {
        const char data[] = { names[i], names[i] };
        MUST(gr_safetensors_writer_add(w, data, 2, &err));
    }
    MUST(gr_safetensors_writer_commit(w, &err));
}

static void put_index(fixture *f, const char *map)
{
    char text[1024];
    snprintf(text, sizeof text, "{\"metadata\":{\"total_size\":6},\"weight_map\":{%s}}", map);
    test_dir_write(&f->dir, I, text, strlen(text));
}

static void check(const gr_checkpoint *c, const char *name)
{
    const gr_stored *t = gr_checkpoint_find(c, name);
    assert_non_null(t);
    assert_int_equal(t->bytes, 2);
    gr_error err = { 0 };
    char data[2];
    MUST(gr_stored_read(t, 0, data, 2, &err));
    assert_true(data[0] == name[0] && data[1] == name[0]);
}

static void one_file_is_found_in_a_folder_or_by_name(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    gr_checkpoint *c;
    put(f, "model.safetensors", "ba");
    for (int i = 0; i < 2; i++) {
        MUST(gr_checkpoint_open(&c, f->rt, i ? test_dir_file(&f->dir, "model.safetensors") : f->dir.path,
                                &err));
        assert_int_equal(gr_checkpoint_count(c), 2);
        assert_string_equal(gr_checkpoint_at(c, 0)->name, "a");
        check(c, "a");
        check(c, "b");
        assert_null(gr_checkpoint_find(c, "c"));
        assert_non_null(strstr(gr_checkpoint_at(c, 0)->file, "model.safetensors"));
        gr_checkpoint_close(c);
    }
    assert_int_equal(f->n_warnings, 0);
}

static void shards_are_one_list(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    gr_checkpoint *c;
    put(f, A, "ca");
    put(f, B, "b");
    put_index(f, "\"a\":\"" A "\",\"b\":\"" B "\",\"c\":\"" A "\"");
    MUST(gr_checkpoint_open(&c, f->rt, f->dir.path, &err));
    assert_int_equal(gr_checkpoint_count(c), 3);
    assert_int_equal(gr_checkpoint_n_files(c), 2);
    check(c, "a");
    check(c, "b");
    check(c, "c");
    assert_int_equal(f->n_warnings, 0);
    gr_checkpoint_close(c);
}

static void what_the_index_does_not_need_is_reported(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    gr_checkpoint *c;
    put(f, A, "ax");
    put(f, B, "b");
    put(f, "adapter.safetensors", "q");
    put_index(f, "\"a\":\"" A "\",\"b\":\"" B "\"");
    MUST(gr_checkpoint_open(&c, f->rt, f->dir.path, &err));
    check(c, "x");
    assert_null(gr_checkpoint_find(c, "q"));
    assert_int_equal(f->n_warnings, 2);
    assert_non_null(strstr(f->warning, "adapter.safetensors is not part of the checkpoint"));
    gr_checkpoint_close(c);
}

static void broken_folders_are_refused_by_name(void **state)
{
    fixture *f = *state;
    gr_error err = { 0 };
    gr_checkpoint *c;
    const char *dir = f->dir.path;
    MUST_FAIL(gr_checkpoint_open(&c, f->rt, test_dir_file(&f->dir, "none"), &err), GR_ERR_IO,
              "no such folder");
    MUST_FAIL(gr_checkpoint_open(&c, f->rt, dir, &err), GR_ERR_IO, "holds neither model.safetensors nor");
    test_dir_write(&f->dir, "pytorch_model.bin", "x", 1);
    MUST_FAIL(gr_checkpoint_open(&c, f->rt, dir, &err), GR_ERR_UNSUPPORTED, "holds pytorch_model.bin");
    MUST_FAIL(gr_checkpoint_open(&c, f->rt, test_dir_file(&f->dir, "pytorch_model.bin"), &err),
              GR_ERR_UNSUPPORTED, "expected a folder or a .safetensors file");

    put(f, A, "a");
    put_index(f, "\"a\":\"" A "\",\"b\":\"" B "\"");
    MUST_FAIL(gr_checkpoint_open(&c, f->rt, dir, &err), GR_ERR_IO, "names " B ", which is missing");
    put(f, B, "c");
    MUST_FAIL(gr_checkpoint_open(&c, f->rt, dir, &err), GR_ERR_FORMAT, "tensor 'b' is not in " B);
    put_index(f, "\"a\":\"" A "\",\"c\":\"" A "\",\"d\":\"" B "\"");
    MUST_FAIL(gr_checkpoint_open(&c, f->rt, dir, &err), GR_ERR_FORMAT, "'c' should be in " A ", it is in " B);
    put(f, B, "ac");
    put_index(f, "\"a\":\"" A "\",\"c\":\"" B "\"");
    MUST_FAIL(gr_checkpoint_open(&c, f->rt, dir, &err), GR_ERR_FORMAT, "tensor 'a' is in model-0000");
    test_dir_write(&f->dir, B, "short", 5);
    MUST_FAIL(gr_checkpoint_open(&c, f->rt, dir, &err), GR_ERR_FORMAT, B ": 5 bytes, a safetensors file has");
    test_dir_write(&f->dir, B, "", 0);
    MUST_FAIL(gr_checkpoint_open(&c, f->rt, dir, &err), GR_ERR_FORMAT, B ": 0 bytes");
    test_dir_write(&f->dir, I, "", 0);
    MUST_FAIL(gr_checkpoint_open(&c, f->rt, dir, &err), GR_ERR_FORMAT, I ": line 1, column 1");
    assert_null(c);
}

static void broken_indices_are_refused(void **state)
{
    static const struct {
        const char *text, *part;
    } cases[] = {
        { "{\"weight_map\":{}}", "names no tensor" },
        { "{}", "there is no 'weight_map'" },
        { "{\"weight_map\":{\"a\":\"x.safetensors\"},\"weight_map\":{}}", "'weight_map' twice" },
        { "{\"weight_map\":{\"a\":\"x.safetensors\",\"a\":\"x.safetensors\"}}", "tensor 'a' twice" },
        { "{\"weight_map\":{\"a\":\"../x.safetensors\"}}", "not the name of a .safetensors file" },
        { "{\"weight_map\":{\"a\":\"/x.safetensors\"}}", "not the name of a .safetensors file" },
        { "{\"weight_map\":{\"a\":\"..\"}}", "not the name of a .safetensors file" },
        { "{\"weight_map\":{\"a\":\".safetensors\"}}", "not the name of a .safetensors file" },
        { "{\"weight_map\":{\"a\":\"x.bin\"}}", "not the name of a .safetensors file" },
        { "{\"weight_map\":{\"a\":3}}", "expected a string" },
        { "{\"weight_map\":[]}", "expected an object" },
        { "[]", "expected an object" },
        { "{\"weight_map\":{\"a\":\"x.safetensors\"}} x", "expected the end" },
    };
    fixture *f = *state;
    gr_error err = { 0 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gr_shard_index x;
        MUST_FAIL(gr_shard_index_parse(&x, f->rt, cases[i].text, strlen(cases[i].text), "i.json", &err),
                  GR_ERR_FORMAT, cases[i].part);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_file_is_found_in_a_folder_or_by_name, setup, teardown),
        cmocka_unit_test_setup_teardown(shards_are_one_list, setup, teardown),
        cmocka_unit_test_setup_teardown(what_the_index_does_not_need_is_reported, setup, teardown),
        cmocka_unit_test_setup_teardown(broken_folders_are_refused_by_name, setup, teardown),
        cmocka_unit_test_setup_teardown(broken_indices_are_refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
