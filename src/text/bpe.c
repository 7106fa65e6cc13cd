#include "text/bpe.h"

#include <stdbool.h>

#include "base/alloc.h"
#include "text/vocab.h"

/* The text as a list of symbols, which merges shorten; a symbol that was merged away has id -1. */
struct gr_bpe_symbol {
    int32_t id, prev, next; /* -1: none */
};

typedef struct gr_bpe_symbol symbol;

void gr_bpe_init(gr_bpe *b, gr_runtime *rt) { *b = (gr_bpe){ .rt = rt }; }

void gr_bpe_fini(gr_bpe *b)
{
    gr_free(b->rt, b->merges);
    gr_free(b->rt, b->slots);
    gr_bpe_init(b, b->rt);
}

gr_status gr_bpe_add(gr_bpe *b, gr_merge merge, gr_error *err)
{
    if (!gr_grow(b->rt, &b->merges, &b->cap, b->n, b->n + 1, sizeof *b->merges))
        return gr_fail(err, GR_ERR_MEM, "no memory for %zu merges", b->n + 1);
    b->merges[b->n++] = merge;
    return GR_OK;
}

static uint64_t hash_of(int32_t left, int32_t right)
{
    const int32_t pair[2] = { left, right };
    return gr_vocab_hash(pair, sizeof pair);
}

/* The slot where the pair is, or the empty one where it would go. */
static size_t slot_of(const gr_bpe *b, int32_t left, int32_t right)
{
    size_t slot = hash_of(left, right) & (b->n_slots - 1);
    for (; b->slots[slot]; slot = (slot + 1) & (b->n_slots - 1)) {
        const gr_merge *m = &b->merges[b->slots[slot] - 1];
        if (m->left == left && m->right == right)
            break;
    }
    return slot;
}

gr_status gr_bpe_index(gr_bpe *b, gr_error *err)
{
    size_t n_slots = 16;
    while (n_slots < 2 * b->n)
        n_slots *= 2;
    gr_free(b->rt, b->slots);
    b->n_slots = 0;
    b->slots = gr_calloc(b->rt, n_slots, sizeof *b->slots);
    if (!b->slots)
        return gr_fail(err, GR_ERR_MEM, "no memory for the index of %zu merges", b->n);
    b->n_slots = n_slots;
    uint64_t probes = 0;
    for (size_t rank = 0; rank < b->n; rank++) {
        const gr_merge *m = &b->merges[rank];
        const size_t slot = slot_of(b, m->left, m->right);
        if (b->slots[slot])
            return gr_fail(err, GR_ERR_FORMAT, "merge %zu repeats merge %u", rank, b->slots[slot] - 1);
        b->slots[slot] = (uint32_t)rank + 1;
        probes += (slot - hash_of(m->left, m->right)) & (n_slots - 1);
        if (probes > GR_PROBES_MAX(b->n))
            return gr_fail(err, GR_ERR_LIMIT, "the merges are chosen so that looking them up is slow");
    }
    return GR_OK;
}

void gr_bpe_work_fini(gr_bpe_work *w, gr_runtime *rt)
{
    gr_free(rt, w->symbols);
    gr_merge_heap_fini(&w->heap, rt);
    *w = (gr_bpe_work){ 0 };
}

/* Pushes the merge of the symbol at `at` with the one after it, if there is such a merge. */
static bool consider(const gr_bpe *b, gr_bpe_work *w, int32_t at)
{
    if (at < 0 || w->symbols[at].next < 0)
        return true;
    w->heap.steps++;
    const uint32_t found = b->slots[slot_of(b, w->symbols[at].id, w->symbols[w->symbols[at].next].id)];
    return !found || gr_merge_heap_push(&w->heap, b->rt, (gr_merge_candidate){ found - 1, at });
}

/* Carries out a candidate, unless one of its symbols has changed since. */
static bool merge(const gr_bpe *b, gr_bpe_work *w, gr_merge_candidate c)
{
    const gr_merge *m = &b->merges[c.rank];
    symbol *left = &w->symbols[c.at];
    if (left->id != m->left || left->next < 0 || w->symbols[left->next].id != m->right)
        return true;
    symbol *right = &w->symbols[left->next];
    left->id = m->result;
    left->next = right->next;
    right->id = -1;
    if (left->next >= 0)
        w->symbols[left->next].prev = c.at;
    return consider(b, w, left->prev) && consider(b, w, c.at);
}

static bool merge_all(const gr_bpe *b, gr_bpe_work *w, const uint8_t *bytes, size_t n)
{
    if (!gr_grow(b->rt, &w->symbols, &w->symbols_cap, 0, n, sizeof *w->symbols))
        return false;
    w->heap.n = 0;
    for (size_t i = 0; i < n; i++)
        w->symbols[i] = (symbol){ b->byte_ids[bytes[i]], (int32_t)i - 1, i + 1 < n ? (int32_t)i + 1 : -1 };
    bool ok = true;
    for (size_t i = 0; ok && i + 1 < n; i++)
        ok = consider(b, w, (int32_t)i);
    while (ok && w->heap.n > 0)
        ok = merge(b, w, gr_merge_heap_pop(&w->heap));
    return ok;
}

gr_status gr_bpe_encode(const gr_bpe *b, gr_bpe_work *w, const uint8_t *bytes, size_t n, gr_ids *out,
                        gr_error *err)
{
    if (n == 0)
        return GR_OK;
    if (!merge_all(b, w, bytes, n))
        return gr_fail(err, GR_ERR_MEM, "no memory to encode a run of %zu bytes", n);
    gr_status st = GR_OK;
    for (int32_t i = 0; st == GR_OK && i >= 0; i = w->symbols[i].next)
        st = gr_ids_add(out, w->symbols[i].id, err);
    return st;
}
