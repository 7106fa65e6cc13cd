#include "base/base64.h"

#include <stdbool.h>

#include "base/alloc.h"

static int value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

static bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

gr_status gr_base64_decode(uint8_t **bytes, size_t *n_bytes, gr_runtime *rt, const char *text, size_t n,
                           gr_error *err)
{
    *bytes = NULL;
    *n_bytes = 0;
    uint8_t *out = gr_malloc(rt, n / 4 * 3 + 3, 1);
    if (!out)
        return gr_fail(err, GR_ERR_MEM, "no memory to decode %zu characters of base64", n);
    uint32_t bits = 0;
    size_t n_out = 0, group = 0; /* characters of the present group of four */
    bool padded = false;
    for (size_t i = 0; i < n; i++) {
        const int v = value_of(text[i]);
        if (is_space(text[i]))
            continue;
        padded = padded || text[i] == '=';
        if (padded ? text[i] != '=' : v < 0) {
            gr_free(rt, out);
            return gr_fail(err, GR_ERR_FORMAT, "character %zu of the base64 text is 0x%02x%s", i + 1,
                           (unsigned char)text[i], padded ? ", after the padding" : "");
        }
        if (padded)
            continue;
        bits = bits << 6 | (uint32_t)v;
        if (++group == 4) {
            out[n_out++] = (uint8_t)(bits >> 16);
            out[n_out++] = (uint8_t)(bits >> 8);
            out[n_out++] = (uint8_t)bits;
            group = 0;
        }
    }
    if (group == 1) {
        gr_free(rt, out);
        return gr_fail(err, GR_ERR_FORMAT, "the base64 text ends inside a byte");
    }
    if (group >= 2)
        out[n_out++] = (uint8_t)(bits >> (group == 2 ? 4 : 10));
    if (group == 3)
        out[n_out++] = (uint8_t)(bits >> 2);
    *bytes = out;
    *n_bytes = n_out;
    return GR_OK;
}

bool gr_base64_encode(gr_buf *out, const void *bytes, size_t n)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *p = bytes;
    gr_buf_reserve(out, n / 3 * 4 + 4);
    for (size_t i = 0; i < n; i += 3) {
        const size_t left = n - i < 3 ? n - i : 3;
        const uint32_t v = (uint32_t)p[i] << 16 | (left > 1 ? (uint32_t)p[i + 1] << 8 : 0) |
                           (left > 2 ? (uint32_t)p[i + 2] : 0);
        const char group[4] = { alphabet[v >> 18], alphabet[v >> 12 & 63],
                                left > 1 ? alphabet[v >> 6 & 63] : '=', left > 2 ? alphabet[v & 63] : '=' };
        gr_buf_add(out, group, 4);
    }
    return !out->failed;
}
