/* pairs.h - neighbouring tokens: how often each pair of them occurs, where, and which is the most frequent.
 *
 * The order of pairs is: more occurrences first; of equally many, the lower left id; then the lower right
 * one. */
#ifndef GR_TEXT_PAIRS_H
#define GR_TEXT_PAIRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "grasp/runtime.h"

#define GR_PLACE_NONE UINT32_MAX

typedef struct {
    int64_t count;
    int32_t left, right;
    uint32_t first, last; /* its places, a list; GR_PLACE_NONE: none */
    uint32_t round;       /* of gr_pairs_settle, in which it last gained a place */
} gr_pair;

/* A place where a pair was when it was noted; it may have changed since. */
typedef struct {
    uint32_t at, next;
} gr_pair_place;

/* A pair as it was when it was pushed. */
typedef struct {
    int64_t count;
    int32_t left, right;
    uint32_t pair;
} gr_pair_candidate;

/* Zero it before the first use. */
typedef struct {
    gr_pair *v; /* [n], in the order they came */
    size_t n, cap;
    uint32_t *slots; /* number + 1 by hash of the ids, 0 empty */
    size_t n_slots;
    gr_pair_place *places; /* lists of pairs, and of places that are free */
    size_t n_places, places_cap;
    uint32_t free;    /* number + 1; 0: none */
    uint32_t *gained; /* [n_gained] pairs with new places since the last gr_pairs_settle */
    size_t n_gained, gained_cap;
    uint32_t round;
    gr_pair_candidate *heap;
    size_t n_heap, heap_cap;
} gr_pairs;

void gr_pairs_fini(gr_pairs *p, gr_runtime *rt);

/* `count` more occurrences, at place `at`. False: no memory, or 2^32 - 2 pairs or places. */
bool gr_pairs_gain(gr_pairs *p, gr_runtime *rt, int32_t left, int32_t right, int64_t count, uint32_t at);
/* `count` fewer of a pair that is there. */
void gr_pairs_lose(gr_pairs *p, int32_t left, int32_t right, int64_t count);

/* Makes pairs that gained places candidates, if they occur at least `least` times. False: no memory. */
bool gr_pairs_settle(gr_pairs *p, gr_runtime *rt, int64_t least);

/* Takes the first candidate in order that occurs at least `least` times, by its number; false: there is none.
 */
bool gr_pairs_pop(gr_pairs *p, gr_runtime *rt, int64_t least, uint32_t *pair);

/* Takes the places of a pair away from it: they are walked from `first` by `next`, and given back together.
 */
typedef struct {
    uint32_t first, last; /* GR_PLACE_NONE: it is empty */
} gr_pair_list;

gr_pair_list gr_pairs_take_places(gr_pairs *p, uint32_t pair);
void gr_pairs_free_places(gr_pairs *p, gr_pair_list list);

#endif
