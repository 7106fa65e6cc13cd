/* FlatBuffers: what is written lies where the format wants it, and what is read never leaves the bytes. */
#include "test.h"

#include "dataset/flatbuffer.h"

typedef struct {
    gr_runtime *rt;
    gr_buf bytes;
} bench;

/* A table of numbers of each size, a text, a vector of numbers and one of tables. */
static bench bench_new(void)
{
    bench b = { .rt = test_runtime_threads(1) };
    gr_buf_init(&b.bytes, b.rt, 4096);
    gr_buf_text(&b.bytes, "head"); /* padded to 8 */
    gr_fb_writer w = gr_fb_writer_begin(&b.bytes);
    gr_fb_field t[] = { { .slot = 0, .bytes = 1, .value = -1 },
                        { .slot = 1, .bytes = 8, .value = INT64_MIN },
                        { .slot = 2, .bytes = 2, .value = -2 },
                        { .slot = 3, .bytes = 4, .value = 3 },
                        { .slot = 5, .bytes = 4 },
                        { .slot = 6, .bytes = 4 },
                        { .slot = 7, .bytes = 4 } };
    gr_fb_point(&w, 0, gr_fb_put_table(&w, t, 7));
    assert_int_equal(t[0].at % 1 + t[1].at % 8 + t[2].at % 2 + t[3].at % 4, 0);
    gr_fb_point(&w, t[4].at, gr_fb_put_string(&w, "odd", 3));
    const size_t numbers = gr_fb_put_vector(&w, 2, 8);
    assert_int_equal(numbers % 8, 4);
    gr_fb_put_number(&w, 11, 8);
    gr_fb_put_number(&w, 12, 8);
    gr_fb_point(&w, t[5].at, numbers);
    const size_t tables = gr_fb_put_tables(&w, 2);
    gr_fb_point(&w, t[6].at, tables);
    for (size_t i = 0; i < 2; i++) {
        gr_fb_field inner[] = { { .slot = 0, .bytes = 2, .value = (int64_t)i + 1 } };
        gr_fb_point(&w, tables + 4 + 4 * i, gr_fb_put_table(&w, inner, 1));
    }
    gr_fb_writer_end(&w);
    assert_int_equal(b.bytes.len % 8, 0);
    return b;
}

static void bench_free(bench *b)
{
    gr_buf_fini(&b->bytes);
    gr_runtime_free(b->rt);
}

/* Reads all of it; the sum of what was found. */
static int64_t walk(gr_fb *fb)
{
    const gr_fb_table t = gr_fb_root(fb);
    int64_t sum = gr_fb_int(t, 0, 1, 0) + gr_fb_int(t, 2, 2, 0) + gr_fb_int(t, 3, 4, 0);
    const gr_fb_vector text = gr_fb_string(t, 5), numbers = gr_fb_elements(t, 6, 8),
                       tables = gr_fb_tables(t, 7);
    for (size_t i = 0; i < text.n; i++)
        sum += text.data[i];
    for (size_t i = 0; i < numbers.n; i++)
        sum += gr_fb_i64(numbers.data + 8 * i);
    for (size_t i = 0; i < tables.n; i++)
        sum += gr_fb_int(gr_fb_table_at(tables, i), 0, 2, 0);
    return sum;
}

static void what_is_written_is_read_back_and_absent_fields_have_defaults(void **state)
{
    (void)state;
    bench b = bench_new();
    gr_fb fb = gr_fb_of(b.bytes.data + 8, b.bytes.len - 8);
    const gr_fb_table t = gr_fb_root(&fb);
    assert_int_equal(gr_fb_int(t, 0, 1, 9), -1);
    assert_true(gr_fb_int(t, 1, 8, 9) == INT64_MIN);
    assert_int_equal(gr_fb_int(t, 2, 2, 9), -2);
    assert_int_equal(gr_fb_int(t, 3, 4, 9), 3);
    assert_int_equal(gr_fb_int(t, 4, 8, 9), 9);  /* a slot left out */
    assert_int_equal(gr_fb_int(t, 20, 1, 9), 9); /* behind the last slot */
    assert_int_equal(gr_fb_child(t, 4).at, 0);
    assert_int_equal(gr_fb_int(gr_fb_child(t, 4), 0, 4, 9), 9);
    const gr_fb_vector text = gr_fb_string(t, 5);
    assert_int_equal(text.n, 3);
    assert_memory_equal(text.data, "odd", 4); /* ends in a zero byte */
    assert_int_equal(walk(&fb), -1 - 2 + 3 + 'o' + 'd' + 'd' + 11 + 12 + 1 + 2);
    assert_null(fb.fault);
    bench_free(&b);
}

static void numbers_lie_at_multiples_of_their_size_whatever_came_before(void **state)
{
    (void)state;
    gr_runtime *rt = test_runtime_threads(1);
    gr_buf bytes;
    gr_buf_init(&bytes, rt, 4096);
    for (size_t before = 0; before < 8; before++)
        for (int slot = 0; slot < GR_FB_SLOTS_MAX; slot++) {
            gr_buf_clear(&bytes);
            gr_fb_writer w = gr_fb_writer_begin(&bytes);
            gr_fb_put_string(&w, "1234567", before);
            gr_fb_field wide[] = { { .slot = slot, .bytes = 8, .value = 7 } };
            gr_fb_field narrow[] = { { .slot = slot, .bytes = 4, .value = 5 } };
            gr_fb_point(&w, 0, gr_fb_put_table(&w, wide, 1));
            gr_fb fb = gr_fb_of(bytes.data, bytes.len);
            assert_int_equal(gr_fb_int(gr_fb_root(&fb), slot, 8, 0), 7);
            gr_fb_put_string(&w, "1234567", before);
            gr_fb_put_table(&w, narrow, 1);
            assert_int_equal(wide[0].at % 8 + narrow[0].at % 4, 0);
        }
    gr_buf_fini(&bytes);
    gr_runtime_free(rt);
}

static void a_broken_rule_is_told_once_and_all_else_is_absent(void **state)
{
    (void)state;
    bench b = bench_new();
    const size_t size = b.bytes.len - 8;
    uint8_t *bytes = (uint8_t *)b.bytes.data + 8;
    size_t n_faults = 0;
    for (size_t n = 0; n < size;
         n++) { /* cut off anywhere: exactly as many bytes are there (for the sanitizer) */
        uint8_t *cut = malloc(n + !n);
        memcpy(cut, bytes, n);
        gr_fb fb = gr_fb_of(cut, n);
        walk(&fb);
        n_faults += fb.fault != NULL;
        assert_true(!fb.fault || fb.fault_at <= size);
        if (fb.fault)
            assert_int_equal(gr_fb_int(gr_fb_root(&fb), 0, 1, 9), 9);
        free(cut);
    }
    assert_true(n_faults >= size - 8);  /* the padding alone may be missing */
    for (size_t i = 0; i < size; i++) { /* every byte set to all ones */
        const uint8_t was = bytes[i];
        bytes[i] = 0xff;
        gr_fb fb = gr_fb_of(bytes, size);
        walk(&fb);
        bytes[i] = was;
    }
    bench_free(&b);
}

static void a_vector_is_no_longer_than_the_bytes_behind_it(void **state)
{
    (void)state;
    bench b = bench_new();
    uint8_t *bytes = (uint8_t *)b.bytes.data + 8;
    const size_t size = b.bytes.len - 8;
    gr_fb fb = gr_fb_of(bytes, size);
    const gr_fb_vector numbers = gr_fb_elements(gr_fb_root(&fb), 6, 8);
    assert_true(size - numbers.at < 8 * 255);
    bytes[numbers.at - 4] = (uint8_t)((size - numbers.at) / 8);
    assert_int_equal(gr_fb_elements(gr_fb_root(&fb), 6, 8).n, (size - numbers.at) / 8);
    bytes[numbers.at - 4]++;
    assert_int_equal(gr_fb_elements(gr_fb_root(&fb), 6, 8).n, 0);
    assert_string_equal(fb.fault, "a vector or text that is cut off");
    fb = gr_fb_of(bytes, size);
    bytes[numbers.at - 1] = 0x20; /* 2^29 elements of 8 bytes: 2^32 */
    assert_int_equal(gr_fb_elements(gr_fb_root(&fb), 6, 8).n, 0);
    assert_string_equal(fb.fault, "a vector or text that is cut off");
    bench_free(&b);
}

static void a_field_lies_within_its_table(void **state)
{
    (void)state;
    bench b = bench_new();
    uint8_t *bytes = (uint8_t *)b.bytes.data + 8;
    gr_fb fb = gr_fb_of(bytes, b.bytes.len - 8);
    const gr_fb_table t = gr_fb_root(&fb);
    uint8_t *entry = bytes + t.vtable + 4 + 2 * 1; /* of the number of 8 bytes */
    for (int i = 0; i < 3; i++) {
        entry[0] = (uint8_t)(t.table_bytes - 8 + i); /* ends with the table, or i bytes behind it */
        fb.fault = NULL;
        gr_fb_int(t, 1, 8, 9);
        assert_int_equal(fb.fault == NULL, i == 0);
    }
    fb.fault = NULL;
    entry[0] = 2; /* in the place of the table's own vtable */
    assert_int_equal(gr_fb_int(t, 1, 8, 9), 9);
    assert_string_equal(fb.fault, "a field outside of its table");
    bench_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_back_and_absent_fields_have_defaults),
        cmocka_unit_test(numbers_lie_at_multiples_of_their_size_whatever_came_before),
        cmocka_unit_test(a_broken_rule_is_told_once_and_all_else_is_absent),
        cmocka_unit_test(a_field_lies_within_its_table),
        cmocka_unit_test(a_vector_is_no_longer_than_the_bytes_behind_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
