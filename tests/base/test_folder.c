/* A folder appears whole or not at all. */
#include "test.h"

#include <sys/stat.h>

#include "base/file.h"
#include "base/folder.h"
#include "support/tempdir.h"

static void put(const char *dir, const char *name)
{
    gr_error err = { 0 };
    char path[4096];
    assert_true(gr_path_join(path, sizeof path, dir, name));
    MUST(gr_file_write(path, "x", 1, &err));
}

static void it_appears_when_it_is_complete(void **state)
{
    gr_error err = { 0 };
    test_dir dir;
    gr_folder f;
    char inner[4200];
    (void)state;
    test_dir_make(&dir);
    const char *place = test_dir_file(&dir, "new//");
    MUST(gr_folder_init(&f, place, &err));
    assert_string_equal(f.place, test_dir_file(&dir, "new"));
    MUST(gr_folder_make(&f, &err));
    snprintf(inner, sizeof inner, "%s/inner", f.work);
    assert_int_equal(mkdir(inner, 0777), 0);
    put(inner, "file");
    assert_false(gr_path_exists(f.place));
    MUST(gr_folder_finish(&f, GR_OK, &err));
    assert_true(gr_path_exists(test_dir_file(&dir, "new/inner/file")));
    assert_int_equal(test_dir_count(&dir), 1);

    MUST_FAIL(gr_folder_init(&f, place, &err), GR_ERR_ARG, "is there already and not an empty folder");
    MUST(gr_folder_init_over(&f, place, &err));
    MUST(gr_folder_make(&f, &err));
    put(f.work, "other");
    assert_int_equal(gr_folder_finish(&f, GR_ERR_IO, &err), GR_ERR_IO);
    assert_true(gr_path_exists(test_dir_file(&dir, "new/inner/file"))); /* given up: the old one stays */
    MUST(gr_folder_make(&f, &err));
    put(f.work, "other");
    MUST(gr_folder_finish(&f, GR_OK, &err));
    assert_false(gr_path_exists(test_dir_file(&dir, "new/inner")));
    assert_true(gr_path_exists(test_dir_file(&dir, "new/other")));
    assert_int_equal(test_dir_count(&dir), 1);
    gr_folder_remove(f.place);
    assert_int_equal(test_dir_count(&dir), 0);
    test_dir_remove(&dir);
}

/* A link to a folder is removed, and what it leads to is not. */
static void links_are_not_followed(void **state)
{
    test_dir dir;
    (void)state;
    test_dir_make(&dir);
    assert_int_equal(mkdir(test_dir_file(&dir, "a"), 0777), 0);
    assert_int_equal(mkdir(test_dir_file(&dir, "b"), 0777), 0);
    put(test_dir_file(&dir, "a"), "kept");
    assert_int_equal(symlink(test_dir_file(&dir, "a"), test_dir_file(&dir, "b/link")), 0);
    gr_folder_remove(test_dir_file(&dir, "b"));
    assert_false(gr_path_exists(test_dir_file(&dir, "b")));
    assert_true(gr_path_exists(test_dir_file(&dir, "a/kept")));
    test_dir_remove(&dir);
}

static void what_cannot_be_made_is_a_sentence(void **state)
{
    gr_error err = { 0 };
    gr_folder f;
    static char name[5000];
    (void)state;
    MUST_FAIL(gr_folder_init(&f, "", &err), GR_ERR_ARG, "the name of the folder has 0 bytes");
    memset(name, 'n', sizeof name - 1);
    MUST_FAIL(gr_folder_init(&f, name, &err), GR_ERR_ARG, "expected 1 to");
    MUST(gr_folder_init(&f, "/nowhere/at/all", &err));
    MUST_FAIL(gr_folder_make(&f, &err), GR_ERR_IO, "/nowhere/at/all.tmp-");
    MUST_FAIL(gr_folder_walk("/nowhere/at/all", NULL, NULL, &err), GR_ERR_IO, "cannot read this folder");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_appears_when_it_is_complete),
        cmocka_unit_test(links_are_not_followed),
        cmocka_unit_test(what_cannot_be_made_is_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
