#include "test.h"

#include "options.h"

typedef struct {
    bool flag;
    int64_t count, tokens, color;
    double top_p;
    const char *model;
    cli_list box;
    bool help;
} values;

static const cli_option rows[] = {
    { "flag", 'f', CLI_FLAG, offsetof(values, flag), NULL, NULL, 0, 0, "" },
    { "verbose", 'v', CLI_COUNT, offsetof(values, count), NULL, NULL, 0, 0, "" },
    { "max-tokens", 'n', CLI_INT, offsetof(values, tokens), "N", "128", 1, 4096, "" },
    { "color", 0, CLI_CHOICE, offsetof(values, color), "auto|always|never", "auto", 0, 0, "" },
    { "top-p", 'p', CLI_NUMBER, offsetof(values, top_p), "P", "0.9", 0, 1, "" },
    { "model", 'm', CLI_TEXT, offsetof(values, model), "DIR", NULL, 0, 0, "" },
    { "box", 0, CLI_LIST, offsetof(values, box), "BOX", NULL, 0, 0, "" },
    { "help", 'h', CLI_FLAG, offsetof(values, help), NULL, NULL, 0, 0, "" },
};
static const cli_table table = CLI_TABLE("Test", rows, 0);

/* One reading; `args` holds what were no options. */
typedef struct {
    values v;
    const char *args[16];
    size_t n_args;
    gr_error err;
    gr_status status;
} reading;

static void free_reading(reading *r) { cli_options_free(&(cli_binding){ &table, &r->v }, 1); }

static reading read_words(const char *const *words)
{
    int n = 0;
    while (words[n])
        n++;
    static reading r; /* its struct is bound by address */
    r = (reading){ 0 };
    r.status = cli_options_read(&(cli_binding){ &table, &r.v }, 1, n, words, r.args, &r.n_args, &r.err);
    return r;
}

#define READ(...) read_words((const char *const[]){ __VA_ARGS__, NULL })

static void refused(reading r, const char *sentence)
{
    assert_int_equal(r.status, GR_ERR_ARG);
    assert_string_equal(r.err.msg, sentence);
    free_reading(&r);
}

static void every_spelling_of_an_option_is_read(void **state)
{
    (void)state;
    static const char *const spellings[][3] = {
        { "--max-tokens=7" }, { "--max-tokens", "7" }, { "--max_tokens", "7" },
        { "--max_tokens=7" }, { "-n", "7" },           { "-n7" },
        { "-fn7" },           { "-fn", "7" }
    };
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
        const reading r = READ(spellings[i][0], spellings[i][1]);
        assert_int_equal(r.status, GR_OK);
        assert_int_equal(r.v.tokens, 7);
        assert_int_equal(r.n_args, 0);
    }
}

static void options_and_arguments_mix_until_two_dashes(void **state)
{
    (void)state;
    const reading r = READ("a.png", "-vv", "-", "--top-p", "0.5", "-v", "--", "--flag", "-x", "--");
    assert_int_equal(r.status, GR_OK);
    assert_int_equal(r.v.count, 3);
    assert_true(r.v.top_p == 0.5);
    assert_false(r.v.flag);
    static const char *const want[] = { "a.png", "-", "--flag", "-x", "--" };
    assert_int_equal(r.n_args, 5);
    for (size_t i = 0; i < 5; i++)
        assert_string_equal(r.args[i], want[i]);
}

static void lists_keep_their_order_and_values_may_begin_with_a_dash(void **state)
{
    (void)state;
    reading r = READ("--box", "-5,3,9,9", "--box=0,0,1,1", "--model", "-");
    assert_int_equal(r.status, GR_OK);
    assert_int_equal(r.v.box.count, 2);
    assert_string_equal(r.v.box.items[0], "-5,3,9,9");
    assert_string_equal(r.v.box.items[1], "0,0,1,1");
    assert_true(r.v.box.places[0] < r.v.box.places[1]);
    assert_string_equal(r.v.model, "-");
    free_reading(&r);
}

static void the_command_line_wins_over_the_environment_and_that_over_the_preset(void **state)
{
    (void)state;
    assert_int_equal(READ("x").v.tokens, 128);
    setenv("GRASP_MAX_TOKENS", "64", 1);
    setenv("GRASP_FLAG", "on", 1);
    setenv("GRASP_BOX", "e", 1);
    setenv("GRASP_COLOR", "never", 1);
    setenv("GRASP_MODEL", "", 1); /* empty counts as absent */
    reading r = READ("x");
    assert_int_equal(r.status, GR_OK);
    assert_int_equal(r.v.tokens, 64);
    assert_int_equal(r.v.color, 2);
    assert_true(r.v.flag);
    assert_int_equal(r.v.box.count, 1);
    assert_null(r.v.model);
    free_reading(&r);
    r = READ("--max-tokens=32", "--flag=no", "--box", "c");
    assert_int_equal(r.v.tokens, 32);
    assert_false(r.v.flag);
    assert_int_equal(r.v.box.count, 1);
    assert_string_equal(r.v.box.items[0], "c");
    free_reading(&r);
    setenv("GRASP_MAX_TOKENS", "many", 1);
    refused(READ("x"), "GRASP_MAX_TOKENS: 'many' is not a whole number");
    static const char *const names[] = { "GRASP_MAX_TOKENS", "GRASP_FLAG", "GRASP_BOX", "GRASP_COLOR",
                                         "GRASP_MODEL" };
    for (size_t i = 0; i < 5; i++)
        unsetenv(names[i]);
}

static void values_are_checked_and_the_sentence_names_the_option(void **state)
{
    (void)state;
    refused(READ("--max-tokens", "0"), "--max-tokens: 0 is outside 1..4096");
    refused(READ("--max-tokens", "4097"), "--max-tokens: 4097 is outside 1..4096");
    refused(READ("-n", "7x"), "-n: '7x' is not a whole number");
    refused(READ("-n", ""), "-n: '' is not a whole number");
    refused(READ("-n", " 7"), "-n: ' 7' is not a whole number");
    refused(READ("-n", "99999999999999999999"), "-n: '99999999999999999999' is not a whole number");
    refused(READ("--top-p=nan"), "--top-p: 'nan' is not a number");
    refused(READ("--top-p=1.01"), "--top-p: 1.01 is outside 0..1");
    refused(READ("--color", "alw"), "--color: 'alw' is none of auto|always|never");
    refused(READ("--color", ""), "--color: '' is none of auto|always|never");
    refused(READ("--flag=2"), "--flag: '2' is neither yes nor no");
    refused(READ("--model"), "--model wants a value");
    refused(READ("--model", "--flag"), "--model wants a value, but --flag follows");
    refused(READ("-z"), "there is no option -z (in '-z')");
}

static void unknown_and_abbreviated_options_are_refused_with_a_suggestion(void **state)
{
    (void)state;
    refused(READ("--modle", "x"), "there is no option --modle; did you mean --model?");
    refused(READ("--max", "3"), "there is no option --max; did you mean --max-tokens?");
    refused(READ("--max_tokns=3"), "there is no option --max_tokns; did you mean --max-tokens?");
    refused(READ("--weather=fine"), "there is no option --weather");
}

static void help_wins_over_later_mistakes(void **state)
{
    (void)state;
    const reading r = READ("--help", "--no-such-thing", "-n", "x");
    assert_int_equal(r.status, GR_OK);
    assert_true(r.v.help);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_spelling_of_an_option_is_read),
        cmocka_unit_test(options_and_arguments_mix_until_two_dashes),
        cmocka_unit_test(lists_keep_their_order_and_values_may_begin_with_a_dash),
        cmocka_unit_test(the_command_line_wins_over_the_environment_and_that_over_the_preset),
        cmocka_unit_test(values_are_checked_and_the_sentence_names_the_option),
        cmocka_unit_test(unknown_and_abbreviated_options_are_refused_with_a_suggestion),
        cmocka_unit_test(help_wins_over_later_mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
