/* tempdir.h - a folder of a test's own, removed with all it holds. */
#ifndef TEST_TEMPDIR_H
#define TEST_TEMPDIR_H

#include <stddef.h>

typedef struct {
    char path[256];
} test_dir;

void test_dir_make(test_dir *d);
void test_dir_remove(test_dir *d);
/* The path of a file in it; four are valid at a time. */
const char *test_dir_file(const test_dir *d, const char *name);
void test_dir_write(const test_dir *d, const char *name, const void *bytes, size_t n);
/* Files and folders in it. */
int test_dir_count(const test_dir *d);

#endif
