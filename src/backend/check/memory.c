#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "backend/check/memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/half.h"
#include "base/log.h"

void gr_guard_init(gr_guard *g, gr_runtime *rt)
{
    *g = (gr_guard){ .rt = rt, .page = (size_t)sysconf(_SC_PAGESIZE) };
}

void gr_guard_fini(gr_guard *g)
{
    while (g->blocks) {
        gr_log(g->rt, GR_LOG_WARNING, "check: %zu bytes were never released", g->blocks->bytes);
        gr_guard_release(g, g->blocks->data);
    }
}

void gr_guard_open(gr_guarded *b, gr_guard_mode mode)
{
    static const int protections[] = { PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE };
    if (b->size)
        (void)mprotect(b->pages, b->size, protections[mode]);
}

void gr_guard_fill(float *to, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = gr_f32_from_bits(GR_UNWRITTEN);
}

gr_guarded *gr_guard_find(const gr_guard *g, const void *p, size_t bytes)
{
    for (gr_guarded *b = g->blocks; b; b = b->next) {
        const uintptr_t at = (uintptr_t)p - (uintptr_t)b->data;
        if ((uintptr_t)p >= (uintptr_t)b->data && at <= b->bytes && bytes <= b->bytes - at)
            return b;
    }
    return NULL;
}

void *gr_guard_place(gr_guard *g, size_t bytes, gr_error *err)
{
    const size_t kept = (bytes + 63) / 64 * 64, size = (kept + g->page - 1) / g->page * g->page;
    gr_guarded *b = gr_calloc(g->rt, 1, sizeof *b);
    uint8_t *map =
        b ? mmap(NULL, size + 2 * g->page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) : MAP_FAILED;
    if (map == MAP_FAILED) {
        gr_free(g->rt, b);
        gr_fail(err, GR_ERR_MEM, "no memory for %zu guarded bytes", bytes);
        return NULL;
    }
    *b = (gr_guarded){ .next = g->blocks, .map = map, .pages = map + g->page, .size = size, .bytes = kept };
    b->data = b->pages + size - kept;
    g->blocks = b;
    gr_guard_open(b, GR_GUARD_WRITE);
    gr_guard_fill((float *)(void *)b->pages, size / sizeof(float));
    gr_guard_open(b, GR_GUARD_CLOSED);
    return b->data;
}

void gr_guard_release(gr_guard *g, void *memory)
{
    for (gr_guarded **at = &g->blocks; memory && *at; at = &(*at)->next)
        if ((*at)->data == memory) {
            gr_guarded *b = *at;
            *at = b->next;
            (void)munmap(b->map, b->size + 2 * g->page);
            gr_free(g->rt, b);
            return;
        }
    if (memory)
        gr_log(g->rt, GR_LOG_WARNING, "check: release of memory that was not placed here");
}
