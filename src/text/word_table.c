#include "text/word_table.h"

#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "text/vocab.h"

void gr_word_table_init(gr_word_table *t, gr_runtime *rt)
{
    *t = (gr_word_table){ .rt = rt };
    gr_buf_init(&t->bytes, rt, GR_WORD_BYTES_MAX);
}

void gr_word_table_fini(gr_word_table *t)
{
    gr_buf_fini(&t->bytes);
    gr_free(t->rt, t->v);
    gr_free(t->rt, t->slots);
    gr_word_table_init(t, t->rt);
}

void gr_word_table_clear(gr_word_table *t)
{
    gr_buf_clear(&t->bytes);
    t->n = 0;
    t->probes = t->lookups = 0;
    if (t->slots)
        memset(t->slots, 0, t->n_slots * sizeof *t->slots);
}

uint64_t gr_word_hash(const void *bytes, size_t n) { return gr_hash_bytes((gr_hash){ 0 }, bytes, n).low; }

const uint8_t *gr_word_bytes(const gr_word_table *t, const gr_word *word)
{
    return (const uint8_t *)gr_buf_str(&t->bytes) + word->at;
}

/* The slot where the word is, or the empty one where it would go. */
static size_t slot_of(const gr_word_table *t, uint64_t hash, const void *bytes, size_t n)
{
    size_t slot = hash & (t->n_slots - 1);
    for (; t->slots[slot]; slot = (slot + 1) & (t->n_slots - 1)) {
        const gr_word *w = &t->v[t->slots[slot] - 1];
        if (w->hash == hash && w->len == n && memcmp(gr_word_bytes(t, w), bytes, n) == 0)
            break;
    }
    return slot;
}

static bool make_slots(gr_word_table *t)
{
    const size_t n_slots = t->n_slots ? 2 * t->n_slots : 1024;
    uint32_t *slots = gr_calloc(t->rt, n_slots, sizeof *slots);
    if (!slots)
        return false;
    gr_free(t->rt, t->slots);
    t->slots = slots;
    t->n_slots = n_slots;
    for (size_t i = 0; i < t->n; i++) {
        size_t slot = t->v[i].hash & (n_slots - 1);
        for (; slots[slot]; t->probes++)
            slot = (slot + 1) & (n_slots - 1);
        slots[slot] = (uint32_t)i + 1;
    }
    t->lookups += t->n;
    return true;
}

int32_t gr_word_table_add(gr_word_table *t, uint64_t hash, const void *bytes, size_t n, uint64_t count)
{
    if (2 * (t->n + 1) > t->n_slots && !make_slots(t))
        return -1;
    const size_t slot = slot_of(t, hash, bytes, n);
    t->lookups++;
    t->probes += (slot - hash) & (t->n_slots - 1);
    if (t->slots[slot]) {
        const uint32_t found = t->slots[slot] - 1;
        t->v[found].count += count;
        return (int32_t)found;
    }
    const size_t at = t->bytes.len;
    if (t->n >= INT32_MAX || !gr_grow(t->rt, &t->v, &t->cap, t->n, t->n + 1, sizeof *t->v) ||
        !gr_buf_add(&t->bytes, bytes, n))
        return -1;
    t->v[t->n++] = (gr_word){ hash, count, (uint32_t)at, (uint32_t)n };
    t->slots[slot] = (uint32_t)t->n;
    return (int32_t)t->n - 1;
}

int32_t gr_word_table_find(const gr_word_table *t, const void *bytes, size_t n)
{
    return t->n_slots ? (int32_t)t->slots[slot_of(t, gr_word_hash(bytes, n), bytes, n)] - 1 : -1;
}

bool gr_word_table_is_slow(const gr_word_table *t) { return t->probes > GR_PROBES_MAX(t->lookups); }
