#include "io/json.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void gr_json_init(gr_json *j, gr_runtime *rt, const char *text, size_t n, const char *name, size_t max_string)
{
    if (!text)
        text = ""; /* an empty mapping */
    *j = (gr_json){ .text = text, .at = text, .end = text + n, .name = name, .mark = text };
    gr_buf_init(&j->string, rt, max_string);
}

void gr_json_fini(gr_json *j) { gr_buf_fini(&j->string); }

/* --- failure ------------------------------------------------------------------------------------------- */

static void fail_at(gr_json *j, const char *place, gr_status status, const char *fmt, va_list ap)
{
    if (j->err.status != GR_OK)
        return;
    size_t line = j->lines_before + 1, column = 1;
    for (const char *p = j->text; p < place; p++)
        if (*p == '\n')
            line++, column = 1;
        else
            column++;
    char what[sizeof j->err.msg];
    vsnprintf(what, sizeof what, fmt, ap);
    const bool about = j->about && *j->about;
    gr_fail(&j->err, status, "%s: line %zu, column %zu: %s%s%s", j->name, line, column, about ? j->about : "",
            about ? ": " : "", what);
}

static void GR_PRINTF(2, 3) malformed(gr_json *j, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fail_at(j, j->at, GR_ERR_FORMAT, fmt, ap);
    va_end(ap);
}

void gr_json_fail(gr_json *j, gr_status status, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fail_at(j, j->mark, status, fmt, ap);
    va_end(ap);
}

static bool failed(const gr_json *j) { return j->err.status != GR_OK; }

/* --- tokens -------------------------------------------------------------------------------------------- */

static void skip_space(gr_json *j)
{
    while (j->at < j->end && (*j->at == ' ' || *j->at == '\n' || *j->at == '\r' || *j->at == '\t'))
        j->at++;
}

/* What stands at the present place, for messages. */
static const char *found(gr_json *j, char text[8])
{
    if (j->at >= j->end)
        return "the end of the text";
    const unsigned char c = (unsigned char)*j->at;
    if (c >= 0x20 && c < 0x7f)
        snprintf(text, 8, "'%c'", c);
    else
        snprintf(text, 8, "0x%02x", c);
    return text;
}

static gr_json_kind kind_of(char c)
{
    switch (c) {
    case 'n':
        return GR_JSON_NULL;
    case 't':
    case 'f':
        return GR_JSON_BOOL;
    case '"':
        return GR_JSON_STRING;
    case '[':
        return GR_JSON_ARRAY;
    case '{':
        return GR_JSON_OBJECT;
    default:
        return c == '-' || (c >= '0' && c <= '9') ? GR_JSON_NUMBER : GR_JSON_END;
    }
}

gr_json_kind gr_json_peek(gr_json *j)
{
    if (failed(j))
        return GR_JSON_END;
    skip_space(j);
    j->mark = j->at;
    if (j->at >= j->end && j->depth == 0)
        return GR_JSON_END;
    const gr_json_kind kind = j->at < j->end ? kind_of(*j->at) : GR_JSON_END;
    char text[8];
    if (kind == GR_JSON_END)
        malformed(j, "expected a value, found %s", found(j, text));
    return kind;
}

/* True when a value of that kind is next; otherwise that is the failure. */
static bool expect(gr_json *j, gr_json_kind want)
{
    static const char *const names[] = {
        [GR_JSON_END] = "nothing",      [GR_JSON_NULL] = "null",       [GR_JSON_BOOL] = "true or false",
        [GR_JSON_NUMBER] = "a number",  [GR_JSON_STRING] = "a string", [GR_JSON_ARRAY] = "an array",
        [GR_JSON_OBJECT] = "an object",
    };
    const gr_json_kind kind = gr_json_peek(j);
    if (!failed(j) && kind != want)
        malformed(j, "expected %s, found %s", names[want], names[kind]);
    return !failed(j);
}

static bool literal(gr_json *j, const char *word)
{
    const size_t n = strlen(word);
    if ((size_t)(j->end - j->at) < n || memcmp(j->at, word, n) != 0) {
        malformed(j, "expected '%s'", word);
        return false;
    }
    j->at += n;
    return true;
}

/* --- containers ---------------------------------------------------------------------------------------- */

static void enter(gr_json *j, gr_json_kind kind)
{
    if (!expect(j, kind))
        return;
    if (j->depth == GR_JSON_MAX_DEPTH) {
        gr_json_fail(j, GR_ERR_LIMIT, "nested deeper than %d", GR_JSON_MAX_DEPTH);
        return;
    }
    j->at++;
    j->first[j->depth++] = true;
}

/* Moves to the next member of the present container; false at its closing bracket, which is read. */
static bool next(gr_json *j, char bracket)
{
    if (failed(j) || j->depth == 0)
        return false;
    char text[8];
    bool *first = &j->first[j->depth - 1];
    skip_space(j);
    if (j->at < j->end && *j->at == bracket) {
        j->at++;
        j->depth--;
        return false;
    }
    if (!*first) {
        if (j->at >= j->end || *j->at != ',') {
            malformed(j, "expected ',' or '%c', found %s", bracket, found(j, text));
            return false;
        }
        j->at++;
        skip_space(j);
        if (j->at < j->end && *j->at == bracket) {
            malformed(j, "a comma before '%c'", bracket);
            return false;
        }
    }
    *first = false;
    return true;
}

void gr_json_array(gr_json *j) { enter(j, GR_JSON_ARRAY); }
bool gr_json_item(gr_json *j) { return next(j, ']'); }
void gr_json_object(gr_json *j) { enter(j, GR_JSON_OBJECT); }

static bool read_string(gr_json *j, bool keep);

static bool read_key(gr_json *j, bool keep)
{
    char text[8];
    if (!next(j, '}'))
        return false;
    j->mark = j->at;
    if (j->at >= j->end || *j->at != '"') {
        malformed(j, "expected a key in quotes, found %s", found(j, text));
        return false;
    }
    if (!read_string(j, keep))
        return false;
    skip_space(j);
    if (j->at >= j->end || *j->at != ':') {
        malformed(j, "expected ':' after a key, found %s", found(j, text));
        return false;
    }
    j->at++;
    return true;
}

bool gr_json_key(gr_json *j, const char **key)
{
    *key = "";
    if (!read_key(j, true))
        return false;
    if (j->string.len != strlen(gr_buf_str(&j->string))) {
        gr_json_fail(j, GR_ERR_FORMAT, "a key with a zero byte in it");
        return false;
    }
    *key = gr_buf_str(&j->string);
    return true;
}

/* --- strings ------------------------------------------------------------------------------------------- */

/* Bytes of the UTF-8 sequence at p, 0 when it is not one (overlong, surrogate, beyond U+10FFFF, cut off). */
static int utf8_length(const char *at, const char *end)
{
    const unsigned char *p = (const unsigned char *)at;
    const long n = end - at;
    const unsigned c = p[0];
    if (c >= 0xc2 && c <= 0xdf)
        return n >= 2 && (p[1] & 0xc0) == 0x80 ? 2 : 0;
    if (c >= 0xe0 && c <= 0xef) {
        if (n < 3 || (p[1] & 0xc0) != 0x80 || (p[2] & 0xc0) != 0x80)
            return 0;
        return (c == 0xe0 && p[1] < 0xa0) || (c == 0xed && p[1] >= 0xa0) ? 0 : 3;
    }
    if (c >= 0xf0 && c <= 0xf4) {
        if (n < 4 || (p[1] & 0xc0) != 0x80 || (p[2] & 0xc0) != 0x80 || (p[3] & 0xc0) != 0x80)
            return 0;
        return (c == 0xf0 && p[1] < 0x90) || (c == 0xf4 && p[1] >= 0x90) ? 0 : 4;
    }
    return 0;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Four hexadecimal digits at p, or -1. */
static long hex4(const char *p, const char *end)
{
    long v = 0;
    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        const int d = hex_digit(p[i]);
        if (d < 0)
            return -1;
        v = v * 16 + d;
    }
    return v;
}

static int utf8_encode(char out[4], long c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    const int n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
    for (int i = n - 1; i > 0; i--, c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)(lead[n] | c);
    return n;
}

/* Decodes the escape behind a backslash at j->at into out; its length, or 0 on failure. */
static int read_escape(gr_json *j, char out[4])
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char c = j->at + 1 < j->end ? j->at[1] : '\0';
    const char *simple = c ? strchr(from, c) : NULL;
    if (simple) {
        out[0] = to[simple - from];
        j->at += 2;
        return 1;
    }
    if (c != 'u') {
        malformed(j, "an unknown escape");
        return 0;
    }
    long code = hex4(j->at + 2, j->end);
    if (code < 0) {
        malformed(j, "\\u wants four hexadecimal digits");
        return 0;
    }
    int length = 6;
    if (code >= 0xd800 && code <= 0xdfff) {
        const char *low_at = j->at + 6;
        const bool pair = j->end - low_at >= 6 && low_at[0] == '\\' && low_at[1] == 'u';
        const long low = pair ? hex4(low_at + 2, j->end) : -1;
        if (code >= 0xdc00 || low < 0xdc00 || low > 0xdfff) {
            malformed(j, "half of a surrogate pair");
            return 0;
        }
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        length = 12;
    }
    j->at += length;
    return utf8_encode(out, code);
}

static bool keep_bytes(gr_json *j, const char *bytes, size_t n)
{
    if (gr_buf_add(&j->string, bytes, n))
        return true;
    if (n > j->string.max - j->string.len)
        gr_json_fail(j, GR_ERR_LIMIT, "a string of more than %zu bytes", j->string.max);
    else
        gr_json_fail(j, GR_ERR_MEM, "no memory for a string");
    return false;
}

/* Bytes that end a run of plain ones: quote, backslash, control, not ASCII. */
static inline bool is_special(unsigned char c) { return c == '"' || c == '\\' || c < 0x20 || c >= 0x80; }

/* Reads the string at j->at, into j->string when `keep`; otherwise only checks it. */
static bool read_string(gr_json *j, bool keep)
{
    gr_buf_clear(&j->string);
    j->mark = j->at;
    const char *run = ++j->at; /* what is decoded but not yet kept begins here */
    for (;;) {
        while (j->at < j->end && !is_special((unsigned char)*j->at))
            j->at++;
        if (j->at >= j->end) {
            malformed(j, "a string without an end");
            return false;
        }
        const unsigned char c = (unsigned char)*j->at;
        if (c >= 0x80) {
            const int n = utf8_length(j->at, j->end);
            if (!n) {
                malformed(j, "byte 0x%02x is not UTF-8", c);
                return false;
            }
            j->at += n;
            continue;
        }
        if (c < 0x20) {
            malformed(j, "control character 0x%02x in a string", c);
            return false;
        }
        if (keep && !keep_bytes(j, run, (size_t)(j->at - run)))
            return false;
        if (c == '"') {
            j->at++;
            return true;
        }
        char bytes[4];
        const int n = read_escape(j, bytes);
        if (!n || (keep && !keep_bytes(j, bytes, (size_t)n)))
            return false;
        run = j->at;
    }
}

const char *gr_json_string(gr_json *j, size_t *n)
{
    if (n)
        *n = 0;
    if (!expect(j, GR_JSON_STRING) || !read_string(j, true))
        return "";
    const char *text = gr_buf_str(&j->string);
    if (!n && strlen(text) != j->string.len) {
        gr_json_fail(j, GR_ERR_FORMAT, "a string with a zero byte in it");
        return "";
    }
    if (n)
        *n = j->string.len;
    return text;
}

/* --- numbers ------------------------------------------------------------------------------------------- */

static bool is_digit(const gr_json *j) { return j->at < j->end && *j->at >= '0' && *j->at <= '9'; }

static bool pass_digits(gr_json *j)
{
    if (!is_digit(j)) {
        malformed(j, "a number wants a digit here");
        return false;
    }
    while (is_digit(j))
        j->at++;
    return true;
}

/* Passes over a number by the grammar of RFC 8259 section 6. */
static bool pass_number(gr_json *j, bool *whole)
{
    *whole = true;
    if (*j->at == '-')
        j->at++;
    const char *digits = j->at;
    if (!pass_digits(j))
        return false;
    if (*digits == '0' && j->at > digits + 1) {
        gr_json_fail(j, GR_ERR_FORMAT, "a number that begins with 0");
        return false;
    }
    if (j->at < j->end && *j->at == '.') {
        *whole = false;
        j->at++;
        if (!pass_digits(j))
            return false;
    }
    if (j->at < j->end && (*j->at == 'e' || *j->at == 'E')) {
        *whole = false;
        j->at++;
        if (j->at < j->end && (*j->at == '+' || *j->at == '-'))
            j->at++;
        if (!pass_digits(j))
            return false;
    }
    return true;
}

/* 767 significant digits decide any double; one more, not zero, stands for all that follow. */
#define DIGITS_MAX 770

/* The nearest double to a checked number. strtod gets digits and an exponent but no point, so the locale
 * has no say. */
static double convert(const char *at, const char *end)
{
    char text[DIGITS_MAX + 32];
    size_t n = 0;
    long scale = 0, exponent = 0;
    bool point = false, more = false;
    if (*at == '-')
        text[n++] = *at++;
    const size_t first = n;
    for (; at < end && *at != 'e' && *at != 'E'; at++) {
        if (*at == '.') {
            point = true;
            continue;
        }
        if (n == first && *at == '0') {
            scale -= point;
        } else if (n - first < DIGITS_MAX) {
            text[n++] = *at;
            scale -= point;
        } else {
            more = more || *at != '0';
            scale += !point;
        }
    }
    if (n == first)
        text[n++] = '0';
    if (more)
        text[n - 1] = text[n - 1] == '0' ? '1' : text[n - 1];
    if (at < end) {
        const bool negative = *++at == '-';
        for (at += *at == '+' || *at == '-'; at < end; at++)
            if (exponent < 100000000)
                exponent = exponent * 10 + (*at - '0');
        if (negative)
            exponent = -exponent;
    }
    snprintf(text + n, sizeof text - n, "e%ld", exponent + scale);
    return strtod(text, NULL);
}

double gr_json_number(gr_json *j)
{
    bool whole;
    if (!expect(j, GR_JSON_NUMBER) || !pass_number(j, &whole))
        return 0;
    const double x = convert(j->mark, j->at);
    if (x - x != 0) {
        gr_json_fail(j, GR_ERR_FORMAT, "a number beyond the range of double");
        return 0;
    }
    return x;
}

int64_t gr_json_int(gr_json *j, int64_t lo, int64_t hi)
{
    bool whole;
    if (!expect(j, GR_JSON_NUMBER) || !pass_number(j, &whole))
        return lo > 0 ? lo : hi < 0 ? hi : 0;
    const char *p = j->mark;
    const bool negative = *p == '-';
    const uint64_t most = negative ? (uint64_t)INT64_MAX + 1 : INT64_MAX;
    uint64_t v = 0;
    bool fits = whole;
    for (p += negative; fits && p < j->at; p++) {
        const unsigned d = (unsigned)(*p - '0');
        fits = v <= (most - d) / 10;
        v = v * 10 + d;
    }
    const int64_t x = !fits ? 0 : negative ? (int64_t)(0 - v) : (int64_t)v;
    if (!fits || x < lo || x > hi) {
        const size_t n = (size_t)(j->at - j->mark);
        gr_json_fail(j, GR_ERR_FORMAT, "%.*s%s, expected a whole number in %lld..%lld",
                     (int)(n < 40 ? n : 40), j->mark, n < 40 ? "" : "...", (long long)lo, (long long)hi);
        return lo > 0 ? lo : hi < 0 ? hi : 0;
    }
    return x;
}

/* --- the rest ------------------------------------------------------------------------------------------ */

bool gr_json_bool(gr_json *j)
{
    if (!expect(j, GR_JSON_BOOL))
        return false;
    const bool value = *j->at == 't';
    return literal(j, value ? "true" : "false") && value;
}

bool gr_json_null(gr_json *j) { return gr_json_peek(j) == GR_JSON_NULL && literal(j, "null"); }

void gr_json_skip(gr_json *j)
{
    bool whole;
    switch (gr_json_peek(j)) {
    case GR_JSON_NULL:
        literal(j, "null");
        break;
    case GR_JSON_BOOL:
        gr_json_bool(j);
        break;
    case GR_JSON_NUMBER:
        pass_number(j, &whole);
        break;
    case GR_JSON_STRING:
        read_string(j, false);
        break;
    case GR_JSON_ARRAY: /* at most GR_JSON_MAX_DEPTH calls deep */
        for (gr_json_array(j); gr_json_item(j);)
            gr_json_skip(j);
        break;
    case GR_JSON_OBJECT:
        for (gr_json_object(j); read_key(j, false);)
            gr_json_skip(j);
        break;
    case GR_JSON_END:
        if (!failed(j))
            malformed(j, "expected a value, found the end of the text");
        break;
    }
}

const char *gr_json_raw(gr_json *j, size_t *n)
{
    gr_json_peek(j);
    const char *from = j->at;
    gr_json_skip(j);
    j->mark = from;
    *n = failed(j) ? 0 : (size_t)(j->at - from);
    return from;
}

gr_status gr_json_status(gr_json *j, bool whole, gr_error *err)
{
    char text[8];
    if (!failed(j) && whole) {
        skip_space(j);
        if (j->depth > 0)
            malformed(j, "the value is not closed");
        else if (j->at < j->end)
            malformed(j, "expected the end of the text, found %s", found(j, text));
    }
    return failed(j) ? gr_fail(err, j->err.status, "%s", j->err.msg) : GR_OK;
}
