#include "json_out.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void cli_json_init(cli_json *j, FILE *stream) { *j = (cli_json){ .stream = stream }; }

/* Bytes of the well-formed UTF-8 character at s, 0 when there is none (RFC 3629, section 4). `left` >= 1. */
static size_t utf8_length(const unsigned char *s, size_t left)
{
    const size_t n = s[0] < 0x80   ? 1
                     : s[0] < 0xc2 ? 0
                     : s[0] < 0xe0 ? 2
                     : s[0] < 0xf0 ? 3
                     : s[0] < 0xf5 ? 4
                                   : 0;
    if (n > left)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if (n < 3)
        return n;
    const bool overlong = (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xf0 && s[1] < 0x90);
    const bool surrogate = s[0] == 0xed && s[1] > 0x9f, above = s[0] == 0xf4 && s[1] > 0x8f;
    return overlong || surrogate || above ? 0 : n;
}

static void quoted(FILE *f, const void *text, size_t bytes)
{
    const unsigned char *s = text, *end = s + bytes;
    fputc('"', f);
    while (s < end) {
        const size_t n = utf8_length(s, (size_t)(end - s));
        if (n == 0)
            fputs("\xef\xbf\xbd", f);
        else if (*s == '"' || *s == '\\')
            fprintf(f, "\\%c", *s);
        else if (*s == '\n')
            fputs("\\n", f);
        else if (*s < 0x20 || *s == 0x7f)
            fprintf(f, "\\u%04x", *s);
        else
            fwrite(s, 1, n, f);
        s += n ? n : 1;
    }
    fputc('"', f);
}

static void member(cli_json *j, const char *key)
{
    if (j->comma[j->depth])
        fputc(',', j->stream);
    j->comma[j->depth] = true;
    if (key) {
        quoted(j->stream, key, strlen(key));
        fputc(':', j->stream);
    }
}

void cli_json_open(cli_json *j, const char *key, char bracket)
{
    member(j, key);
    fputc(bracket, j->stream);
    assert(j->depth + 1 < CLI_JSON_DEPTH);
    j->comma[++j->depth] = false;
}

void cli_json_close(cli_json *j, char bracket)
{
    assert(j->depth > 0);
    j->depth--;
    fputc(bracket, j->stream);
}

void cli_json_text(cli_json *j, const char *key, const char *text)
{
    if (text)
        cli_json_bytes(j, key, text, strlen(text));
    else
        cli_json_null(j, key);
}

void cli_json_bytes(cli_json *j, const char *key, const void *bytes, size_t n)
{
    member(j, key);
    quoted(j->stream, bytes, n);
}

void cli_json_number(cli_json *j, const char *key, double x)
{
    member(j, key);
    char text[40] = "null";
    if (isfinite(x) && x == floor(x) && fabs(x) < 1e15)
        snprintf(text, sizeof text, "%.0f", x);
    else if (isfinite(x))
        for (int digits = 6; digits <= 17; digits++) { /* the shortest that reads back the same */
            snprintf(text, sizeof text, "%.*g", digits, x);
            if (strtod(text, NULL) == x)
                break;
        }
    fputs(text, j->stream);
}

void cli_json_bool(cli_json *j, const char *key, bool x)
{
    member(j, key);
    fputs(x ? "true" : "false", j->stream);
}

void cli_json_null(cli_json *j, const char *key)
{
    member(j, key);
    fputs("null", j->stream);
}
