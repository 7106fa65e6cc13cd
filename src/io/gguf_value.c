#include <stdlib.h>
#include <string.h>

#include "base/half.h"
#include "base/reader.h"
#include "io/gguf_internal.h"

int gr_gguf_compare(gr_gguf_text a, gr_gguf_text b)
{
    const int order = memcmp(a.at, b.at, a.n < b.n ? a.n : b.n);
    return order ? order : (a.n > b.n) - (a.n < b.n);
}

int gr_gguf_by_key(const void *a, const void *b)
{
    return gr_gguf_compare(((const gr_gguf_value *)a)->key, ((const gr_gguf_value *)b)->key);
}

const gr_gguf_value *gr_gguf_find(const gr_gguf *f, const char *key)
{
    const gr_gguf_value wanted = { .key = { key, strlen(key) } };
    return f->n_keys ? bsearch(&wanted, f->keys, f->n_keys, sizeof *f->keys, gr_gguf_by_key) : NULL;
}

static uint64_t load(const gr_gguf_value *v, size_t i)
{
    const size_t bytes = gr_gguf_item_bytes(v->type);
    gr_reader r = { v->data + i * bytes, v->data + v->bytes, false };
    return gr_reader_uint(&r, (int)bytes);
}

float gr_gguf_f32_at(const gr_gguf_value *v, size_t i) { return gr_f32_from_bits((uint32_t)load(v, i)); }
int32_t gr_gguf_i32_at(const gr_gguf_value *v, size_t i) { return (int32_t)(uint32_t)load(v, i); }

gr_gguf_text gr_gguf_next_string(const gr_gguf_value *v, size_t *at)
{
    gr_reader r = { v->data + *at, v->data + v->bytes, false };
    const size_t n = (size_t)gr_reader_u64(&r);
    *at += 8 + n;
    return (gr_gguf_text){ (const char *)r.at, n };
}

/* A value's kind as in messages: "i32", "array of string". */
static gr_status wrong_kind(const gr_gguf *f, const gr_gguf_value *v, const char *key, const char *expected,
                            gr_error *err)
{
    return gr_fail(err, GR_ERR_FORMAT, "%s: key '%s' is of type %s%s, expected %s", f->file, key,
                   v->is_array ? "array of " : "", gr_gguf_type_name(v->type), expected);
}

/* *v: NULL when an optional key is not there. */
static gr_status look_up(const gr_gguf *f, const char *key, gr_gguf_need need, const gr_gguf_value **v,
                         gr_error *err)
{
    *v = gr_gguf_find(f, key);
    return *v || need == GR_GGUF_OPTIONAL
               ? GR_OK
               : gr_fail(err, GR_ERR_FORMAT, "%s: there is no key '%s'", f->file, key);
}

gr_status gr_gguf_uint(const gr_gguf *f, const char *key, gr_gguf_need need, uint64_t max, uint64_t *out,
                       gr_error *err)
{
    enum { UNSIGNED = 1 << GR_GGUF_U8 | 1 << GR_GGUF_U16 | 1 << GR_GGUF_U32 | 1 << GR_GGUF_U64 };
    enum { SIGNED = 1 << GR_GGUF_I8 | 1 << GR_GGUF_I16 | 1 << GR_GGUF_I32 | 1 << GR_GGUF_I64 };
    const gr_gguf_value *v;
    GR_TRY(look_up(f, key, need, &v, err));
    if (!v)
        return GR_OK;
    if (v->is_array || !((UNSIGNED | SIGNED) & 1 << v->type))
        return wrong_kind(f, v, key, "a whole number", err);
    const uint64_t x = load(v, 0);
    const unsigned sign = (unsigned)gr_gguf_item_bytes(v->type) * 8 - 1;
    if ((SIGNED & 1 << v->type) && x >> sign)
        return gr_fail(err, GR_ERR_FORMAT, "%s: key '%s' is negative", f->file, key);
    if (x > max)
        return gr_fail(err, GR_ERR_FORMAT, "%s: key '%s' is %llu, expected at most %llu", f->file, key,
                       (unsigned long long)x, (unsigned long long)max);
    *out = x;
    return GR_OK;
}

gr_status gr_gguf_float(const gr_gguf *f, const char *key, gr_gguf_need need, double *out, gr_error *err)
{
    const gr_gguf_value *v;
    GR_TRY(look_up(f, key, need, &v, err));
    if (!v)
        return GR_OK;
    if (v->is_array || (v->type != GR_GGUF_F32 && v->type != GR_GGUF_F64))
        return wrong_kind(f, v, key, "f32 or f64", err);
    if (v->type == GR_GGUF_F32) {
        *out = gr_gguf_f32_at(v, 0);
        return GR_OK;
    }
    const uint64_t bits = load(v, 0);
    memcpy(out, &bits, sizeof bits);
    return GR_OK;
}

gr_status gr_gguf_bool(const gr_gguf *f, const char *key, gr_gguf_need need, bool *out, gr_error *err)
{
    const gr_gguf_value *v;
    GR_TRY(look_up(f, key, need, &v, err));
    if (!v)
        return GR_OK;
    if (v->is_array || v->type != GR_GGUF_BOOL)
        return wrong_kind(f, v, key, "bool", err);
    *out = v->data[0];
    return GR_OK;
}

gr_status gr_gguf_string(const gr_gguf *f, const char *key, gr_gguf_need need, gr_gguf_text *out,
                         gr_error *err)
{
    const gr_gguf_value *v;
    GR_TRY(look_up(f, key, need, &v, err));
    if (!v)
        return GR_OK;
    if (v->is_array || v->type != GR_GGUF_STRING)
        return wrong_kind(f, v, key, "string", err);
    size_t at = 0;
    *out = gr_gguf_next_string(v, &at);
    return GR_OK;
}

gr_status gr_gguf_array(const gr_gguf *f, const char *key, gr_gguf_need need, gr_gguf_type type,
                        const gr_gguf_value **out, gr_error *err)
{
    const gr_gguf_value *v;
    char expected[32] = "array of ";
    GR_TRY(look_up(f, key, need, &v, err));
    if (!v)
        return GR_OK;
    if (!v->is_array || v->type != type)
        return wrong_kind(f, v, key, strcat(expected, gr_gguf_type_name(type)), err);
    *out = v;
    return GR_OK;
}
