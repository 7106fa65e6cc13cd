/* scratch.h - memory that is taken piece by piece and given back all at once. What the largest use took is
 * kept as one block, so that the next one allocates nothing. */
#ifndef GR_DATASET_SCRATCH_H
#define GR_DATASET_SCRATCH_H

#include <stddef.h>
#include "grasp/error.h"
#include "grasp/runtime.h"

typedef struct gr_scratch_block gr_scratch_block;

typedef struct {
    gr_runtime *rt;
    gr_scratch_block *blocks; /* the newest first; pieces come from that one */
    size_t used, max;         /* bytes of all pieces since the last reset; at most */
} gr_scratch;

void gr_scratch_init(gr_scratch *s, gr_runtime *rt, size_t max);
void gr_scratch_fini(gr_scratch *s);
void gr_scratch_reset(gr_scratch *s); /* all pieces are gone */

/* n * size bytes, aligned to 16, not zeroed; never NULL on success. Sentences name no place. GR_ERR_LIMIT:
 * more than `max` in all. GR_ERR_MEM. */
gr_status gr_scratch_take(gr_scratch *s, size_t n, size_t size, void *out, gr_error *err);

#endif
