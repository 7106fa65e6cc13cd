#include "test.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/target.h"
#include "support/tempdir.h"

static void free_names_and_files_may_be_written(void **state)
{
    (void)state;
    gr_error err = { 0 };
    test_dir d;
    test_dir_make(&d);
    test_dir_write(&d, "file", "x", 1);
    assert_int_equal(symlink("file", test_dir_file(&d, "link")), 0);
    assert_int_equal(symlink("nothing", test_dir_file(&d, "dangling")), 0);
    static const char *const good[] = { "file", "link", "dangling", "free", "no/folder" };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        MUST(gr_target_check(test_dir_file(&d, good[i]), &err));
    test_dir_remove(&d);
}

static void nothing_else_is_replaced(void **state)
{
    (void)state;
    gr_error err = { 0 };
    test_dir d;
    test_dir_make(&d);
    assert_int_equal(mkfifo(test_dir_file(&d, "pipe"), 0600), 0);
    assert_int_equal(symlink("pipe", test_dir_file(&d, "link")), 0);
    MUST_FAIL(gr_target_check(test_dir_file(&d, "pipe"), &err), GR_ERR_IO, "/pipe: not a regular file but");
    MUST_FAIL(gr_target_check(test_dir_file(&d, "link"), &err), GR_ERR_IO, "/link: not a regular file but");
    MUST_FAIL(gr_target_check("/dev/null", &err), GR_ERR_IO, "/dev/null: not a regular file but a device");
    MUST_FAIL(gr_target_check(d.path, &err), GR_ERR_IO, ": a directory, and a file of that name");
    test_dir_remove(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(free_names_and_files_may_be_written),
        cmocka_unit_test(nothing_else_is_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
