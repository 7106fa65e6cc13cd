/* spm_pieces.h - a tokenizer made of SentencePiece pieces, as the files that hold them list them. */
#ifndef GR_TEXT_SPM_PIECES_H
#define GR_TEXT_SPM_PIECES_H

#include "text/tokenizer.h"

typedef enum { /* numbers of sentencepiece_model.proto and of tokenizer.ggml.token_type */
               GR_SPM_NORMAL = 1,
               GR_SPM_UNKNOWN,
               GR_SPM_CONTROL,
               GR_SPM_USER,
               GR_SPM_UNUSED,
               GR_SPM_BYTE
} gr_spm_type;

typedef struct {
    gr_tokenizer *t;
    float *scores;
    size_t n, cap;
} gr_spm_pieces;

gr_status gr_spm_pieces_init(gr_spm_pieces *p, gr_runtime *rt, gr_error *err);

/* Adds the next piece: its id is the number of pieces before it. `type` is checked. Control and unknown
 * pieces become special tokens. GR_ERR_FORMAT: empty, not UTF-8, score not finite, unknown type, a byte that
 * is not spelled <0xHH>. GR_ERR_LIMIT: too long, too many. */
gr_status gr_spm_pieces_add(gr_spm_pieces *p, const void *text, size_t n, float score, uint64_t type,
                            gr_error *err);

/* Hands over the tokenizer, or fails; releases the rest in both cases. `bos`: -1 for none. `prefix`: a space
 * is put before texts. */
gr_status gr_spm_pieces_finish(gr_spm_pieces *p, int32_t bos, bool prefix, gr_tokenizer **out, gr_error *err);
void gr_spm_pieces_fini(gr_spm_pieces *p); /* instead of finish */

#endif
