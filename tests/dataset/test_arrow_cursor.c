/* Cursors: what they hold, how long values stay, several at a time. */
#include "test.h"

#include <pthread.h>

#include "dataset/arrow_cursor.h"
#include "support/arrow_rows.h"
#include "support/arrow_stream.h"
#include "support/counting.h"

#define NESTED TEST_FILE("golden/arrow/nested.arrow")
#define PLAIN  TEST_FILE("golden/arrow/plain.arrow")

typedef struct {
    gr_runtime *rt;
    gr_arrow_file *file;
    gr_arrow_cursor *cursor;
} bench;

static bench bench_new(gr_runtime *rt, const char *path, const gr_arrow_cursor_options *options)
{
    gr_error err = { 0 };
    bench b = { .rt = rt };
    MUST(gr_arrow_file_open(&b.file, rt, path, &err));
    MUST(gr_arrow_cursor_new(&b.cursor, rt, options, &err));
    return b;
}

static void bench_free(bench *b)
{
    gr_arrow_cursor_free(b->cursor);
    gr_arrow_file_close(b->file);
    gr_runtime_free(b->rt);
}

static const gr_arrow_value *value_of(bench *b, uint64_t row, const char *path)
{
    gr_error err = { 0 };
    const gr_arrow_value *v;
    MUST(gr_arrow_cursor_read(b->cursor, b->file, row, gr_arrow_find(&b->file->schema, path), &v, &err));
    return v;
}

static void columns_of_one_row_are_valid_together(void **state)
{
    (void)state;
    bench b = bench_new(test_runtime_threads(1), NESTED, &(gr_arrow_cursor_options){ .cache_bytes = 1 });
    const gr_arrow_value *masks = value_of(&b, 0, "mask_rle"), *words = value_of(&b, 0, "words");
    const gr_arrow_value *struct_ = value_of(&b, 0, "struct");
    assert_int_equal(masks->as.list.n, 2);
    const gr_arrow_value *mask = &masks->as.list.items[1];
    assert_true(gr_arrow_value_is(gr_arrow_member(mask, "counts"), "0<"));
    assert_int_equal(gr_arrow_member(mask, "size")->as.list.items[1].as.integer, 4);
    assert_null(gr_arrow_member(mask, "area"));
    assert_null(gr_arrow_member(masks, "counts"));
    assert_int_equal(gr_arrow_n_members(mask), 2);
    assert_int_equal(gr_arrow_n_members(masks), 0);
    assert_true(gr_arrow_value_is(&words->as.list.items[0].as.list.items[1], "b"));
    assert_int_equal(gr_arrow_member(struct_, "x")->as.integer, 1);
    bench_free(&b);
}

static void a_member_of_structs_is_read_alone_and_hidden_by_a_null_around_it(void **state)
{
    (void)state;
    static const char *const expected[8] = { "in", NULL, NULL, NULL, "", "deep", NULL, "end" };
    bench b = bench_new(test_runtime_threads(1), NESTED, NULL);
    for (uint64_t row = 0; row < 8; row++) {
        const gr_arrow_value *v = value_of(&b, row, "struct.y.z");
        assert_true(expected[row] ? gr_arrow_value_is(v, expected[row]) : v->kind == GR_VALUE_NULL);
    }
    bench_free(&b);
}

static void rows_and_columns_that_are_not_there_are_refused(void **state)
{
    (void)state;
    bench b = bench_new(test_runtime_threads(1), NESTED, NULL);
    gr_error err = { 0 };
    const gr_arrow_value *v;
    const gr_arrow_schema *s = &b.file->schema;
    MUST_FAIL(gr_arrow_cursor_read(b.cursor, b.file, 8, 0, &v, &err), GR_ERR_ARG, "row 8 of 8");
    MUST_FAIL(gr_arrow_cursor_read(b.cursor, b.file, 0, gr_arrow_find(s, "no"), &v, &err), GR_ERR_ARG,
              "field -1");
    MUST_FAIL(gr_arrow_cursor_read(b.cursor, b.file, 0, s->n_fields, &v, &err), GR_ERR_ARG,
              "no such row or column");
    const int within = gr_arrow_child(s, gr_arrow_find(s, "list"), "item", 4);
    assert_true(within > 0);
    MUST_FAIL(gr_arrow_cursor_read(b.cursor, b.file, 0, within, &v, &err), GR_ERR_ARG,
              "no such row or column");
    bench_free(&b);
}

static void only_structs_of_lists_of_one_length_are_transposed(void **state)
{
    (void)state;
    bench b = bench_new(test_runtime_threads(1), NESTED, NULL);
    gr_error err = { 0 };
    const gr_arrow_value *list = value_of(&b, 0, "list"), *out;
    MUST(gr_arrow_cursor_list(b.cursor, list, &out, &err));
    assert_ptr_equal(out, list);
    MUST_FAIL(gr_arrow_cursor_list(b.cursor, value_of(&b, 0, "struct"), &out, &err), GR_ERR_FORMAT,
              "a struct, expected a list of structs");
    MUST_FAIL(gr_arrow_cursor_list(b.cursor, value_of(&b, 1, "list"), &out, &err), GR_ERR_FORMAT,
              "a null, expected");
    /* {counts: text, size: [h, w]}: one mask, not a list of them */
    MUST_FAIL(gr_arrow_cursor_list(b.cursor, &value_of(&b, 0, "mask_rle")->as.list.items[0], &out, &err),
              GR_ERR_FORMAT, "a struct, expected");
    bench_free(&b);
}

static void a_row_over_the_limit_is_refused_and_others_are_read(void **state)
{
    (void)state;
    bench b = bench_new(test_runtime_threads(1), NESTED, &(gr_arrow_cursor_options){ .row_bytes = 400 });
    gr_error err = { 0 };
    const gr_arrow_value *v;
    const int field = gr_arrow_find(&b.file->schema, "list");
    MUST_FAIL(gr_arrow_cursor_read(b.cursor, b.file, 5, field, &v, &err), GR_ERR_LIMIT,
              "row 5 (row 3 of record batch 2): the row takes more than 400 bytes");
    MUST(gr_arrow_cursor_read(b.cursor, b.file, 3, field, &v, &err));
    assert_int_equal(v->as.list.items[0].as.integer, 3);
    bench_free(&b);
}

/* Reads all columns of all rows. */
static void read_all(gr_arrow_cursor *c, const gr_arrow_file *f)
{
    gr_error err = { 0 };
    for (uint64_t row = 0; row < f->n_rows; row++)
        for (int field = 0; field < f->schema.n_fields; field = f->schema.fields[field].next) {
            const gr_arrow_value *v;
            MUST(gr_arrow_cursor_read(c, f, row, field, &v, &err));
        }
}

static void rows_of_batches_that_are_held_allocate_nothing(void **state)
{
    (void)state;
    counting count = { 0 };
    bench b = bench_new(counting_runtime(&count, 1), NESTED, NULL);
    read_all(b.cursor, b.file);
    const size_t calls = count.calls, now = count.now;
    read_all(b.cursor, b.file);
    assert_int_equal(count.calls, calls);
    assert_int_equal(count.now, now);
    gr_arrow_cursor_forget(b.cursor, b.file);
    assert_true(count.now < now);
    bench_free(&b);
    assert_int_equal(count.now, 0);
}

/* One column of text of `rows` rows a batch, all of them empty: offsets of 4 bytes a row, and nothing else.
 */
static void make_offsets(gr_buf *stream, int64_t rows, int n_batches)
{
    static const gr_arrow_field text[] = { { .name = "t", .type = GR_ARROW_UTF8, .nullable = true } };
    static const uint8_t zeros[4096];
    const int64_t nodes[][2] = { { rows, 0 } }, buffers[][2] = { { 0, 0 }, { 0, 4 * (rows + 1) }, { 0, 0 } };
    arrow_stream_schema(stream, text, 1);
    for (int i = 0; i < n_batches; i++)
        arrow_stream_batch(stream, &(arrow_batch_spec){ rows, ARROW_PAIRS(nodes), ARROW_PAIRS(buffers), zeros,
                                                        sizeof zeros, GR_ARROW_RAW, false, false, 0 });
}

static void a_cursor_holds_its_cache_and_the_batch_in_use(void **state)
{
    (void)state;
    enum { ROWS = 1000, BATCHES = 50, CACHE = 40000 };
    counting count = { 0 };
    gr_runtime *rt = counting_runtime(&count, 1);
    gr_error err = { 0 };
    gr_buf stream;
    gr_arrow_file *f;
    gr_arrow_cursor *c;
    gr_buf_init(&stream, rt, 1 << 20);
    make_offsets(&stream, ROWS, BATCHES);
    MUST(gr_arrow_file_parse(&f, rt, stream.data, stream.len, "m", &err));
    MUST(gr_arrow_cursor_new(&c, rt, &(gr_arrow_cursor_options){ .cache_bytes = CACHE }, &err));
    const size_t before = count.now;
    count.peak = before;
    read_all(c, f);
    const size_t one_batch = 4 * (ROWS + 1) + 1000, row = 80000; /* the first block of values is of 64 KiB */
    assert_true(count.peak - before < CACHE + one_batch + row);
    assert_true(count.now - before > CACHE - one_batch); /* and it does hold them */
    gr_arrow_cursor_free(c);
    gr_arrow_file_close(f);
    gr_buf_fini(&stream);
    gr_runtime_free(rt);
}

static void every_failed_allocation_is_a_sentence_and_nothing_is_lost(void **state)
{
    (void)state;
    static const char *const paths[] = { NESTED, PLAIN, TEST_FILE("golden/arrow/dictionary_delta.arrow") };
    for (size_t k = 0; k < 3; k++) {
        counting count = { 0 };
        gr_runtime *rt = counting_runtime(&count, 1);
        const size_t before = count.now;
        bool failed = true;
        for (size_t n = 1; failed; n++) {
            gr_error err = { 0 };
            gr_arrow_file *f = NULL;
            gr_arrow_cursor *c = NULL;
            const gr_arrow_value *v;
            count.fail_at = count.calls + n;
            gr_status st = gr_arrow_file_open(&f, rt, paths[k], &err);
            if (st == GR_OK)
                st = gr_arrow_cursor_new(&c, rt, NULL, &err);
            for (int field = 0; st == GR_OK && field < f->schema.n_fields;
                 field = f->schema.fields[field].next)
                st = gr_arrow_cursor_read(c, f, f->n_rows - 1, field, &v, &err);
            failed = st != GR_OK;
            assert_true(!failed || (st == GR_ERR_MEM && strstr(err.msg, "no memory")));
            gr_arrow_cursor_free(c);
            gr_arrow_file_close(f);
            assert_int_equal(count.now, before);
        }
        gr_runtime_free(rt);
    }
}

typedef struct {
    gr_runtime *rt;
    const gr_arrow_file *file;
} reader;

static void *read_often(void *user)
{
    const reader *r = user;
    gr_error err = { 0 };
    gr_arrow_cursor *c;
    MUST(gr_arrow_cursor_new(&c, r->rt, &(gr_arrow_cursor_options){ .cache_bytes = 1 }, &err));
    for (int i = 0; i < 20; i++)
        arrow_expect_rows(r->rt, c, &r->file, 1, "nested", false);
    gr_arrow_cursor_free(c);
    return NULL;
}

static void readers_with_cursors_of_their_own_share_a_file(void **state)
{
    (void)state;
    bench b = bench_new(test_runtime_threads(1), NESTED, NULL);
    pthread_t threads[3];
    reader r = { b.rt, b.file };
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_often, &r), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    bench_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_of_one_row_are_valid_together),
        cmocka_unit_test(a_member_of_structs_is_read_alone_and_hidden_by_a_null_around_it),
        cmocka_unit_test(rows_and_columns_that_are_not_there_are_refused),
        cmocka_unit_test(only_structs_of_lists_of_one_length_are_transposed),
        cmocka_unit_test(a_row_over_the_limit_is_refused_and_others_are_read),
        cmocka_unit_test(rows_of_batches_that_are_held_allocate_nothing),
        cmocka_unit_test(a_cursor_holds_its_cache_and_the_batch_in_use),
        cmocka_unit_test(every_failed_allocation_is_a_sentence_and_nothing_is_lost),
        cmocka_unit_test(readers_with_cursors_of_their_own_share_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
