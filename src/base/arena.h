/* arena.h - memory that is taken in pieces and given back as one: what a record, a conversation, a tree of
 * small things is made of. It has a limit from birth. */
#ifndef GR_BASE_ARENA_H
#define GR_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include "grasp/runtime.h"

typedef struct gr_arena_block gr_arena_block;

typedef struct {
    gr_runtime *rt;
    gr_arena_block *blocks; /* the one that is being filled first */
    size_t taken, max;      /* bytes handed out, and at most */
    bool over;              /* a piece was refused because of the limit, since the last clear */
} gr_arena;

void gr_arena_init(gr_arena *a, gr_runtime *rt, size_t max_bytes);
void gr_arena_fini(gr_arena *a); /* an all-zero arena is fine */
/* Everything taken is gone; one block is kept for what comes. */
void gr_arena_clear(gr_arena *a);

/* n * size zeroed bytes, aligned to 16; valid until the arena is cleared. NULL: no memory, or over the limit.
 * No bytes give a valid pointer. */
void *gr_arena_take(gr_arena *a, size_t n, size_t size);
/* A zero-terminated copy of n bytes. */
char *gr_arena_text(gr_arena *a, const char *text, size_t n);

/* Room for element number `count` in *array, which has *capacity elements of `size` bytes, doubling it; the
 * old array stays until the arena is cleared, so that all of them together are less than twice the last. The
 * element's place, zeroed, or NULL. */
void *gr_arena_append(gr_arena *a, void *array, size_t *capacity, size_t count, size_t size);

#endif
