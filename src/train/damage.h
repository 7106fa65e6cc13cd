/* damage.h - how many of the last rows of a data set were damaged: what ends a run that reads nonsense. */
#ifndef GR_TRAIN_DAMAGE_H
#define GR_TRAIN_DAMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "grasp/runtime.h"

typedef struct {
    gr_runtime *rt;
    uint8_t *rows; /* [size], a ring: 1 for a damaged row */
    size_t size, next;
    int damaged; /* of the last `size` rows, or of all while there are fewer */
} gr_damage;

/* Over the last `size` >= 1 rows. GR_ERR_MEM. */
gr_status gr_damage_init(gr_damage *d, gr_runtime *rt, size_t size, gr_error *err);
void gr_damage_fini(gr_damage *d); /* an all-zero one is fine */
void gr_damage_note(gr_damage *d, bool damaged);

#endif
