/* Any bytes as text, with a small vocabulary: the bytes of the tokens join to the text, UTF-8 decodes to
 * itself, and streaming with stop strings gives a beginning of it. */
#include <string.h>

#include "fuzz.h"
#include "text/stream.h"
#include "text/tokenizer.h"
#include "text/tokenizer_write.h"
#include "text/unicode.h"

/* The 256 bytes and some merges, in place of the end of a written file that has none. */
static const char vocab_end[] =
    ",\"th\":256,\"he\":257,\"the\":258,\"\u0120t\":259,\"\u0120the\":260,\"aa\":261,\"aaaa\":262,"
    "\"\u010a\u010a\":263,\"\u00c3\u00a9\":264},\"merges\":[\"t h\",\"h e\",\"th e\",\"\u0120 t\",\"\u0120 "
    "the\","
    "\"a a\",\"aa aa\",\"\u010a \u010a\",\"\u00c3 \u00a9\"]}}";

static gr_tokenizer *make_small(gr_runtime *rt)
{
    static const gr_special_token specials[] = { { 300, "<|x|>" }, { 301, "<|x|>y" } };
    gr_tokenizer *t = NULL;
    gr_buf text;
    gr_buf_init(&text, rt, 1 << 20);
    FUZZ_CHECK(gr_tokenizer_write_bytes(&text, specials, 2, 300, NULL) == GR_OK);
    const char *last = strstr(text.data, ": 255");
    FUZZ_CHECK(last);
    text.len = (size_t)(last - text.data) + 5;
    FUZZ_CHECK(gr_buf_text(&text, vocab_end));
    FUZZ_CHECK(gr_tokenizer_parse(&t, rt, text.data, text.len, "small", NULL) == GR_OK);
    gr_buf_fini(&text);
    return t;
}

static void check_stops(const gr_tokenizer *t, const gr_ids *ids, const gr_buf *whole, gr_buf *out)
{
    static const char *const stops[] = { "the", "aab", "\n\n", "\xC3\xA9" };
    gr_stream s;
    FUZZ_CHECK(gr_stream_init(&s, t, 0, stops, 4, NULL) == GR_OK);
    for (size_t i = 0; i < ids->n; i++)
        FUZZ_CHECK(gr_stream_push(&s, ids->v[i], out, NULL) == GR_OK &&
                   gr_utf8_valid(gr_buf_str(out), out->len));
    FUZZ_CHECK(gr_stream_flush(&s, out, NULL) == GR_OK);
    FUZZ_CHECK(out->len <= whole->len && memcmp(gr_buf_str(out), gr_buf_str(whole), out->len) == 0);
    if (s.stopped < 0)
        FUZZ_CHECK(out->len == whole->len);
    else
        FUZZ_CHECK(strncmp(gr_buf_str(whole) + out->len, stops[s.stopped], strlen(stops[s.stopped])) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const gr_tokenizer *t;
    if (!t)
        t = make_small(fuzz_runtime());
    gr_ids ids;
    gr_buf whole, out;
    gr_ids_init(&ids, fuzz_runtime(), size);
    gr_buf_init(&whole, fuzz_runtime(), 3 * size + 16);
    gr_buf_init(&out, fuzz_runtime(), 3 * size + 16);
    for (int specials = 0; specials < 2; specials++) {
        gr_ids_clear(&ids);
        gr_buf_clear(&whole);
        gr_buf_clear(&out);
        FUZZ_CHECK(gr_tokenizer_encode(t, (const char *)data, size, specials, &ids, NULL) == GR_OK);
        size_t at = 0, n;
        for (size_t i = 0; i < ids.n; i++, at += n) {
            const uint8_t *bytes = gr_tokenizer_bytes(t, ids.v[i], &n);
            FUZZ_CHECK(n <= size - at && memcmp(data + at, bytes, n) == 0);
        }
        FUZZ_CHECK(at == size);
        FUZZ_CHECK(gr_tokenizer_decode(t, ids.v, ids.n, 0, &whole, NULL) == GR_OK);
        FUZZ_CHECK(gr_utf8_valid(gr_buf_str(&whole), whole.len));
        if (gr_utf8_valid(data, size))
            FUZZ_CHECK(whole.len == size && memcmp(gr_buf_str(&whole), data, size) == 0);
        check_stops(t, &ids, &whole, &out);
    }
    gr_ids_fini(&ids);
    gr_buf_fini(&whole);
    gr_buf_fini(&out);
    return 0;
}
