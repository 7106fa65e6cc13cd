#include "test.h"

#include "text/tokenizer.h"
#include "text/tokenizer_write.h"

static const gr_special_token specials[] = {
    { 256, "<|begin_of_text|>" }, { 258, "<|image|>" }, { 265, "<|eot_id|>" }, { 300, "<Prompt\"0\\>" }
};

static const gr_tokenizer_text four = {
    .specials = specials, .n_specials = 4, .bos = 256, .eos = 265, .context = 2048
};

static void written_files_are_read_back_with_the_same_ids(void **state)
{
    (void)state;
    gr_runtime *rt = test_runtime();
    gr_error err = { 0 };
    gr_buf text;
    gr_buf_init(&text, rt, 1 << 20);
    MUST(gr_tokenizer_write(&text, &four, &err));
    gr_tokenizer *t = NULL;
    MUST(gr_tokenizer_parse(&t, rt, text.data, text.len, "written", &err));
    assert_int_equal(gr_tokenizer_n_vocab(t), 301);
    assert_int_equal(gr_tokenizer_bos(t), 256);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(gr_tokenizer_id(t, specials[i].content), specials[i].id);
        assert_true(gr_tokenizer_is_special(t, specials[i].id));
    }
    for (int byte = 0; byte < 256; byte++) {
        size_t n;
        const uint8_t *bytes = gr_tokenizer_bytes(t, byte, &n);
        assert_true(bytes && n == 1 && bytes[0] == byte);
    }
    gr_tokenizer_free(t);
    gr_buf_fini(&text);
    gr_runtime_free(rt);
}

static void configs_name_the_first_and_the_last_token(void **state)
{
    (void)state;
    gr_runtime *rt = test_runtime();
    gr_error err = { 0 };
    gr_buf text;
    gr_buf_init(&text, rt, 1 << 20);
    MUST(gr_tokenizer_write_config(&text, &four, &err));
    static const char *const parts[] = {
        "\"bos_token\": \"<|begin_of_text|>\"", "\"eos_token\": \"<|eot_id|>\"", "\"model_max_length\": 2048",
        "\"258\": {", "\"<Prompt\\\"0\\\\>\"", "\"clean_up_tokenization_spaces\": true",
        /* what the published processor asks the tokenizer for, as far as
         * there are such tokens */
        "\"extra_special_tokens\": {\n    \"image_token\": \"<|image|>\"\n  }"
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!strstr(text.data, parts[i]))
            fail_msg("%s is not in\n%s", parts[i], text.data);
    gr_buf_clear(&text);
    MUST(gr_tokenizer_write_special_map(&text, &four, &err));
    assert_string_equal(text.data,
                        "{\n  \"bos_token\": \"<|begin_of_text|>\",\n  \"eos_token\": \"<|eot_id|>\"\n}\n");
    gr_buf_fini(&text);
    gr_runtime_free(rt);
}

static void impossible_specials_are_refused(void **state)
{
    (void)state;
    gr_runtime *rt = test_runtime();
    gr_error err = { 0 };
    gr_buf text;
    gr_buf_init(&text, rt, 100);
    static const gr_special_token low[] = { { 255, "x" } }, twice[] = { { 256, "x" }, { 256, "y" } },
                                  same[] = { { 256, "x" }, { 257, "x" } }, empty[] = { { 256, "" } };
    static const struct {
        gr_tokenizer_text text;
        const char *part;
    } rows[] = {
        { { NULL, low, 1, 255, 255, 0 }, "'x' has id 255" },
        { { NULL, twice, 2, 256, 256, 0 }, "'y' has id 256" },
        { { NULL, same, 2, 256, 256, 0 }, "'x' is there twice" },
        { { NULL, empty, 1, 256, 256, 0 }, "256 is empty" },
        { { NULL, specials, 4, 257, 256, 0 }, "bos 257" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        MUST_FAIL(gr_tokenizer_write(&text, &rows[i].text, &err), GR_ERR_ARG, rows[i].part);
    const gr_tokenizer_text no_eos = { NULL, specials, 4, 256, 1, 9 };
    MUST_FAIL(gr_tokenizer_write_config(&text, &no_eos, &err), GR_ERR_ARG, "eos 1");
    assert_int_equal(text.len, 0);
    MUST_FAIL(gr_tokenizer_write(&text, &four, &err), GR_ERR_MEM, "no room");
    gr_buf_fini(&text);
    gr_runtime_free(rt);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(written_files_are_read_back_with_the_same_ids),
                                        cmocka_unit_test(configs_name_the_first_and_the_last_token),
                                        cmocka_unit_test(impossible_specials_are_refused) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
