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
