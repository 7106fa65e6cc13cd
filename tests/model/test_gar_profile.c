#include "test.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"
#include "model/gar_profile.h"

/* The row of docs/profiles.md that a switch must have. */
static void doc_row(gr_buf *out, const gr_profile_switch *s)
{
    gr_buf_clear(out);
    gr_buf_printf(out, "\n| `%s` | ", s->name);
    for (int v = 0; s->values[v]; v++)
        gr_buf_printf(out, "%s%s", v ? ", " : "", s->values[v]);
    gr_buf_printf(out, " | %s | %s | %s | %s |\n", s->values[s->released], s->values[s->paper], s->quirk,
                  s->about);
}

static void the_page_and_the_table_agree(void **state)
{
    (void)state;
    gr_runtime *rt = test_runtime();
    gr_error err = { 0 };
    gr_buf row;
    char *page;
    size_t size, n = 0, in_page = 0;
    gr_buf_init(&row, rt, 10000);
    MUST(gr_file_read(rt, TEST_FILE("../docs/profiles.md"), 1 << 20, &page, &size, &err));
    for (; gr_profile_switch_at(n); n++) {
        doc_row(&row, gr_profile_switch_at(n));
        if (!strstr(page, gr_buf_str(&row)))
            fail_msg("docs/profiles.md lacks the row%s", gr_buf_str(&row));
    }
    for (const char *at = page; (at = strstr(at, "\n| `")); at++)
        in_page++;
    assert_int_equal(in_page, n);
    assert_int_equal(n, GR_SWITCH_COUNT);
    assert_true(n <= GR_PROFILE_MAX);
    gr_free(rt, page);
    gr_buf_fini(&row);
    gr_runtime_free(rt);
}

static void every_quirk_of_the_notes_is_on_the_page(void **state)
{
    (void)state;
    gr_runtime *rt = test_runtime();
    gr_error err = { 0 };
    char *page;
    size_t size;
    MUST(gr_file_read(rt, TEST_FILE("../docs/profiles.md"), 1 << 20, &page, &size, &err));
    for (char letter = 'a'; letter <= 'u'; letter++) {
        char name[16];
        snprintf(name, sizeof name, "| Q-%c ", letter);
        if (!strstr(page, name))
            fail_msg("docs/profiles.md does not mention Q-%c", letter);
    }
    gr_free(rt, page);
    gr_runtime_free(rt);
}

static const char *value_of(const gr_profile *p, const char *name)
{
    for (size_t i = 0; gr_profile_switch_at(i); i++)
        if (strcmp(gr_profile_switch_at(i)->name, name) == 0)
            return gr_profile_value(p, i);
    return "";
}

static void profiles_are_sets_and_switches(void **state)
{
    (void)state;
    gr_error err = { 0 };
    gr_profile p;
    MUST(gr_profile_parse(&p, "released", &err));
    assert_string_equal(value_of(&p, "roi_mode"), "released");
    assert_string_equal(value_of(&p, "multi_bbox"), "last");
    assert_string_equal(value_of(&p, "double_bos"), "on");
    assert_string_equal(value_of(&p, "extra_prompts"), "refuse");
    assert_string_equal(value_of(&p, "single_prompt"), "1");
    MUST(gr_profile_parse(&p, "paper,double_bos=on,extra_prompts=replay", &err));
    assert_string_equal(value_of(&p, "roi_mode"), "paper");
    assert_string_equal(value_of(&p, "double_bos"), "on");
    assert_string_equal(value_of(&p, "extra_prompts"), "replay");
    const gr_profile before = p;
    MUST_FAIL(gr_profile_parse(&p, "book", &err), GR_ERR_ARG, "profile 'book', expected released or paper");
    MUST_FAIL(gr_profile_parse(&p, "", &err), GR_ERR_ARG, "profile ''");
    MUST_FAIL(gr_profile_parse(&p, "paper,roi_mode=twice", &err), GR_ERR_ARG,
              "switch roi_mode is 'twice', expected one of released, paper");
    MUST_FAIL(gr_profile_parse(&p, "paper,roi=paper", &err), GR_ERR_ARG, "there is no switch 'roi'");
    MUST_FAIL(gr_profile_parse(&p, "paper,roi_mode", &err), GR_ERR_ARG, "switch roi_mode is ''");
    assert_memory_equal(&p, &before, sizeof p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_and_the_table_agree),
        cmocka_unit_test(every_quirk_of_the_notes_is_on_the_page),
        cmocka_unit_test(profiles_are_sets_and_switches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
