/* Streams are indexed message by message, and what is wrong with one is told. */
#include "test.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/file.h"
#include "dataset/arrow_cursor.h"
#include "support/arrow_stream.h"
#include "support/tempdir.h"

#define NESTED TEST_FILE("golden/arrow/nested.arrow")

static const gr_arrow_field one[] = { { .name = "n", .type = GR_ARROW_INT, .width = 1, .is_signed = true } };

typedef struct {
    gr_runtime *rt;
    gr_buf stream;
    gr_arrow_file *file;
} bench;

static bench bench_new(void)
{
    bench b = { .rt = test_runtime_threads(1) };
    gr_buf_init(&b.stream, b.rt, 1 << 20);
    return b;
}

static void bench_free(bench *b)
{
    gr_arrow_file_close(b->file);
    gr_buf_fini(&b->stream);
    gr_runtime_free(b->rt);
}

static gr_status parse(bench *b, gr_error *err)
{
    gr_arrow_file_close(b->file);
    return gr_arrow_file_parse(&b->file, b->rt, b->stream.data, b->stream.len, "s.arrow", err);
}

/* The stream so far is refused; it begins anew. */
static void refused(bench *b, gr_status status, const char *part)
{
    gr_error err = { 0 };
    MUST_FAIL(parse(b, &err), status, part);
    assert_null(b->file);
    gr_buf_clear(&b->stream);
}

/* n rows of i8 zeros. */
static void add_batch(bench *b, int64_t n)
{
    const int64_t nodes[][2] = { { n, 0 } }, buffers[][2] = { { 0, 0 }, { 0, n } };
    static const uint8_t zeros[64];
    arrow_stream_batch(&b->stream,
                       &(arrow_batch_spec){ n, ARROW_PAIRS(nodes), ARROW_PAIRS(buffers), zeros,
                                            (size_t)(n + 7) / 8 * 8, GR_ARROW_RAW, false, false, 0 });
}

static void rows_are_found_in_batches_and_empty_ones_hold_none(void **state)
{
    (void)state;
    static const int64_t rows[] = { 0, 3, 0, 0, 1, 40, 0 };
    static const size_t batch_of[] = { 1, 1, 1, 4, 5, 5 };
    bench b = bench_new();
    gr_error err = { 0 };
    arrow_stream_schema(&b.stream, one, 1);
    MUST(parse(&b, &err));
    assert_int_equal(b.file->n_rows, 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        add_batch(&b, rows[i]);
    MUST(parse(&b, &err));
    assert_int_equal(b.file->n_batches, 7);
    assert_int_equal(b.file->n_rows, 44);
    for (uint64_t row = 0; row < 44; row++)
        assert_int_equal(gr_arrow_file_batch_of(b.file, row), batch_of[row < 5 ? row : 5]);
    bench_free(&b);
}

static void a_stream_begins_with_one_schema(void **state)
{
    (void)state;
    bench b = bench_new();
    refused(&b, GR_ERR_FORMAT, "s.arrow: an Arrow stream without a schema");
    arrow_stream_end(&b.stream);
    refused(&b, GR_ERR_FORMAT, "without a schema");
    add_batch(&b, 1);
    refused(&b, GR_ERR_FORMAT, "message 0, at byte 0: a batch before the schema");
    arrow_stream_schema(&b.stream, one, 1);
    arrow_stream_schema(&b.stream, one, 1);
    refused(&b, GR_ERR_FORMAT, "message 1, at byte ");
    bench_free(&b);
}

static void messages_of_other_versions_and_kinds_are_refused(void **state)
{
    (void)state;
    static const struct {
        arrow_message_head head;
        gr_status status;
        const char *part;
    } rows[] = {
        { { 2, GR_ARROW_SCHEMA, 0 }, GR_ERR_UNSUPPORTED, "metadata version 2, versions 3 and 4" },
        { { 5, GR_ARROW_SCHEMA, 0 }, GR_ERR_UNSUPPORTED, "metadata version 5" },
        { { 4, 4, 0 }, GR_ERR_UNSUPPORTED, "a message of kind 4" },
        { { 4, 0, 0 }, GR_ERR_UNSUPPORTED, "a message of kind 0" },
        { { 4, GR_ARROW_SCHEMA, 8 }, GR_ERR_FORMAT, "a schema with a body" },
        { { 4, GR_ARROW_SCHEMA, -8 }, GR_ERR_FORMAT, "a body of -8 bytes" },
    };
    bench b = bench_new();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        arrow_stream_odd(&b.stream, &rows[i].head);
        refused(&b, rows[i].status, rows[i].part);
    }
    arrow_stream_schema(&b.stream, one, 1);
    arrow_stream_odd(&b.stream, &(arrow_message_head){ 4, GR_ARROW_DICTIONARY_BATCH, 0 });
    refused(&b, GR_ERR_FORMAT, "a dictionary without values");
    arrow_stream_schema(&b.stream, one, 1);
    arrow_stream_odd(&b.stream, &(arrow_message_head){ 4, GR_ARROW_RECORD_BATCH, 5000 });
    refused(&b, GR_ERR_FORMAT, "a body of 5000 bytes where 4096 are left: the file is cut off");
    bench_free(&b);
}

static void what_is_no_stream_is_refused_before_memory_is_taken(void **state)
{
    (void)state;
    bench b = bench_new();
    gr_buf_text(&b.stream, "{}");
    refused(&b, GR_ERR_FORMAT, "2 bytes left, expected at least 4");
    gr_buf_text(&b.stream, "{\"rows\": []}");
    refused(&b, GR_ERR_FORMAT, "bytes of metadata announced and 8 left: this is no Arrow stream");
    gr_buf_add(&b.stream, "\xff\xff\xff\xff\1", 5);
    refused(&b, GR_ERR_FORMAT, "5 bytes left, expected at least 8");
    gr_buf_add(&b.stream, "\xff\xff\xff\xff\x08\0\0\0\xff\xff\xff\x7f\0\0\0\0", 16);
    refused(&b, GR_ERR_FORMAT, "the metadata have a table outside of the metadata");
    bench_free(&b);
}

/* A stream may be cut between messages: then it has fewer batches. Anywhere else the file is refused. */
static void a_file_that_is_cut_off_is_refused(void **state)
{
    (void)state;
    bench b = bench_new();
    gr_error err = { 0 };
    char *whole;
    size_t size, opened = 0;
    MUST(gr_file_read(b.rt, NESTED, 1 << 20, &whole, &size, &err));
    for (size_t n = 0; n < size; n++) {
        gr_arrow_file *f;
        gr_error why = { 0 };
        if (gr_arrow_file_parse(&f, b.rt, whole, n, "cut", &why) == GR_OK) {
            opened++;
            gr_arrow_file_close(f);
        } else {
            assert_non_null(strstr(why.msg, "cut: "));
        }
    }
    assert_int_equal(opened, 5); /* after the schema, and after each of four batches */
    gr_free(b.rt, whole);
    bench_free(&b);
}

static void a_file_cut_short_while_it_is_read_is_told(void **state)
{
    (void)state;
    bench b = bench_new();
    gr_error err = { 0 };
    test_dir d;
    char *whole;
    size_t size;
    gr_arrow_cursor *c;
    const gr_arrow_value *v;
    test_dir_make(&d);
    MUST(gr_file_read(b.rt, NESTED, 1 << 20, &whole, &size, &err));
    test_dir_write(&d, "x.arrow", whole, size);
    const char *path = test_dir_file(&d, "x.arrow");
    MUST(gr_arrow_file_open(&b.file, b.rt, path, &err));
    MUST(gr_arrow_cursor_new(&c, b.rt, NULL, &err));
    MUST(gr_arrow_cursor_read(c, b.file, 7, gr_arrow_find(&b.file->schema, "words"), &v, &err));
    assert_int_equal(truncate(path, 3000), 0);
    MUST_FAIL(gr_arrow_cursor_read(c, b.file, 7, gr_arrow_find(&b.file->schema, "mask_rle"), &v, &err),
              GR_ERR_IO, "the file had");
    gr_arrow_cursor_free(c);
    gr_free(b.rt, whole);
    test_dir_remove(&d);
    bench_free(&b);
}

static void a_file_that_is_not_there_is_named(void **state)
{
    (void)state;
    bench b = bench_new();
    gr_error err = { 0 };
    MUST_FAIL(gr_arrow_file_open(&b.file, b.rt, "/nowhere/x.arrow", &err), GR_ERR_IO,
              "/nowhere/x.arrow: cannot open");
    bench_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_found_in_batches_and_empty_ones_hold_none),
        cmocka_unit_test(a_stream_begins_with_one_schema),
        cmocka_unit_test(messages_of_other_versions_and_kinds_are_refused),
        cmocka_unit_test(what_is_no_stream_is_refused_before_memory_is_taken),
        cmocka_unit_test(a_file_that_is_cut_off_is_refused),
        cmocka_unit_test(a_file_cut_short_while_it_is_read_is_told),
        cmocka_unit_test(a_file_that_is_not_there_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
