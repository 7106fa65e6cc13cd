/* Files of rows: lines or one list, found by position, however they are laid out. */
#include "test.h"

#include "dataset/gar_row.h"
#include "dataset/json_rows.h"
#include "support/counting.h"
#include "support/tempdir.h"

static gr_row_source *wrap(gr_runtime *rt, const char *text)
{
    gr_error err = { 0 };
    gr_row_source *s;
    MUST(gr_json_rows_wrap(&s, rt, text, strlen(text), "toy.jsonl", NULL, gr_gar_row_parse, &err));
    return s;
}

/* The paths of all rows, each followed by ';', read backwards and then once more forwards. */
static void expect_paths(gr_runtime *rt, const gr_row_source *s, const char *want)
{
    gr_error err = { 0 };
    gr_record r;
    gr_record_init(&r, rt);
    char got[256] = "";
    for (size_t i = s->count; i-- > 0;)
        MUST(gr_rows_read(s, i, &r, &err));
    for (size_t i = 0; i < s->count; i++) {
        MUST(gr_rows_read(s, i, &r, &err));
        strcat(strcat(got, r.path.at), ";");
    }
    assert_string_equal(got, want);
    gr_record_fini(&r);
}

static void rows_are_lines_or_members_of_a_list(void **state)
{
    (void)state;
    gr_runtime *rt = test_runtime();
    static const struct {
        const char *text, *want;
    } cases[] = {
        { "{\"image\":\"a\"}\n{\"image\":\"b\"}\n", "a;b;" },
        { "{\"image\":\"a\"}\r\n\r\n  \n  {\"image\":\"b\"}", "a;b;" },
        { "\n\n{\"image\":\"a\"}   ", "a;" },
        { "[{\"image\":\"a\"},{\"image\":\"b\"}]", "a;b;" },
        { " [\n  {\"image\": \"a\"} ,\n\n  {\"image\":\n\"b\", \"x\": [{}, [\"]}\\\"{\"]]}\n]\n", "a;b;" },
        { "[{\"image\":\"[\\\\\"},{\"image\":\"}\"}]", "[\\;};" },
        { "[]", "" },
        { "", "" },
        { " \n", "" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gr_row_source *s = wrap(rt, cases[i].text);
        expect_paths(rt, s, cases[i].want);
        gr_rows_close(s);
    }
    gr_runtime_free(rt);
}

static void a_bad_line_is_an_error_of_that_row_alone(void **state)
{
    (void)state;
    gr_runtime *rt = test_runtime();
    gr_error err = { 0 };
    gr_record r;
    gr_record_init(&r, rt);
    gr_row_source *s = wrap(rt, "{\"image\":\"a\"}\n{\"image\":\nnonsense\n{\"image\":\"b\"}\n");
    assert_int_equal(s->count, 4);
    MUST_FAIL(gr_rows_read(s, 1, &r, &err), GR_ERR_FORMAT, "toy.jsonl: row 1: ");
    MUST_FAIL(gr_rows_read(s, 2, &r, &err), GR_ERR_FORMAT, "toy.jsonl: row 2: ");
    MUST(gr_rows_read(s, 3, &r, &err));
    assert_string_equal(r.path.at, "b");
    MUST_FAIL(gr_rows_read(s, 4, &r, &err), GR_ERR_ARG, "row 4 of 4");
    gr_rows_close(s);
    gr_record_fini(&r);
    gr_runtime_free(rt);
}

static void a_list_that_is_none_is_refused_as_a_whole(void **state)
{
    (void)state;
    gr_runtime *rt = test_runtime();
    gr_error err = { 0 };
    static const struct {
        const char *text, *part;
    } cases[] = {
        { "x", "byte 0 is 0x78, expected '{'" }, { "[{}", "has no end; the file has 3 bytes" },
        { "[1]", "expected '{' of a row" },      { "[{},]", "expected '{' of a row" },
        { "[{}{}]", "expected ',' or ']'" },     { "[,{}]", "expected '{' of a row" },
        { "[{}] {}", "nothing after the list" }, { "[{\"a\":\"]}", "has no end" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gr_row_source *s;
        MUST_FAIL(gr_json_rows_wrap(&s, rt, cases[i].text, strlen(cases[i].text), "f.json", NULL,
                                    gr_gar_row_parse, &err),
                  GR_ERR_FORMAT, cases[i].part);
        assert_null(s);
    }
    gr_runtime_free(rt);
}

/* Longer than the pieces a file is read in, so that rows lie across their borders. */
static void a_file_is_read_by_position_and_known_by_its_content(void **state)
{
    (void)state;
    enum { ROWS = 30000 };
    gr_runtime *rt = test_runtime();
    gr_error err = { 0 };
    test_dir dir;
    gr_buf text;
    test_dir_make(&dir);
    gr_buf_init(&text, rt, (size_t)8 << 20);
    for (int i = 0; i < ROWS; i++)
        gr_buf_printf(&text, "{\"image\":\"%d\",\"conversations\":[{\"from\":\"gpt\",\"value\":\"%0*d\"}]}\n",
                      i, i % 97, i);
    test_dir_write(&dir, "seed.v1.jsonl", text.data, text.len);
    gr_row_source *s, *again;
    MUST(gr_json_rows_open(&s, rt, test_dir_file(&dir, "seed.v1.jsonl"), NULL, gr_gar_row_parse, &err));
    assert_string_equal(s->name, "seed.v1");
    assert_int_equal(s->count, ROWS);
    gr_record r;
    gr_record_init(&r, rt);
    for (int i = ROWS - 1; i >= 0; i -= 101) {
        char want[32];
        MUST(gr_rows_read(s, (size_t)i, &r, &err));
        assert_int_equal(atoi(r.path.at), i);
        snprintf(want, sizeof want, "seed.v1/%d", i);
        assert_string_equal(r.key.at, want);
    }
    gr_record_fini(&r);
    text.data[text.len - 6]++;
    MUST(gr_json_rows_wrap(&again, rt, text.data, text.len, "x", "named", gr_gar_row_parse, &err));
    assert_string_equal(again->name, "named");
    assert_false(gr_hash_same(s->fingerprint, again->fingerprint));
    text.data[text.len - 6]--;
    gr_rows_close(again);
    MUST(gr_json_rows_wrap(&again, rt, text.data, text.len, "x", "named", gr_gar_row_parse, &err));
    assert_true(gr_hash_same(s->fingerprint, again->fingerprint));
    gr_rows_close(again);
    gr_rows_close(s);
    MUST_FAIL(gr_json_rows_open(&s, rt, test_dir_file(&dir, "none"), NULL, gr_gar_row_parse, &err), GR_ERR_IO,
              "cannot open");
    gr_buf_fini(&text);
    test_dir_remove(&dir);
    gr_runtime_free(rt);
}

static void several_sources_are_one_after_the_other(void **state)
{
    (void)state;
    gr_runtime *rt = test_runtime();
    gr_error err = { 0 };
    gr_row_source *list[] = { wrap(rt, "[{},{}]"), wrap(rt, "[]"), wrap(rt, "{}") };
    gr_row_source *turned[] = { list[2], list[1], list[0] };
    gr_row_sources all, other;
    MUST(gr_row_sources_init(&all, list, 3, &err));
    MUST(gr_row_sources_init(&other, turned, 3, &err));
    assert_int_equal(all.count, 3);
    static const size_t want[3][2] = { { 0, 0 }, { 0, 1 }, { 2, 0 } };
    for (size_t i = 0; i < 3; i++) {
        const gr_row_place p = gr_row_sources_find(&all, i);
        assert_int_equal(p.source, want[i][0]);
        assert_int_equal(p.row, want[i][1]);
    }
    assert_false(gr_hash_same(gr_row_sources_fingerprint(&all), gr_row_sources_fingerprint(&other)));
    MUST_FAIL(gr_row_sources_init(&all, list + 1, 1, &err), GR_ERR_ARG, "without a row");
    for (size_t i = 0; i < 3; i++)
        gr_rows_close(list[i]);
    gr_runtime_free(rt);
}

/* Every allocation of opening, reading and writing fails once. */
static void no_memory_is_an_error_and_loses_nothing(void **state)
{
    (void)state;
    static const char text[] =
        "{\"image\":{\"bytes\":\"aGVsbG8=\",\"path\":\"a\"},\"conversations\":[{\"from\":\"gpt\",\"value\":"
        "\"x\"}],"
        "\"mask_rle\":[{\"size\":[3,4],\"counts\":[4,2,1,2,3]}]}\n{}\n{}\n{}\n{}\n{}\n";
    counting c = { 0 };
    gr_runtime *rt = counting_runtime(&c, 1);
    const size_t before = atomic_load(&c.now);
    bool failed = true;
    for (size_t i = 1; failed; i++) {
        gr_error err = { 0 };
        gr_row_source *s;
        gr_record r;
        gr_buf out;
        gr_record_init(&r, rt);
        gr_buf_init(&out, rt, 1 << 20);
        atomic_store(&c.fail_at, atomic_load(&c.calls) + i);
        gr_status st = gr_json_rows_wrap(&s, rt, text, strlen(text), "f", NULL, gr_gar_row_parse, &err);
        if (st == GR_OK)
            st = gr_rows_read(s, 0, &r, &err);
        if (st == GR_OK)
            st = gr_gar_row_write(&out, &r, &err);
        failed = st != GR_OK;
        assert_true(st == GR_OK || st == GR_ERR_MEM);
        assert_true(failed || i > 10);
        atomic_store(&c.fail_at, 0);
        gr_rows_close(s);
        gr_record_fini(&r);
        gr_buf_fini(&out);
        assert_int_equal(atomic_load(&c.now), before);
    }
    gr_runtime_free(rt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_lines_or_members_of_a_list),
        cmocka_unit_test(a_bad_line_is_an_error_of_that_row_alone),
        cmocka_unit_test(a_list_that_is_none_is_refused_as_a_whole),
        cmocka_unit_test(a_file_is_read_by_position_and_known_by_its_content),
        cmocka_unit_test(several_sources_are_one_after_the_other),
        cmocka_unit_test(no_memory_is_an_error_and_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
