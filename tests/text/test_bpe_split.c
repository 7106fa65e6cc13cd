#include "test.h"

#include "text/bpe_split.h"

/* Pieces are written with '|' between them; '|' does not occur in the texts. Checked with the tokenizers
 * library. */
static const char *const cases[] = {
    /* contractions come first, in any case, and also with the long s */
    "I|'m| don|'t| we|'LL| he|'S| it|'\xC5\xBF|x",
    "'s|a",
    "'S|a",
    "'l",
    "''|lll",
    "''|",
    "'re|'ve|'d|'t",
    "'r",
    "'ra",
    "'ſ",
    /* one character that is neither letter, number nor newline may lead a word */
    "a| b|\tc| | d",
    "!a|!!|a",
    "\xC2\xA0x|\xE3\x80\x80y",
    "\n|a|\r\n|b",
    "'a",
    "-a|-|1",
    /* up to three numbers; never with a space */
    "123|456|7| |8",
    "\xC2\xBD\xD9\xA3\xE2\x85\xA7|1",
    /* symbols, with a space before and newlines behind */
    " !?|a",
    "!\n\n|a",
    "!| \n",
    "!\r\n\r\n|\t|\t|!",
    " \xF0\x9F\x99\x82\xE2\x80\x8D",
    "e|\xCC\x81"
    "e",
    /* white space: up to the last newline; else all but the last before something; else all */
    "a|\n\n\n|b",
    "a| \n \n| | b",
    "a|   ",
    "a|  | b",
    "a| |1",
    "\t\t|\t|1",
    "  \n",
    "\n  \n|  ",
    " ",
    "\xE2\x80\xA8|\xE2\x80\xA8|1",
    /* U+180E is a symbol, U+0085 a space, NUL a symbol */
    "\xE1\xA0\x8E"
    "a",
    "\xC2\x85\xC2\x85|\xC2\x85|"
    "1",
    /* ill-formed bytes are symbols; a maximal part leads a word as one character */
    "\xE2\x82"
    "a",
    "\xFF\xFF|a",
    "\xFF"
    "a| |1|\xC3",
    " \xFE\n|b",
};

static void check(const char *marked)
{
    char text[256];
    size_t want[64], n = 0, n_want = 0;
    for (const char *p = marked; *p; p++)
        if (*p == '|')
            want[n_want++] = n;
        else
            text[n++] = *p;
    if (n_want == 0 || want[n_want - 1] != n)
        want[n_want++] = n;
    size_t at = 0;
    for (size_t i = 0; at < n; i++) {
        at += gr_bpe_split((const uint8_t *)text + at, n - at);
        if (i >= n_want || at != want[i])
            fail_msg("'%s': piece %zu ends at byte %zu, expected %zu", marked, i, at,
                     i < n_want ? want[i] : 0);
    }
}

static void pieces_are_those_of_the_regular_expression(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(cases[i]);
}

/* Every piece is at least one byte and inside the text, for all texts of three bytes from a telling set. */
static void pieces_always_advance(void **state)
{
    (void)state;
    static const uint8_t set[] = { 0,   '\n', '\r', ' ',  '\'', 's',  'l', '1',
                                   '!', 0xC2, 0xA0, 0xE2, 0x80, 0xA8, 0xFF };
    enum { N = sizeof set };
    for (int i = 0; i < N * N * N; i++) {
        const uint8_t text[3] = { set[i % N], set[i / N % N], set[i / N / N] };
        for (size_t at = 0, n; at < 3; at += n) {
            n = gr_bpe_split(text + at, 3 - at);
            assert_in_range(n, 1, 3 - at);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(pieces_are_those_of_the_regular_expression),
                                        cmocka_unit_test(pieces_always_advance) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
