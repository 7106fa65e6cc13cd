/* merge_heap.h - the merges that are possible at the moment, best first: lowest rank, then leftmost. */
#ifndef GR_TEXT_MERGE_HEAP_H
#define GR_TEXT_MERGE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "grasp/runtime.h"

/* A merge that was possible when it was pushed. */
typedef struct {
    uint32_t rank;
    int32_t at; /* of the left symbol */
} gr_merge_candidate;

/* Zero it before the first use. */
typedef struct {
    gr_merge_candidate *v;
    size_t n, cap;
    uint64_t steps; /* moves so far, and look-ups that users add: what the cost of encoding is made of */
} gr_merge_heap;

bool gr_merge_heap_push(gr_merge_heap *h, gr_runtime *rt, gr_merge_candidate c); /* false: no memory */
gr_merge_candidate gr_merge_heap_pop(gr_merge_heap *h);                          /* h->n > 0 */
void gr_merge_heap_fini(gr_merge_heap *h, gr_runtime *rt);

#endif
