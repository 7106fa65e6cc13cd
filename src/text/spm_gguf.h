/* spm_gguf.h - the tokenizer of a GGUF file: key tokenizer.ggml.model is "llama", which means SentencePiece.
 */
#ifndef GR_TEXT_SPM_GGUF_H
#define GR_TEXT_SPM_GGUF_H

#include "io/gguf.h"
#include "text/tokenizer.h"

/* The file is not needed afterwards. On failure *out is NULL. GR_ERR_FORMAT, GR_ERR_LIMIT, GR_ERR_MEM;
 * GR_ERR_UNSUPPORTED: another model, a normaliser, a token after every text, bytes without a piece. */
gr_status gr_tokenizer_from_gguf(gr_tokenizer **out, gr_runtime *rt, const gr_gguf *f, gr_error *err);

#endif
