/* Any bytes as the text that a vocabulary is learned from: lines, a whole file, or JSON lines, by the first
 * byte. What is refused is explained; what is learned is a file that is read again, whose tokens join to the
 * text; and merges come in order of how often their pairs occurred. */
#include <string.h>

#include "base/alloc.h"
#include "fuzz.h"
#include "text/bpe_train.h"
#include "text/tokenizer.h"
#include "text/tokenizer_write.h"

static void check_order(const gr_bpe_learned *l)
{
    FUZZ_CHECK(l->tokens.n == 256 + l->n_merges);
    for (size_t i = 0; i < l->n_merges; i++) {
        const gr_word *w = &l->tokens.v[256 + i];
        FUZZ_CHECK(l->merges[i].result == (int32_t)(256 + i) && l->merges[i].left < l->merges[i].result &&
                   l->merges[i].right < l->merges[i].result);
        FUZZ_CHECK(w->count >= 1 && (i == 0 || w->count <= w[-1].count));
    }
}

static void check_file(const gr_bpe_learned *l, const uint8_t *data, size_t size)
{
    gr_runtime *rt = fuzz_runtime();
    const gr_special_token bos = { (int32_t)l->tokens.n, "<|x|>" };
    const gr_tokenizer_text file = { l, &bos, 1, bos.id, bos.id, 0 };
    gr_tokenizer *t = NULL;
    gr_buf text;
    gr_ids ids;
    gr_buf_init(&text, rt, (size_t)64 << 20);
    gr_ids_init(&ids, rt, size + 1);
    FUZZ_CHECK(gr_tokenizer_write(&text, &file, NULL) == GR_OK);
    FUZZ_CHECK(gr_tokenizer_parse(&t, rt, text.data, text.len, "learned", NULL) == GR_OK);
    FUZZ_CHECK(gr_tokenizer_encode(t, (const char *)data, size, 0, &ids, NULL) == GR_OK);
    size_t at = 0, n;
    for (size_t i = 0; i < ids.n; i++, at += n) {
        const uint8_t *bytes = gr_tokenizer_bytes(t, ids.v[i], &n);
        FUZZ_CHECK(ids.v[i] < bos.id && n <= size - at && memcmp(data + at, bytes, n) == 0);
    }
    FUZZ_CHECK(at == size);
    gr_ids_fini(&ids);
    gr_buf_fini(&text);
    gr_tokenizer_free(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const reserved[] = { "<|x|>" };
    if (size < 1 || size > 4096)
        return 0;
    gr_error err = { 0 };
    gr_runtime *rt = fuzz_runtime();
    const gr_corpus_format format = { .whole_files = data[0] % 3 == 1,
                                      .field = data[0] % 3 == 2 ? "t" : NULL };
    gr_corpus_part part = { .path = "fuzz", .n = size - 1 };
    const gr_corpus block = {
        .rt = rt, .format = format, .text = (char *)data + 1, .used = size - 1, .parts = &part, .n_parts = 1
    };
    const gr_bpe_train_options o = {
        .max_tokens = 1000, .min_frequency = 1 + data[0] / 128, .reserved = reserved, .n_reserved = 1
    };
    gr_word_counter *words = gr_calloc(rt, 1, sizeof *words);
    gr_bpe_learned l = { 0 };
    FUZZ_CHECK(words);
    gr_word_counter_init(words, rt, 2000);
    if (gr_word_counter_add(words, &block, &err) == GR_OK) {
        FUZZ_CHECK(gr_bpe_train(&l, rt, words, &o, &err) == GR_OK);
        check_order(&l);
        check_file(&l, data + 1, size - 1);
    } else
        FUZZ_CHECK(err.msg[0] != '\0');
    gr_bpe_learned_fini(&l);
    gr_word_counter_fini(words);
    gr_free(rt, words);
    return 0;
}
