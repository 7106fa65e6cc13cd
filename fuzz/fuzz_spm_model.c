/* Any bytes as tokenizer.model: refused with a sentence, or usable. The first kilobytes of a useful file are
 * the 256 byte pieces, so those are put in front of what the fuzzer makes. */
#include <string.h>

#include "base/buf.h"
#include "fuzz.h"
#include "text/spm_model.h"

/* Pieces <0x00> to <0xFF> and U+2581, BPE with byte_fallback, no removal of spaces. */
static void add_start(gr_buf *out)
{
    for (unsigned byte = 0; byte < 256; byte++) {
        gr_buf_add(out, "\x0a\x0a\x0a\x06", 4);
        gr_buf_printf(out, "<0x%02X>", byte);
        gr_buf_add(out, "\x18\x06", 2);
    }
    gr_buf_add(out, "\x0a\x05\x0a\x03\xE2\x96\x81", 7);
    gr_buf_add(out, "\x12\x05\x18\x02\x98\x02\x01", 7);
    gr_buf_add(out, "\x1a\x02\x20\x00", 4);
}

/* Tokens join to the text, after the space that may have been put before it. */
static void use(const gr_tokenizer *t)
{
    static const char text[] = " the <s> aaaaabab\n\n \xC3\xA9\xFF [U]end";
    gr_ids ids;
    gr_buf out;
    gr_ids_init(&ids, fuzz_runtime(), 1000);
    gr_buf_init(&out, fuzz_runtime(), 1 << 20);
    for (unsigned flags = 0; flags < 4; flags++) {
        gr_ids_clear(&ids);
        FUZZ_CHECK(gr_tokenizer_encode(t, text, sizeof text - 1, flags, &ids, NULL) == GR_OK && ids.n > 0);
        size_t at = 0, n;
        for (size_t i = 0; i < ids.n; i++) {
            const uint8_t *bytes = gr_tokenizer_bytes(t, ids.v[i], &n);
            const size_t lead = i == 0 && !(flags & GR_ENCODE_CONTINUES) ? gr_tokenizer_lead(t, ids.v[0]) : 0;
            FUZZ_CHECK(bytes && at + n - lead < sizeof text &&
                       memcmp(text + at, bytes + lead, n - lead) == 0);
            at += n - lead;
        }
        FUZZ_CHECK(at == sizeof text - 1);
        FUZZ_CHECK(gr_tokenizer_decode(t, ids.v, ids.n, flags, &out, NULL) == GR_OK);
    }
    FUZZ_CHECK(gr_tokenizer_bos(t) < gr_tokenizer_n_vocab(t));
    gr_ids_fini(&ids);
    gr_buf_fini(&out);
}

static void try(const uint8_t *data, size_t size)
{
    gr_error err = { 0 };
    gr_tokenizer *t = NULL;
    if (gr_tokenizer_from_spm_model(&t, fuzz_runtime(), data, size, "fuzz", &err) == GR_OK)
        use(t);
    else
        FUZZ_CHECK(!t && err.msg[0]);
    gr_tokenizer_free(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gr_buf whole;
    gr_buf_init(&whole, fuzz_runtime(), size + (1 << 16));
    add_start(&whole);
    FUZZ_CHECK(gr_buf_add(&whole, data, size));
    try(data, size);
    try((const uint8_t *)whole.data, whole.len);
    gr_buf_fini(&whole);
    return 0;
}
