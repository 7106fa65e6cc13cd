#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/json.h"

void gr_json_writer_init(gr_json_writer *w, gr_buf *out, bool pretty)
{
    *w = (gr_json_writer){ .out = out, .pretty = pretty };
}

static void new_line(gr_json_writer *w)
{
    if (!w->pretty)
        return;
    gr_buf_add(w->out, "\n", 1);
    for (int i = 0; i < w->depth; i++)
        gr_buf_add(w->out, "  ", 2);
}

/* What stands before a value or a key: a comma, a new line, nothing. */
static void before(gr_json_writer *w)
{
    if (w->after_key) {
        w->after_key = false;
        return;
    }
    if (w->depth == 0)
        return;
    bool *comma = &w->comma[w->depth - 1];
    if (*comma)
        gr_buf_add(w->out, ",", 1);
    *comma = true;
    new_line(w);
}

static void open_bracket(gr_json_writer *w, const char *bracket)
{
    before(w);
    if (w->depth == GR_JSON_MAX_DEPTH) {
        w->out->failed = true;
        return;
    }
    gr_buf_add(w->out, bracket, 1);
    w->comma[w->depth++] = false;
}

void gr_json_put_object(gr_json_writer *w) { open_bracket(w, "{"); }
void gr_json_put_array(gr_json_writer *w) { open_bracket(w, "["); }

void gr_json_put_end(gr_json_writer *w, char bracket)
{
    if (w->depth == 0) {
        w->out->failed = true;
        return;
    }
    if (w->comma[--w->depth])
        new_line(w);
    gr_buf_add(w->out, &bracket, 1);
}

/* Bytes of a valid UTF-8 sequence at p, or 0. */
static size_t sequence(const unsigned char *p, size_t n)
{
    static const struct {
        unsigned char lo, hi, length, second_lo, second_hi; /* Unicode 15, table 3-7 */
    } rows[] = {
        { 0xc2, 0xdf, 2, 0x80, 0xbf }, { 0xe0, 0xe0, 3, 0xa0, 0xbf }, { 0xe1, 0xec, 3, 0x80, 0xbf },
        { 0xed, 0xed, 3, 0x80, 0x9f }, { 0xee, 0xef, 3, 0x80, 0xbf }, { 0xf0, 0xf0, 4, 0x90, 0xbf },
        { 0xf1, 0xf3, 4, 0x80, 0xbf }, { 0xf4, 0xf4, 4, 0x80, 0x8f },
    };
    if (p[0] < 0x80)
        return 1;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (p[0] >= rows[i].lo && p[0] <= rows[i].hi) {
            if (n < rows[i].length || p[1] < rows[i].second_lo || p[1] > rows[i].second_hi)
                return 0;
            for (size_t k = 2; k < rows[i].length; k++)
                if ((p[k] & 0xc0) != 0x80)
                    return 0;
            return rows[i].length;
        }
    return 0;
}

static void put_quoted(gr_json_writer *w, const char *text, size_t n)
{
    static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
    gr_buf_add(w->out, "\"", 1);
    size_t run = 0, i = 0; /* text[run..i) is plain and not written yet */
    while (i < n) {
        const unsigned char c = (unsigned char)text[i];
        const size_t length = sequence((const unsigned char *)text + i, n - i);
        if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f && length) {
            i += length;
            continue;
        }
        gr_buf_add(w->out, text + run, i - run);
        const char *simple = c ? strchr(from, c) : NULL;
        if (simple)
            gr_buf_printf(w->out, "\\%c", to[simple - from]);
        else if (length)
            gr_buf_printf(w->out, "\\u%04x", (unsigned)c);
        else
            gr_buf_text(w->out, "\xef\xbf\xbd");
        run = ++i;
    }
    gr_buf_add(w->out, text + run, i - run);
    gr_buf_add(w->out, "\"", 1);
}

void gr_json_put_key(gr_json_writer *w, const char *key)
{
    before(w);
    put_quoted(w, key, strlen(key));
    gr_buf_text(w->out, w->pretty ? ": " : ":");
    w->after_key = true;
}

void gr_json_put_string(gr_json_writer *w, const char *text, size_t n)
{
    before(w);
    put_quoted(w, text, n);
}

void gr_json_put_text(gr_json_writer *w, const char *text) { gr_json_put_string(w, text, strlen(text)); }

/* The digits of x to `precision` of them, without point or trailing zeros, and the exponent of the first:
 * what "%e" says, whatever character the locale puts between. */
static int scientific(char digits[32], double x, int precision)
{
    char text[64];
    snprintf(text, sizeof text, "%.*e", precision - 1, x);
    int n = 0;
    const char *p = text;
    for (; *p && *p != 'e'; p++)
        if (*p >= '0' && *p <= '9')
            digits[n++] = *p;
    while (n > 1 && digits[n - 1] == '0')
        n--;
    digits[n] = '\0';
    return atoi(p + 1);
}

/* Reads digits and exponent back; no point, so no locale. */
static double value(const char *digits, int exponent)
{
    char text[64];
    snprintf(text, sizeof text, "%se%d", digits, exponent - (int)strlen(digits) + 1);
    return strtod(text, NULL);
}

/* `fewest` digits always survive a round trip, `most` always suffice. */
static void put_shortest(gr_json_writer *w, double x, int fewest, int most, bool as_f32)
{
    if (x - x != 0) {
        gr_json_put_null(w);
        return;
    }
    before(w);
    const double size = fabs(x);
    char digits[32] = "0";
    int exponent = 0;
    for (int precision = fewest; precision <= most; precision++) {
        exponent = scientific(digits, size, precision);
        const double back = value(digits, exponent);
        if (as_f32 ? (float)back == (float)size : back == size)
            break;
    }
    const int n = (int)strlen(digits);
    if (signbit(x))
        gr_buf_add(w->out, "-", 1);
    if (exponent < -5 || exponent > 16)
        gr_buf_printf(w->out, "%c%s%se%d", digits[0], n > 1 ? "." : "", digits + 1, exponent);
    else if (exponent < 0)
        gr_buf_printf(w->out, "0.%.*s%s", -exponent - 1, "00000", digits);
    else if (n > exponent + 1)
        gr_buf_printf(w->out, "%.*s.%s", exponent + 1, digits, digits + exponent + 1);
    else
        gr_buf_printf(w->out, "%s%.*s.0", digits, exponent + 1 - n, "0000000000000000");
}

void gr_json_put_number(gr_json_writer *w, double x) { put_shortest(w, x, 15, 17, false); }

void gr_json_put_f32(gr_json_writer *w, float x) { put_shortest(w, (double)x, 6, 9, true); }

void gr_json_put_int(gr_json_writer *w, int64_t x)
{
    before(w);
    gr_buf_printf(w->out, "%lld", (long long)x);
}

void gr_json_put_bool(gr_json_writer *w, bool x)
{
    before(w);
    gr_buf_text(w->out, x ? "true" : "false");
}

void gr_json_put_null(gr_json_writer *w)
{
    before(w);
    gr_buf_text(w->out, "null");
}

void gr_json_put_raw(gr_json_writer *w, const char *json, size_t n)
{
    before(w);
    gr_buf_add(w->out, json, n);
}
