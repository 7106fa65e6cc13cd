/* bpe.h - byte-pair encoding of one piece of text: the merge of lowest rank first, leftmost on ties. */
#ifndef GR_TEXT_BPE_H
#define GR_TEXT_BPE_H

#include <stddef.h>
#include <stdint.h>
#include "grasp/error.h"
#include "grasp/runtime.h"
#include "text/ids.h"
#include "text/merge_heap.h"

typedef struct {
    int32_t left, right, result;
} gr_merge;

typedef struct {
    gr_runtime *rt;
    int32_t byte_ids[256]; /* the token of each byte */
    gr_merge *merges;      /* by rank */
    size_t n, cap;
    uint32_t *slots; /* rank + 1 by hash of (left, right), 0 empty */
    size_t n_slots;
} gr_bpe;

void gr_bpe_init(gr_bpe *b, gr_runtime *rt);
void gr_bpe_fini(gr_bpe *b);
gr_status gr_bpe_add(gr_bpe *b, gr_merge merge, gr_error *err); /* the next rank */

/* Makes gr_bpe_encode work. GR_ERR_FORMAT: a pair that is there twice; `err` tells the two ranks. */
gr_status gr_bpe_index(gr_bpe *b, gr_error *err);

/* Scratch of an encoding; zero it before the first use. One per thread. */
typedef struct {
    struct gr_bpe_symbol *symbols;
    size_t symbols_cap;
    gr_merge_heap heap;
} gr_bpe_work;

void gr_bpe_work_fini(gr_bpe_work *w, gr_runtime *rt);

/* Appends the tokens of bytes[0..n) to `out`; n <= INT32_MAX. O(n log n) steps. */
gr_status gr_bpe_encode(const gr_bpe *b, gr_bpe_work *w, const uint8_t *bytes, size_t n, gr_ids *out,
                        gr_error *err);

#endif
