/* inspect_memory.c - the rows of a memory table, for text and JSON alike. */
#include "inspect.h"

const char *inspect_memory_item(const gr_memory *m, size_t i, size_t *bytes)
{
    const struct {
        const char *name;
        size_t bytes;
    } items[] = { { "weights", m->weights },   { "kv", m->kv },           { "arena", m->arena },
                  { "features", m->features }, { "buffers", m->buffers }, { "picture", m->picture },
                  { "total", m->total } };
    if (i >= sizeof items / sizeof *items)
        return NULL;
    *bytes = items[i].bytes;
    return items[i].name;
}
