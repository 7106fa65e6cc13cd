/* draws.h - the random decisions about one row. A draw depends on what is asked for alone: not on the thread,
 * on how far others are, or on a restart.
 *
 * Philox4x32-10 with key (seed, data set) and counter (epoch, position, attempt, number of the draw). */
#ifndef GR_DATASET_DRAWS_H
#define GR_DATASET_DRAWS_H

#include <stdint.h>

typedef struct {
    uint32_t key[2];
    uint32_t counter[4]; /* the last counts up */
} gr_draws;

/* `position` is that of the row in the epoch, `attempt` 0 for the row itself, then for its replacements. A
 * seed of more than 32 bits is folded. */
gr_draws gr_draws_for(uint64_t seed, uint32_t set, uint32_t epoch, uint32_t position, uint32_t attempt);

double gr_draw_unit(gr_draws *d);                /* [0, 1), 53 bits */
uint32_t gr_draw_below(gr_draws *d, uint32_t n); /* 0..n-1; n >= 1 */
/* A permutation of 0..n-1, every one as likely. */
void gr_draw_order(gr_draws *d, int *order, int n);

#endif
