#include "base/alloc.h"

#include <stdint.h>
#include <string.h>

#include "base/runtime.h"

void *gr_malloc(gr_runtime *rt, size_t n, size_t size)
{
    if (size && n > SIZE_MAX / size)
        return NULL;
    const size_t bytes = n * size;
    return rt->alloc.alloc(rt->alloc.user, bytes > 0 ? bytes : 1, 64);
}

void *gr_calloc(gr_runtime *rt, size_t n, size_t size)
{
    void *memory = gr_malloc(rt, n, size);
    if (memory)
        memset(memory, 0, n * size);
    return memory;
}

void gr_free(gr_runtime *rt, void *memory)
{
    if (memory)
        rt->alloc.free(rt->alloc.user, memory);
}

char *gr_strndup(gr_runtime *rt, const char *text, size_t n)
{
    char *copy = n < SIZE_MAX ? gr_malloc(rt, n + 1, 1) : NULL;
    if (copy) {
        memcpy(copy, text, n);
        copy[n] = '\0';
    }
    return copy;
}

char *gr_strdup(gr_runtime *rt, const char *text) { return gr_strndup(rt, text, strlen(text)); }

bool gr_grow(gr_runtime *rt, void *array, size_t *capacity, size_t count, size_t want, size_t size)
{
    if (want <= *capacity)
        return true;
    size_t grown = *capacity + *capacity / 2;
    if (grown < want)
        grown = want < 8 ? 8 : want;
    void *old;
    memcpy(&old, array, sizeof old); /* `array` is the address of a pointer of any type */
    void *memory = gr_calloc(rt, grown, size);
    if (!memory)
        return false;
    if (count)
        memcpy(memory, old, count * size);
    gr_free(rt, old);
    memcpy(array, &memory, sizeof memory);
    *capacity = grown;
    return true;
}
