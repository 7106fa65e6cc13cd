#include "text/unicode.h"

typedef struct {
    uint32_t first, last;
    uint8_t class;
} class_range;

enum { L = GR_CHAR_LETTER, N = GR_CHAR_NUMBER, S = GR_CHAR_SPACE };

#include "text/unicode_tables.h"

/* Most of most texts, without a search. */
static gr_char_class classify_ascii(uint32_t cp)
{
    if ((cp | 0x20) - 'a' < 26)
        return GR_CHAR_LETTER;
    if (cp - '0' < 10)
        return GR_CHAR_NUMBER;
    return cp == ' ' || cp - '\t' < 5 ? GR_CHAR_SPACE : GR_CHAR_OTHER;
}

gr_char_class gr_char_classify(uint32_t cp)
{
    if (cp < 0x80)
        return classify_ascii(cp);
    size_t lo = 0, hi = sizeof class_ranges / sizeof *class_ranges;
    while (lo < hi) {
        const size_t mid = lo + (hi - lo) / 2;
        if (cp > class_ranges[mid].last)
            lo = mid + 1;
        else
            hi = mid;
    }
    const bool found = lo < sizeof class_ranges / sizeof *class_ranges && cp >= class_ranges[lo].first;
    return found ? (gr_char_class)class_ranges[lo].class : GR_CHAR_OTHER;
}

/* Well-formed sequences by lead byte: how many bytes, and what the second may be (Unicode, table 3-7). */
typedef struct {
    int bytes; /* 0: no lead byte */
    uint8_t lo, hi;
} lead_rule;

static lead_rule rule_of(uint8_t lead)
{
    if (lead < 0xC2 || lead > 0xF4)
        return (lead_rule){ 0, 0, 0 };
    if (lead < 0xE0)
        return (lead_rule){ 2, 0x80, 0xBF };
    if (lead < 0xF0)
        return (lead_rule){ 3, lead == 0xE0 ? 0xA0 : 0x80, lead == 0xED ? 0x9F : 0xBF };
    return (lead_rule){ 4, lead == 0xF0 ? 0x90 : 0x80, lead == 0xF4 ? 0x8F : 0xBF };
}

gr_utf8 gr_utf8_decode(const uint8_t *p, size_t n)
{
    if (p[0] < 0x80)
        return (gr_utf8){ p[0], 1, GR_UTF8_OK };
    const lead_rule rule = rule_of(p[0]);
    if (rule.bytes == 0)
        return (gr_utf8){ GR_REPLACEMENT, 1, GR_UTF8_BAD };
    uint32_t cp = p[0] & (0x7Fu >> rule.bytes);
    for (int i = 1; i < rule.bytes; i++) {
        if ((size_t)i == n)
            return (gr_utf8){ GR_REPLACEMENT, i, GR_UTF8_INCOMPLETE };
        if (p[i] < (i == 1 ? rule.lo : 0x80) || p[i] > (i == 1 ? rule.hi : 0xBF))
            return (gr_utf8){ GR_REPLACEMENT, i, GR_UTF8_BAD };
        cp = cp << 6 | (p[i] & 0x3F);
    }
    return (gr_utf8){ cp, rule.bytes, GR_UTF8_OK };
}

int gr_utf8_encode(uint32_t cp, uint8_t out[4])
{
    static const uint8_t mark[5] = { 0, 0, 0xC0, 0xE0, 0xF0 };
    const int n = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
    for (int i = n - 1; i > 0; i--, cp >>= 6)
        out[i] = (uint8_t)(0x80 | (cp & 0x3F));
    out[0] = (uint8_t)(mark[n] | cp);
    return n;
}

bool gr_utf8_valid(const void *text, size_t n)
{
    const uint8_t *p = text;
    while (n > 0) {
        const gr_utf8 c = gr_utf8_decode(p, n);
        if (c.state != GR_UTF8_OK)
            return false;
        p += c.bytes;
        n -= (size_t)c.bytes;
    }
    return true;
}
