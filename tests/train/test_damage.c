/* Damaged rows are counted over the last ones, and why rows are not used is a table. */
#include "test.h"

#include "train/damage.h"
#include "train/skip.h"

static void damage_is_forgotten_after_so_many_rows(void **state)
{
    (void)state;
    gr_runtime *rt = test_runtime();
    gr_error err = { 0 };
    gr_damage d;
    static const struct {
        bool damaged;
        int count;
    } rows[] = { { true, 1 },  { false, 1 }, { true, 2 },  { true, 3 }, { false, 2 },
                 { false, 2 }, { false, 1 }, { false, 0 }, { true, 1 }, { true, 2 },
                 { true, 3 },  { true, 4 },  { true, 4 },  { true, 4 }, { false, 3 } };
    MUST(gr_damage_init(&d, rt, 4, &err));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        gr_damage_note(&d, rows[i].damaged);
        assert_int_equal(d.damaged, rows[i].count);
    }
    gr_damage_fini(&d);
    gr_runtime_free(rt);
}

static void every_reason_has_a_word_of_its_own(void **state)
{
    (void)state;
    for (int i = 0; i < GR_SKIP_COUNT; i++) {
        const char *word = gr_skip_word((gr_skip)i);
        assert_int_equal(strspn(word, "abcdefghijklmnopqrstuvwxyz_"), strlen(word));
        assert_true(strlen(gr_skip_text((gr_skip)i)) > strlen(word));
        for (int k = 0; k < i; k++)
            assert_string_not_equal(word, gr_skip_word((gr_skip)k));
    }
    assert_false(gr_skip_is_damage(GR_SKIP_NONE));
    assert_true(gr_skip_is_damage(GR_SKIP_UNREADABLE));
    assert_false(gr_skip_is_damage(GR_SKIP_TOO_LONG));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damage_is_forgotten_after_so_many_rows),
        cmocka_unit_test(every_reason_has_a_word_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
