#include "model/gar_reference.h"

#include <string.h>

/* A decimal number as it is usually written, below 1000; -1: something else. */
static int number_of(const char *text, size_t n)
{
    int value = 0;
    if (n < 1 || n > 3 || (n > 1 && text[0] == '0'))
        return -1;
    for (size_t i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        value = value * 10 + text[i] - '0';
    }
    return value;
}

static bool is_name(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char c = text[i];
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        const bool other = (c >= '0' && c <= '9') || c == '.' || c == '-';
        if (!letter && !(other && i > 0))
            return false;
    }
    return n >= 1 && n <= 64;
}

/* A reference that begins with `prefix` at text[at]. */
static bool match(const char *text, size_t n, size_t at, const char *prefix, gr_gar_reference *r)
{
    const size_t from = at + strlen(prefix);
    if (from >= n || memcmp(text + at, prefix, from - at) != 0)
        return false;
    const size_t room = n - from < 65 ? n - from : 65; /* the longest name and '>' */
    const char *end = memchr(text + from, '>', room);
    if (!end)
        return false;
    r->at = at;
    r->name = text + from;
    r->name_bytes = (size_t)(end - r->name);
    r->len = from - at + r->name_bytes + 1;
    r->number = number_of(r->name, r->name_bytes);
    return true;
}

bool gr_gar_find_reference(const char *text, size_t n, size_t at, gr_gar_reference *out)
{
    for (; at < n; at++) {
        if (text[at] != '<')
            continue;
        out->is_prompt = match(text, n, at, "<Prompt", out) && out->number >= 0;
        if (out->is_prompt)
            return true;
        if (match(text, n, at, "<region:", out) && (out->number >= 0 || is_name(out->name, out->name_bytes)))
            return true;
    }
    return false;
}
