#include "dataset/scratch.h"

#include <stdint.h>
#include <string.h>

#include "base/alloc.h"

#define FIRST_BLOCK ((size_t)64 << 10)
#define ALIGN       ((size_t)16)

struct gr_scratch_block {
    gr_scratch_block *older;
    size_t used, size; /* of the bytes after this head */
};

#define HEAD ((sizeof(gr_scratch_block) + ALIGN - 1) / ALIGN * ALIGN)

void gr_scratch_init(gr_scratch *s, gr_runtime *rt, size_t max) { *s = (gr_scratch){ .rt = rt, .max = max }; }

static void free_blocks(gr_scratch *s)
{
    while (s->blocks) {
        gr_scratch_block *older = s->blocks->older;
        gr_free(s->rt, s->blocks);
        s->blocks = older;
    }
}

void gr_scratch_fini(gr_scratch *s)
{
    free_blocks(s);
    *s = (gr_scratch){ .rt = s->rt, .max = s->max };
}

static gr_scratch_block *new_block(gr_scratch *s, size_t size)
{
    gr_scratch_block *b = gr_malloc(s->rt, HEAD + size, 1);
    if (b) {
        *b = (gr_scratch_block){ .older = s->blocks, .size = size };
        s->blocks = b;
    }
    return b;
}

void gr_scratch_reset(gr_scratch *s)
{
    if (s->blocks && s->blocks->older) {
        const size_t needed = s->used;
        free_blocks(s);
        new_block(s, needed); /* without it the next piece asks again */
    }
    if (s->blocks)
        s->blocks->used = 0;
    s->used = 0;
}

gr_status gr_scratch_take(gr_scratch *s, size_t n, size_t size, void *out, gr_error *err)
{
    if (n > (SIZE_MAX / 2) / size || n * size > s->max ||
        (n * size + ALIGN - 1) / ALIGN * ALIGN > s->max - s->used)
        return gr_fail(err, GR_ERR_LIMIT, "the row takes more than %zu bytes", s->max);
    const size_t bytes = (n * size + ALIGN - 1) / ALIGN * ALIGN;
    gr_scratch_block *b = s->blocks;
    if (!b || bytes > b->size - b->used) {
        const size_t grown = b && b->size / 2 > FIRST_BLOCK ? b->size / 2 : FIRST_BLOCK;
        b = new_block(s, bytes > grown ? bytes : grown);
        if (!b)
            return gr_fail(err, GR_ERR_MEM, "no memory for %zu bytes of the row", bytes);
    }
    void *piece = (char *)b + HEAD + b->used;
    b->used += bytes;
    s->used += bytes;
    memcpy(out, &piece, sizeof piece);
    return GR_OK;
}
