#include "train/damage.h"

#include "base/alloc.h"

gr_status gr_damage_init(gr_damage *d, gr_runtime *rt, size_t size, gr_error *err)
{
    *d = (gr_damage){ .rt = rt, .size = size, .rows = gr_calloc(rt, size, 1) };
    return d->rows ? GR_OK : gr_fail(err, GR_ERR_MEM, "no memory to count damage over %zu rows", size);
}

void gr_damage_fini(gr_damage *d)
{
    if (d->rows)
        gr_free(d->rt, d->rows);
    *d = (gr_damage){ 0 };
}

void gr_damage_note(gr_damage *d, bool damaged)
{
    uint8_t *place = &d->rows[d->next];
    d->damaged += damaged - *place; /* the row that was noted `size` rows ago is forgotten */
    *place = damaged;
    d->next = (d->next + 1) % d->size;
}
