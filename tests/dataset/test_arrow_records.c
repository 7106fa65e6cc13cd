/* Arrow folders of GAR's data and of records: the same records as from JSON, however the columns are stored.
 */
#include "test.h"

#include <pthread.h>

#include "dataset/arrow_records.h"
#include "dataset/dataset_writer.h"
#include "dataset/gar_row.h"
#include "support/tempdir.h"

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

/* --- values -------------------------------------------------------------------------------------------- */

typedef gr_arrow_value value;

static value text(const char *t)
{
    return (value){ .kind = GR_VALUE_BYTES, .as.bytes = { (const uint8_t *)t, strlen(t) } };
}

static value number(int64_t x) { return (value){ .kind = GR_VALUE_INT, .as.integer = x }; }
static value real(double x) { return (value){ .kind = GR_VALUE_DOUBLE, .as.number = x }; }
static const value null = { .kind = GR_VALUE_NULL };

#define LIST(...)                                                  \
    (value)                                                        \
    {                                                              \
        .kind = GR_VALUE_LIST, .as.list = {                        \
            (const value[]){ __VA_ARGS__ },                        \
            sizeof((const value[]){ __VA_ARGS__ }) / sizeof(value) \
        }                                                          \
    }
#define EMPTY \
    (value) { .kind = GR_VALUE_LIST }
/* Members as pointers to arrays of one. */
#define M(v) \
    (const value[]) { v }
#define STRUCT(...)                                                                                \
    (value)                                                                                        \
    {                                                                                              \
        .kind = GR_VALUE_STRUCT, .as.fields = {(const value *const[]){ __VA_ARGS__ }, 0, NULL, 0 } \
    }

/* --- columns ------------------------------------------------------------------------------------------- */

#define UTF8(n)                                            \
    {                                                      \
        .name = n, .type = GR_ARROW_UTF8, .nullable = true \
    }
#define BINARY(n)                                            \
    {                                                        \
        .name = n, .type = GR_ARROW_BINARY, .nullable = true \
    }
#define INT64(n)                                                                         \
    {                                                                                    \
        .name = n, .type = GR_ARROW_INT, .width = 8, .is_signed = true, .nullable = true \
    }
#define INT32(n)                                                                         \
    {                                                                                    \
        .name = n, .type = GR_ARROW_INT, .width = 4, .is_signed = true, .nullable = true \
    }
#define FLOAT(n)                                                        \
    {                                                                   \
        .name = n, .type = GR_ARROW_FLOAT, .width = 4, .nullable = true \
    }
#define OF(n)                                                               \
    {                                                                       \
        .name = n, .type = GR_ARROW_LIST, .nullable = true, .n_children = 1 \
    }
#define WITH(n, k)                                                            \
    {                                                                         \
        .name = n, .type = GR_ARROW_STRUCT, .nullable = true, .n_children = k \
    }

static gr_row_source *write_row(bench *b, const char *name, const gr_arrow_field *fields, int n,
                                const value *row)
{
    gr_error err = { 0 };
    gr_dataset_writer *w;
    gr_row_source *s;
    MUST(gr_dataset_writer_open(&w, b->rt, test_dir_file(&b->dir, name), fields, n, NULL, &err));
    MUST(gr_dataset_writer_add(w, row, &err));
    MUST(gr_dataset_writer_commit(w, &err));
    MUST(gr_arrow_records_open(&s, b->rt, test_dir_file(&b->dir, name), NULL, NULL, &err));
    assert_int_equal(s->count, 1);
    assert_string_equal(s->name, name);
    return s;
}

/* The only row is what the JSON says. */
static void expect_row(bench *b, gr_row_source *s, const char *json)
{
    gr_error err = { 0 };
    gr_record got, want;
    gr_record_init(&got, b->rt);
    gr_record_init(&want, b->rt);
    MUST(gr_gar_row_parse(&want, json, strlen(json), "want", &err));
    MUST(gr_rows_read(s, 0, &got, &err));
    assert_true(gr_record_same(&got, &want));
    gr_record_fini(&got);
    gr_record_fini(&want);
    gr_rows_close(s);
}

#define FIELDS(name) name, sizeof name / sizeof *name

static void lists_of_turns_and_masks(void **state)
{
    (void)state;
    bench b = bench_new();
    static const gr_arrow_field fields[] = {
        UTF8("extra"),  UTF8("image"),   OF("conversations"), WITH("item", 2), UTF8("from"),  UTF8("value"),
        OF("mask_rle"), WITH("item", 2), UTF8("counts"),      OF("size"),      INT64("item"), INT64("id"),
    };
    const value row[] = {
        text("passed over"),
        text("data:base64,aGVsbG8="),
        LIST(STRUCT(M(text("human")), M(text("What?"))), STRUCT(M(text("gpt")), M(text("A dog.")))),
        LIST(STRUCT(M(text("42102")), M(LIST(number(3), number(4)))),
             STRUCT(M(text("0<")), M(LIST(number(3), number(4))))),
        number(7),
    };
    expect_row(&b, write_row(&b, "lists", FIELDS(fields), row),
               "{\"id\":7,\"image\":\"data:base64,aGVsbG8=\",\"conversations\":[{\"from\":\"human\","
               "\"value\":\"What?\"},"
               "{\"from\":\"gpt\",\"value\":\"A dog.\"}],\"mask_rle\":[{\"size\":[3,4],\"counts\":\"42102\"},"
               "{\"size\":[3,4],\"counts\":\"0<\"}]}");
    bench_free(&b);
}

static void members_as_lists_one_mask_and_a_stored_picture(void **state)
{
    (void)state;
    bench b = bench_new();
    static const gr_arrow_field fields[] = {
        WITH("image", 2),    BINARY("bytes"), UTF8("path"),  WITH("conversations", 2),
        OF("from"),          UTF8("item"),    OF("value"),   UTF8("item"),
        WITH("mask_rle", 2), OF("size"),      INT32("item"), OF("counts"),
        INT64("item"),       UTF8("id"),
    };
    const value row[] = {
        STRUCT(M(text("hello")), M(text("a.png"))),
        STRUCT(M(LIST(text("human"), text("gpt"))), M(LIST(text("What?"), text("A dog.")))),
        STRUCT(M(LIST(number(3), number(4))), M(LIST(number(4), number(2), number(1), number(2), number(3)))),
        text("k"),
    };
    expect_row(&b, write_row(&b, "members", FIELDS(fields), row),
               "{\"id\":\"k\",\"image\":{\"bytes\":\"aGVsbG8=\",\"path\":\"a.png\"},\"conversations\":[{"
               "\"from\":\"human\","
               "\"value\":\"What?\"},{\"from\":\"gpt\",\"value\":\"A dog.\"}],"
               "\"mask_rle\":{\"size\":[3,4],\"counts\":\"42102\"}}");
    bench_free(&b);
}

static void nulls_are_nothing_and_a_list_of_masks_may_be_stored_by_members(void **state)
{
    (void)state;
    bench b = bench_new();
    static const gr_arrow_field fields[] = {
        UTF8("image"), OF("conversations"), WITH("item", 2), UTF8("from"), UTF8("value"), WITH("mask_rle", 2),
        OF("size"),    OF("item"),          INT64("item"),   OF("counts"), UTF8("item"),  UTF8("id"),
    };
    const value nothing[] = { null, EMPTY, null, text("n") };
    expect_row(&b, write_row(&b, "nulls", FIELDS(fields), nothing), "{\"id\":\"n\",\"conversations\":[]}");
    const value row[] = { text("a.jpg"), EMPTY,
                          STRUCT(M(LIST(LIST(number(3), number(4)), LIST(number(1), number(12)))),
                                 M(LIST(text("42102"), text("0<")))),
                          text("n") };
    expect_row(&b, write_row(&b, "transposed", FIELDS(fields), row),
               "{\"id\":\"n\",\"image\":\"a.jpg\",\"mask_rle\":[{\"size\":[3,4],\"counts\":\"42102\"},{"
               "\"size\":[1,12],"
               "\"counts\":\"0<\"}]}");
    bench_free(&b);
}

/* --- records ------------------------------------------------------------------------------------------- */

static const gr_arrow_field record_fields[] = {
    UTF8("key"),   WITH("image", 2), BINARY("bytes"), UTF8("path"),   INT32("width"), INT32("height"),
    OF("regions"), WITH("item", 6),  INT32("id"),     OF("box"),      FLOAT("item"),  WITH("rle", 2),
    OF("size"),    INT64("item"),    UTF8("counts"),  UTF8("label"),  FLOAT("score"), UTF8("source"),
    OF("turns"),   WITH("item", 3),  UTF8("from"),    UTF8("value"),  OF("regions"),  INT32("item"),
    OF("spans"),   WITH("item", 4),  INT32("turn"),   INT32("start"), INT32("end"),   OF("regions"),
    INT32("item"), UTF8("task"),     UTF8("meta"),
};

static void a_record_keeps_all_its_columns(void **state)
{
    (void)state;
    bench b = bench_new();
    gr_error err = { 0 };
    gr_record r;
    const value row[] = {
        text("set/1"),
        STRUCT(M(null), M(text("a.jpg"))),
        number(640),
        number(480),
        LIST(STRUCT(M(number(12)), M(LIST(real(1), real(2), real(3.5), real(4))), M(null), M(text("dog")),
                    M(real(0.5)), M(text("detector"))),
             STRUCT(M(number(13)), M(null), M(STRUCT(M(LIST(number(3), number(4))), M(text("42102")))),
                    M(null), M(null), M(null))),
        LIST(STRUCT(M(text("human")), M(text("What?")), M(LIST(number(1)))),
             STRUCT(M(text("gpt")), M(text("A dog.")), M(EMPTY))),
        LIST(STRUCT(M(number(1)), M(number(2)), M(number(5)), M(LIST(number(0), number(1))))),
        text("caption"),
        text("{\"seed\":1}"),
    };
    gr_row_source *s = write_row(&b, "record", FIELDS(record_fields), row);
    gr_record_init(&r, b.rt);
    MUST(gr_rows_read(s, 0, &r, &err));
    assert_string_equal(r.key.at, "set/1");
    assert_int_equal(r.form, GR_PICTURE_STORED);
    assert_string_equal(r.path.at, "a.jpg");
    assert_int_equal(r.width, 640);
    assert_int_equal(r.height, 480);
    assert_int_equal(r.n_regions, 2);
    const gr_record_region *g = r.regions;
    assert_true(g[0].id == 12 && g[0].has_box && !g[0].has_rle && g[0].box[2] == 3.5f && g[0].score == 0.5f);
    assert_string_equal(g[0].label.at, "dog");
    assert_string_equal(g[0].source.at, "detector");
    assert_true(g[1].id == 13 && !g[1].has_box && g[1].has_rle && g[1].rle_height == 3 && isnan(g[1].score));
    assert_string_equal(g[1].rle.at, "42102");
    assert_int_equal(r.n_turns, 2);
    assert_true(r.turns[0].regions.n == 1 && r.turns[0].regions.v[0] == 1 && r.turns[1].regions.n == 0);
    assert_int_equal(r.n_spans, 1);
    assert_true(r.spans[0].turn == 1 && r.spans[0].start == 2 && r.spans[0].end == 5);
    assert_true(r.spans[0].regions.n == 2 && r.spans[0].regions.v[1] == 1);
    assert_string_equal(r.task.at, "caption");
    assert_string_equal(r.meta.at, "{\"seed\":1}");
    gr_record_fini(&r);
    gr_rows_close(s);
    bench_free(&b);
}

/* --- what is refused ----------------------------------------------------------------------------------- */

static void columns_of_another_type_are_errors_of_the_row(void **state)
{
    (void)state;
    bench b = bench_new();
    static const gr_arrow_field fields[] = {
        INT64("image"), OF("conversations"), WITH("item", 2), UTF8("from"),
        UTF8("value"),  OF("mask_rle"),      UTF8("item"),
    };
    static const struct {
        const char *name, *part;
    } cases[] = { { "image", "row 0: image is" },
                  { "from", "row 0: a turn from 'system'" },
                  { "masks", "row 0: an empty list of masks" },
                  { "mask", "row 0: the size of a mask is not" } };
    const value rows[][3] = {
        { number(1), EMPTY, null },
        { null, LIST(STRUCT(M(text("system")), M(text("x")))), null },
        { null, EMPTY, EMPTY },
        { null, EMPTY, LIST(text("x")) },
    };
    for (size_t i = 0; i < 4; i++) {
        gr_error err = { 0 };
        gr_record r;
        gr_record_init(&r, b.rt);
        gr_row_source *s = write_row(&b, cases[i].name, FIELDS(fields), rows[i]);
        MUST_FAIL(gr_rows_read(s, 0, &r, &err), GR_ERR_FORMAT, cases[i].part);
        gr_record_fini(&r);
        gr_rows_close(s);
    }
    bench_free(&b);
}

static void a_data_set_without_conversations_is_refused(void **state)
{
    (void)state;
    bench b = bench_new();
    gr_error err = { 0 };
    static const gr_arrow_field fields[] = { UTF8("image") };
    gr_dataset_writer *w;
    gr_row_source *s;
    MUST(gr_dataset_writer_open(&w, b.rt, test_dir_file(&b.dir, "none"), FIELDS(fields), NULL, &err));
    MUST(gr_dataset_writer_commit(w, &err));
    MUST_FAIL(gr_arrow_records_open(&s, b.rt, test_dir_file(&b.dir, "none"), NULL, NULL, &err), GR_ERR_FORMAT,
              "no column 'conversations' or 'turns'");
    assert_null(s);
    bench_free(&b);
}

/* --- threads ------------------------------------------------------------------------------------------- */

enum { ROWS = 500, READERS = 3 };

typedef struct {
    const gr_row_source *source;
    gr_runtime *rt;
    size_t step;
    int wrong;
} reading;

static void *read_all(void *user)
{
    reading *job = user;
    gr_record r;
    gr_record_init(&r, job->rt);
    for (size_t k = 0; k < ROWS; k++) {
        const size_t i = k * job->step % ROWS;
        char want[16];
        snprintf(want, sizeof want, "%zu.jpg", i);
        job->wrong += gr_rows_read(job->source, i, &r, NULL) != GR_OK || strcmp(r.path.at, want) != 0;
    }
    gr_record_fini(&r);
    return NULL;
}

static void rows_are_read_from_several_threads(void **state)
{
    (void)state;
    bench b = bench_new();
    gr_error err = { 0 };
    static const gr_arrow_field fields[] = { UTF8("image"), OF("conversations"), WITH("item", 2),
                                             UTF8("from"), UTF8("value") };
    gr_dataset_writer *w;
    gr_row_source *s;
    pthread_t threads[READERS];
    reading jobs[READERS];
    MUST(gr_dataset_writer_open(&w, b.rt, test_dir_file(&b.dir, "many"), FIELDS(fields),
                                &(gr_dataset_writer_options){ .batch = { 7, 0 } }, &err));
    for (int i = 0; i < ROWS; i++) {
        char path[16];
        snprintf(path, sizeof path, "%d.jpg", i);
        MUST(gr_dataset_writer_add(w, (const value[]){ text(path), EMPTY }, &err));
    }
    MUST(gr_dataset_writer_commit(w, &err));
    MUST(gr_arrow_records_open(&s, b.rt, test_dir_file(&b.dir, "many"), NULL, "named", &err));
    assert_string_equal(s->name, "named");
    for (int t = 0; t < READERS; t++) {
        jobs[t] = (reading){ s, b.rt, (size_t[]){ 1, 7, 99 }[t], 0 };
        assert_int_equal(pthread_create(&threads[t], NULL, read_all, &jobs[t]), 0);
    }
    for (int t = 0; t < READERS; t++) {
        pthread_join(threads[t], NULL);
        assert_int_equal(jobs[t].wrong, 0);
    }
    gr_rows_close(s);
    bench_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_of_turns_and_masks),
        cmocka_unit_test(members_as_lists_one_mask_and_a_stored_picture),
        cmocka_unit_test(nulls_are_nothing_and_a_list_of_masks_may_be_stored_by_members),
        cmocka_unit_test(a_record_keeps_all_its_columns),
        cmocka_unit_test(columns_of_another_type_are_errors_of_the_row),
        cmocka_unit_test(a_data_set_without_conversations_is_refused),
        cmocka_unit_test(rows_are_read_from_several_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
