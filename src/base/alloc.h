/* alloc.h - memory of a runtime. Everything in the library comes from here, so that a caller's allocator sees
 * all of it. */
#ifndef GR_BASE_ALLOC_H
#define GR_BASE_ALLOC_H

#include <stdbool.h>
#include <stddef.h>
#include "grasp/runtime.h"

/* n * size zeroed bytes, aligned to 64 (a cache line, an AVX-512 load); NULL when n * size overflows or there
 * is no memory. n * size == 0 gives a valid pointer. */
void *gr_calloc(gr_runtime *rt, size_t n, size_t size);

/* As gr_calloc, not zeroed: for buffers that are overwritten whole. */
void *gr_malloc(gr_runtime *rt, size_t n, size_t size);

void gr_free(gr_runtime *rt, void *memory); /* NULL is fine */

/* A zero-terminated copy of n bytes; NULL when there is no memory. */
char *gr_strndup(gr_runtime *rt, const char *text, size_t n);
char *gr_strdup(gr_runtime *rt, const char *text);

/* Makes *array (of *capacity elements of `size` bytes, `count` of them in use) hold at least `want` elements,
 * growing by half. New elements are zeroed. False: no memory, nothing changed. */
bool gr_grow(gr_runtime *rt, void *array, size_t *capacity, size_t count, size_t want, size_t size);

#endif
