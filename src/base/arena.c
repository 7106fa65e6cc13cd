#include "base/arena.h"

#include <stdint.h>
#include <string.h>

#include "base/alloc.h"

#define ALIGN       ((size_t)16)
#define FIRST_BYTES ((size_t)4096)
#define MOST_BYTES  ((size_t)1 << 20) /* of a block that is not made for one large piece */

struct gr_arena_block {
    gr_arena_block *next;
    size_t used, size; /* bytes after the head */
};

static const size_t head_bytes = (sizeof(gr_arena_block) + ALIGN - 1) / ALIGN * ALIGN;

static char *bytes_of(gr_arena_block *b) { return (char *)b + head_bytes; }

void gr_arena_init(gr_arena *a, gr_runtime *rt, size_t max_bytes)
{
    *a = (gr_arena){ .rt = rt, .max = max_bytes };
}

static void free_blocks(const gr_arena *a, gr_arena_block *b)
{
    while (b) {
        gr_arena_block *next = b->next;
        gr_free(a->rt, b);
        b = next;
    }
}

void gr_arena_fini(gr_arena *a)
{
    free_blocks(a, a->blocks);
    *a = (gr_arena){ .rt = a->rt, .max = a->max };
}

void gr_arena_clear(gr_arena *a)
{
    a->over = false;
    gr_arena_block *kept = a->blocks;
    if (!kept)
        return;
    free_blocks(a, kept->next);
    kept->next = NULL;
    kept->used = 0;
    a->taken = 0;
}

/* Blocks double, so that many small pieces make few of them. */
static gr_arena_block *add_block(gr_arena *a, size_t bytes)
{
    size_t size = a->blocks ? 2 * a->blocks->size : FIRST_BYTES;
    size = size < MOST_BYTES ? size : MOST_BYTES;
    size = size > bytes ? size : bytes;
    if (size > SIZE_MAX - head_bytes)
        return NULL;
    gr_arena_block *b = gr_malloc(a->rt, head_bytes + size, 1);
    if (!b)
        return NULL;
    *b = (gr_arena_block){ .next = a->blocks, .size = size };
    a->blocks = b;
    return b;
}

void *gr_arena_take(gr_arena *a, size_t n, size_t size)
{
    if (size && n > (SIZE_MAX - ALIGN) / size) {
        a->over = true;
        return NULL;
    }
    const size_t bytes = (n * size + ALIGN - 1) / ALIGN * ALIGN;
    if (bytes > a->max - a->taken) {
        a->over = true;
        return NULL;
    }
    gr_arena_block *b = a->blocks;
    if (!b || bytes > b->size - b->used)
        b = add_block(a, bytes);
    if (!b)
        return NULL;
    void *piece = bytes_of(b) + b->used;
    b->used += bytes;
    a->taken += bytes;
    return memset(piece, 0, bytes);
}

char *gr_arena_text(gr_arena *a, const char *text, size_t n)
{
    char *copy = n < SIZE_MAX ? gr_arena_take(a, n + 1, 1) : NULL;
    if (copy && n)
        memcpy(copy, text, n);
    return copy;
}

void *gr_arena_append(gr_arena *a, void *array, size_t *capacity, size_t count, size_t size)
{
    char *old;
    memcpy(&old, array, sizeof old);
    if (count < *capacity)
        return memset(old + count * size, 0, size);
    const size_t want = *capacity ? 2 * *capacity : 4;
    char *grown = want > *capacity ? gr_arena_take(a, want, size) : NULL;
    if (!grown)
        return NULL;
    if (count)
        memcpy(grown, old, count * size);
    memcpy(array, &grown, sizeof grown);
    *capacity = want;
    return grown + count * size;
}
