#define _XOPEN_SOURCE 700
#include "support/tempdir.h"

#include <dirent.h>
#include <ftw.h>

#include "test.h"

void test_dir_make(test_dir *d)
{
    const char *root = getenv("TMPDIR");
    snprintf(d->path, sizeof d->path, "%.200s/grasp-test-XXXXXX", root && *root ? root : "/tmp");
    assert_non_null(mkdtemp(d->path));
}

static int remove_one(const char *path, const struct stat *s, int kind, struct FTW *walk)
{
    (void)s, (void)kind, (void)walk;
    return remove(path);
}

void test_dir_remove(test_dir *d) { nftw(d->path, remove_one, 8, FTW_DEPTH | FTW_PHYS); }

const char *test_dir_file(const test_dir *d, const char *name)
{
    static char paths[4][512];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", d->path, name);
    return path;
}

void test_dir_write(const test_dir *d, const char *name, const void *bytes, size_t n)
{
    FILE *f = fopen(test_dir_file(d, name), "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

int test_dir_count(const test_dir *d)
{
    int n = 0;
    DIR *dir = opendir(d->path);
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir));)
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(dir);
    return n;
}
