/* tokenizer_write.h - the tokenizer files of a new model whose vocabulary is the 256 bytes and some specials.
 *
 * Byte b has id b; no merges; the Llama-3 split, so that readers of published files take it unchanged. */
#ifndef GR_TEXT_TOKENIZER_WRITE_H
#define GR_TEXT_TOKENIZER_WRITE_H

#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "grasp/error.h"

typedef struct {
    int32_t id; /* >= 256 */
    const char *content;
} gr_special_token;

/* Append the text of tokenizer.json, tokenizer_config.json and special_tokens_map.json to `out`. The first
 * puts `bos` before every text (TemplateProcessing); bos and eos are ids of `specials`.
 * GR_ERR_ARG  an id below 256 or given twice, an empty or repeated content, bos or eos not among the
 * specials. GR_ERR_MEM  `out` could not grow. */
gr_status gr_tokenizer_write_bytes(gr_buf *out, const gr_special_token *specials, size_t n, int32_t bos,
                                   gr_error *err);
gr_status gr_tokenizer_write_config(gr_buf *out, const gr_special_token *specials, size_t n, int32_t bos,
                                    int32_t eos, int context, gr_error *err);
gr_status gr_tokenizer_write_special_map(gr_buf *out, const gr_special_token *specials, size_t n, int32_t bos,
                                         int32_t eos, gr_error *err);

#endif
