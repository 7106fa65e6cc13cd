#include "text/bpe_split.h"

#include "text/unicode.h"

const char gr_llama3_split[] =
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
    "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

/* One character of the text. At the end of it: bytes 0, class OTHER. */
typedef struct {
    uint32_t cp;
    size_t bytes;
    gr_char_class class;
} symbol;

static symbol symbol_at(const uint8_t *text, size_t n, size_t at)
{
    if (at >= n)
        return (symbol){ 0, 0, GR_CHAR_OTHER };
    if (text[at] < 0x80)
        return (symbol){ text[at], 1, gr_char_classify(text[at]) };
    const gr_utf8 c = gr_utf8_decode(text + at, n - at);
    return (symbol){ c.cp, (size_t)c.bytes, gr_char_classify(c.cp) };
}

static bool is_newline(symbol s) { return s.bytes > 0 && (s.cp == '\n' || s.cp == '\r'); }

/* (?i:'s|'t|'re|'ve|'m|'ll|'d); 0: none. Case folding also makes U+017F (long s) an s. */
static size_t match_contraction(const uint8_t *text, size_t n)
{
    static const char *const endings[] = { "s", "t", "re", "ve", "m", "ll", "d" };
    if (n < 2 || text[0] != '\'')
        return 0;
    if (n >= 3 && text[1] == 0xC5 && text[2] == 0xBF)
        return 3;
    for (size_t e = 0; e < sizeof endings / sizeof *endings; e++) {
        size_t i = 0;
        while (endings[e][i] && 1 + i < n && (text[1 + i] | 0x20) == endings[e][i])
            i++;
        if (!endings[e][i])
            return 1 + i;
    }
    return 0;
}

static size_t run_of(const uint8_t *text, size_t n, size_t at, gr_char_class class, int max)
{
    for (symbol s; max-- != 0 && (s = symbol_at(text, n, at)).bytes > 0 && s.class == class;)
        at += s.bytes;
    return at;
}

/* [^\s\p{L}\p{N}]+[\r\n]* from `at`, where the first character is known to fit. */
static size_t match_symbols(const uint8_t *text, size_t n, size_t at)
{
    at = run_of(text, n, at, GR_CHAR_OTHER, -1);
    while (at < n && (text[at] == '\n' || text[at] == '\r'))
        at++;
    return at;
}

/* \s*[\r\n]+ | \s+(?!\S) | \s+: up to the last newline of the run if there is one; else the run without its
 * last character when something follows (that one belongs to it, if it can), else all of it. */
static size_t match_space(const uint8_t *text, size_t n)
{
    size_t end = 0, last = 0, newline_end = 0;
    for (symbol s; (s = symbol_at(text, n, end)).class == GR_CHAR_SPACE;) {
        last = end;
        end += s.bytes;
        if (is_newline(s))
            newline_end = end;
    }
    if (newline_end > 0)
        return newline_end;
    return end < n && last > 0 ? last : end;
}

size_t gr_bpe_split(const uint8_t *text, size_t n)
{
    const size_t contraction = match_contraction(text, n);
    if (contraction > 0)
        return contraction;
    const symbol first = symbol_at(text, n, 0);
    if (first.class == GR_CHAR_LETTER)
        return run_of(text, n, 0, GR_CHAR_LETTER, -1);
    if (first.class == GR_CHAR_NUMBER)
        return run_of(text, n, 0, GR_CHAR_NUMBER, 3);
    const symbol second = symbol_at(text, n, first.bytes);
    if (second.class == GR_CHAR_LETTER && !is_newline(first))
        return run_of(text, n, first.bytes, GR_CHAR_LETTER, -1);
    if (first.class == GR_CHAR_OTHER)
        return match_symbols(text, n, 0);
    if (first.cp == ' ' && second.bytes > 0 && second.class == GR_CHAR_OTHER)
        return match_symbols(text, n, first.bytes);
    return match_space(text, n);
}
