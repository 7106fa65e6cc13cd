/* Data sets that are written are read back: shards, batches, every type; and rows that do not fit are
 * refused. */
#include "test.h"

#include <sys/stat.h>

#include "base/alloc.h"
#include "base/file.h"
#include "dataset/arrow_message.h"
#include "dataset/dataset_folder.h"
#include "dataset/dataset_writer.h"
#include "support/arrow_rows.h"
#include "support/counting.h"
#include "support/tempdir.h"

#define PATH(b, name) test_dir_file(&(b)->dir, name)

typedef struct {
    gr_runtime *rt;
    test_dir dir;
} bench;

static bench bench_new(void)
{
    bench b = { .rt = test_runtime_threads(1) };
    test_dir_make(&b.dir);
    return b;
}

static void bench_free(bench *b)
{
    test_dir_remove(&b->dir);
    gr_runtime_free(b->rt);
}

static gr_arrow_value text(const char *t)
{
    return (gr_arrow_value){ .kind = GR_VALUE_BYTES, .as.bytes = { (const uint8_t *)t, strlen(t) } };
}

static gr_arrow_value number(int64_t x) { return (gr_arrow_value){ .kind = GR_VALUE_INT, .as.integer = x }; }

/* Row i of `simple` is i and a text of 100 bytes. */
static const gr_arrow_field simple[] = {
    { .name = "n", .type = GR_ARROW_INT, .width = 8, .is_signed = true },
    { .name = "text", .type = GR_ARROW_UTF8, .nullable = true },
};

static void add_simple(gr_dataset_writer *w, int64_t i)
{
    gr_error err = { 0 };
    char t[101];
    snprintf(t, sizeof t, "%0100lld", (long long)i);
    MUST(gr_dataset_writer_add(w, (const gr_arrow_value[]){ number(i), text(t) }, &err));
}

static gr_dataset_writer *open_simple(bench *b, const char *name, const gr_dataset_writer_options *options)
{
    gr_error err = { 0 };
    gr_dataset_writer *w;
    MUST(gr_dataset_writer_open(&w, b->rt, PATH(b, name), simple, 2, options, &err));
    return w;
}

static gr_dataset *write_simple(bench *b, const char *name, int64_t n,
                                const gr_dataset_writer_options *options)
{
    gr_error err = { 0 };
    gr_dataset *d;
    gr_dataset_writer *w = open_simple(b, name, options);
    for (int64_t i = 0; i < n; i++)
        add_simple(w, i);
    MUST(gr_dataset_writer_commit(w, &err));
    MUST(gr_dataset_open(&d, b->rt, PATH(b, name), NULL, &err));
    assert_int_equal(gr_dataset_n_rows(d), n);
    return d;
}

static void expect_simple(bench *b, const gr_dataset *d)
{
    gr_error err = { 0 };
    gr_arrow_cursor *c;
    MUST(gr_arrow_cursor_new(&c, b->rt, NULL, &err));
    for (uint64_t i = 0; i < gr_dataset_n_rows(d); i++) {
        const gr_arrow_value *v;
        MUST(gr_dataset_read(d, c, i, 0, &v, &err));
        assert_int_equal(v->as.integer, i);
    }
    gr_arrow_cursor_free(c);
}

static void rows_are_split_evenly_into_shards_by_their_bytes(void **state)
{
    (void)state;
    bench b = bench_new();
    gr_dataset *d = write_simple(&b, "one", 10, NULL);
    assert_int_equal(gr_dataset_n_shards(d), 1);
    const size_t bytes = gr_dataset_shard(d, 0)->source.size;
    gr_dataset_close(d);
    /* n = bytes / limit + 1 shards */
    static const uint64_t rows[4][4] = { { 10 }, { 5, 5 }, { 4, 3, 3 }, { 3, 3, 2, 2 } };
    for (size_t n = 1; n <= 4; n++) {
        char name[16];
        snprintf(name, sizeof name, "by%zu", n);
        d = write_simple(&b, name, 10,
                         &(gr_dataset_writer_options){ .shard_bytes = n == 1 ? bytes + 1 : bytes / (n - 1) });
        assert_int_equal(gr_dataset_n_shards(d), n);
        for (size_t i = 0; i < n; i++) {
            char shard[64];
            snprintf(shard, sizeof shard, "data-%05zu-of-%05zu.arrow", i, n);
            assert_int_equal(gr_dataset_shard(d, i)->n_rows, rows[n - 1][i]);
            assert_non_null(strstr(gr_dataset_shard(d, i)->name, shard));
        }
        expect_simple(&b, d);
        gr_dataset_close(d);
        test_dir folder;
        snprintf(folder.path, sizeof folder.path, "%s", PATH(&b, name));
        assert_int_equal(test_dir_count(&folder),
                         n + 2); /* nothing is left beside shards and two JSON files */
    }
    bench_free(&b);
}

static void a_batch_ends_at_its_rows_or_its_bytes(void **state)
{
    (void)state;
    static const struct {
        gr_arrow_writer_options limits;
        size_t n_batches, first;
    } rows[] = {
        { { 0, 0 }, 3, 1000 },
        { { 7, 0 }, 300, 7 },
        { { 0, 1160 }, 210, 10 }, /* a row is counted with 8 bytes a value: 116 */
        { { 0, 1 }, 2100, 1 },    /* a row that is larger than a batch is one by itself */
    };
    bench b = bench_new();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char name[16];
        snprintf(name, sizeof name, "%zu", i);
        gr_dataset *d = write_simple(&b, name, 2100, &(gr_dataset_writer_options){ .batch = rows[i].limits });
        assert_int_equal(gr_dataset_shard(d, 0)->n_batches, rows[i].n_batches);
        assert_int_equal(gr_dataset_shard(d, 0)->batches[0].n_rows, rows[i].first);
        expect_simple(&b, d);
        gr_dataset_close(d);
    }
    bench_free(&b);
}

static void a_data_set_without_rows_has_one_shard_and_its_columns(void **state)
{
    (void)state;
    bench b = bench_new();
    gr_dataset *d = write_simple(&b, "none", 0, NULL);
    assert_int_equal(gr_dataset_n_shards(d), 1);
    assert_int_equal(gr_arrow_find(gr_dataset_schema(d), "text"), 1);
    gr_dataset_close(d);
    bench_free(&b);
}

static void equal_rows_give_equal_folders_and_others_another_fingerprint(void **state)
{
    (void)state;
    static const int64_t rows[] = { 20, 20, 21 };
    bench b = bench_new();
    char prints[3][32], *files[2];
    size_t sizes[2];
    gr_error err = { 0 };
    for (size_t i = 0; i < 3; i++) {
        gr_dataset *d = write_simple(&b, i == 0 ? "a" : i == 1 ? "b" : "c", rows[i], NULL);
        snprintf(prints[i], sizeof prints[i], "%s", gr_dataset_fingerprint(d));
        assert_int_equal(strlen(prints[i]), 16);
        gr_dataset_close(d);
    }
    assert_string_equal(prints[0], prints[1]);
    assert_string_not_equal(prints[0], prints[2]);
    MUST(gr_file_read(b.rt, PATH(&b, "a/data-00000-of-00001.arrow"), 1 << 20, &files[0], &sizes[0], &err));
    MUST(gr_file_read(b.rt, PATH(&b, "b/data-00000-of-00001.arrow"), 1 << 20, &files[1], &sizes[1], &err));
    assert_int_equal(sizes[0], sizes[1]);
    assert_memory_equal(files[0], files[1], sizes[0]);
    gr_free(b.rt, files[0]);
    gr_free(b.rt, files[1]);
    bench_free(&b);
}

/* Copies the columns of a golden stream that can be written, row by row. */
static void copy_rows(bench *b, const gr_arrow_file *from, const char *to,
                      const gr_dataset_writer_options *options)
{
    gr_error err = { 0 };
    gr_dataset_writer *w;
    gr_arrow_cursor *c;
    gr_arrow_field fields[64];
    int columns[64], n_columns = 0, n = 0;
    for (int f = 0; f < from->schema.n_fields; f = from->schema.fields[f].next) {
        if (!gr_arrow_writable(from->schema.fields[f].type) ||
            from->schema.fields[f].type == GR_ARROW_FIXED_BINARY) /* which a feature has no word for */
            continue;
        columns[n_columns++] = f;
        for (int k = f; k < from->schema.fields[f].next; k++)
            fields[n++] = from->schema.fields[k];
    }
    MUST(gr_dataset_writer_open(&w, b->rt, to, fields, n, options, &err));
    MUST(gr_arrow_cursor_new(&c, b->rt, NULL, &err));
    for (uint64_t row = 0; row < from->n_rows; row++) {
        gr_arrow_value values[64];
        for (int k = 0; k < n_columns; k++) {
            const gr_arrow_value *v;
            MUST(gr_arrow_cursor_read(c, from, row, columns[k], &v, &err));
            values[k] = *v;
        }
        MUST(gr_dataset_writer_add(w, values, &err));
    }
    MUST(gr_dataset_writer_commit(w, &err));
    gr_arrow_cursor_free(c);
}

/* Row `row` of the data set as JSON is the same as that of the stream, where it has the column. */
static void expect_same_row(gr_arrow_cursor *c, const gr_arrow_file *a, const gr_arrow_file *b,
                            uint64_t row_a, uint64_t row_b)
{
    gr_error err = { 0 };
    for (int f = 0; f < b->schema.n_fields; f = b->schema.fields[f].next) {
        gr_buf text_a, text_b;
        gr_json_writer w;
        const gr_arrow_value *v;
        gr_buf_init(&text_a, a->rt, 1 << 16);
        gr_buf_init(&text_b, a->rt, 1 << 16);
        MUST(
            gr_arrow_cursor_read(c, a, row_a, gr_arrow_find(&a->schema, b->schema.fields[f].name), &v, &err));
        gr_json_writer_init(&w, &text_a, false);
        arrow_put_value(&w, v);
        MUST(gr_arrow_cursor_read(c, b, row_b, f, &v, &err));
        gr_json_writer_init(&w, &text_b, false);
        arrow_put_value(&w, v);
        assert_string_equal(gr_buf_str(&text_a), gr_buf_str(&text_b));
        gr_buf_fini(&text_a);
        gr_buf_fini(&text_b);
    }
}

static void every_type_comes_back_with_its_nulls(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        int n_columns; /* that are written */
    } rows[] = { { TEST_FILE("golden/arrow/plain.arrow"), 17 },
                 { TEST_FILE("golden/arrow/nested.arrow"), 7 } };
    bench b = bench_new();
    gr_error err = { 0 };
    for (size_t k = 0; k < 2; k++) {
        gr_arrow_file *from;
        gr_arrow_cursor *c;
        gr_dataset *d;
        char name[16];
        snprintf(name, sizeof name, "copy%zu", k);
        MUST(gr_arrow_file_open(&from, b.rt, rows[k].path, &err));
        copy_rows(&b, from, PATH(&b, name),
                  &(gr_dataset_writer_options){ .shard_bytes = 4000, .batch = { .batch_rows = 3 } });
        MUST(gr_dataset_open(&d, b.rt, PATH(&b, name), NULL, &err));
        MUST(gr_arrow_cursor_new(&c, b.rt, NULL, &err));
        assert_true(gr_dataset_n_shards(d) > 1);
        uint64_t row = 0;
        for (size_t i = 0; i < gr_dataset_n_shards(d); i++)
            for (uint64_t r = 0; r < gr_dataset_shard(d, i)->n_rows; r++)
                expect_same_row(c, from, gr_dataset_shard(d, i), row++, r);
        assert_int_equal(row, from->n_rows);
        int n_columns = 0;
        for (int f = 0; f < gr_dataset_schema(d)->n_fields; f = gr_dataset_schema(d)->fields[f].next)
            n_columns++;
        assert_int_equal(n_columns, rows[k].n_columns);
        gr_arrow_cursor_free(c);
        gr_dataset_close(d);
        gr_arrow_file_close(from);
    }
    bench_free(&b);
}

/* The Arrow library maps files and takes buffers in place. */
static void messages_bodies_and_buffers_lie_at_multiples_of_8(void **state)
{
    (void)state;
    bench b = bench_new();
    gr_error err = { 0 };
    gr_dataset *d = write_simple(&b, "x", 21, &(gr_dataset_writer_options){ .batch = { .batch_rows = 7 } });
    const gr_arrow_file *f = gr_dataset_shard(d, 0);
    assert_int_equal(f->n_batches, 3);
    for (size_t i = 0; i < f->n_batches; i++) {
        uint8_t meta[1024];
        gr_arrow_message m;
        gr_arrow_record r;
        const gr_arrow_entry *e = &f->batches[i];
        assert_int_equal((e->meta_at | e->meta_bytes | e->body_at | e->body_bytes) % 8, 0);
        assert_true(e->meta_bytes <= sizeof meta);
        MUST(gr_source_read(&f->source, e->meta_at, meta, e->meta_bytes, &err));
        gr_fb fb = gr_fb_of(meta, e->meta_bytes);
        MUST(gr_arrow_message_parse(&m, &fb, &err));
        MUST(gr_arrow_record_parse(&r, &m, &err));
        assert_int_equal(r.buffers.n, 5);
        assert_int_equal((r.nodes.at | r.buffers.at) % 8, 0);
        int64_t end = 0;
        for (size_t k = 0; k < r.buffers.n; k++) {
            assert_int_equal(gr_fb_i64(r.buffers.data + 16 * k), end);
            end = (end + gr_fb_i64(r.buffers.data + 16 * k + 8) + 7) / 8 * 8;
        }
        assert_int_equal(end, e->body_bytes);
    }
    assert_int_equal(f->source.size,
                     f->batches[2].body_at + f->batches[2].body_bytes + 8); /* the end marker */
    gr_dataset_close(d);
    bench_free(&b);
}

static void features_use_the_words_of_the_datasets_library(void **state)
{
    (void)state;
    static const gr_arrow_field fields[] = {
        { .name = "image", .type = GR_ARROW_STRUCT, .n_children = 2, .is_image = true, .nullable = true },
        { .name = "bytes", .type = GR_ARROW_BINARY, .nullable = true },
        { .name = "path", .type = GR_ARROW_UTF8, .nullable = true },
        { .name = "mask_rle", .type = GR_ARROW_LIST, .n_children = 1, .nullable = true },
        { .name = "item", .type = GR_ARROW_STRUCT, .n_children = 2, .nullable = true },
        { .name = "counts", .type = GR_ARROW_LARGE_UTF8, .nullable = true },
        { .name = "size", .type = GR_ARROW_FIXED_LIST, .width = 2, .n_children = 1, .nullable = true },
        { .name = "item", .type = GR_ARROW_INT, .width = 2, .nullable = true },
        { .name = "score", .type = GR_ARROW_FLOAT, .width = 4, .nullable = true },
        { .name = "ok", .type = GR_ARROW_BOOL, .nullable = true },
    };
    static const char expected[] =
        "{\"info\":{\"features\":{\"image\":{\"_type\":\"Image\"},"
        "\"mask_rle\":[{\"counts\":{\"dtype\":\"large_string\",\"_type\":\"Value\"},"
        "\"size\":{\"feature\":{\"dtype\":\"uint16\",\"_type\":\"Value\"},\"length\":2,\"_type\":"
        "\"Sequence\"}}],"
        "\"score\":{\"dtype\":\"float32\",\"_type\":\"Value\"},\"ok\":{\"dtype\":\"bool\",\"_type\":"
        "\"Value\"}}}}";
    bench b = bench_new();
    gr_error err = { 0 };
    gr_dataset_writer *w;
    gr_dataset *d;
    MUST(gr_dataset_writer_open(&w, b.rt, PATH(&b, "f"), fields, 10, NULL, &err));
    MUST(gr_dataset_writer_commit(w, &err));
    MUST(gr_dataset_open(&d, b.rt, PATH(&b, "f"), NULL, &err));
    assert_string_equal(gr_dataset_schema(d)->huggingface, expected);
    gr_dataset_close(d);
    MUST_FAIL(gr_dataset_writer_open(
                  &w, b.rt, PATH(&b, "g"),
                  &(gr_arrow_field){ .name = "x", .type = GR_ARROW_FIXED_BINARY, .width = 2 }, 1, NULL, &err),
              GR_ERR_ARG, "g: column 'x': a data set has no word for fixed_size_binary");
    MUST_FAIL(gr_dataset_writer_open(&w, b.rt, PATH(&b, "g"),
                                     &(gr_arrow_field){ .name = "x", .type = GR_ARROW_DATE, .width = 4 }, 1,
                                     NULL, &err),
              GR_ERR_ARG, "column 'x': a data set has no word for date");
    assert_false(gr_path_exists(PATH(&b, "g")));
    bench_free(&b);
}

static void rows_that_do_not_fit_are_refused_and_others_may_follow(void **state)
{
    (void)state;
    static const gr_arrow_field fields[] = {
        { .name = "n", .type = GR_ARROW_INT, .width = 1, .is_signed = true, .nullable = true },
        { .name = "list", .type = GR_ARROW_FIXED_LIST, .width = 2, .n_children = 1, .nullable = true },
        { .name = "item", .type = GR_ARROW_UTF8 },
    };
    bench b = bench_new();
    gr_error err = { 0 };
    gr_dataset_writer *w;
    gr_dataset *d;
    const gr_arrow_value null = { .kind = GR_VALUE_NULL };
    const gr_arrow_value two[] = { text("a"), text("b") }, bad[] = { text("a"), text("\xff") },
                         gap[] = { text("a"), null };
    const gr_arrow_value good = { .kind = GR_VALUE_LIST, .as.list = { two, 2 } };
    const struct {
        gr_arrow_value row[2];
        const char *part;
    } rows[] = {
        { { number(128), good }, "row 0: column 'n': 128 does not fit 8 bits" },
        { { number(-129), good }, "column 'n': -129 does not fit 8 bits" },
        { { text("1"), good }, "column 'n': a bytes, expected whole number" },
        { { number(1), number(1) }, "column 'list': a whole number, expected list" },
        { { number(1), { .kind = GR_VALUE_LIST, .as.list = { two, 1 } } },
          "column 'list': a list of 1, expected 2" },
        { { number(1), { .kind = GR_VALUE_LIST, .as.list = { bad, 2 } } },
          "column 'list.item': text of 1 bytes that is not UTF-8" },
        { { number(1), { .kind = GR_VALUE_LIST, .as.list = { gap, 2 } } },
          "column 'list.item': null, which it may not be" },
    };
    MUST(gr_dataset_writer_open(&w, b.rt, PATH(&b, "x"), fields, 3, NULL, &err));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        MUST_FAIL(gr_dataset_writer_add(w, rows[i].row, &err), GR_ERR_ARG, rows[i].part);
    MUST(gr_dataset_writer_add(w, (const gr_arrow_value[]){ number(-128), good }, &err));
    MUST(gr_dataset_writer_add(w, (const gr_arrow_value[]){ null, null }, &err));
    MUST(gr_dataset_writer_commit(w, &err));
    MUST(gr_dataset_open(&d, b.rt, PATH(&b, "x"), NULL, &err));
    assert_int_equal(gr_dataset_n_rows(d), 2);
    gr_dataset_close(d);
    bench_free(&b);
}

static void a_folder_appears_complete_or_not_at_all(void **state)
{
    (void)state;
    bench b = bench_new();
    gr_error err = { 0 };
    gr_dataset *d;
    gr_dataset_writer *w = open_simple(&b, "x", NULL);
    add_simple(w, 0);
    MUST_FAIL(gr_dataset_open(&d, b.rt, PATH(&b, "x"), NULL, &err), GR_ERR_IO, "no data set");
    gr_dataset_writer_abort(w);
    assert_false(gr_path_exists(PATH(&b, "x")));

    gr_dataset_close(write_simple(&b, "y", 3, NULL));
    MUST_FAIL(gr_dataset_writer_open(&w, b.rt, PATH(&b, "y"), simple, 2, NULL, &err), GR_ERR_ARG,
              "there is a data set in this folder already");
    MUST(gr_dataset_open(&d, b.rt, PATH(&b, "y"), NULL, &err));
    gr_dataset_close(d);

    /* a folder in the way of the first shard: what was written is removed, what was there stays */
    assert_int_equal(mkdir(PATH(&b, "z"), 0777), 0);
    assert_int_equal(mkdir(PATH(&b, "z/data-00000-of-00001.arrow"), 0777), 0);
    w = open_simple(&b, "z", NULL);
    add_simple(w, 0);
    MUST_FAIL(gr_dataset_writer_commit(w, &err), GR_ERR_IO, "cannot rename");
    test_dir z;
    snprintf(z.path, sizeof z.path, "%s", PATH(&b, "z"));
    assert_int_equal(test_dir_count(&z), 1);
    MUST_FAIL(gr_dataset_writer_open(&w, b.rt, PATH(&b, "no/such"), simple, 2, NULL, &err), GR_ERR_IO,
              "cannot make the folder");
    bench_free(&b);
}

static void every_failed_allocation_is_a_sentence_and_nothing_is_left(void **state)
{
    (void)state;
    counting count = { 0 };
    gr_runtime *rt = counting_runtime(&count, 1);
    bench b = { .rt = rt };
    test_dir_make(&b.dir);
    const size_t before = count.now;
    bool failed = true;
    for (size_t n = 1; failed; n++) {
        gr_error err = { 0 };
        gr_dataset_writer *w;
        count.fail_at = count.calls + n;
        gr_status st = gr_dataset_writer_open(&w, rt, PATH(&b, "x"), simple, 2,
                                              &(gr_dataset_writer_options){ .shard_bytes = 300 }, &err);
        for (int64_t i = 0; st == GR_OK && i < 4; i++)
            st = gr_dataset_writer_add(w, (const gr_arrow_value[]){ number(i), text("some") }, &err);
        if (st == GR_OK)
            st = gr_dataset_writer_commit(w, &err);
        else
            gr_dataset_writer_abort(w);
        failed = st != GR_OK;
        assert_true(!failed || (st == GR_ERR_MEM && err.msg[0]));
        assert_int_equal(count.now, before);
        assert_int_equal(gr_path_exists(PATH(&b, "x")), !failed);
    }
    test_dir_remove(&b.dir);
    gr_runtime_free(rt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_split_evenly_into_shards_by_their_bytes),
        cmocka_unit_test(a_batch_ends_at_its_rows_or_its_bytes),
        cmocka_unit_test(a_data_set_without_rows_has_one_shard_and_its_columns),
        cmocka_unit_test(equal_rows_give_equal_folders_and_others_another_fingerprint),
        cmocka_unit_test(every_type_comes_back_with_its_nulls),
        cmocka_unit_test(messages_bodies_and_buffers_lie_at_multiples_of_8),
        cmocka_unit_test(features_use_the_words_of_the_datasets_library),
        cmocka_unit_test(rows_that_do_not_fit_are_refused_and_others_may_follow),
        cmocka_unit_test(a_folder_appears_complete_or_not_at_all),
        cmocka_unit_test(every_failed_allocation_is_a_sentence_and_nothing_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
