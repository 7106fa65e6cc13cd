/* Messages and bodies emitted by the Arrow library itself: apache/arrow-nanoarrow,
 * src/nanoarrow/ipc/decoder_test.cc. */
#include "test.h"

#include "dataset/arrow_compress.h"
#include "dataset/arrow_cursor.h"
#include "support/arrow_stream.h"

static const gr_arrow_field some_col[] = {
    { .name = "some_col", .type = GR_ARROW_INT, .width = 4, .is_signed = true }
};

/* A record batch of one column of i32: 1, 2, 3. */
static const uint8_t batch_123[160] = {
    0xff, 0xff, 0xff, 0xff, 0x88, 0x00, 0x00, 0x00, 0x14, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x0c, 0x00, 0x16, 0x00, 0x06, 0x00, 0x05, 0x00, 0x08, 0x00, 0x0c, 0x00, 0x0c, 0x00, 0x00, 0x00,
    0x00, 0x03, 0x04, 0x00, 0x18, 0x00, 0x00, 0x00, 0x10, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x0a, 0x00, 0x18, 0x00, 0x0c, 0x00, 0x04, 0x00, 0x08, 0x00, 0x0a, 0x00, 0x00, 0x00,
    0x3c, 0x00, 0x00, 0x00, 0x10, 0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x0c, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00,
    0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x01, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
};

/* The buffer of 0, 1, 2 with its length before it, padded to a multiple of 8. */
static const uint8_t lz4_012[40] = {
    0x0c, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x04, 0x22, 0x4d, 0x18,
    0x60, 0x40, 0x82, 0x0c, 0x00, 0x00, 0x80, 0x00, 0x00, 0x00, 0x00, 0x01,
    0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
};
static const uint8_t zstd_012[32] = {
    0x0c, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x28, 0xb5, 0x2f, 0xfd, 0x20, 0x0c, 0x61,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00,
};

/* A dictionary's values: zero, one, two. */
static const uint8_t words[32] = {
    0x00, 0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x07, 0x00, 0x00, 0x00, 0x0a, 0x00, 0x00, 0x00,
    'z',  'e',  'r',  'o',  'o',  'n',  'e',  't',  'w',  'o',  0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
};

static void expect_numbers(gr_buf *stream, int64_t first)
{
    gr_error err = { 0 };
    gr_arrow_file *f;
    gr_arrow_cursor *c;
    const gr_arrow_value *v;
    MUST(gr_arrow_file_parse(&f, stream->rt, stream->data, stream->len, "vector", &err));
    MUST(gr_arrow_cursor_new(&c, stream->rt, NULL, &err));
    assert_int_equal(f->n_rows, 3);
    for (uint64_t row = 0; row < 3; row++) {
        MUST(gr_arrow_cursor_read(c, f, row, 0, &v, &err));
        assert_int_equal(v->kind, GR_VALUE_INT);
        assert_int_equal(v->as.integer, first + (int64_t)row);
    }
    gr_arrow_cursor_free(c);
    gr_arrow_file_close(f);
}

static void a_record_batch_has_the_nodes_and_buffers_it_lists(void **state)
{
    (void)state;
    gr_error err = { 0 };
    gr_arrow_frame frame;
    gr_arrow_message m;
    gr_arrow_record r;
    bool ended;
    const gr_source source = gr_source_of(batch_123, sizeof batch_123);
    MUST(gr_arrow_frame_find(&frame, &ended, &source, 0, &err));
    assert_false(ended);
    assert_true(frame.meta_at == 8 && frame.meta_bytes == 136 && frame.body_at == 144);
    gr_fb fb = gr_fb_of(batch_123 + frame.meta_at, frame.meta_bytes);
    MUST(gr_arrow_message_parse(&m, &fb, &err));
    assert_int_equal(m.kind, GR_ARROW_RECORD_BATCH);
    assert_int_equal(m.body_bytes, 16);
    MUST(gr_arrow_record_parse(&r, &m, &err));
    assert_true(r.length == 3 && r.codec == GR_ARROW_RAW && r.nodes.n == 1 && r.buffers.n == 2);
    static const int64_t nodes[] = { 3, 0 }, buffers[] = { 0, 0, 0, 12 };
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(gr_fb_i64(r.nodes.data + 8 * i), nodes[i]);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(gr_fb_i64(r.buffers.data + 8 * i), buffers[i]);
}

static void a_stream_around_it_gives_its_numbers(void **state)
{
    (void)state;
    gr_runtime *rt = test_runtime_threads(1);
    gr_buf stream;
    gr_buf_init(&stream, rt, 4096);
    arrow_stream_schema(&stream, some_col, 1);
    gr_buf_add(&stream, batch_123, sizeof batch_123);
    expect_numbers(&stream, 1); /* the end of the file is an end of the stream */
    arrow_stream_end(&stream);
    gr_buf_text(&stream, "what follows the end is not looked at");
    expect_numbers(&stream, 1);
    gr_buf_fini(&stream);
    gr_runtime_free(rt);
}

static void compressed_buffers_unpack_to_their_numbers(void **state)
{
    (void)state;
    static const struct {
        gr_arrow_codec codec;
        int64_t bytes;
        const uint8_t *body;
        size_t body_bytes;
    } rows[] = { { GR_ARROW_LZ4, 35, lz4_012, sizeof lz4_012 },
                 { GR_ARROW_ZSTD, 29, zstd_012, sizeof zstd_012 } };
    gr_runtime *rt = test_runtime_threads(1);
    for (size_t i = 0; i < 2; i++) {
        if (!gr_arrow_can_unpack(rows[i].codec))
            continue;
        const int64_t nodes[][2] = { { 3, 0 } }, buffers[][2] = { { 0, 0 }, { 0, rows[i].bytes } };
        gr_buf stream;
        gr_buf_init(&stream, rt, 4096);
        arrow_stream_schema(&stream, some_col, 1);
        arrow_stream_batch(&stream,
                           &(arrow_batch_spec){ 3, ARROW_PAIRS(nodes), ARROW_PAIRS(buffers), rows[i].body,
                                                rows[i].body_bytes, rows[i].codec, false, false, 0 });
        expect_numbers(&stream, 0);
        gr_buf_fini(&stream);
    }
    gr_runtime_free(rt);
}

static void rows_of_a_dictionary_column_are_words(void **state)
{
    (void)state;
    static const int64_t one_node[][2] = { { 3, 0 } },
                         word_buffers[][2] = { { 0, 0 }, { 0, 16 }, { 16, 10 } };
    static const int64_t index_buffers[][2] = { { 0, 0 }, { 0, 12 } };
    static const uint8_t indices[16] = { 2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0 };
    static const char *const expected[] = { "two", "zero", "one" };
    gr_runtime *rt = test_runtime_threads(1);
    gr_error err = { 0 };
    gr_arrow_file *f;
    gr_arrow_cursor *c;
    gr_buf stream;
    gr_buf_init(&stream, rt, 4096);
    arrow_stream_dictionary_schema(&stream, "word", 7, 1);
    arrow_stream_batch(&stream, &(arrow_batch_spec){ 3, ARROW_PAIRS(one_node), ARROW_PAIRS(word_buffers),
                                                     words, sizeof words, GR_ARROW_RAW, true, false, 7 });
    arrow_stream_batch(&stream,
                       &(arrow_batch_spec){ 3, ARROW_PAIRS(one_node), ARROW_PAIRS(index_buffers), indices,
                                            sizeof indices, GR_ARROW_RAW, false, false, 0 });
    MUST(gr_arrow_file_parse(&f, rt, stream.data, stream.len, "words", &err));
    MUST(gr_arrow_cursor_new(&c, rt, NULL, &err));
    for (uint64_t row = 0; row < 3; row++) {
        const gr_arrow_value *v;
        MUST(gr_arrow_cursor_read(c, f, row, 0, &v, &err));
        assert_true(gr_arrow_value_is(v, expected[row]));
    }
    gr_arrow_cursor_free(c);
    gr_arrow_file_close(f);
    gr_buf_fini(&stream);
    gr_runtime_free(rt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_batch_has_the_nodes_and_buffers_it_lists),
        cmocka_unit_test(a_stream_around_it_gives_its_numbers),
        cmocka_unit_test(compressed_buffers_unpack_to_their_numbers),
        cmocka_unit_test(rows_of_a_dictionary_column_are_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
