/* Any bytes as tokenizer.json: refused with a sentence, or usable. */
#include <string.h>

#include "fuzz.h"
#include "model/gar_from_base.h"
#include "text/tokenizer.h"

static void use(const gr_tokenizer *t, gr_runtime *rt)
{
    static const char text[] = "The <|x|> 123's\n\n \xC3\xA9\xFF end";
    gr_ids ids;
    gr_buf out;
    gr_ids_init(&ids, rt, 1000);
    gr_buf_init(&out, rt, 1 << 20);
    for (int specials = 0; specials < 2; specials++) {
        gr_ids_clear(&ids);
        FUZZ_CHECK(gr_tokenizer_encode(t, text, sizeof text - 1, specials, &ids, NULL) == GR_OK);
        size_t at = 0, n;
        for (size_t i = 0; i < ids.n; i++, at += n) {
            const uint8_t *bytes = gr_tokenizer_bytes(t, ids.v[i], &n);
            FUZZ_CHECK(bytes && at + n < sizeof text && memcmp(text + at, bytes, n) == 0);
        }
        FUZZ_CHECK(at == sizeof text - 1);
    }
    const int32_t n_vocab = gr_tokenizer_n_vocab(t);
    FUZZ_CHECK(n_vocab >= 256 && gr_tokenizer_bos(t) < n_vocab);
    for (int32_t id = n_vocab > 2000 ? n_vocab - 2000 : 0; id <= n_vocab; id++)
        FUZZ_CHECK(gr_tokenizer_decode(t, &id, 1, (unsigned)id & 3, &out, NULL) == GR_OK || out.failed);
    gr_ids_fini(&ids);
    gr_buf_fini(&out);
}

/* With a token more it is refused, or the same with that token. */
static void grow(const gr_tokenizer *t, gr_runtime *rt, const char *json, size_t n)
{
    static const char *const token = "<fuzz's own>";
    gr_error err = { 0 };
    gr_buf text;
    gr_tokenizer *grown = NULL;
    const int32_t id = gr_tokenizer_n_vocab(t);
    gr_buf_init(&text, rt, n + 4096);
    if (gr_tokenizer_id(t, token) >= 0 ||
        gr_gar_grow_tokenizer(&text, rt, json, n, "fuzz", &token, 1, id, &err) != GR_OK ||
        gr_tokenizer_parse(&grown, rt, text.data, text.len, "grown", &err) != GR_OK)
        FUZZ_CHECK(!grown);
    else
        FUZZ_CHECK(gr_tokenizer_n_vocab(grown) == id + 1 && gr_tokenizer_id(grown, token) == id);
    gr_tokenizer_free(grown);
    gr_buf_fini(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gr_runtime *rt = fuzz_runtime();
    gr_error err = { 0 };
    gr_tokenizer *t = NULL;
    if (gr_tokenizer_parse(&t, rt, (const char *)data, size, "fuzz", &err) == GR_OK) {
        use(t, rt);
        grow(t, rt, (const char *)data, size);
    } else
        FUZZ_CHECK(!t && err.msg[0]);
    gr_tokenizer_free(t);
    return 0;
}
