/* Any bytes as GGUF: refused with a sentence, or every view and every tensor lies in the file. */
#include <string.h>

#include "fuzz.h"
#include "io/gguf.h"

static void check_inside(const void *at, size_t n, const uint8_t *data, size_t size)
{
    const uint8_t *p = at;
    FUZZ_CHECK(p >= data && p <= data + size && n <= (size_t)(data + size - p));
}

static void check_value(const gr_gguf *f, const gr_gguf_value *v, const uint8_t *data, size_t size)
{
    check_inside(v->key.at, v->key.n, data, size);
    check_inside(v->data, v->bytes, data, size);
    size_t at = 0;
    for (size_t i = 0; v->type == GR_GGUF_STRING && i < v->count; i++) {
        const gr_gguf_text text = gr_gguf_next_string(v, &at);
        check_inside(text.at, text.n, data, size);
    }
    FUZZ_CHECK(v->type != GR_GGUF_STRING || at == v->bytes);
    for (size_t i = 0; i < v->count && v->type == GR_GGUF_F32; i++)
        (void)gr_gguf_f32_at(v, i);
    char key[64];
    if (v->key.n < sizeof key) {
        memcpy(key, v->key.at, v->key.n);
        key[v->key.n] = '\0';
        uint64_t x = 0;
        FUZZ_CHECK(gr_gguf_find(f, key) == v);
        FUZZ_CHECK(gr_gguf_uint(f, key, GR_GGUF_REQUIRED, 9, &x, NULL) != GR_OK || x <= 9);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gr_error err = { 0 };
    gr_gguf *f;
    const gr_source file = gr_source_of(data, size);
    if (gr_gguf_parse(&f, fuzz_runtime(), &file, "fuzz", &err) != GR_OK) {
        FUZZ_CHECK(f == NULL && err.msg[0] != '\0');
        return 0;
    }
    for (size_t i = 0; i < gr_gguf_n_keys(f); i++)
        check_value(f, gr_gguf_key_at(f, i), data, size);
    size_t total = 0;
    for (size_t i = 0; i < gr_gguf_n_tensors(f); i++) {
        const gr_gguf_tensor *t = gr_gguf_tensor_at(f, i);
        FUZZ_CHECK(t->offset <= size && t->bytes <= size - t->offset);
        FUZZ_CHECK(gr_gguf_tensor_find(f, t->name) == t && t->storage);
        total += t->bytes;
    }
    FUZZ_CHECK(total <= size); /* they do not overlap */
    gr_gguf_free(f);
    return 0;
}
