/* Streams and folders that pyarrow and datasets wrote (tests/golden/make/make_arrow.py) give the rows that
 * these libraries were given. */
#include "test.h"

#include "dataset/arrow_compress.h"
#include "dataset/dataset_folder.h"
#include "support/arrow_rows.h"

#define ARROW(name) TEST_FILE("golden/arrow/" name)

typedef struct {
    gr_runtime *rt;
    gr_arrow_cursor *cursor;
} bench;

static bench bench_new(size_t cache_bytes)
{
    gr_error err = { 0 };
    bench b = { .rt = test_runtime_threads(1) };
    MUST(
        gr_arrow_cursor_new(&b.cursor, b.rt, &(gr_arrow_cursor_options){ .cache_bytes = cache_bytes }, &err));
    return b;
}

static void bench_free(bench *b)
{
    gr_arrow_cursor_free(b->cursor);
    gr_runtime_free(b->rt);
}

static void expect(const char *stream, const char *rows, size_t cache_bytes)
{
    bench b = bench_new(cache_bytes);
    gr_error err = { 0 };
    gr_arrow_file *f;
    char path[512];
    snprintf(path, sizeof path, "%s/%s.arrow", TEST_FILE("golden/arrow"), stream);
    MUST(gr_arrow_file_open(&f, b.rt, path, &err));
    arrow_expect_rows(b.rt, b.cursor, (const gr_arrow_file *const *)&f, 1, rows, false);
    gr_arrow_cursor_forget(b.cursor, f);
    gr_arrow_file_close(f);
    bench_free(&b);
}

static void every_type_without_children_is_read(void **state)
{
    (void)state;
    expect("plain", "plain", 0);
}

static void lists_structs_and_maps_are_read_at_any_depth(void **state)
{
    (void)state;
    expect("nested", "nested", 0);
}

static void a_batch_may_be_a_slice_of_a_longer_one(void **state)
{
    (void)state;
    expect("sliced", "sliced", 0);
}

static void streams_without_continuation_markers_are_read(void **state)
{
    (void)state;
    expect("legacy", "legacy", 0);
}

static void a_random_access_file_is_read_as_the_stream_in_it(void **state)
{
    (void)state;
    expect("random_access", "random_access", 0);
}

static void dictionaries_are_replaced_and_appended_to(void **state)
{
    (void)state;
    expect("dictionary_replaced", "dictionary_replaced", 0);
    expect("dictionary_delta", "dictionary_delta", 0);
}

static void columns_that_are_not_read_do_not_disturb_the_others(void **state)
{
    (void)state;
    expect("passed_over", "passed_over", 0);
    bench b = bench_new(0);
    gr_error err = { 0 };
    gr_arrow_file *f;
    const gr_arrow_value *v;
    MUST(gr_arrow_file_open(&f, b.rt, ARROW("passed_over.arrow"), &err));
    MUST_FAIL(gr_arrow_cursor_read(b.cursor, f, 2, gr_arrow_find(&f->schema, "view"), &v, &err),
              GR_ERR_UNSUPPORTED,
              "row 2 (row 2 of record batch 0): column 'view': values of the type utf8_view");
    gr_arrow_cursor_forget(b.cursor, f);
    gr_arrow_file_close(f);
    bench_free(&b);
}

static void compressed_streams_are_read_or_name_the_library_that_is_missing(void **state)
{
    (void)state;
    static const struct {
        gr_arrow_codec codec;
        const char *name, *missing;
    } rows[] = { { GR_ARROW_LZ4, "lz4", "compressed with LZ4, which needs liblz4" },
                 { GR_ARROW_ZSTD, "zstd", "compressed with ZSTD, which needs libzstd" } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (gr_arrow_can_unpack(rows[i].codec)) {
            expect(rows[i].name, "compressed", 0);
            continue;
        }
        bench b = bench_new(0);
        gr_error err = { 0 };
        gr_arrow_file *f;
        const gr_arrow_value *v;
        char path[512];
        snprintf(path, sizeof path, "%s/%s.arrow", TEST_FILE("golden/arrow"), rows[i].name);
        MUST(gr_arrow_file_open(&f, b.rt, path, &err));
        MUST_FAIL(gr_arrow_cursor_read(b.cursor, f, 20, gr_arrow_find(&f->schema, "list"), &v, &err),
                  GR_ERR_UNSUPPORTED, rows[i].missing);
        gr_arrow_cursor_forget(b.cursor, f);
        gr_arrow_file_close(f);
        bench_free(&b);
    }
}

static void what_the_cache_holds_does_not_change_the_rows(void **state)
{
    (void)state;
    expect("nested", "nested", 1); /* nothing but the batch in use */
    expect("dictionary_delta", "dictionary_delta", 1);
}

static void expect_folder(const char *path, const char *split, const char *rows, size_t n_shards, bool lists)
{
    bench b = bench_new(0);
    gr_error err = { 0 };
    gr_dataset *d;
    const gr_arrow_file *files[8];
    MUST(gr_dataset_open(&d, b.rt, path, split, &err));
    assert_int_equal(gr_dataset_n_shards(d), n_shards);
    assert_string_equal(gr_dataset_fingerprint(d), "0123456789abcdef");
    for (size_t i = 0; i < n_shards; i++)
        files[i] = gr_dataset_shard(d, i);
    arrow_expect_rows(b.rt, b.cursor, files, n_shards, rows, lists);
    gr_arrow_cursor_forget(b.cursor, NULL);
    gr_dataset_close(d);
    bench_free(&b);
}

static void a_saved_data_set_is_read_shard_by_shard(void **state)
{
    (void)state;
    expect_folder(ARROW("gar"), NULL, "gar", 3, false);
}

static void a_split_is_chosen_by_name_and_a_sequence_of_objects_is_a_list(void **state)
{
    (void)state;
    expect_folder(ARROW("splits"), "train", "splits-train", 1, true);
    expect_folder(ARROW("splits"), "test", "splits-test", 1, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_without_children_is_read),
        cmocka_unit_test(lists_structs_and_maps_are_read_at_any_depth),
        cmocka_unit_test(a_batch_may_be_a_slice_of_a_longer_one),
        cmocka_unit_test(streams_without_continuation_markers_are_read),
        cmocka_unit_test(a_random_access_file_is_read_as_the_stream_in_it),
        cmocka_unit_test(dictionaries_are_replaced_and_appended_to),
        cmocka_unit_test(columns_that_are_not_read_do_not_disturb_the_others),
        cmocka_unit_test(compressed_streams_are_read_or_name_the_library_that_is_missing),
        cmocka_unit_test(what_the_cache_holds_does_not_change_the_rows),
        cmocka_unit_test(a_saved_data_set_is_read_shard_by_shard),
        cmocka_unit_test(a_split_is_chosen_by_name_and_a_sequence_of_objects_is_a_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
