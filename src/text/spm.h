/* spm.h - SentencePiece's byte-pair encoding: of all adjacent pairs whose joined text is a piece, the one of
 * highest score is merged first, the leftmost of equal ones.
 *
 * Source: google/sentencepiece, src/bpe_model.cc. User-defined pieces are cut out first and never merged.
 * What has no piece in the end becomes its bytes. A piece that is marked unused and was reached is taken
 * apart into the two it was last seen to be made of.
 *
 * Files write a space of the text as U+2581; here it is a space in pieces and in texts, so that a token's
 * bytes are what it means. U+2581 in a text is a space as well, as the published encoder has it. */
#ifndef GR_TEXT_SPM_H
#define GR_TEXT_SPM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "grasp/error.h"
#include "text/added.h"
#include "text/ids.h"
#include "text/merge_heap.h"
#include "text/vocab.h"

#define GR_SPM_PIECE_MAX 512 /* bytes of a piece that is made by merging */

typedef struct {
    gr_runtime *rt;
    const gr_vocab *vocab; /* borrowed; its GR_TOKEN_MODEL tokens are the pieces */
    uint32_t *ranks;       /* by id: how many different scores are higher */
    gr_added_set atoms;    /* user-defined pieces */
    bool any_unused;
    int32_t byte_ids[256];
} gr_spm;

void gr_spm_init(gr_spm *m, gr_runtime *rt, const gr_vocab *vocab);
void gr_spm_fini(gr_spm *m);

/* Makes gr_spm_encode work, once the vocabulary is complete and indexed. scores[id] is finite. GR_ERR_FORMAT:
 * a user-defined piece twice. GR_ERR_UNSUPPORTED: no piece for the space or for a byte, so that there are
 * texts that could not be encoded. */
gr_status gr_spm_join(gr_spm *m, const float *scores, gr_error *err);

/* Scratch of an encoding; gr_spm_work_init before the first use. One per thread. */
typedef struct {
    gr_buf text; /* spelled with spaces */
    struct gr_spm_symbol *symbols;
    size_t n, cap;
    gr_merge_heap heap;
    uint16_t *splits; /* by id: bytes of the first half of an unused piece; 0: not seen */
} gr_spm_work;

void gr_spm_work_init(gr_spm_work *w, gr_runtime *rt);
void gr_spm_work_fini(gr_spm_work *w, gr_runtime *rt);

/* Appends the tokens of text[0..n), after a space if `prefix`; bytes that are not UTF-8 become themselves.
 * n < INT32_MAX. O(n log n) steps. */
gr_status gr_spm_encode(const gr_spm *m, gr_spm_work *w, const uint8_t *text, size_t n, bool prefix,
                        gr_ids *out, gr_error *err);

/* Copies `piece` as a file spells it, U+2581 becoming a space; gives the bytes written, at most n. `out` may
 * be `piece`. */
size_t gr_spm_unspell(uint8_t *out, const uint8_t *piece, size_t n);

#endif
