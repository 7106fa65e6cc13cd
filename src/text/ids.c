#include "text/ids.h"

#include "base/alloc.h"

void gr_ids_init(gr_ids *ids, gr_runtime *rt, size_t max) { *ids = (gr_ids){ .rt = rt, .max = max }; }

void gr_ids_fini(gr_ids *ids)
{
    gr_free(ids->rt, ids->v);
    *ids = (gr_ids){ .rt = ids->rt, .max = ids->max };
}

void gr_ids_clear(gr_ids *ids) { ids->n = 0; }

gr_status gr_ids_fill(gr_ids *ids, int32_t id, size_t count, gr_error *err)
{
    if (count > ids->max - ids->n)
        return gr_fail(err, GR_ERR_LIMIT, "more than %zu tokens", ids->max);
    if (!gr_grow(ids->rt, &ids->v, &ids->cap, ids->n, ids->n + count, sizeof *ids->v))
        return gr_fail(err, GR_ERR_MEM, "no memory for %zu tokens", ids->n + count);
    for (size_t i = 0; i < count; i++)
        ids->v[ids->n++] = id;
    return GR_OK;
}

gr_status gr_ids_add(gr_ids *ids, int32_t id, gr_error *err) { return gr_ids_fill(ids, id, 1, err); }
