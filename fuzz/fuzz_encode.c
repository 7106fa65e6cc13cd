/* Any bytes as text, with a small vocabulary of either algorithm: the bytes of the tokens join to the text,
 * UTF-8 decodes to itself, and streaming with stop strings gives a beginning of it. */
#include <string.h>

#include "fuzz.h"
#include "text/spm_pieces.h"
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
    const gr_tokenizer_text bytes = { .specials = specials, .n_specials = 2, .bos = 300, .eos = 300 };
    FUZZ_CHECK(gr_tokenizer_write(&text, &bytes, NULL) == GR_OK);
    const char *last = strstr(text.data, ": 255");
    FUZZ_CHECK(last);
    text.len = (size_t)(last - text.data) + 5;
    FUZZ_CHECK(gr_buf_text(&text, vocab_end));
    FUZZ_CHECK(gr_tokenizer_parse(&t, rt, text.data, text.len, "small", NULL) == GR_OK);
    gr_buf_fini(&text);
    return t;
}

static gr_tokenizer *make_pieces(gr_runtime *rt)
{
    static const struct {
        const char *text;
        int type;
    } more[] = {
        { "<s>", GR_SPM_CONTROL },
        { "\xE2\x96\x81", GR_SPM_NORMAL },
        { "t", GR_SPM_NORMAL },
        { "h", GR_SPM_NORMAL },
        { "e", GR_SPM_NORMAL },
        { "a", GR_SPM_NORMAL },
        { "th", GR_SPM_NORMAL },
        { "he", GR_SPM_NORMAL },
        { "\xE2\x96\x81the", GR_SPM_NORMAL },
        { "the", GR_SPM_UNUSED },
        { "aa", GR_SPM_NORMAL },
        { "aaa", GR_SPM_UNUSED },
        { "[U]", GR_SPM_USER },
        { "\xC3\xA9", GR_SPM_NORMAL },
        { "[U]\xE2\x96\x81", GR_SPM_USER },
    };
    gr_spm_pieces p;
    gr_tokenizer *t = NULL;
    FUZZ_CHECK(gr_spm_pieces_init(&p, rt, NULL) == GR_OK);
    for (unsigned byte = 0; byte < 256; byte++) {
        char text[8];
        snprintf(text, sizeof text, "<0x%02X>", byte);
        FUZZ_CHECK(gr_spm_pieces_add(&p, text, 6, 0, GR_SPM_BYTE, NULL) == GR_OK);
    }
    for (size_t i = 0; i < sizeof more / sizeof *more; i++)
        FUZZ_CHECK(gr_spm_pieces_add(&p, more[i].text, strlen(more[i].text), (float)(i / 2),
                                     (uint64_t)more[i].type, NULL) == GR_OK);
    FUZZ_CHECK(gr_spm_pieces_finish(&p, 256, true, &t, NULL) == GR_OK);
    return t;
}

static bool has_spelled_space(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i + 3 <= size; i++)
        if (memcmp(data + i, "\xE2\x96\x81", 3) == 0)
            return true;
    return false;
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

static void check_text(const gr_tokenizer *t, const uint8_t *data, size_t size)
{
    gr_ids ids;
    gr_buf whole, out;
    gr_ids_init(&ids, fuzz_runtime(), size + 1);
    gr_buf_init(&whole, fuzz_runtime(), 3 * size + 16);
    gr_buf_init(&out, fuzz_runtime(), 3 * size + 16);
    for (unsigned flags = 0; flags <= GR_ENCODE_SPECIALS; flags++) {
        gr_ids_clear(&ids);
        gr_buf_clear(&whole);
        gr_buf_clear(&out);
        FUZZ_CHECK(gr_tokenizer_encode(t, (const char *)data, size, flags, &ids, NULL) == GR_OK);
        size_t at = 0, n;
        for (size_t i = 0; i < ids.n; i++) {
            const uint8_t *bytes = gr_tokenizer_bytes(t, ids.v[i], &n);
            const size_t lead = i == 0 ? gr_tokenizer_lead(t, ids.v[0]) : 0;
            FUZZ_CHECK(n - lead <= size - at && memcmp(data + at, bytes + lead, n - lead) == 0);
            at += n - lead;
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
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const gr_tokenizer *small, *pieces;
    if (!small) {
        small = make_small(fuzz_runtime());
        pieces = make_pieces(fuzz_runtime());
    }
    check_text(small, data, size);
    if (!has_spelled_space(data, size)) /* it would come back as a space */
        check_text(pieces, data, size);
    return 0;
}
