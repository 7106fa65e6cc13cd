/* ranks.h - the processes that train one model together: each holds all of it, makes a share of every step's
 * samples, and adds up gradients with the others (data parallelism). A world of one has nobody to add up
 * with.
 *
 * Samples of a step are dealt out as elements first + a * world + rank, so the rows of a run and their order
 * do not depend on how many ranks there are; sums are made in another order, so bits do. */
#ifndef GR_TRAIN_RANKS_H
#define GR_TRAIN_RANKS_H

#include <stdint.h>
#include "grasp/dtype.h"
#include "grasp/error.h"

typedef struct {
    int rank, world; /* 0 <= rank < world; all zero is a world of one */
    /* Replaces x[n], f32 or f64 in host memory, by the sums over all ranks, the same bits on each. All ranks
     * call it in the same order with the same n. A failure ends the run. */
    gr_status (*sum)(void *user, gr_dtype type, void *x, size_t n, gr_error *err);
    void *user;
} gr_ranks;

static inline int gr_ranks_world(const gr_ranks *r) { return r->world > 1 ? r->world : 1; }

static inline gr_status gr_ranks_sum(const gr_ranks *r, gr_dtype type, void *x, size_t n, gr_error *err)
{
    return r->world > 1 ? r->sum(r->user, type, x, n, err) : GR_OK;
}

/* GR_ERR_ARG: a rank outside its world, no way to add up, or `samples` of a step that cannot be dealt out
 * evenly. */
gr_status gr_ranks_check(const gr_ranks *r, int64_t samples, gr_error *err);

/* `st` and `err` of this rank; where this one succeeded and another did not, GR_ERR_CANCELLED. So all ranks
 * leave a step together. */
gr_status gr_ranks_agree(const gr_ranks *r, gr_status st, gr_error *err);

#endif
