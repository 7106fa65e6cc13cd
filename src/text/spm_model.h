/* spm_model.h - tokenizer.model: SentencePiece's own file, a ModelProto (google/sentencepiece,
 * src/sentencepiece_model.proto). */
#ifndef GR_TEXT_SPM_MODEL_H
#define GR_TEXT_SPM_MODEL_H

#include "text/tokenizer.h"

/* `data` is not needed afterwards; `name` is for messages. On failure *out is NULL. GR_ERR_FORMAT,
 * GR_ERR_LIMIT, GR_ERR_MEM; GR_ERR_UNSUPPORTED: not byte-pair encoding with bytes for what has no piece, or
 * a normaliser that does more to a text than put a space before it. */
gr_status gr_tokenizer_from_spm_model(gr_tokenizer **out, gr_runtime *rt, const uint8_t *data, size_t n,
                                      const char *name, gr_error *err);

#endif
