/* Batches that hold what the format allows beyond what libraries usually write, and batches that break a
 * rule. */
#include "test.h"

#include "dataset/arrow_compress.h"
#include "dataset/arrow_cursor.h"
#include "support/arrow_rows.h"
#include "support/arrow_stream.h"

typedef struct {
    gr_runtime *rt;
    gr_buf stream;
    gr_arrow_file *file;
    gr_arrow_cursor *cursor;
} bench;

static bench bench_new(void)
{
    gr_error err = { 0 };
    bench b = { .rt = test_runtime_threads(1) };
    gr_buf_init(&b.stream, b.rt, 1 << 20);
    MUST(gr_arrow_cursor_new(&b.cursor, b.rt, NULL, &err));
    return b;
}

static void bench_free(bench *b)
{
    gr_arrow_cursor_free(b->cursor);
    gr_arrow_file_close(b->file);
    gr_buf_fini(&b->stream);
    gr_runtime_free(b->rt);
}

/* Opens the stream so far, which begins anew. */
static void open_stream(bench *b)
{
    static char kept[1 << 16]; /* the file borrows it */
    gr_error err = { 0 };
    assert_true(b->stream.len <= sizeof kept);
    gr_arrow_cursor_forget(b->cursor, NULL);
    gr_arrow_file_close(b->file);
    memcpy(kept, b->stream.data, b->stream.len);
    MUST(gr_arrow_file_parse(&b->file, b->rt, kept, b->stream.len, "b.arrow", &err));
    gr_buf_clear(&b->stream);
}

/* Column 0 of the stream is, row by row, this JSON. */
static void expect(bench *b, const char *const *rows)
{
    gr_error err = { 0 };
    gr_buf got;
    gr_json_writer w;
    gr_buf_init(&got, b->rt, 1 << 16);
    open_stream(b);
    for (uint64_t i = 0; i < b->file->n_rows; i++) {
        const gr_arrow_value *v;
        MUST(gr_arrow_cursor_read(b->cursor, b->file, i, 0, &v, &err));
        gr_buf_clear(&got);
        gr_json_writer_init(&w, &got, false);
        arrow_put_value(&w, v);
        assert_string_equal(gr_buf_str(&got), rows[i]);
    }
    assert_null(rows[b->file->n_rows]);
    gr_buf_fini(&got);
}

/* Row 0 of column 0 is refused. */
static void refused(bench *b, gr_status status, const char *part)
{
    gr_error err = { 0 };
    const gr_arrow_value *v;
    open_stream(b);
    for (int again = 0; again < 2; again++) { /* and the cursor can be used on */
        MUST_FAIL(gr_arrow_cursor_read(b->cursor, b->file, 0, 0, &v, &err), status, part);
        assert_null(v);
    }
}

static const gr_arrow_field text[] = { { .name = "t", .type = GR_ARROW_UTF8, .nullable = true } };
static const gr_arrow_field list[] = {
    { .name = "l", .type = GR_ARROW_LIST, .n_children = 1, .nullable = true },
    { .name = "item", .type = GR_ARROW_INT, .width = 1, .nullable = true, .is_signed = true },
};
static const gr_arrow_field natural[] = { { .name = "u", .type = GR_ARROW_INT, .width = 8 } };
static const gr_arrow_field pair[] = {
    { .name = "s", .type = GR_ARROW_STRUCT, .n_children = 1, .nullable = true },
    { .name = "x", .type = GR_ARROW_INT, .width = 1, .is_signed = true },
};
static const gr_arrow_field threes[] = {
    { .name = "f", .type = GR_ARROW_FIXED_LIST, .width = 3, .n_children = 1, .nullable = true },
    { .name = "item", .type = GR_ARROW_INT, .width = 1, .is_signed = true },
};

/* A text column: validity, three offsets, "abcdef". */
static void add_text(bench *b, int64_t n_null, int64_t validity_bytes, uint8_t validity,
                     const int32_t offsets[3])
{
    const int64_t nodes[][2] = { { 2, n_null } },
                  buffers[][2] = { { 0, validity_bytes }, { 8, 12 }, { 24, 6 } };
    uint8_t body[32] = { validity };
    memcpy(body + 24, "abcdef", 6);
    for (size_t i = 0; i < 12; i++)
        body[8 + i] = (uint8_t)((uint32_t)offsets[i / 4] >> 8 * (i % 4));
    arrow_stream_schema(&b->stream, text, 1);
    arrow_stream_batch(&b->stream, &(arrow_batch_spec){ 2, ARROW_PAIRS(nodes), ARROW_PAIRS(buffers), body,
                                                        sizeof body, GR_ARROW_RAW, false, false, 0 });
}

static void offsets_may_begin_anywhere_and_leave_bytes_unused(void **state)
{
    (void)state;
    bench b = bench_new();
    add_text(&b, 0, 0, 0, (const int32_t[]){ 2, 3, 5 });
    expect(&b, (const char *const[]){ "\"c\"", "\"de\"", NULL });
    bench_free(&b);
}

static void validity_counts_whatever_the_number_of_nulls_says(void **state)
{
    (void)state;
    bench b = bench_new();
    add_text(&b, -1, 1, 2, (const int32_t[]){ 0, 1, 3 }); /* not counted */
    expect(&b, (const char *const[]){ "null", "\"bc\"", NULL });
    add_text(&b, 0, 1, 1, (const int32_t[]){ 0, 1, 3 }); /* none, it says */
    expect(&b, (const char *const[]){ "\"a\"", "null", NULL });
    add_text(&b, -1, 0, 0, (const int32_t[]){ 0, 1, 3 }); /* not counted, and all are there */
    expect(&b, (const char *const[]){ "\"a\"", "\"bc\"", NULL });
    add_text(&b, 1, 0, 0, (const int32_t[]){ 0, 1, 3 });
    refused(&b, GR_ERR_FORMAT, "column 't': 1 rows are null, but which ones is not said");
    add_text(&b, 3, 1, 0, (const int32_t[]){ 0, 1, 3 });
    refused(&b, GR_ERR_FORMAT, "column 't': 2 rows, 3 of them null");
    bench_free(&b);
}

static void offsets_that_go_back_or_out_are_refused(void **state)
{
    (void)state;
    bench b = bench_new();
    add_text(&b, 0, 0, 0, (const int32_t[]){ 0, 3, 2 });
    refused(&b, GR_ERR_FORMAT,
            "b.arrow: row 0 (row 0 of record batch 0): column 't': offset 2 is 2, expected 3 to 6");
    add_text(&b, 0, 0, 0, (const int32_t[]){ 0, 3, 7 });
    refused(&b, GR_ERR_FORMAT, "offset 2 is 7, expected 3 to 6");
    add_text(&b, 0, 0, 0, (const int32_t[]){ -1, 3, 6 });
    refused(&b, GR_ERR_FORMAT, "offset 0 is -1, expected 0 to 6");
    bench_free(&b);
}

/* Lists of i8 over a child of three, all in one body: offsets at 0, items at 8. */
static void add_list(bench *b, const int64_t nodes[2][2], const int64_t buffers[4][2], uint8_t last)
{
    const uint8_t body[16] = { 0, 0, 0, 0, last, 0, 0, 0, 7, 8, 9 };
    arrow_stream_schema(&b->stream, list, 2);
    arrow_stream_batch(&b->stream, &(arrow_batch_spec){ 1, nodes, 2, buffers, 4, body, sizeof body,
                                                        GR_ARROW_RAW, false, false, 0 });
}

static void lists_end_within_their_child(void **state)
{
    (void)state;
    static const int64_t nodes[][2] = { { 1, 0 }, { 3, 0 } },
                         buffers[][2] = { { 0, 0 }, { 0, 8 }, { 0, 0 }, { 8, 3 } };
    bench b = bench_new();
    add_list(&b, nodes, buffers, 2);
    expect(&b, (const char *const[]){ "[7,8]", NULL });
    add_list(&b, nodes, buffers, 4);
    refused(&b, GR_ERR_FORMAT, "column 'l': offset 1 is 4, expected 0 to 3");
    bench_free(&b);
}

static void nodes_and_buffers_match_the_schema_and_the_body(void **state)
{
    (void)state;
    static const struct {
        int64_t nodes[2][2], buffers[4][2];
        const char *part;
    } rows[] = {
        { { { 2, 0 }, { 3, 0 } },
          { { 0, 0 }, { 0, 8 }, { 0, 0 }, { 8, 3 } },
          "column 'l': 2 rows in a batch of 1" },
        { { { 1, 0 }, { -3, 0 } }, { { 0, 0 }, { 0, 8 }, { 0, 0 }, { 8, 3 } }, "column 'l.item': -3 rows" },
        { { { 1, 0 }, { 3, 0 } },
          { { 0, 0 }, { 0, 7 }, { 0, 0 }, { 8, 3 } },
          "7 bytes of offsets for 1 rows" },
        { { { 1, 0 }, { 3, 0 } },
          { { 0, 0 }, { 0, 8 }, { 0, 0 }, { 8, 2 } },
          "2 bytes of data are too few for 3 rows" },
        { { { 1, 0 }, { 3, 0 } },
          { { 0, 0 }, { 0, 8 }, { 0, 0 }, { 8, 9 } },
          "a buffer of 9 bytes at 8 of a body of 16" },
        { { { 1, 0 }, { 3, 0 } }, { { 0, 0 }, { -8, 8 }, { 0, 0 }, { 8, 3 } }, "a buffer of 8 bytes at -8" },
        { { { 1, 0 }, { 3, 0 } }, { { 0, 0 }, { 0, 8 }, { 0, -1 }, { 8, 3 } }, "a buffer of -1 bytes" },
        { { { 1, 0 }, { 3, 0 } },
          { { 0, 0 }, { INT64_MAX, 8 }, { 0, 0 }, { 8, 3 } },
          "a buffer of 8 bytes at 92" },
        { { { 1, 0 }, { 1000, -1 } },
          { { 0, 0 }, { 0, 8 }, { 8, 4 }, { 8, 3 } },
          "4 bytes say which of 1000 rows" },
    };
    bench b = bench_new();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        add_list(&b, rows[i].nodes, rows[i].buffers, 2);
        refused(&b, GR_ERR_FORMAT, rows[i].part);
    }
    static const int64_t nodes[][2] = { { 1, 0 }, { 3, 0 }, { 3, 0 } };
    static const int64_t buffers[][2] = { { 0, 0 }, { 0, 8 }, { 0, 0 }, { 8, 3 }, { 8, 3 } };
    static const struct {
        size_t n_nodes, n_buffers;
        const char *part;
    } counts[] = { { 1, 4, "the batch has only 1 columns" },
                   { 2, 3, "the batch has only 3 buffers" },
                   { 3, 4, "3 columns and 4 buffers, the schema asks for 2 and 4" },
                   { 2, 5, "2 columns and 5 buffers, the schema asks for 2 and 4" } };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        static const uint8_t body[16];
        arrow_stream_schema(&b.stream, list, 2);
        arrow_stream_batch(&b.stream,
                           &(arrow_batch_spec){ 1, nodes, counts[i].n_nodes, buffers, counts[i].n_buffers,
                                                body, sizeof body, GR_ARROW_RAW, false, false, 0 });
        refused(&b, GR_ERR_FORMAT, counts[i].part);
    }
    bench_free(&b);
}

static void children_have_the_rows_of_their_parents(void **state)
{
    (void)state;
    static const int64_t one_short[][2] = { { 2, 0 }, { 1, 0 } }, five[][2] = { { 2, 0 }, { 5, 0 } };
    static const int64_t buffers[][2] = { { 0, 0 }, { 0, 0 }, { 0, 5 } };
    static const uint8_t body[8];
    bench b = bench_new();
    arrow_stream_schema(&b.stream, pair, 2);
    arrow_stream_batch(&b.stream, &(arrow_batch_spec){ 2, ARROW_PAIRS(one_short), ARROW_PAIRS(buffers), body,
                                                       sizeof body, GR_ARROW_RAW, false, false, 0 });
    refused(&b, GR_ERR_FORMAT, "column 's.x': 1 values for 2 rows of 1");
    arrow_stream_schema(&b.stream, threes, 2);
    arrow_stream_batch(&b.stream, &(arrow_batch_spec){ 2, ARROW_PAIRS(five), ARROW_PAIRS(buffers), body,
                                                       sizeof body, GR_ARROW_RAW, false, false, 0 });
    refused(&b, GR_ERR_FORMAT, "column 'f.item': 5 values for 2 rows of 3");
    bench_free(&b);
}

static void numbers_above_a_signed_one_are_refused_unless_they_are_null(void **state)
{
    (void)state;
    static const int64_t nodes[][2] = { { 1, -1 } }, buffers[][2] = { { 8, 1 }, { 0, 8 } };
    bench b = bench_new();
    for (uint8_t valid = 0; valid < 2; valid++) {
        const uint8_t body[16] = { 0, 0, 0, 0, 0, 0, 0, 0x80, valid };
        arrow_stream_schema(&b.stream, natural, 1);
        arrow_stream_batch(&b.stream, &(arrow_batch_spec){ 1, ARROW_PAIRS(nodes), ARROW_PAIRS(buffers), body,
                                                           sizeof body, GR_ARROW_RAW, false, false, 0 });
        if (valid)
            refused(&b, GR_ERR_LIMIT, "column 'u': 9223372036854775808 is above 2^63 - 1");
        else
            expect(&b, (const char *const[]){ "null", NULL });
    }
    bench_free(&b);
}

static void indices_stay_in_their_dictionary(void **state)
{
    (void)state;
    static const struct {
        int32_t index;
        bool has_dictionary;
        const char *part;
    } rows[] = { { 2, true, "column 'word': 2 is not in its dictionary" },
                 { -1, true, "is not in its dictionary" },
                 { 0, false, "column 'word': 0 is not in its dictionary" } };
    static const int64_t word_nodes[][2] = { { 2, 0 } },
                         word_buffers[][2] = { { 0, 0 }, { 0, 12 }, { 16, 2 } };
    static const uint8_t words[24] = { 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 'a', 'b' };
    static const int64_t nodes[][2] = { { 1, 0 } }, buffers[][2] = { { 0, 0 }, { 0, 4 } };
    bench b = bench_new();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const uint8_t fill = rows[i].index < 0 ? 0xff : 0,
                      body[8] = { (uint8_t)rows[i].index, fill, fill, fill };
        arrow_stream_dictionary_schema(&b.stream, "word", 3, 1);
        if (rows[i].has_dictionary)
            arrow_stream_batch(&b.stream,
                               &(arrow_batch_spec){ 2, ARROW_PAIRS(word_nodes), ARROW_PAIRS(word_buffers),
                                                    words, sizeof words, GR_ARROW_RAW, true, false, 3 });
        arrow_stream_batch(&b.stream, &(arrow_batch_spec){ 1, ARROW_PAIRS(nodes), ARROW_PAIRS(buffers), body,
                                                           sizeof body, GR_ARROW_RAW, false, false, 0 });
        refused(&b, GR_ERR_FORMAT, rows[i].part);
    }
    bench_free(&b);
}

static void lists_of_different_lengths_are_not_transposed(void **state)
{
    (void)state;
    static const gr_arrow_field lists[] = {
        { .name = "s", .type = GR_ARROW_STRUCT, .n_children = 2 },
        { .name = "a", .type = GR_ARROW_LIST, .n_children = 1 },
        { .name = "item", .type = GR_ARROW_INT, .width = 1, .is_signed = true },
        { .name = "b", .type = GR_ARROW_LIST, .n_children = 1 },
        { .name = "item", .type = GR_ARROW_INT, .width = 1, .is_signed = true },
    };
    static const int64_t nodes[][2] = { { 2, 0 }, { 2, 0 }, { 3, 0 }, { 2, 0 }, { 3, 0 } };
    static const int64_t buffers[][2] = { { 0, 0 }, { 0, 0 },   { 0, 12 }, { 0, 0 }, { 32, 3 },
                                          { 0, 0 }, { 16, 12 }, { 0, 0 },  { 40, 3 } };
    static const uint8_t body[48] = { [4] = 2, [8] = 3, [16 + 4] = 2, [16 + 8] = 2, [32] = 1, 2, 3, [40] = 4,
                                      5,       6 };
    bench b = bench_new();
    gr_error err = { 0 };
    const gr_arrow_value *v, *back;
    arrow_stream_schema(&b.stream, lists, 5);
    arrow_stream_batch(&b.stream, &(arrow_batch_spec){ 2, ARROW_PAIRS(nodes), ARROW_PAIRS(buffers), body,
                                                       sizeof body, GR_ARROW_RAW, false, false, 0 });
    open_stream(&b);
    MUST(gr_arrow_cursor_read(b.cursor, b.file, 0, 0, &v, &err));
    MUST(gr_arrow_cursor_list(b.cursor, v, &back, &err));
    assert_int_equal(back->as.list.n, 2);
    assert_int_equal(gr_arrow_member(&back->as.list.items[1], "a")->as.integer, 2);
    assert_int_equal(gr_arrow_member(&back->as.list.items[1], "b")->as.integer, 5);
    MUST(gr_arrow_cursor_read(b.cursor, b.file, 1, 0, &v, &err)); /* [3] and [] */
    MUST_FAIL(gr_arrow_cursor_list(b.cursor, v, &back, &err), GR_ERR_FORMAT,
              "a struct of lists of one length");
    bench_free(&b);
}

/* Whichever column asked for it first. */
static void columns_may_share_a_dictionary(void **state)
{
    (void)state;
    static const int64_t word_nodes[][2] = { { 2, 0 } },
                         word_buffers[][2] = { { 0, 0 }, { 0, 12 }, { 16, 2 } };
    static const uint8_t words[24] = { 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 'a', 'b' };
    static const int64_t nodes[][2] = { { 1, 0 }, { 1, 0 } };
    static const int64_t buffers[][2] = { { 0, 0 }, { 0, 4 }, { 0, 0 }, { 8, 4 } };
    static const uint8_t body[16] = { 1 };
    bench b = bench_new();
    gr_error err = { 0 };
    const gr_arrow_value *first, *second;
    arrow_stream_dictionary_schema(&b.stream, "word", 3, 2);
    arrow_stream_batch(&b.stream, &(arrow_batch_spec){ 2, ARROW_PAIRS(word_nodes), ARROW_PAIRS(word_buffers),
                                                       words, sizeof words, GR_ARROW_RAW, true, false, 3 });
    arrow_stream_batch(&b.stream, &(arrow_batch_spec){ 1, ARROW_PAIRS(nodes), ARROW_PAIRS(buffers), body,
                                                       sizeof body, GR_ARROW_RAW, false, false, 0 });
    open_stream(&b);
    for (int order = 0; order < 2; order++) {
        MUST(gr_arrow_cursor_read(b.cursor, b.file, 0, order, order ? &second : &first, &err));
        MUST(gr_arrow_cursor_read(b.cursor, b.file, 0, !order, order ? &first : &second, &err));
        assert_true(gr_arrow_value_is(first, "b") && gr_arrow_value_is(second, "a"));
        gr_arrow_cursor_forget(b.cursor, NULL);
    }
    bench_free(&b);
}

/* A compressed buffer says first how long it is. */
static void add_packed(bench *b, gr_arrow_codec codec, int64_t announced, const void *packed, size_t n)
{
    const int64_t nodes[][2] = { { 1, 0 } }, buffers[][2] = { { 0, 0 }, { 0, (int64_t)(8 + n) } };
    uint8_t body[64] = { 0 };
    for (int i = 0; i < 8; i++)
        body[i] = (uint8_t)((uint64_t)announced >> 8 * i);
    memcpy(body + 8, packed, n);
    arrow_stream_schema(&b->stream, natural, 1);
    arrow_stream_batch(&b->stream, &(arrow_batch_spec){ 1, ARROW_PAIRS(nodes), ARROW_PAIRS(buffers), body,
                                                        sizeof body, (int)codec, false, false, 0 });
}

static void compressed_buffers_are_as_long_as_they_say(void **state)
{
    (void)state;
    /* eight bytes 1, 0, ... each in a frame */
    static const uint8_t lz4[] = { 0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82, 0x08, 0x00, 0x00, 0x80, 0x01,
                                   0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00 };
    static const uint8_t zstd[] = { 0x28, 0xb5, 0x2f, 0xfd, 0x20, 0x08, 0x41, 0x00, 0x00,
                                    0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00 };
    static const struct {
        gr_arrow_codec codec;
        const uint8_t *frame;
        size_t n;
    } rows[] = { { GR_ARROW_LZ4, lz4, sizeof lz4 }, { GR_ARROW_ZSTD, zstd, sizeof zstd } };
    bench b = bench_new();
    add_packed(&b, GR_ARROW_LZ4, -1, "\5\0\0\0\0\0\0\0", 8); /* stored as it is: needs no library */
    expect(&b, (const char *const[]){ "5", NULL });
    add_packed(&b, GR_ARROW_LZ4, -2, "", 0);
    refused(&b, GR_ERR_FORMAT, "column 'u': a compressed buffer of -2 bytes");
    for (size_t i = 0; i < 2; i++) {
        if (!gr_arrow_can_unpack(rows[i].codec))
            continue;
        add_packed(&b, rows[i].codec, 8, rows[i].frame, rows[i].n);
        expect(&b, (const char *const[]){ "1", NULL });
        add_packed(&b, rows[i].codec, 9, rows[i].frame, rows[i].n);
        refused(&b, GR_ERR_FORMAT, "8 bytes unpacked, 9 are announced");
        add_packed(&b, rows[i].codec, 8, rows[i].frame, rows[i].n - 6);
        refused(&b, GR_ERR_FORMAT, "column 'u': ");
        add_packed(&b, rows[i].codec, 8, "no frame at all", 15);
        refused(&b, GR_ERR_FORMAT, "not a frame");
        add_packed(&b, rows[i].codec, INT64_MAX, rows[i].frame, rows[i].n); /* a bomb */
        refused(&b, GR_ERR_LIMIT, "a buffer of 9223372036854775807 bytes in memory, the limit is 1073741824");
    }
    bench_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offsets_may_begin_anywhere_and_leave_bytes_unused),
        cmocka_unit_test(validity_counts_whatever_the_number_of_nulls_says),
        cmocka_unit_test(offsets_that_go_back_or_out_are_refused),
        cmocka_unit_test(lists_end_within_their_child),
        cmocka_unit_test(nodes_and_buffers_match_the_schema_and_the_body),
        cmocka_unit_test(children_have_the_rows_of_their_parents),
        cmocka_unit_test(numbers_above_a_signed_one_are_refused_unless_they_are_null),
        cmocka_unit_test(indices_stay_in_their_dictionary),
        cmocka_unit_test(columns_may_share_a_dictionary),
        cmocka_unit_test(lists_of_different_lengths_are_not_transposed),
        cmocka_unit_test(compressed_buffers_are_as_long_as_they_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
