#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

void gr_buf_init(gr_buf *b, gr_runtime *rt, size_t max) { *b = (gr_buf){ .rt = rt, .max = max }; }

void gr_buf_fini(gr_buf *b)
{
    gr_free(b->rt, b->data);
    *b = (gr_buf){ .rt = b->rt, .max = b->max };
}

void gr_buf_clear(gr_buf *b)
{
    b->len = 0;
    b->failed = false;
    if (b->data)
        b->data[0] = '\0';
}

static bool make_room(gr_buf *b, size_t n)
{
    if (b->failed || n > b->max - b->len) {
        b->failed = true;
        return false;
    }
    if (!gr_grow(b->rt, &b->data, &b->cap, b->len, b->len + n + 1, 1))
        b->failed = true;
    return !b->failed;
}

bool gr_buf_reserve(gr_buf *b, size_t n)
{
    if (b->failed || n > b->max - b->len) {
        b->failed = true;
        return false;
    }
    if (b->len + n < b->cap)
        return true;
    char *data = gr_malloc(b->rt, b->len + n + 1, 1);
    if (!data) {
        b->failed = true;
        return false;
    }
    memcpy(data, gr_buf_str(b), b->len + 1);
    gr_free(b->rt, b->data);
    b->data = data;
    b->cap = b->len + n + 1;
    return true;
}

bool gr_buf_add(gr_buf *b, const void *bytes, size_t n)
{
    if (!make_room(b, n))
        return false;
    if (n)
        memcpy(b->data + b->len, bytes, n);
    b->len += n;
    b->data[b->len] = '\0';
    return true;
}

bool gr_buf_text(gr_buf *b, const char *text) { return gr_buf_add(b, text, strlen(text)); }

bool gr_buf_printf(gr_buf *b, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    const int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0 || !make_room(b, (size_t)n)) {
        b->failed = true;
        va_end(again);
        return false;
    }
    vsnprintf(b->data + b->len, (size_t)n + 1, fmt, again);
    va_end(again);
    b->len += (size_t)n;
    return true;
}

const char *gr_buf_str(const gr_buf *b) { return b->data ? b->data : ""; }
