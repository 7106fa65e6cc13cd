/* ids.h - a list of token ids that grows up to a limit it has from birth. */
#ifndef GR_TEXT_IDS_H
#define GR_TEXT_IDS_H

#include <stddef.h>
#include <stdint.h>
#include "grasp/error.h"
#include "grasp/runtime.h"

typedef struct {
    gr_runtime *rt;
    int32_t *v; /* NULL until the first id */
    size_t n, cap, max;
} gr_ids;

void gr_ids_init(gr_ids *ids, gr_runtime *rt, size_t max);
void gr_ids_fini(gr_ids *ids);
void gr_ids_clear(gr_ids *ids); /* keeps memory */

/* Append one id, or the same id `count` times. GR_ERR_LIMIT: more than max. GR_ERR_MEM. */
gr_status gr_ids_add(gr_ids *ids, int32_t id, gr_error *err);
gr_status gr_ids_fill(gr_ids *ids, int32_t id, size_t count, gr_error *err);

#endif
