#include "test.h"

#include "text/byte_alphabet.h"
#include "text/unicode.h"

static void classes_are_letters_numbers_and_white_space(void **state)
{
    (void)state;
    static const struct {
        uint32_t cp;
        gr_char_class class;
    } cases[] = {
        { 0, GR_CHAR_OTHER },        { '\t', GR_CHAR_SPACE },     { '\r', GR_CHAR_SPACE },
        { 0x0e, GR_CHAR_OTHER },     { 0x1c, GR_CHAR_OTHER },     { ' ', GR_CHAR_SPACE },
        { '/', GR_CHAR_OTHER },      { '0', GR_CHAR_NUMBER },     { '9', GR_CHAR_NUMBER },
        { '@', GR_CHAR_OTHER },      { 'A', GR_CHAR_LETTER },     { 'z', GR_CHAR_LETTER },
        { '_', GR_CHAR_OTHER },      { 0x85, GR_CHAR_SPACE },     { 0xa0, GR_CHAR_SPACE },
        { 0xaa, GR_CHAR_LETTER },    { 0xb2, GR_CHAR_NUMBER },    { 0xbd, GR_CHAR_NUMBER },
        { 0xd7, GR_CHAR_OTHER },     { 0x301, GR_CHAR_OTHER },    { 0x663, GR_CHAR_NUMBER },
        { 0x1680, GR_CHAR_SPACE },   { 0x180e, GR_CHAR_OTHER },   { 0x2000, GR_CHAR_SPACE },
        { 0x200a, GR_CHAR_SPACE },   { 0x200b, GR_CHAR_OTHER },   { 0x2028, GR_CHAR_SPACE },
        { 0x2167, GR_CHAR_NUMBER },  { 0x3000, GR_CHAR_SPACE },   { 0x4e00, GR_CHAR_LETTER },
        { 0xac00, GR_CHAR_LETTER },  { 0xd7a3, GR_CHAR_LETTER },  { 0xfeff, GR_CHAR_OTHER },
        { 0xfffd, GR_CHAR_OTHER },   { 0x1f642, GR_CHAR_OTHER },  { 0x10d40, GR_CHAR_NUMBER },
        { 0x323af, GR_CHAR_LETTER }, { 0x10ffff, GR_CHAR_OTHER },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (gr_char_classify(cases[i].cp) != cases[i].class)
            fail_msg("U+%04X has class %d, expected %d", cases[i].cp, gr_char_classify(cases[i].cp),
                     cases[i].class);
}

/* Counts of Unicode 16.0 (DerivedGeneralCategory.txt, PropList.txt). */
static void tables_hold_every_character_of_a_class(void **state)
{
    (void)state;
    int count[4] = { 0 };
    for (uint32_t cp = 0; cp < 0x110000; cp++)
        count[gr_char_classify(cp)]++;
    assert_int_equal(count[GR_CHAR_LETTER], 141028);
    assert_int_equal(count[GR_CHAR_NUMBER], 1911);
    assert_int_equal(count[GR_CHAR_SPACE], 25);
}

static void every_scalar_value_survives_encoding(void **state)
{
    (void)state;
    for (uint32_t cp = 0; cp < 0x110000; cp++) {
        uint8_t bytes[4];
        if (cp >= 0xd800 && cp < 0xe000)
            continue;
        const int n = gr_utf8_encode(cp, bytes);
        const gr_utf8 c = gr_utf8_decode(bytes, (size_t)n);
        assert_true(c.state == GR_UTF8_OK && c.cp == cp && c.bytes == n);
        if (n > 1)
            assert_int_equal(gr_utf8_decode(bytes, (size_t)n - 1).state, GR_UTF8_INCOMPLETE);
    }
}

/* The example of the Unicode Standard, table 3-8 and the like: which bytes one U+FFFD stands for. */
static void ill_formed_text_is_cut_into_maximal_parts(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        int parts[6];
    } cases[] = {
        { "\xC0\xAF", { 1, 1 } },
        { "\xE0\x80\x80", { 1, 1, 1 } },
        { "\xED\xA0\x80", { 1, 1, 1 } },
        { "\xF4\x91\x92\x93\xFF", { 1, 1, 1, 1, 1 } },
        { "\xE1\x80\xE2\xF0\x91\x92", { 2, 1, 3 } },
        { "\xF1\x80\x80\xE1\x80", { 3, 2 } },
        { "\x80\xBF\xFE", { 1, 1, 1 } },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const uint8_t *p = (const uint8_t *)cases[i].bytes;
        size_t n = strlen(cases[i].bytes);
        assert_false(gr_utf8_valid(p, n));
        for (int k = 0; n > 0; k++) {
            const gr_utf8 c = gr_utf8_decode(p, n);
            assert_true(c.state != GR_UTF8_OK && c.cp == GR_REPLACEMENT);
            assert_int_equal(c.bytes, cases[i].parts[k]);
            p += c.bytes;
            n -= (size_t)c.bytes;
        }
    }
}

static void the_byte_alphabet_is_reversible(void **state)
{
    (void)state;
    bool seen[0x144] = { 0 };
    for (int byte = 0; byte < 256; byte++) {
        const uint32_t cp = gr_byte_to_char((uint8_t)byte);
        assert_true(cp < 0x144 && !seen[cp]);
        seen[cp] = true;
        uint8_t spelled[4], back[4];
        const int n = gr_utf8_encode(cp, spelled);
        assert_int_equal(gr_byte_unspell(back, spelled, (size_t)n), 1);
        assert_int_equal(back[0], byte);
    }
    assert_int_equal(gr_byte_to_char(' '), 0x120);
    assert_int_equal(gr_byte_to_char('\n'), 0x10a);
    assert_int_equal(gr_byte_to_char(0xad), 0x143);
    uint8_t out[4];
    assert_int_equal(gr_byte_unspell(out, (const uint8_t *)" ", 1), -1);
    assert_int_equal(gr_byte_unspell(out, (const uint8_t *)"\xC5\x84", 2), -1); /* U+0144 */
    assert_int_equal(gr_byte_unspell(out, (const uint8_t *)"\xC2\xAD", 2), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_are_letters_numbers_and_white_space),
        cmocka_unit_test(tables_hold_every_character_of_a_class),
        cmocka_unit_test(every_scalar_value_survives_encoding),
        cmocka_unit_test(ill_formed_text_is_cut_into_maximal_parts),
        cmocka_unit_test(the_byte_alphabet_is_reversible),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
