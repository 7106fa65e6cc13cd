/* dump.h - intermediate values collected by name, written as one safetensors file. */
#ifndef GR_ENGINE_DUMP_H
#define GR_ENGINE_DUMP_H

#include "engine/core.h"
#include "grasp/session.h"

/* Appends `n` items of shape dims[0..rank-1] to the tensor `name`: its shape is [items so far, dims...]. With
 * n = 0 the tensor is just dims, put once. A failure is remembered and reported by gr_dump_close. NULL dump:
 * nothing happens. */
void gr_dump_add(gr_dump *d, const char *name, gr_dtype dtype, size_t n, int rank, const int64_t *dims,
                 const void *data);

/* Forgets what an earlier question left. */
void gr_dump_clear(gr_dump *d);

/* A watcher that feeds the dump. */
gr_core_watch gr_dump_watch(gr_dump *d);

#endif
