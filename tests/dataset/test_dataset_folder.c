/* Folders of shards: which files count, and what is said when they do not fit together. */
#include "test.h"

#include <sys/stat.h>

#include "base/alloc.h"
#include "base/file.h"
#include "dataset/dataset_folder.h"
#include "support/counting.h"
#include "support/tempdir.h"

#define ARROW(name) TEST_FILE("golden/arrow/" name)

typedef struct {
    gr_runtime *rt;
    test_dir dir;
    int n_warnings;
    char warning[256];
} bench;

static void hear(void *user, gr_log_level level, const char *line)
{
    bench *b = user;
    b->n_warnings += level == GR_LOG_WARNING;
    snprintf(b->warning, sizeof b->warning, "%s", line);
}

static void bench_init(bench *b)
{
    gr_runtime_options o;
    gr_error err = { 0 };
    *b = (bench){ .n_warnings = 0 };
    gr_runtime_options_init(&o);
    o.n_threads = 1;
    o.log = hear;
    o.log_user = b;
    MUST(gr_runtime_new(&b->rt, &o, &err));
    test_dir_make(&b->dir);
}

static void bench_fini(bench *b)
{
    test_dir_remove(&b->dir);
    gr_runtime_free(b->rt);
}

/* A copy of a golden file in the folder. */
static void put(bench *b, const char *from, const char *name)
{
    gr_error err = { 0 };
    char *bytes;
    size_t n;
    MUST(gr_file_read(b->rt, from, 1 << 20, &bytes, &n, &err));
    test_dir_write(&b->dir, name, bytes, n);
    gr_free(b->rt, bytes);
}

static void put_text(bench *b, const char *name, const char *text)
{
    test_dir_write(&b->dir, name, text, strlen(text));
}

static void refused(bench *b, const char *split, gr_status status, const char *part)
{
    gr_error err = { 0 };
    gr_dataset *d;
    MUST_FAIL(gr_dataset_open(&d, b->rt, b->dir.path, split, &err), status, part);
    assert_null(d);
}

static uint64_t count_rows(bench *b, const char *path)
{
    gr_error err = { 0 };
    gr_dataset *d;
    MUST(gr_dataset_open(&d, b->rt, path, NULL, &err));
    const uint64_t n = gr_dataset_n_rows(d);
    gr_dataset_close(d);
    return n;
}

static void rows_go_on_from_shard_to_shard(void **state)
{
    (void)state;
    static const int64_t labels[] = { 0, 1, -1, 1, 0, 0, 1 };
    bench b;
    gr_error err = { 0 };
    gr_dataset *d;
    gr_arrow_cursor *c;
    const gr_arrow_value *v;
    bench_init(&b);
    MUST(gr_dataset_open(&d, b.rt, ARROW("gar"), NULL, &err));
    MUST(gr_arrow_cursor_new(&c, b.rt, NULL, &err));
    assert_int_equal(gr_dataset_n_rows(d), 7);
    const int label = gr_arrow_find(gr_dataset_schema(d), "label");
    for (uint64_t i = 14; i-- > 0;) {
        MUST(gr_dataset_read(d, c, i % 7, label, &v, &err));
        assert_int_equal(v->kind == GR_VALUE_NULL ? -1 : v->as.integer, labels[i % 7]);
    }
    MUST_FAIL(gr_dataset_read(d, c, 7, label, &v, &err), GR_ERR_ARG, "gar: row 7 of 7");
    gr_arrow_cursor_free(c);
    gr_dataset_close(d);
    bench_fini(&b);
}

static void a_single_file_is_a_data_set(void **state)
{
    (void)state;
    bench b;
    gr_error err = { 0 };
    gr_dataset *d;
    bench_init(&b);
    assert_int_equal(count_rows(&b, ARROW("nested.arrow")), 8);
    MUST_FAIL(gr_dataset_open(&d, b.rt, ARROW("nested.arrow"), "train", &err), GR_ERR_ARG,
              "this is no folder of splits");
    MUST_FAIL(gr_dataset_open(&d, b.rt, ARROW("no.arrow"), NULL, &err), GR_ERR_IO, "no.arrow: cannot open");
    bench_fini(&b);
}

static void shards_without_a_state_are_taken_by_name_with_a_warning(void **state)
{
    (void)state;
    bench b;
    bench_init(&b);
    put(&b, ARROW("gar/data-00001-of-00003.arrow"), "data-00001-of-00003.arrow");
    put(&b, ARROW("gar/data-00000-of-00003.arrow"), "data-00000-of-00003.arrow");
    refused(&b, NULL, GR_ERR_FORMAT, "state.json is missing, and there are 2 of 3 shards");
    put(&b, ARROW("gar/data-00002-of-00003.arrow"), "data-00002-of-00003.arrow");
    put_text(&b, "data.arrow", "not a shard by its name");
    assert_int_equal(b.n_warnings, 0);
    assert_int_equal(count_rows(&b, b.dir.path), 7);
    assert_int_equal(b.n_warnings, 1);
    assert_non_null(strstr(b.warning, "state.json is missing; its 3 shards"));
    put(&b, ARROW("gar/data-00002-of-00003.arrow"), "data-00000-of-00001.arrow");
    refused(&b, NULL, GR_ERR_FORMAT, "expected");
    bench_fini(&b);
}

static void a_folder_without_shards_is_no_data_set(void **state)
{
    (void)state;
    bench b;
    bench_init(&b);
    refused(&b, NULL, GR_ERR_IO, "no data set: there is neither state.json nor a shard");
    put_text(&b, "state.json", "{\"_data_files\": []}");
    refused(&b, NULL, GR_ERR_FORMAT, "'_data_files' lists no shard");
    bench_fini(&b);
}

static void the_state_lists_the_shards_that_count(void **state)
{
    (void)state;
    bench b;
    bench_init(&b);
    put(&b, ARROW("gar/data-00000-of-00003.arrow"), "data-00000-of-00003.arrow");
    assert_int_equal(mkdir(test_dir_file(&b.dir, "sub"), 0777), 0);
    put(&b, ARROW("gar/data-00002-of-00003.arrow"), "sub/x.arrow");
    put_text(&b, "state.json",
             "{\"_data_files\": [{\"filename\": \"sub/x.arrow\", \"more\": 1}, "
             "{\"filename\": \"data-00000-of-00003.arrow\"}], \"_split\": null}");
    assert_int_equal(count_rows(&b, b.dir.path), 5);
    bench_fini(&b);
}

static void names_that_lead_out_of_the_folder_are_refused(void **state)
{
    (void)state;
    static const char *const names[] = { "/etc/passwd", "../x.arrow", "a/../../x.arrow", "..", "a/..", "" };
    bench b;
    bench_init(&b);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char text[200];
        snprintf(text, sizeof text, "{\"_data_files\": [{\"filename\": \"%s\"}]}", names[i]);
        put_text(&b, "state.json", text);
        refused(&b, NULL, GR_ERR_FORMAT, "leads out of the folder");
    }
    put_text(&b, "state.json", "{\"_data_files\": [{\"filename\": \"..a/b..arrow\"}]}");
    refused(&b, NULL, GR_ERR_IO, "cannot open"); /* a name like any other */
    bench_fini(&b);
}

static void a_state_of_another_form_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *part;
    } rows[] = {
        { "{}", "'_data_files', the list of shards, is missing" },
        { "[]", "state.json: line 1, column 1" },
        { "{\"_data_files\": [{}]}", "a data file without 'filename'" },
        { "{\"_data_files\": [{\"filename\": 3}]}", "state.json: line 1" },
        { "{\"_data_files\": [{\"filename\": \"a\"}", "state.json: line 1" },
    };
    bench b;
    bench_init(&b);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        put_text(&b, "state.json", rows[i].text);
        refused(&b, NULL, GR_ERR_FORMAT, rows[i].part);
    }
    bench_fini(&b);
}

static void shards_have_the_same_columns(void **state)
{
    (void)state;
    bench b;
    bench_init(&b);
    put(&b, ARROW("nested.arrow"), "a.arrow");
    put(&b, ARROW("plain.arrow"), "b.arrow");
    put_text(&b, "state.json",
             "{\"_data_files\": [{\"filename\": \"a.arrow\"}, {\"filename\": \"b.arrow\"}]}");
    refused(&b, NULL, GR_ERR_FORMAT, "b.arrow: column 'nothing' where 'list' is expected as in");
    bench_fini(&b);
}

static void a_split_has_to_be_clear(void **state)
{
    (void)state;
    bench b;
    gr_error err = { 0 };
    gr_dataset *d;
    bench_init(&b);
    MUST_FAIL(gr_dataset_open(&d, b.rt, ARROW("splits"), NULL, &err), GR_ERR_ARG,
              "splits: which split is meant? It has 'train', 'test'");
    MUST_FAIL(gr_dataset_open(&d, b.rt, ARROW("splits"), "val", &err), GR_ERR_ARG,
              "there is no split 'val'; it has 'train', 'test'");
    MUST_FAIL(gr_dataset_open(&d, b.rt, ARROW("gar"), "train", &err), GR_ERR_ARG,
              "dataset_dict.json is missing");
    assert_int_equal(mkdir(test_dir_file(&b.dir, "only"), 0777), 0);
    put(&b, ARROW("gar/data-00000-of-00003.arrow"), "only/data-00000-of-00001.arrow");
    put_text(&b, "dataset_dict.json", "{\"splits\": [\"only\"]}");
    assert_int_equal(count_rows(&b, b.dir.path), 3);
    put_text(&b, "dataset_dict.json", "{\"splits\": [\"..\"]}");
    refused(&b, NULL, GR_ERR_FORMAT, "leads out of the folder");
    put_text(&b, "dataset_dict.json", "{\"splits\": [\"a/b\"]}");
    refused(&b, NULL, GR_ERR_FORMAT, "'a/b' is no name of a split");
    put_text(&b, "dataset_dict.json", "{}");
    refused(&b, NULL, GR_ERR_FORMAT, "'splits', the list of splits, is missing");
    bench_fini(&b);
}

static gr_hash hash_of(bench *b, const char *path)
{
    gr_error err = { 0 };
    gr_dataset *d;
    MUST(gr_dataset_open(&d, b->rt, path, NULL, &err));
    const gr_hash h = gr_dataset_hash(d);
    gr_dataset_close(d);
    return h;
}

static void the_hash_tells_data_sets_apart(void **state)
{
    (void)state;
    bench b;
    bench_init(&b);
    for (int i = 0; i < 3; i++) {
        char from[400], name[64];
        snprintf(name, sizeof name, "data-%05d-of-00003.arrow", i);
        snprintf(from, sizeof from, "%s/%s", ARROW("gar"), name);
        put(&b, from, name);
    }
    put(&b, ARROW("gar/state.json"), "state.json");
    const gr_hash gar = hash_of(&b, ARROW("gar"));
    assert_true(gr_hash_same(gar, hash_of(&b, b.dir.path))); /* wherever it lies */
    assert_false(gr_hash_same(gar, hash_of(&b, ARROW("gar/data-00000-of-00003.arrow"))));
    assert_false(gr_hash_same(hash_of(&b, ARROW("nested.arrow")), hash_of(&b, ARROW("legacy.arrow"))));
    put_text(&b, "state.json",
             "{\"_data_files\": [{\"filename\": \"data-00000-of-00003.arrow\"}, "
             "{\"filename\": \"data-00001-of-00003.arrow\"}, {\"filename\": \"data-00002-of-00003.arrow\"}], "
             "\"_fingerprint\": \"0123456789abcdee\"}");
    assert_false(gr_hash_same(gar, hash_of(&b, b.dir.path)));
    bench_fini(&b);
}

static void every_failed_allocation_is_a_sentence_and_nothing_is_lost(void **state)
{
    (void)state;
    static const struct {
        const char *path, *split;
    } rows[] = { { ARROW("gar"), NULL }, { ARROW("splits"), "test" } };
    for (size_t k = 0; k < 2; k++) {
        counting count = { 0 };
        gr_runtime *rt = counting_runtime(&count, 1);
        const size_t before = count.now;
        bool failed = true;
        for (size_t n = 1; failed; n++) {
            gr_error err = { 0 };
            gr_dataset *d;
            count.fail_at = count.calls + n;
            failed = gr_dataset_open(&d, rt, rows[k].path, rows[k].split, &err) != GR_OK;
            assert_true(!failed || (err.status == GR_ERR_MEM && err.msg[0]));
            gr_dataset_close(d);
            assert_int_equal(count.now, before);
        }
        gr_runtime_free(rt);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_go_on_from_shard_to_shard),
        cmocka_unit_test(a_single_file_is_a_data_set),
        cmocka_unit_test(shards_without_a_state_are_taken_by_name_with_a_warning),
        cmocka_unit_test(a_folder_without_shards_is_no_data_set),
        cmocka_unit_test(the_state_lists_the_shards_that_count),
        cmocka_unit_test(names_that_lead_out_of_the_folder_are_refused),
        cmocka_unit_test(a_state_of_another_form_is_refused),
        cmocka_unit_test(shards_have_the_same_columns),
        cmocka_unit_test(a_split_has_to_be_clear),
        cmocka_unit_test(the_hash_tells_data_sets_apart),
        cmocka_unit_test(every_failed_allocation_is_a_sentence_and_nothing_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
