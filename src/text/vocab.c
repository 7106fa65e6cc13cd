#include "text/vocab.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

/* All token bytes of a file of at most 64 MiB. */
#define VOCAB_BYTES_MAX ((size_t)1 << 27)

void gr_vocab_init(gr_vocab *v, gr_runtime *rt)
{
    *v = (gr_vocab){ .rt = rt };
    gr_buf_init(&v->bytes, rt, VOCAB_BYTES_MAX);
}

void gr_vocab_fini(gr_vocab *v)
{
    gr_buf_fini(&v->bytes);
    gr_free(v->rt, v->tokens);
    gr_free(v->rt, v->slots);
    gr_vocab_init(v, v->rt);
}

gr_status gr_vocab_add(gr_vocab *v, int32_t id, const void *bytes, size_t n, unsigned flags, gr_error *err)
{
    char shown[64], there[64];
    const gr_token *old = gr_vocab_at(v, id);
    if (old)
        return gr_fail(err, GR_ERR_FORMAT, "token '%s' has id %d, which is the id of '%s'",
                       gr_bytes_show(shown, bytes, n), id,
                       gr_bytes_show(there, gr_vocab_bytes(v, old), old->len));
    const size_t at = v->bytes.len, want = (size_t)id + 1;
    if (!gr_grow(v->rt, &v->tokens, &v->cap, v->n, want, sizeof *v->tokens) ||
        !gr_buf_add(&v->bytes, bytes, n))
        return gr_fail(err, GR_ERR_MEM, "no memory for %zu tokens of %zu bytes", want, at + n);
    v->tokens[id] = (gr_token){ (uint32_t)at, (uint32_t)n, flags | GR_TOKEN_USED };
    if (want > v->n)
        v->n = want;
    if ((flags & GR_TOKEN_MODEL) && n > v->longest)
        v->longest = n;
    return GR_OK;
}

const gr_token *gr_vocab_at(const gr_vocab *v, int32_t id)
{
    return id >= 0 && (size_t)id < v->n && v->tokens[id].flags ? &v->tokens[id] : NULL;
}

const uint8_t *gr_vocab_bytes(const gr_vocab *v, const gr_token *token)
{
    return (const uint8_t *)gr_buf_str(&v->bytes) + token->at;
}

uint64_t gr_vocab_hash(const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    uint64_t h = 0xcbf29ce484222325u; /* FNV-1a, then a final mix so that low bits depend on all bytes */
    for (size_t i = 0; i < n; i++)
        h = (h ^ p[i]) * 0x100000001b3u;
    h ^= h >> 32;
    h *= 0xd6e8feb86659fd93u;
    return h ^ h >> 32;
}

/* The slot where these bytes are, or the empty one where they would go. */
static size_t slot_of(const gr_vocab *v, const void *bytes, size_t n)
{
    size_t slot = gr_vocab_hash(bytes, n) & (v->n_slots - 1);
    for (; v->slots[slot]; slot = (slot + 1) & (v->n_slots - 1)) {
        const gr_token *t = &v->tokens[v->slots[slot] - 1];
        if (t->len == n && memcmp(gr_vocab_bytes(v, t), bytes, n) == 0)
            break;
    }
    return slot;
}

gr_status gr_vocab_index(gr_vocab *v, gr_error *err)
{
    size_t n_slots = 16;
    while (n_slots < 2 * v->n)
        n_slots *= 2;
    gr_free(v->rt, v->slots);
    v->n_slots = 0;
    v->slots = gr_calloc(v->rt, n_slots, sizeof *v->slots);
    if (!v->slots)
        return gr_fail(err, GR_ERR_MEM, "no memory for the index of %zu tokens", v->n);
    v->n_slots = n_slots;
    uint64_t probes = 0;
    for (size_t id = 0; id < v->n; id++) {
        const gr_token *t = &v->tokens[id];
        if (!(t->flags & GR_TOKEN_MODEL))
            continue;
        const size_t home = gr_vocab_hash(gr_vocab_bytes(v, t), t->len) & (n_slots - 1);
        const size_t slot = slot_of(v, gr_vocab_bytes(v, t), t->len);
        char shown[64];
        if (v->slots[slot])
            return gr_fail(err, GR_ERR_FORMAT, "token '%s' is there twice, with ids %u and %zu",
                           gr_bytes_show(shown, gr_vocab_bytes(v, t), t->len), v->slots[slot] - 1, id);
        v->slots[slot] = (uint32_t)id + 1;
        probes += (slot - home) & (n_slots - 1);
        if (probes > GR_PROBES_MAX(v->n))
            return gr_fail(err, GR_ERR_LIMIT, "the tokens are chosen so that looking them up is slow");
    }
    return GR_OK;
}

int32_t gr_vocab_find(const gr_vocab *v, const void *bytes, size_t n)
{
    return n > v->longest || !v->n_slots ? -1 : (int32_t)v->slots[slot_of(v, bytes, n)] - 1;
}

const char *gr_bytes_show(char out[64], const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    size_t used = 0;
    for (size_t i = 0; i < n; i++) {
        if (used > 52) {
            memcpy(out + used, "...", 4);
            return out;
        }
        const bool plain = p[i] >= 0x20 && p[i] < 0x7f && p[i] != '\\';
        used += (size_t)snprintf(out + used, 64 - used, plain ? "%c" : "\\x%02x", p[i]);
    }
    out[used] = '\0';
    return out;
}
