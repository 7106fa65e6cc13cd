/* tokenizer.h - text to tokens and back, by one of two algorithms.
 *
 * Byte-level byte-pair encoding as Llama 3 and GAR publish it (tokenizer.json; bpe.h). Taken: no normaliser;
 * the Llama-3 split (bpe_split.h) followed by ByteLevel; model BPE with merges written "a b" or ["a", "b"]
 * and a token for every byte; TemplateProcessing that puts at most one token before the text; decoder
 * ByteLevel. Source: spec of tokenizer.json as read by the tokenizers library, 0.22.
 *
 * SentencePiece's byte-pair encoding as Llama 1 and 2 and Vicuna publish it (spm.h; tokenizer.model or a GGUF
 * file). Taken: no normaliser but the space before a text, a piece for every byte.
 *
 * Anything else is refused by its name: a tokenizer that is nearly right gives wrong answers silently.
 * Most functions are public (grasp/tokenizer.h); here are those on growing lists and buffers. */
#ifndef GR_TEXT_TOKENIZER_H
#define GR_TEXT_TOKENIZER_H

#include "base/buf.h"
#include "grasp/tokenizer.h"
#include "text/ids.h"

#define GR_TOKENIZER_FILE_MAX ((size_t)64 << 20)

/* tokenizer.json from memory, which is not needed afterwards; `name` is for messages. */
gr_status gr_tokenizer_parse(gr_tokenizer **out, gr_runtime *rt, const char *text, size_t n, const char *name,
                             gr_error *err);

enum {
    /* spellings of special tokens become those tokens; without it (text that comes from a user) they are
     * ordinary characters */
    GR_ENCODE_SPECIALS = 1,
    /* SentencePiece puts a space before a text. Of a text with special tokens in it, that is its beginning
     * alone, unless it begins with one (transformers: legacy=False). */
    GR_ENCODE_CONTINUES = 2,   /* the text goes on after a special token: no space before it */
    GR_ENCODE_PREFIX_EACH = 4, /* a space after each special token, too (legacy=True, llama.cpp) */
};

/* Appends the tokens of text[0..n). No begin-of-text token is added. `flags`: GR_ENCODE_*. Added tokens that
 * are not special are always found. The bytes of the tokens join to the text, whatever it is (see bpe_split.h
 * for text that is not UTF-8), but for the spaces that SentencePiece puts before it.
 * GR_ERR_LIMIT: more than GR_TEXT_MAX bytes, or more tokens than ids->max. GR_ERR_MEM. */
gr_status gr_tokenizer_encode(const gr_tokenizer *t, const char *text, size_t n, unsigned flags, gr_ids *ids,
                              gr_error *err);

/* gr_tokenizer_to_text, appended to `out`. GR_ERR_LIMIT or GR_ERR_MEM: `out` could not grow. */
gr_status gr_tokenizer_decode(const gr_tokenizer *t, const int32_t *ids, size_t n, unsigned flags,
                              gr_buf *out, gr_error *err);

/* 1 when the token, if a text begins with it, brings the space that SentencePiece puts there and that is not
 * of the text; else 0. */
size_t gr_tokenizer_lead(const gr_tokenizer *t, int32_t id);

gr_runtime *gr_tokenizer_runtime(const gr_tokenizer *t);

#endif
