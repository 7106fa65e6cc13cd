/* Schemas: bounds, finding columns, comparing. */
#include "test.h"

#include "dataset/arrow_file.h"
#include "support/arrow_stream.h"

static const gr_arrow_field masks[] = {
    { .name = "a.b", .type = GR_ARROW_UTF8, .nullable = true },
    { .name = "a", .type = GR_ARROW_STRUCT, .n_children = 2, .nullable = true },
    { .name = "b", .type = GR_ARROW_INT, .width = 2 },
    { .name = "c", .type = GR_ARROW_LIST, .n_children = 1, .nullable = true },
    { .name = "item", .type = GR_ARROW_FIXED_BINARY, .width = 5, .nullable = true },
    { .name = "z", .type = GR_ARROW_FLOAT, .width = 4, .nullable = true },
};

static void columns_are_found_by_their_path(void **state)
{
    (void)state;
    gr_runtime *rt = test_runtime_threads(1);
    gr_error err = { 0 };
    gr_arrow_schema s;
    char path[64];
    MUST(gr_arrow_schema_of(&s, rt, masks, 6, &err));
    assert_int_equal(gr_arrow_find(&s, "a.b"), 0); /* a name with a dot before a member */
    assert_int_equal(gr_arrow_find(&s, "a"), 1);
    assert_int_equal(gr_arrow_find(&s, "a.c"), 3);
    assert_int_equal(gr_arrow_find(&s, "z"), 5);
    assert_int_equal(gr_arrow_find(&s, "a.c.item"), -1); /* lists have many */
    assert_int_equal(gr_arrow_find(&s, "a."), -1);
    assert_int_equal(gr_arrow_find(&s, ""), -1);
    assert_int_equal(gr_arrow_find(&s, "b"), -1);
    assert_string_equal(gr_arrow_path(&s, 4, path, sizeof path), "a.c.item");
    assert_string_equal(gr_arrow_path(&s, 4, path, 5), "a.c.");
    gr_arrow_schema_fini(&s);
    gr_runtime_free(rt);
}

static void what_is_written_is_read_back(void **state)
{
    (void)state;
    gr_runtime *rt = test_runtime_threads(1);
    gr_error err = { 0 };
    gr_arrow_schema s;
    gr_arrow_file *f;
    gr_buf stream;
    gr_buf_init(&stream, rt, 1 << 16);
    MUST(gr_arrow_schema_of(&s, rt, masks, 6, &err));
    arrow_stream_schema(&stream, masks, 6);
    MUST(gr_arrow_file_parse(&f, rt, stream.data, stream.len, "s", &err));
    MUST(gr_arrow_schema_compare(&s, &f->schema, &err));
    for (int i = 0; i < 6; i++) {
        assert_int_equal(f->schema.fields[i].nullable, masks[i].nullable);
        assert_int_equal(f->schema.fields[i].next, s.fields[i].next);
    }
    gr_arrow_file_close(f);
    gr_arrow_schema_fini(&s);
    gr_buf_fini(&stream);
    gr_runtime_free(rt);
}

static void the_first_difference_of_two_schemas_is_named(void **state)
{
    (void)state;
    static const struct {
        int field, n;
        gr_arrow_field other;
        const char *part;
    } rows[] = {
        { 2,
          6,
          { .name = "b", .type = GR_ARROW_INT, .width = 4 },
          "column 'a.b' is unsigned int of width 4, expected unsigned int of width 2" },
        { 2,
          6,
          { .name = "b", .type = GR_ARROW_INT, .width = 2, .is_signed = true },
          "column 'a.b' is int of width 2" },
        { 5, 6, { .name = "y", .type = GR_ARROW_FLOAT, .width = 4 }, "column 'y' where 'z' is expected" },
        { 0, 6, { .name = "a.b", .type = GR_ARROW_BINARY }, "column 'a.b' is binary, expected utf8" },
        { 0, 5, { .name = "a.b", .type = GR_ARROW_UTF8 }, "5 fields in all columns, expected 6" },
    };
    gr_runtime *rt = test_runtime_threads(1);
    gr_error err = { 0 };
    gr_arrow_schema s, other;
    MUST(gr_arrow_schema_of(&s, rt, masks, 6, &err));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        gr_arrow_field fields[6];
        memcpy(fields, masks, sizeof masks);
        fields[rows[i].field] = rows[i].other;
        MUST(gr_arrow_schema_of(&other, rt, fields, rows[i].n, &err));
        MUST_FAIL(gr_arrow_schema_compare(&s, &other, &err), GR_ERR_FORMAT, rows[i].part);
        gr_arrow_schema_fini(&other);
    }
    gr_arrow_schema_fini(&s);
    gr_runtime_free(rt);
}

static void types_and_widths_that_cannot_be_are_refused(void **state)
{
    (void)state;
    static const struct {
        gr_arrow_field field;
        const char *part;
    } rows[] = {
        { { .name = "x", .type = GR_ARROW_UNION }, "column 'x': unions (type 14) are not read" },
        { { .name = "x", .type = (gr_arrow_type)77 }, "column 'x': type 77 is unknown" },
        { { .name = "x", .type = GR_ARROW_INT, .width = 3 }, "column 'x': int of width 3" },
        { { .name = "x", .type = GR_ARROW_FLOAT, .width = 1 }, "column 'x': float of width 1" },
        { { .name = "x", .type = GR_ARROW_FIXED_BINARY, .width = -1 }, "fixed_size_binary of width -1" },
        { { .name = "x", .type = GR_ARROW_LIST }, "column 'x': list with 0 children, expected 1" },
        { { .name = "x", .type = GR_ARROW_STRUCT, .n_children = 1 }, "ends before all children are there" },
    };
    gr_runtime *rt = test_runtime_threads(1);
    gr_error err = { 0 };
    gr_arrow_schema s;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        MUST_FAIL(gr_arrow_schema_of(&s, rt, &rows[i].field, 1, &err), GR_ERR_ARG, rows[i].part);
    gr_runtime_free(rt);
}

/* The bounds hold for files too, which are built here by the writer of the format. */
static void schemas_have_a_bounded_depth_and_size(void **state)
{
    (void)state;
    gr_runtime *rt = test_runtime_threads(1);
    gr_error err = { 0 };
    gr_arrow_schema s;
    static gr_arrow_field fields[GR_ARROW_FIELDS_MAX + 1];
    for (int i = 0; i <= GR_ARROW_FIELDS_MAX; i++)
        fields[i] = (gr_arrow_field){ .name = "n", .type = GR_ARROW_NULL };
    MUST(gr_arrow_schema_of(&s, rt, fields, GR_ARROW_FIELDS_MAX, &err));
    gr_arrow_schema_fini(&s);
    MUST_FAIL(gr_arrow_schema_of(&s, rt, fields, GR_ARROW_FIELDS_MAX + 1, &err), GR_ERR_LIMIT,
              "more than 4096 fields");
    for (int i = 0; i < GR_ARROW_DEPTH_MAX; i++)
        fields[i] = (gr_arrow_field){ .name = "l", .type = GR_ARROW_LIST, .n_children = 1 };
    MUST_FAIL(gr_arrow_schema_of(&s, rt, fields, GR_ARROW_DEPTH_MAX + 1, &err), GR_ERR_LIMIT, "64 deep");
    fields[GR_ARROW_DEPTH_MAX - 1] = (gr_arrow_field){ .name = "n", .type = GR_ARROW_NULL };
    MUST(gr_arrow_schema_of(&s, rt, fields, GR_ARROW_DEPTH_MAX, &err));
    gr_arrow_schema_fini(&s);
    gr_runtime_free(rt);
}

/* Fields may share a child, so that a small file describes a tree of 2^40 fields. */
static void a_small_file_with_a_huge_tree_is_refused(void **state)
{
    (void)state;
    gr_runtime *rt = test_runtime_threads(1);
    gr_error err = { 0 };
    gr_buf bytes;
    gr_arrow_schema s;
    gr_buf_init(&bytes, rt, 1 << 16);
    gr_fb_writer w = gr_fb_writer_begin(&bytes);
    gr_fb_field schema[] = { { .slot = 1, .bytes = 4 } };
    gr_fb_point(&w, 0, gr_fb_put_table(&w, schema, 1));
    size_t at = schema[0].at; /* the place that refers to the fields of this level */
    for (int level = 0; level < 40; level++) {
        gr_fb_field field[] = { { .slot = 5, .bytes = 4 },
                                { .slot = 2, .bytes = 1, .value = GR_ARROW_STRUCT } };
        const size_t vector = gr_fb_put_tables(&w, 2), table = gr_fb_put_table(&w, field, 2);
        gr_fb_point(&w, at, vector);
        gr_fb_point(&w, vector + 4, table);
        gr_fb_point(&w, vector + 8, table);
        at = field[0].at;
    }
    gr_fb_point(&w, at, gr_fb_put_tables(&w, 0));
    gr_fb_writer_end(&w);
    gr_fb fb = gr_fb_of(bytes.data, bytes.len);
    MUST_FAIL(gr_arrow_schema_parse(&s, rt, gr_fb_root(&fb), &err), GR_ERR_LIMIT, "more than 4096 fields");
    gr_buf_fini(&bytes);
    gr_runtime_free(rt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_found_by_their_path),
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(the_first_difference_of_two_schemas_is_named),
        cmocka_unit_test(types_and_widths_that_cannot_be_are_refused),
        cmocka_unit_test(schemas_have_a_bounded_depth_and_size),
        cmocka_unit_test(a_small_file_with_a_huge_tree_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
