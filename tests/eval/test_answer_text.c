#include "test.h"

#include "eval/answer_text.h"

static const int32_t *ids_of(const gr_tokenizer *t, const char *text, gr_ids *ids)
{
    gr_error err = { 0 };
    gr_ids_clear(ids);
    MUST(gr_tokenizer_encode(t, text, strlen(text), true, ids, &err));
    return ids->v;
}

/* Texts with special tokens spelt out, and what a script makes of their tokens. */
static const struct {
    const char *tokens, *caption, *bench, *clean;
} cases[] = {
    { "A dog.<|eot_id|>", "A dog.", "A dog.", "A dog." },
    { " \n A dog . \xE3\x80\x80<|eot_id|>", "A dog .", "A dog . \xE3\x80\x80", "A dog. \xE3\x80\x80" },
    { "<Prompt1> is near <Prompt0>.<|eot_id|>", "is near .", "<Prompt1> is near <Prompt0>.",
      "<Prompt1> is near <Prompt0>." },
    { "a<|eot_id|>b<|eot_id|>", "ab", "ab", "ab" },
    { "a<|eot_id|>b", "ab", "a<|eot_id|>b", "a<|eot_id|>b" },
    { "cut off", "cut off", "cut off", "cut off" },
    { "a<|end_of_text|>", "a", "a<|end_of_text|>", "a<|end_of_text|>" },
    { "it 's <Prompt0> , here<|eot_id|>", "it 's  , here", "it 's <Prompt0> , here", "it's <Prompt0>, here" },
    { "<|eot_id|>", "", "", "" },
    { "", "", "", "" },
};

static void answers_become_what_the_scripts_write(void **state)
{
    (void)state;
    gr_runtime *rt = test_runtime();
    gr_error err = { 0 };
    gr_tokenizer *t;
    gr_ids ids;
    gr_buf out;
    MUST(gr_tokenizer_open(&t, rt, TEST_FILE("golden/text/tokenizer.json"), &err));
    gr_ids_init(&ids, rt, 1000);
    gr_buf_init(&out, rt, 1000);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *const want[] = { cases[i].caption, cases[i].bench, cases[i].clean };
        for (int k = 0; k < 3; k++) {
            ids_of(t, cases[i].tokens, &ids);
            gr_buf_clear(&out);
            MUST(
                gr_answer_text(&out, t, ids.v, ids.n, k ? GR_ANSWER_BENCH : GR_ANSWER_CAPTION, k == 2, &err));
            if (strcmp(gr_buf_str(&out), want[k]) != 0)
                fail_msg("%s, way %d: '%s', expected '%s'", cases[i].tokens, k, gr_buf_str(&out), want[k]);
        }
    }
    gr_buf small;
    gr_buf_init(&small, rt, 3);
    ids_of(t, "four", &ids);
    MUST_FAIL(gr_answer_text(&small, t, ids.v, ids.n, GR_ANSWER_BENCH, false, &err), GR_ERR_LIMIT,
              "no room for an answer of 4 bytes");
    gr_buf_fini(&small);
    gr_buf_fini(&out);
    gr_ids_fini(&ids);
    gr_tokenizer_free(t);
    gr_runtime_free(rt);
}

static void the_flag_is_read_from_the_tokenizer_settings(void **state)
{
    (void)state;
    gr_runtime *rt = test_runtime();
    gr_error err = { 0 };
    static const struct {
        const char *json;
        bool want;
    } good[] = {
        { "{}", false },
        { "{\"clean_up_tokenization_spaces\": true}", true },
        { "{\"a\": {\"clean_up_tokenization_spaces\": true}, \"clean_up_tokenization_spaces\": false}",
          false },
        { "{\"clean_up_tokenization_spaces\": null}", false },
    };
    bool flag;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        MUST(gr_answer_clean_up_parse(&flag, rt, good[i].json, strlen(good[i].json), "t.json", &err));
        assert_int_equal(flag, good[i].want);
    }
    static const char twice[] =
        "{\"clean_up_tokenization_spaces\": true, \"clean_up_tokenization_spaces\": true}";
    MUST_FAIL(gr_answer_clean_up_parse(&flag, rt, twice, sizeof twice - 1, "t.json", &err), GR_ERR_FORMAT,
              "is there twice");
    assert_false(flag);
    MUST_FAIL(gr_answer_clean_up_parse(&flag, rt, "[]", 2, "t.json", &err), GR_ERR_FORMAT, "t.json");
    static const char text[] = "{\"clean_up_tokenization_spaces\": \"yes\"}";
    MUST_FAIL(gr_answer_clean_up_parse(&flag, rt, text, sizeof text - 1, "t.json", &err), GR_ERR_FORMAT,
              "t.json");
    MUST(gr_answer_clean_up(&flag, rt, "/no/such/folder", &err));
    assert_false(flag);
    gr_runtime_free(rt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_become_what_the_scripts_write),
        cmocka_unit_test(the_flag_is_read_from_the_tokenizer_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
