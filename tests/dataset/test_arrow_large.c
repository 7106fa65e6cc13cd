/* Shards of many gigabytes: what lies behind them is found and read, and memory knows nothing of their size.
 */
#include "test.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "dataset/arrow_cursor.h"
#include "dataset/dataset_folder.h"
#include "dataset/dataset_writer.h"
#include "support/tempdir.h"

enum { ROWS = 6, BATCH = 3 };
#define HOLE  ((int64_t)6 << 30)
#define SHARD "x/data-00000-of-00001.arrow"

static long peak_kb(void)
{
    struct rusage use;
    assert_int_equal(getrusage(RUSAGE_SELF, &use), 0);
    return use.ru_maxrss;
}

/* Where `value` stands, as 8 bytes, in bytes[from, to); it stands there once. */
static size_t find_i64(const char *bytes, size_t from, size_t to, int64_t value)
{
    size_t at = 0, n = 0;
    for (size_t i = from; i + 8 <= to; i += 4)
        if (memcmp(bytes + i, &value, 8) == 0) {
            at = i;
            n++;
        }
    assert_int_equal(n, 1);
    return at;
}

/* Two batches of three rows: the numbers 0 to 5, and a text of a length that is in no other field. */
static void write_rows(gr_runtime *rt, const test_dir *dir)
{
    static const gr_arrow_field fields[] = {
        { .name = "n", .type = GR_ARROW_INT, .width = 8, .is_signed = true },
        { .name = "text", .type = GR_ARROW_UTF8 },
    };
    static char t[1001];
    gr_error err = { 0 };
    gr_dataset_writer *w;
    memset(t, 'x', 1000);
    MUST(gr_dataset_writer_open(&w, rt, test_dir_file(dir, "x"), fields, 2,
                                &(gr_dataset_writer_options){ .batch = { .batch_rows = BATCH } }, &err));
    for (int64_t i = 0; i < ROWS; i++)
        MUST(gr_dataset_writer_add(
            w,
            (const gr_arrow_value[]){ { .kind = GR_VALUE_INT, .as.integer = i },
                                      { .kind = GR_VALUE_BYTES, .as.bytes = { (const uint8_t *)t, 1000 } } },
            &err));
    MUST(gr_dataset_writer_commit(w, &err));
}

/* The first batch's body grows by a hole of 6 GB, which takes no disk. False where the system has no such
 * files. */
static bool insert_hole(gr_runtime *rt, const test_dir *dir)
{
    gr_error err = { 0 };
    gr_arrow_file *f;
    char *bytes;
    size_t n;
    const char *path = test_dir_file(dir, SHARD);
    MUST(gr_arrow_file_open(&f, rt, path, &err));
    const gr_arrow_entry first = f->batches[0];
    assert_int_equal(f->n_batches, 2);
    gr_arrow_file_close(f);
    MUST(gr_file_read(rt, path, (size_t)1 << 20, &bytes, &n, &err));
    const size_t end = first.body_at + first.body_bytes;
    const int64_t grown = (int64_t)first.body_bytes + HOLE;
    memcpy(bytes +
               find_i64(bytes, first.meta_at, first.meta_at + first.meta_bytes, (int64_t)first.body_bytes),
           &grown, 8);
    const int fd = open(path, O_WRONLY | O_TRUNC);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, end, 0), end);
    const bool good = pwrite(fd, bytes + end, n - end, (off_t)end + (off_t)HOLE) == (ssize_t)(n - end);
    struct stat st;
    const bool sparse = good && fstat(fd, &st) == 0 && st.st_blocks < (HOLE >> 9) / 2;
    close(fd);
    gr_free(rt, bytes);
    return sparse;
}

static void rows_behind_six_gigabytes_are_read_in_little_memory(void **state)
{
    (void)state;
    test_dir dir;
    gr_error err = { 0 };
    gr_dataset *d;
    gr_arrow_cursor *c;
    gr_runtime *rt = test_runtime_threads(1);
    test_dir_make(&dir);
    write_rows(rt, &dir);
    if (!insert_hole(rt, &dir)) {
        printf("SKIP: the temporary folder cannot hold a file of %lld bytes with a hole\n", (long long)HOLE);
    } else {
        const long before = peak_kb();
        MUST(gr_dataset_open(&d, rt, test_dir_file(&dir, "x"), NULL, &err));
        MUST(gr_arrow_cursor_new(&c, rt, NULL, &err));
        assert_int_equal(gr_dataset_n_rows(d), ROWS);
        for (int64_t i = ROWS - 1; i >= 0; i--) {
            const gr_arrow_value *v;
            MUST(gr_dataset_read(d, c, (uint64_t)i, 0, &v, &err));
            assert_int_equal(v->as.integer, i);
        }
        gr_arrow_cursor_free(c);
        gr_dataset_close(d);
        assert_true(peak_kb() - before < 16 << 10);
    }
    test_dir_remove(&dir);
    gr_runtime_free(rt);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(
        rows_behind_six_gigabytes_are_read_in_little_memory) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
