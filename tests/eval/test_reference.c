#include "test.h"

#include "base/alloc.h"
#include "eval/reference.h"

#define MASK "{\"size\":[3,4],\"counts\":[3,2,1,2,4]}"

static gr_status parse(gr_reference *r, gr_runtime *rt, const char *json, gr_error *err)
{
    return gr_reference_parse(r, rt, json, strlen(json), "outputs.json", err);
}

static void every_kind_of_item_has_its_question(void **state)
{
    (void)state;
    gr_runtime *rt = test_runtime();
    gr_error err = { 0 };
    gr_reference r;
    MUST(parse(&r, rt,
               "[{\"image\":\"images/a.png\",\"mask_rles\":[" MASK
               "],\"question\":\"Is <Prompt0> red?\",\"choices\":"
               "[\"A. yes\",\"B. no\"],\"answer\":\"A\",\"model_output\":\"B\"},"
               "{\"model_output\":\"x \\u00e9\",\"question\":\"Why?\",\"mask_rles\":[" MASK "," MASK
               "],\"image\":\"b.png\"},"
               "{\"image\":\"c.png\",\"subject_name\":\"cat\",\"object_name\":\"sky\",\"mask_rles\":[" MASK
               "," MASK "],\"model_output\":\"\"}]",
               &err));
    assert_int_equal(r.n, 3);
    assert_string_equal(r.items[0].text, "Question: Is <Prompt0> red?\nOptions:\nA. yes\nB. no\n"
                                         "Answer with the correct option's letter directly.");
    assert_string_equal(r.items[0].image, "images/a.png");
    assert_string_equal(r.items[0].output, "B");
    assert_int_equal(r.items[0].n_regions, 1);
    assert_string_equal(r.items[1].text, "Why?");
    assert_string_equal(r.items[1].output, "x \xC3\xA9");
    assert_int_equal(r.items[1].n_regions, 2);
    assert_string_equal(r.items[2].text,
                        "Describe <Prompt0> in detail, including the relationship with <Prompt1>.");
    assert_int_equal(r.items[2].number, 2);
    gr_reference_fini(&r);
    gr_runtime_free(rt);
}

static const struct {
    const char *json, *part;
    gr_status status;
} bad[] = {
    { "", "outputs.json", GR_ERR_FORMAT },
    { "{}", "outputs.json", GR_ERR_FORMAT },
    { "[]", "an empty list", GR_ERR_FORMAT },
    { "[{}]", "item 0 has no \"image\"", GR_ERR_FORMAT },
    { "[{\"image\":\"a\"}]", "item 0 has no \"mask_rles\"", GR_ERR_FORMAT },
    { "[{\"image\":\"a\",\"mask_rles\":[]}]", "item 0 has no \"mask_rles\"", GR_ERR_FORMAT },
    { "[{\"image\":\"a\",\"mask_rles\":[" MASK "],\"question\":\"b\"}]", "item 0 has no \"model_output\"",
      GR_ERR_FORMAT },
    { "[{\"image\":\"a\",\"mask_rles\":[" MASK "],\"model_output\":\"b\"}]", "item 0 has no \"question\"",
      GR_ERR_FORMAT },
    { "[{\"image\":\"a\",\"mask_rles\":[" MASK
      "],\"model_output\":\"b\",\"choices\":[],\"subject_name\":\"x\"}]",
      "item 0 has no \"question\"", GR_ERR_FORMAT },
    { "[{\"image\":\"a\",\"image\":\"b\"}]", "'image' is there twice", GR_ERR_FORMAT },
    { "[{\"choices\":[],\"choices\":[]}]", "'choices' is there twice", GR_ERR_FORMAT },
    { "[{\"mask_rles\":[],\"mask_rles\":[]}]", "'mask_rles' is there twice", GR_ERR_FORMAT },
    { "[{\"mask_rles\":[{\"size\":[3,4],\"counts\":[3]}]}]", "mask 0: ", GR_ERR_FORMAT },
    { "[{\"mask_rles\":[7]}]", "mask 0: ", GR_ERR_FORMAT },
    { "[{\"image\":7}]", "outputs.json: line 1", GR_ERR_FORMAT },
    { "[{\"image\":\"a\",", "outputs.json: line 1", GR_ERR_FORMAT },
};

static void what_is_malformed_is_said(void **state)
{
    (void)state;
    gr_runtime *rt = test_runtime();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        gr_error err = { 0 };
        gr_reference r;
        MUST_FAIL(parse(&r, rt, bad[i].json, &err), bad[i].status, bad[i].part);
        assert_null(r.items);
    }
    gr_runtime_free(rt);
}

static void more_masks_than_any_model_takes_are_refused(void **state)
{
    (void)state;
    gr_runtime *rt = test_runtime();
    gr_error err = { 0 };
    gr_reference r;
    gr_buf json;
    gr_buf_init(&json, rt, 10000);
    gr_buf_text(&json, "[{\"mask_rles\":[");
    for (int i = 0; i < 33; i++)
        gr_buf_text(&json, i ? "," MASK : MASK);
    gr_buf_text(&json, "]}]");
    MUST_FAIL(parse(&r, rt, gr_buf_str(&json), &err), GR_ERR_LIMIT, "more than 32 masks");
    gr_buf_fini(&json);
    gr_runtime_free(rt);
}

static void published_files_are_read(void **state)
{
    (void)state;
    NEED_SHARED("GAR-Bench/model_outputs/gar_1b_vqa.json");
    static const struct {
        const char *file;
        size_t items, single;
        const char *begins;
    } files[] = {
        { SHARED_FILE("GAR-Bench/model_outputs/gar_1b_vqa.json"), 424, 274, "Question: " },
        { SHARED_FILE("GAR-Bench/model_outputs/gar_1b_simple.json"), 97, 0, "" },
        { SHARED_FILE("GAR-Bench/model_outputs/gar_1b_detailed.json"), 107, 0,
          "Describe <Prompt0> in detail, " },
    };
    gr_runtime *rt = test_runtime();
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        gr_error err = { 0 };
        gr_reference r;
        size_t single = 0;
        MUST(gr_reference_open(&r, rt, files[i].file, &err));
        assert_int_equal(r.n, files[i].items);
        for (size_t k = 0; k < r.n; k++) {
            single += r.items[k].n_regions == 1;
            assert_int_equal(strncmp(r.items[k].text, files[i].begins, strlen(files[i].begins)), 0);
            assert_true(strlen(r.items[k].output) > 0);
        }
        assert_int_equal(single, files[i].single);
        gr_reference_fini(&r);
    }
    gr_runtime_free(rt);
}

/* Annotations are no outputs: the sentence says what is missing. */
static void annotations_without_outputs_are_refused(void **state)
{
    (void)state;
    NEED_SHARED("GAR-Bench/annotations/GAR-Bench-VQA.json");
    gr_runtime *rt = test_runtime();
    gr_error err = { 0 };
    gr_reference r;
    MUST_FAIL(gr_reference_open(&r, rt, SHARED_FILE("GAR-Bench/annotations/GAR-Bench-VQA.json"), &err),
              GR_ERR_FORMAT, "item 0 has no \"model_output\"");
    gr_runtime_free(rt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_item_has_its_question),
        cmocka_unit_test(what_is_malformed_is_said),
        cmocka_unit_test(more_masks_than_any_model_takes_are_refused),
        cmocka_unit_test(published_files_are_read),
        cmocka_unit_test(annotations_without_outputs_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
