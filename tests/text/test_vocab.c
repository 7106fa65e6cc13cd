#include "test.h"

#include "text/vocab.h"

static void ids_and_bytes_find_each_other(void **state)
{
    (void)state;
    gr_runtime *rt = test_runtime();
    gr_error err = { 0 };
    gr_vocab v;
    gr_vocab_init(&v, rt);
    assert_int_equal(gr_vocab_find(&v, "a", 1), -1);
    MUST(gr_vocab_add(&v, 5, "ab", 2, GR_TOKEN_MODEL, &err));
    MUST(gr_vocab_add(&v, 2, "a", 1, GR_TOKEN_MODEL, &err));
    MUST(gr_vocab_add(&v, 3, "abc", 3, GR_TOKEN_ADDED, &err));
    MUST_FAIL(gr_vocab_add(&v, 2, "\n", 1, 0, &err), GR_ERR_FORMAT,
              "'\\x0a' has id 2, which is the id of 'a'");
    MUST(gr_vocab_index(&v, &err));
    assert_int_equal(gr_vocab_find(&v, "ab", 2), 5);
    assert_int_equal(gr_vocab_find(&v, "a", 1), 2);
    assert_int_equal(gr_vocab_find(&v, "abc", 3), -1); /* not of the model */
    assert_null(gr_vocab_at(&v, 4));
    assert_null(gr_vocab_at(&v, 6));
    assert_null(gr_vocab_at(&v, -1));
    assert_int_equal(gr_vocab_at(&v, 3)->len, 3);
    gr_vocab_fini(&v);
    gr_runtime_free(rt);
}

/* Tokens that all want the same few places of the table would make look-ups linear. */
static void a_vocabulary_made_to_collide_is_refused(void **state)
{
    (void)state;
    enum { TOKENS = 1000, SLOTS = 2048 };
    gr_runtime *rt = test_runtime();
    gr_error err = { 0 };
    gr_vocab v;
    gr_vocab_init(&v, rt);
    for (uint32_t i = 0, n = 0; n < TOKENS; i++)
        if ((gr_vocab_hash(&i, sizeof i) & (SLOTS - 1)) < 4)
            MUST(gr_vocab_add(&v, (int32_t)n++, &i, sizeof i, GR_TOKEN_MODEL, &err));
    MUST_FAIL(gr_vocab_index(&v, &err), GR_ERR_LIMIT, "looking them up is slow");
    gr_vocab_fini(&v);
    gr_runtime_free(rt);
}

static void shown_bytes_are_printable_and_short(void **state)
{
    (void)state;
    char out[64], big[200];
    memset(big, 0xff, sizeof big);
    assert_string_equal(gr_bytes_show(out, "a\\\n\xC3", 4), "a\\x5c\\x0a\\xc3");
    assert_true(strlen(gr_bytes_show(out, big, sizeof big)) < 64);
    assert_non_null(strstr(out, "..."));
    assert_string_equal(gr_bytes_show(out, "", 0), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(ids_and_bytes_find_each_other),
                                        cmocka_unit_test(a_vocabulary_made_to_collide_is_refused),
                                        cmocka_unit_test(shown_bytes_are_printable_and_short) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
