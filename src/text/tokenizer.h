/* tokenizer.h - byte-level byte-pair encoding as Llama 3 and GAR publish it (tokenizer.json).
 *
 * Taken: no normaliser; the Llama-3 split (bpe_split.h) followed by ByteLevel; model BPE with merges written
 * "a b" or ["a", "b"] and a token for every byte; TemplateProcessing that puts at most one token before the
 * text; decoder ByteLevel. Anything else is refused by its name: a tokenizer that is nearly right gives wrong
 * answers silently. Source: spec of tokenizer.json as read by the tokenizers library, 0.22.
 *
 * Most functions are public (grasp/tokenizer.h); here are those on growing lists and buffers. */
#ifndef GR_TEXT_TOKENIZER_H
#define GR_TEXT_TOKENIZER_H

#include "base/buf.h"
#include "grasp/tokenizer.h"
#include "text/ids.h"

#define GR_TOKENIZER_FILE_MAX ((size_t)64 << 20)

/* gr_tokenizer_open from memory, which is not needed afterwards; `name` is for messages. */
gr_status gr_tokenizer_parse(gr_tokenizer **out, gr_runtime *rt, const char *text, size_t n, const char *name,
                             gr_error *err);

/* gr_tokenizer_to_ids, appended to `ids`. GR_ERR_LIMIT: also more tokens than ids->max. */
gr_status gr_tokenizer_encode(const gr_tokenizer *t, const char *text, size_t n, bool specials, gr_ids *ids,
                              gr_error *err);

/* gr_tokenizer_to_text, appended to `out`. GR_ERR_LIMIT or GR_ERR_MEM: `out` could not grow. */
gr_status gr_tokenizer_decode(const gr_tokenizer *t, const int32_t *ids, size_t n, unsigned flags,
                              gr_buf *out, gr_error *err);

gr_runtime *gr_tokenizer_runtime(const gr_tokenizer *t);

#endif
