#include "test.h"

#include <sys/stat.h>

#include "base/alloc.h"
#include "base/failure.h"
#include "base/file.h"
#include "base/source.h"
#include "support/tempdir.h"

#define SIZE 10000

static void fill(const test_dir *d, size_t n)
{
    uint8_t bytes[SIZE];
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (uint8_t)(i * 7 >> 3);
    test_dir_write(d, "x", bytes, n);
}

static void a_file_and_memory_read_alike(void **state)
{
    (void)state;
    test_dir d;
    gr_error err = { 0 };
    gr_source file, memory;
    uint8_t bytes[SIZE], a[SIZE], b[SIZE];
    test_dir_make(&d);
    fill(&d, SIZE);
    MUST(gr_source_open(&file, test_dir_file(&d, "x"), &err));
    MUST(gr_source_read(&file, 0, bytes, SIZE, &err));
    memory = gr_source_of(bytes, SIZE);
    static const size_t pieces[][2] = { { 0, SIZE }, { 0, 1 }, { SIZE - 1, 1 }, { 4095, 4098 }, { SIZE, 0 } };
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        MUST(gr_source_read(&file, pieces[i][0], a, pieces[i][1], &err));
        MUST(gr_source_read(&memory, pieces[i][0], b, pieces[i][1], &err));
        assert_memory_equal(a, b, pieces[i][1]);
        assert_memory_equal(a, bytes + pieces[i][0], pieces[i][1]);
    }
    static const size_t beyond[][2] = {
        { SIZE, 1 }, { SIZE - 1, 2 }, { 0, SIZE + 1 }, { SIZE_MAX, 9 }, { 1, SIZE_MAX }
    };
    for (size_t i = 0; i < sizeof beyond / sizeof *beyond; i++) {
        MUST_FAIL(gr_source_read(&file, beyond[i][0], a, beyond[i][1], &err), GR_ERR_IO,
                  "of 10000 bytes in all");
        MUST_FAIL(gr_source_read(&memory, beyond[i][0], a, beyond[i][1], &err), GR_ERR_IO,
                  "of 10000 bytes in all");
    }
    gr_source_close(&file);
    gr_source_close(&memory);
    test_dir_remove(&d);
}

static void a_file_that_shrinks_is_a_sentence(void **state)
{
    (void)state;
    test_dir d;
    gr_error err = { 0 };
    gr_source s;
    uint8_t to[SIZE];
    gr_runtime *rt = test_runtime();
    char *text;
    size_t n;
    test_dir_make(&d);
    fill(&d, SIZE);
    MUST(gr_source_open(&s, test_dir_file(&d, "x"), &err));
    assert_int_equal(truncate(test_dir_file(&d, "x"), 6000), 0);
    MUST(gr_source_read(&s, 100, to, 5900, &err)); /* what is still there */
    MUST_FAIL(gr_source_read(&s, 5000, to, 2000, &err), GR_ERR_IO,
              "expected 2000 bytes at 5000, found 1000: the file had 10000 bytes when it was opened and has "
              "6000 now");
    MUST_FAIL(gr_source_read(&s, 7000, to, 1, &err), GR_ERR_IO, "found 0: the file had 10000 bytes");
    MUST_FAIL(gr_source_read_whole(rt, &s, "x", SIZE, &text, &n, &err), GR_ERR_IO,
              "x: expected 10000 bytes at 0");
    assert_null(text);
    gr_source_close(&s);
    gr_runtime_free(rt);
    test_dir_remove(&d);
}

/* Another file under the same name is not the one that was opened. */
static void a_file_that_is_replaced_stays_what_it_was(void **state)
{
    (void)state;
    test_dir d;
    gr_error err = { 0 };
    gr_source s;
    uint8_t before[SIZE], after[SIZE];
    test_dir_make(&d);
    fill(&d, SIZE);
    MUST(gr_source_open(&s, test_dir_file(&d, "x"), &err));
    MUST(gr_source_read(&s, 0, before, SIZE, &err));
    test_dir_write(&d, "y", "new", 3);
    assert_int_equal(rename(test_dir_file(&d, "y"), test_dir_file(&d, "x")), 0);
    MUST(gr_source_read(&s, 0, after, SIZE, &err));
    assert_memory_equal(before, after, SIZE);
    gr_source_close(&s);
    test_dir_remove(&d);
}

static void only_regular_files_are_read_and_only_up_to_a_limit(void **state)
{
    (void)state;
    test_dir d;
    gr_error err = { 0 };
    gr_source s;
    gr_runtime *rt = test_runtime();
    char *text;
    size_t n;
    test_dir_make(&d);
    fill(&d, 100);
    assert_int_equal(mkfifo(test_dir_file(&d, "pipe"), 0600), 0);
    MUST_FAIL(gr_source_open(&s, test_dir_file(&d, "pipe"), &err), GR_ERR_IO, "/pipe: not a regular file");
    MUST_FAIL(gr_source_open(&s, d.path, &err), GR_ERR_IO, "not a regular file");
    MUST_FAIL(gr_source_open(&s, test_dir_file(&d, "none"), &err), GR_ERR_IO, "/none: cannot open");
    MUST_FAIL(gr_file_read(rt, test_dir_file(&d, "x"), 99, &text, &n, &err), GR_ERR_LIMIT,
              "/x: 100 bytes, the limit for this file is 99");
    assert_null(text);
    MUST(gr_file_read(rt, test_dir_file(&d, "x"), 100, &text, &n, &err));
    assert_true(n == 100 && text[100] == '\0');
    gr_free(rt, text);
    test_dir_write(&d, "empty", "", 0);
    MUST(gr_file_read(rt, test_dir_file(&d, "empty"), 0, &text, &n, &err));
    assert_true(n == 0 && text[0] == '\0');
    gr_free(rt, text);
    gr_runtime_free(rt);
    test_dir_remove(&d);
}

static void of_many_failures_the_first_in_order_is_kept(void **state)
{
    (void)state;
    gr_error err = { 0 };
    gr_failure f;
    gr_failure_init(&f);
    MUST(gr_failure_status(&f, &err));
    gr_failure_note(&f, 7, GR_ERR_IO, "row %d", 7);
    gr_failure_note(&f, 9, GR_ERR_MEM, "row %d", 9);
    MUST_FAIL(gr_failure_status(&f, &err), GR_ERR_IO, "row 7");
    gr_failure_note(&f, 3, GR_ERR_FORMAT, "row %d", 3);
    MUST_FAIL(gr_failure_status(&f, &err), GR_ERR_FORMAT, "row 3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_and_memory_read_alike),
        cmocka_unit_test(a_file_that_shrinks_is_a_sentence),
        cmocka_unit_test(a_file_that_is_replaced_stays_what_it_was),
        cmocka_unit_test(only_regular_files_are_read_and_only_up_to_a_limit),
        cmocka_unit_test(of_many_failures_the_first_in_order_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
