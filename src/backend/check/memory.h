/* memory.h - blocks of memory between unreadable pages, closed except while somebody has opened them. */
#ifndef GR_BACKEND_CHECK_MEMORY_H
#define GR_BACKEND_CHECK_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "grasp/runtime.h"

#define GR_UNWRITTEN 0x7fd50000u /* bits of a quiet NaN that rounding to bf16 keeps */

typedef struct gr_guarded {
    struct gr_guarded *next;
    uint8_t *map;   /* guard page, pages, guard page */
    uint8_t *pages; /* what can be opened: `size` bytes, whole pages, more than was asked for */
    size_t size;
    uint8_t *data;
    size_t bytes;  /* a multiple of 64; data + bytes is the second guard page */
    bool writable; /* for the caller, as are the copies: of `pages`, host memory */
    uint8_t *before, *after;
} gr_guarded;

typedef struct {
    gr_runtime *rt;
    size_t page;
    gr_guarded *blocks; /* the newest first */
} gr_guard;

typedef enum { GR_GUARD_CLOSED, GR_GUARD_READ, GR_GUARD_WRITE } gr_guard_mode;

void gr_guard_init(gr_guard *g, gr_runtime *rt);
void gr_guard_fini(gr_guard *g); /* warns of blocks that were not released */

/* `bytes` bytes aligned to 64 and full of GR_UNWRITTEN; closed. NULL after an error. */
void *gr_guard_place(gr_guard *g, size_t bytes, gr_error *err);
void gr_guard_release(gr_guard *g, void *memory); /* NULL is fine */
/* The block that holds all of [p, p + bytes), or NULL. */
gr_guarded *gr_guard_find(const gr_guard *g, const void *p, size_t bytes);
void gr_guard_open(gr_guarded *b, gr_guard_mode mode);

/* n floats of GR_UNWRITTEN, in open memory. */
void gr_guard_fill(float *to, size_t n);

#endif
