#include "test.h"

#include "json_out.h"
#include "suggest.h"

static void nesting_commas_and_quoting_are_right(void **state)
{
    (void)state;
    char text[400] = "";
    FILE *f = fmemopen(text, sizeof text, "w");
    assert_non_null(f);
    cli_json j;
    cli_json_init(&j, f);
    cli_json_open(&j, NULL, '{');
    cli_json_open(&j, "a", '[');
    cli_json_number(&j, NULL, 1);
    cli_json_number(&j, NULL, 0.1);
    cli_json_number(&j, NULL, -1e300);
    cli_json_number(&j, NULL, INFINITY);
    cli_json_open(&j, NULL, '{');
    cli_json_close(&j, '}');
    cli_json_close(&j, ']');
    cli_json_text(&j, "q\"", "tab\t \\ \n \xc3\xa9 \xf0\x9f\x98\x80");
    cli_json_bool(&j, "yes", true);
    cli_json_null(&j, "no");
    cli_json_close(&j, '}');
    fclose(f);
    assert_string_equal(
        text, "{\"a\":[1,0.1,-1e+300,null,{}],\"q\\\"\":\"tab\\u0009 \\\\ \\n \xc3\xa9 \xf0\x9f\x98\x80\","
              "\"yes\":true,\"no\":null}");
}

static void bytes_that_are_no_utf8_become_the_replacement_character(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        int n_replaced;
    } cases[] = {
        { "\xff", 1 },         { "\xc0\xaf", 2 },         { "\xe2\x82", 2 },
        { "\xed\xa0\x80", 3 }, { "\xf4\x90\x80\x80", 4 }, { "\xe0\x80\xaf", 3 },
        { "\xc3\xa9", 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[100] = "";
        FILE *f = fmemopen(text, sizeof text, "w");
        cli_json j;
        cli_json_init(&j, f);
        cli_json_text(&j, NULL, cases[i].in);
        fclose(f);
        int n = 0;
        for (const char *s = text; (s = strstr(s, "\xef\xbf\xbd")); s += 3)
            n++;
        if (n != cases[i].n_replaced)
            fail_msg("case %zu: %d replaced, expected %d, in %s", i, n, cases[i].n_replaced, text);
    }
}

static void bytes_may_hold_zeros_and_end_anywhere(void **state)
{
    (void)state;
    char text[100] = "";
    FILE *f = fmemopen(text, sizeof text, "w");
    cli_json j;
    cli_json_init(&j, f);
    cli_json_open(&j, NULL, '[');
    cli_json_bytes(&j, NULL, "a\0b\xc3\xa9", 4); /* cuts the last character */
    cli_json_bytes(&j, NULL, "", 0);
    cli_json_close(&j, ']');
    fclose(f);
    assert_string_equal(text, "[\"a\\u0000b\xef\xbf\xbd\",\"\"]");
}

static void edit_distance_counts_inserts_deletes_replacements_and_swaps(void **state)
{
    (void)state;
    assert_int_equal(cli_edit_distance("", ""), 0);
    assert_int_equal(cli_edit_distance("", "abc"), 3);
    assert_int_equal(cli_edit_distance("abc", ""), 3);
    assert_int_equal(cli_edit_distance("describe", "descirbe"), 1);
    assert_int_equal(cli_edit_distance("kitten", "sitting"), 3);
    assert_int_equal(cli_edit_distance("version", "version"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nesting_commas_and_quoting_are_right),
        cmocka_unit_test(bytes_that_are_no_utf8_become_the_replacement_character),
        cmocka_unit_test(bytes_may_hold_zeros_and_end_anywhere),
        cmocka_unit_test(edit_distance_counts_inserts_deletes_replacements_and_swaps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
