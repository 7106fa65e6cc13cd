/* Rows of GAR's training data: every form the published reader takes, what is refused, and there and back. */
#include "test.h"

#include "dataset/gar_row.h"

typedef struct {
    gr_runtime *rt;
    gr_record record;
} bench;

static void bench_init(bench *b)
{
    b->rt = test_runtime();
    gr_record_init(&b->record, b->rt);
}

static void bench_fini(bench *b)
{
    gr_record_fini(&b->record);
    gr_runtime_free(b->rt);
}

static void parse(bench *b, const char *row)
{
    gr_error err = { 0 };
    MUST(gr_gar_row_parse(&b->record, row, strlen(row), "rows.jsonl: row 3", &err));
    MUST(gr_record_check(&b->record, &err));
}

static void pictures_are_paths_data_or_stored(void **state)
{
    (void)state;
    bench b;
    bench_init(&b);
    const gr_record *r = &b.record;
    static const struct {
        const char *image;
        gr_picture_form form;
        const char *path, *bytes;
    } cases[] = {
        { "\"coco/1.jpg\"", GR_PICTURE_PATH, "coco/1.jpg", "" },
        { "\"data:base64,aGVsbG8=\"", GR_PICTURE_DATA, "", "hello" },
        { "\"data:image/png;base64,aGVsbG8=\"", GR_PICTURE_PATH, "data:image/png;base64,aGVsbG8=", "" },
        { "{\"bytes\":\"aGVsbG8=\",\"path\":\"a.png\"}", GR_PICTURE_STORED, "a.png", "hello" },
        { "{\"path\":\"a.png\",\"bytes\":null}", GR_PICTURE_STORED, "a.png", "" },
        { "{\"bytes\":\"data:base64,aGVsbG8=\"}", GR_PICTURE_STORED, "", "hello" },
        { "null", GR_PICTURE_NONE, "", "" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char row[256];
        snprintf(row, sizeof row, "{\"image\":%s,\"conversations\":[]}", cases[i].image);
        parse(&b, row);
        assert_int_equal(r->form, cases[i].form);
        assert_string_equal(r->path.at, cases[i].path);
        assert_int_equal(r->bytes.n, strlen(cases[i].bytes));
        assert_memory_equal(r->bytes.at, cases[i].bytes, r->bytes.n);
    }
    bench_fini(&b);
}

/* "42102" is 4,2,1,2,3 on 3 x 4 pixels, of cocoapi. */
static void masks_are_a_list_or_one_and_counts_a_text_or_a_list(void **state)
{
    (void)state;
    bench b;
    bench_init(&b);
    static const char *const masks[] = {
        "[{\"size\":[3,4],\"counts\":\"42102\"}]",
        "{\"counts\":\"42102\",\"size\":[3,4]}",
        "[{\"counts\":[4,2,1,2,3],\"size\":[3,4]}]",
        "{\"size\":[3,4],\"counts\":[4,2,1,2,3],\"more\":{\"x\":[1]}}",
    };
    for (size_t i = 0; i < sizeof masks / sizeof *masks; i++) {
        char row[256];
        snprintf(row, sizeof row, "{\"mask_rle\":%s}", masks[i]);
        parse(&b, row);
        const gr_record *r = &b.record;
        assert_int_equal(r->n_regions, 1);
        assert_true(r->regions[0].has_rle);
        assert_string_equal(r->regions[0].rle.at, "42102");
        assert_int_equal(r->height, 3);
        assert_int_equal(r->width, 4);
    }
    parse(&b, "{\"mask_rle\":null}");
    assert_int_equal(b.record.n_regions, 0);
    parse(&b, "{\"conversations\":[]}");
    assert_int_equal(b.record.n_regions, 0);
    bench_fini(&b);
}

static void turns_are_a_list_or_two_columns(void **state)
{
    (void)state;
    bench b;
    bench_init(&b);
    static const char *const rows[] = {
        "{\"conversations\":[{\"from\":\"human\",\"value\":\"What?\"},{\"value\":\"A "
        "d\\u00f6g.\",\"from\":\"gpt\"}]}",
        "{\"conversations\":{\"from\":[\"human\",\"gpt\"],\"value\":[\"What?\",\"A d\\u00f6g.\"]}}",
        "{\"conversations\":{\"value\":[\"What?\",\"A "
        "d\\u00f6g.\"],\"more\":1,\"from\":[\"human\",\"gpt\"]}}",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        parse(&b, rows[i]);
        const gr_record *r = &b.record;
        assert_int_equal(r->n_turns, 2);
        assert_int_equal(r->turns[0].from, GR_FROM_HUMAN);
        assert_int_equal(r->turns[1].from, GR_FROM_GPT);
        assert_string_equal(r->turns[0].value.at, "What?");
        assert_string_equal(r->turns[1].value.at, "A d\xc3\xb6g.");
    }
    bench_fini(&b);
}

static void unknown_members_are_passed_over_and_ids_are_keys(void **state)
{
    (void)state;
    bench b;
    bench_init(&b);
    parse(&b, "{\"id\":\"coco/7\",\"height\":[{}],\"x\":null}");
    assert_string_equal(b.record.key.at, "coco/7");
    parse(&b, "{\"id\":-12}");
    assert_string_equal(b.record.key.at, "-12");
    parse(&b, "{}");
    assert_int_equal(b.record.key.n, 0);
    bench_fini(&b);
}

static void hostile_rows_are_refused_with_a_sentence(void **state)
{
    (void)state;
    bench b;
    bench_init(&b);
    gr_error err = { 0 };
    static const struct {
        const char *row, *part;
    } cases[] = {
        { "", "expected an object, found nothing" },
        { "[]", "expected an object, found an array" },
        { "{\"image\":3}", "expected a string, found a number" },
        { "{\"image\":\"a\",\"image\":\"b\"}", "\"image\" twice" },
        { "{\"image\":\"data:base64,a\"}", "ends inside a byte" },
        { "{\"image\":{\"bytes\":\"#\"}}", "0x23" },
        { "{\"conversations\":[{\"from\":\"human\"}]}", "needs \"from\" and \"value\"" },
        { "{\"conversations\":[{\"from\":\"system\",\"value\":\"\"}]}", "'system', expected human or gpt" },
        { "{\"conversations\":[{\"from\":\"gpt\",\"from\":\"gpt\",\"value\":\"\"}]}", "twice in a turn" },
        { "{\"conversations\":{\"from\":[\"gpt\"],\"value\":[]}}", "needs \"from\" and \"value\"" },
        { "{\"conversations\":\"hello\"}", "expected an array" },
        { "{\"mask_rle\":[]}", "an empty list of masks" },
        { "{\"mask_rle\":[{\"size\":[3,4]}]}", "needs \"size\"" },
        { "{\"mask_rle\":[{\"size\":[3,4,5],\"counts\":\"\"}]}", "needs \"size\"" },
        { "{\"mask_rle\":[{\"size\":[0,4],\"counts\":\"\"}]}", "expected" },
        { "{\"mask_rle\":[{\"size\":[3,4],\"counts\":[4,2]}]}", "sum to 6" },
        { "{\"mask_rle\":[{\"size\":[3,4],\"counts\":[-4,16]}]}", "expected" },
        { "{\"mask_rle\":[null]}", "expected an object" },
        { "{\"mask_rle\":[{\"size\":[99999999,99999999],\"counts\":[0]}]}", "over the limit" },
        { "{\"mask_rle\":[{\"size\":[144444444,2],\"counts\":\"03\"}]}", "over the limit" },
        { "{\"id\":[]}", "expected" },
        { "{} x", "expected" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        err = (gr_error){ 0 };
        const gr_status st =
            gr_gar_row_parse(&b.record, cases[i].row, strlen(cases[i].row), "f: row 1", &err);
        if (st == GR_OK || strncmp(err.msg, "f: row 1: ", 10) != 0 || !strstr(err.msg, cases[i].part))
            fail_msg("%s: %d '%s', expected '%s'", cases[i].row, st, err.msg, cases[i].part);
        assert_int_equal(b.record.n_turns + b.record.n_regions, 0);
    }
    bench_fini(&b);
}

static void a_row_survives_the_way_to_the_file_and_back(void **state)
{
    (void)state;
    bench b;
    bench_init(&b);
    static const char *const rows[] = {
        "{\"id\":\"k\",\"image\":\"a "
        "\\\"b\\\".jpg\",\"conversations\":[{\"from\":\"human\",\"value\":\"<image>\\nl\\u0000x"
        "\"},{\"from\":\"gpt\",\"value\":\"\"}],\"mask_rle\":[{\"size\":[3,4],\"counts\":[4,2,1,2,3]},"
        "{\"size\":[1,12],\"counts\":\"0<\"}]}",
        "{\"image\":\"data:base64,AP9/\",\"conversations\":[],\"mask_rle\":null}",
        "{\"image\":{\"bytes\":\"AP9/gA==\",\"path\":\"x\"}}",
        "{\"image\":{\"bytes\":null,\"path\":\"x\"},\"mask_rle\":{\"size\":[3,4],\"counts\":\"T\"}}",
        "{}",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        gr_error err = { 0 };
        gr_record again;
        gr_buf text;
        gr_record_init(&again, b.rt);
        gr_buf_init(&text, b.rt, 1 << 20);
        parse(&b, rows[i]);
        MUST(gr_gar_row_write(&text, &b.record, &err));
        assert_null(strchr(text.data, '\n'));
        MUST(gr_gar_row_parse(&again, text.data, text.len, "again", &err));
        assert_true(gr_record_same(&b.record, &again));
        gr_buf_fini(&text);
        gr_record_fini(&again);
    }
    bench_fini(&b);
}

static void a_region_without_mask_is_no_gar_row(void **state)
{
    (void)state;
    bench b;
    bench_init(&b);
    gr_error err = { 0 };
    gr_record_region *g;
    gr_buf text;
    gr_buf_init(&text, b.rt, 1 << 20);
    MUST(gr_record_add_region(&b.record, &g, &err));
    MUST_FAIL(gr_gar_row_write(&text, &b.record, &err), GR_ERR_ARG, "region 0 has no run lengths");
    gr_buf_fini(&text);
    bench_fini(&b);
}

/* What other importers may do wrong. */
static void records_whose_parts_disagree_are_refused(void **state)
{
    (void)state;
    bench b;
    bench_init(&b);
    gr_error err = { 0 };
    gr_record *r = &b.record;
    gr_record_region *g;
    gr_record_span *s;
    MUST(gr_record_add_region(r, &g, &err));
    MUST(gr_record_add_turn(r, GR_FROM_HUMAN, "four", 4, &err));
    MUST(gr_record_add_span(r, &s, &err));
    MUST(gr_record_check(r, &err));
    s->end = 5;
    MUST_FAIL(gr_record_check(r, &err), GR_ERR_FORMAT, "bytes 0 to 5 of turn 0, which has 4");
    s->end = 4, s->turn = 1;
    MUST_FAIL(gr_record_check(r, &err), GR_ERR_FORMAT, "turn 1, the row has 1");
    s->turn = 0;
    MUST(gr_record_list(r, &s->regions, (const int32_t[]){ 0, 1 }, 2, &err));
    MUST_FAIL(gr_record_check(r, &err), GR_ERR_FORMAT, "span 0 names region 1, the row has 1");
    s->regions.n = 1;
    g->has_box = true, g->box[0] = 3;
    MUST_FAIL(gr_record_check(r, &err), GR_ERR_FORMAT, "box (3, 0, 0, 0)");
    g->has_box = false, g->has_rle = true, g->rle_height = 4;
    MUST_FAIL(gr_record_check(r, &err), GR_ERR_FORMAT, "a mask of [4, 0]");
    g->has_rle = false, r->width = 4;
    MUST_FAIL(gr_record_check(r, &err), GR_ERR_FORMAT, "4 x 0");
    bench_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_are_paths_data_or_stored),
        cmocka_unit_test(masks_are_a_list_or_one_and_counts_a_text_or_a_list),
        cmocka_unit_test(turns_are_a_list_or_two_columns),
        cmocka_unit_test(unknown_members_are_passed_over_and_ids_are_keys),
        cmocka_unit_test(hostile_rows_are_refused_with_a_sentence),
        cmocka_unit_test(a_row_survives_the_way_to_the_file_and_back),
        cmocka_unit_test(a_region_without_mask_is_no_gar_row),
        cmocka_unit_test(records_whose_parts_disagree_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
