/* Questions to captions: thirty templates in three branches, and how captions are counted. */
#include "test.h"

#include "train/question.h"

static const char *ask(gr_buf *b, const char *caption, gr_draws d)
{
    gr_buf_clear(b);
    assert_true(gr_question_add(b, caption, strlen(caption), &d));
    return b->data;
}

static void the_first_fifteen_templates_take_a_suffix(void **state)
{
    (void)state;
    for (int i = 0; i < GR_QUESTION_TEMPLATES; i++) {
        const char *slot = strstr(gr_question_template(i), "{prompt_suffix}");
        assert_int_equal(slot != NULL, i < GR_QUESTION_SUFFIXED);
        for (int k = 0; k < i; k++)
            assert_string_not_equal(gr_question_template(i), gr_question_template(k));
    }
}

/* What a question is like, by its suffix; the caption has two sentences and 23 words. */
enum { DETAIL, SENTENCES, WORDS, PLAIN, KINDS };

static int kind_of(const char *question)
{
    static const char *const words[] = { "in detail", "in 2 sentences", " 20 words" };
    for (int k = 0; k < PLAIN; k++)
        if (strstr(question, words[k]))
            return k;
    return PLAIN;
}

/* r < 0.6, up to 0.8, and the rest: of 100,000 draws each share is within 1 % of its own, six deviations. */
static void branches_are_drawn_six_two_two(void **state)
{
    (void)state;
    enum { N = 100000 };
    gr_runtime *rt = test_runtime();
    gr_buf b;
    gr_buf_init(&b, rt, 1000);
    int count[KINDS] = { 0 };
    const char *caption = "one two three four five six seven eight nine ten. eleven twelve thirteen fourteen "
                          "fifteen sixteen seventeen eighteen nineteen twenty 21 22 23";
    for (uint32_t i = 0; i < N; i++)
        count[kind_of(ask(&b, caption, gr_draws_for(42, 0, 0, i, 0)))]++;
    assert_in_range(count[DETAIL] + count[PLAIN], 59000, 61000);
    assert_in_range(count[DETAIL], 29000, 31000); /* half of the templates */
    assert_in_range(count[SENTENCES], 19000, 21000);
    assert_in_range(count[WORDS], 19000, 21000);
    gr_buf_fini(&b);
    gr_runtime_free(rt);
}

/* Each of the 30 is expected 2,000 + (the first half) 2,667 times of 100,000 and 2,000; deviation under 70.
 */
static void templates_are_drawn_alike(void **state)
{
    (void)state;
    enum { N = 100000 };
    gr_runtime *rt = test_runtime();
    gr_buf b;
    gr_buf_init(&b, rt, 1000);
    int count[GR_QUESTION_TEMPLATES] = { 0 };
    for (uint32_t i = 0; i < N; i++) {
        const char *q = ask(&b, "A dog.", gr_draws_for(7, 1, 0, i, 0));
        int found = 0;
        for (int t = 0; t < GR_QUESTION_TEMPLATES; t++) {
            const char *text = gr_question_template(t), *slot = strchr(text, '{');
            const size_t n = slot ? (size_t)(slot - text) : strlen(text);
            if (strncmp(q, text, n) == 0 && (slot ? strncmp(q + n, "in ", 3) == 0 : q[n] == '\0'))
                count[t]++, found++;
        }
        assert_int_equal(found, 1);
    }
    for (int t = 0; t < GR_QUESTION_TEMPLATES; t++)
        assert_in_range(count[t], (t < 15 ? 4667 : 2000) - 400, (t < 15 ? 4667 : 2000) + 400);
    gr_buf_fini(&b);
    gr_runtime_free(rt);
}

/* The suffixes that a caption can get, other than "in detail". */
static void expect_suffixes(gr_buf *b, const char *caption, const char *const *want)
{
    bool seen[8] = { false };
    for (uint32_t i = 0; i < 2000; i++) {
        const char *q = ask(b, caption, gr_draws_for(1, 0, 0, i, 0));
        bool known = strstr(q, "in detail") || strstr(q, "detail") || !strstr(q, " in ");
        for (int k = 0; want[k]; k++)
            if (strstr(q, want[k]))
                seen[k] = known = true;
        if (!known)
            fail_msg("'%s' asks '%s'", caption, q);
    }
    for (int k = 0; want[k]; k++)
        if (!seen[k])
            fail_msg("'%s' is never asked '%s'", caption, want[k]);
}

static void suffixes_say_how_long_the_caption_is(void **state)
{
    (void)state;
    gr_runtime *rt = test_runtime();
    gr_buf b;
    gr_buf_init(&b, rt, 1000);
    static const struct {
        int words;
        const char *want[3];
    } lengths[] = {
        { 9, { " in 9 words", NULL } },
        { 10, { " in about 10 words", " in around 10 words", NULL } },
        { 15, { " in about 20 words", " in around 20 words", NULL } }, /* half to even: 1.5 */
        { 25, { " in about 20 words", " in around 20 words", NULL } }, /* 2.5 */
        { 26, { " in about 30 words", " in around 30 words", NULL } },
        { 200, { " in about 200 words", " in around 200 words", NULL } },
        { 201, { " in more than 200 words", NULL } },
    };
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        char caption[1000] = "";
        for (int w = 0; w < lengths[i].words; w++)
            strcat(caption, "x ");
        const char *want[7] = { " in a sentence", " in one sentence", " in 1 sentence" };
        for (int k = 0; lengths[i].want[k]; k++)
            want[3 + k] = lengths[i].want[k];
        expect_suffixes(&b, caption, want);
    }
    expect_suffixes(&b, "One. Two! Three?", (const char *[]){ " in 3 sentences", " in 3 words", NULL });
    expect_suffixes(&b, "...", (const char *[]){ " in 0 sentences", " in 1 words", NULL });
    gr_buf_fini(&b);
    gr_runtime_free(rt);
}

static void words_and_sentences_are_counted_as_python_does(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t words, sentences;
    } cases[] = {
        { "", 0, 0 },
        { "  \n", 0, 0 },
        { "A dog", 2, 1 },
        { " A  dog.\t", 2, 1 },
        { "A dog. . ?! It runs", 6, 2 },
        { "At 3.5 m", 3, 2 },
        { "a\xc2\xa0"
          "b\xe3\x80\x80"
          "c\x1c"
          "d",
          4, 1 }, /* no-break space, ideographic space, file separator */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(gr_count_words(cases[i].text, strlen(cases[i].text)), cases[i].words);
        assert_int_equal(gr_count_sentences(cases[i].text, strlen(cases[i].text)), cases[i].sentences);
    }
    assert_int_equal(gr_count_sentences("a.\0.b", 5), 3); /* a zero byte is a character */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_fifteen_templates_take_a_suffix),
        cmocka_unit_test(branches_are_drawn_six_two_two),
        cmocka_unit_test(templates_are_drawn_alike),
        cmocka_unit_test(suffixes_say_how_long_the_caption_is),
        cmocka_unit_test(words_and_sentences_are_counted_as_python_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
