#include "text/spm.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "text/unicode.h"

/* A part of the text. One that was merged into the part before it has pair == -1 for good. */
struct gr_spm_symbol {
    uint32_t at, len;   /* in the spelled text */
    int32_t prev, next; /* -1: none */
    int32_t id;         /* the piece, or -1 */
    int32_t pair;       /* the piece that this and the next part are together, or -1 */
    bool atom;
};

typedef struct gr_spm_symbol symbol;

void gr_spm_init(gr_spm *m, gr_runtime *rt, const gr_vocab *vocab)
{
    *m = (gr_spm){ .rt = rt, .vocab = vocab, .atoms = { .rt = rt } };
}

void gr_spm_fini(gr_spm *m)
{
    gr_free(m->rt, m->ranks);
    gr_added_fini(&m->atoms);
    gr_spm_init(m, m->rt, m->vocab);
}

void gr_spm_work_init(gr_spm_work *w, gr_runtime *rt)
{
    *w = (gr_spm_work){ .n = 0 };
    gr_buf_init(&w->text, rt, INT32_MAX);
}

void gr_spm_work_fini(gr_spm_work *w, gr_runtime *rt)
{
    gr_buf_fini(&w->text);
    gr_free(rt, w->symbols);
    gr_free(rt, w->splits);
    gr_merge_heap_fini(&w->heap, rt);
}

size_t gr_spm_unspell(uint8_t *out, const uint8_t *piece, size_t n)
{
    size_t len = 0;
    for (size_t i = 0; i < n; len++) {
        const bool space = n - i >= 3 && piece[i] == 0xE2 && piece[i + 1] == 0x96 && piece[i + 2] == 0x81;
        out[len] = space ? ' ' : piece[i];
        i += space ? 3 : 1;
    }
    return len;
}

/* --- tables -------------------------------------------------------------------------------------------- */

typedef struct {
    float score;
    int32_t id;
} scored;

static int by_score(const void *a, const void *b)
{
    const float x = ((const scored *)a)->score, y = ((const scored *)b)->score;
    return (x < y) - (x > y);
}

static gr_status rank_pieces(gr_spm *m, const float *scores, gr_error *err)
{
    const size_t n = m->vocab->n;
    scored *order = gr_malloc(m->rt, n, sizeof *order);
    m->ranks = gr_calloc(m->rt, n, sizeof *m->ranks);
    if (!order || !m->ranks) {
        gr_free(m->rt, order);
        return gr_fail(err, GR_ERR_MEM, "no memory to rank %zu pieces", n);
    }
    for (size_t i = 0; i < n; i++)
        order[i] = (scored){ scores[i], (int32_t)i };
    qsort(order, n, sizeof *order, by_score);
    for (size_t i = 1; i < n; i++)
        m->ranks[order[i].id] = m->ranks[order[i - 1].id] + (order[i].score < order[i - 1].score);
    gr_free(m->rt, order);
    return GR_OK;
}

static gr_status join_bytes(gr_spm *m, gr_error *err)
{
    memset(m->byte_ids, -1, sizeof m->byte_ids);
    for (size_t id = 0; id < m->vocab->n; id++) {
        const gr_token *token = &m->vocab->tokens[id];
        if (!(token->flags & GR_TOKEN_BYTE))
            continue;
        const uint8_t byte = *gr_vocab_bytes(m->vocab, token);
        if (m->byte_ids[byte] >= 0)
            return gr_fail(err, GR_ERR_FORMAT, "byte 0x%02X has two pieces, %d and %zu", byte,
                           m->byte_ids[byte], id);
        m->byte_ids[byte] = (int32_t)id;
    }
    for (int byte = 0; byte < 256; byte++)
        if (m->byte_ids[byte] < 0)
            return gr_fail(err, GR_ERR_UNSUPPORTED,
                           "the vocabulary has no piece <0x%02X>, so not every text could be encoded", byte);
    const int32_t space = gr_vocab_find(m->vocab, " ", 1);
    return space >= 0 && !(m->vocab->tokens[space].flags & GR_TOKEN_UNUSED)
               ? GR_OK
               : gr_fail(err, GR_ERR_UNSUPPORTED, "the vocabulary has no piece U+2581 for the space");
}

gr_status gr_spm_join(gr_spm *m, const float *scores, gr_error *err)
{
    GR_TRY(join_bytes(m, err));
    for (size_t id = 0; id < m->vocab->n; id++) {
        const gr_token *token = &m->vocab->tokens[id];
        m->any_unused = m->any_unused || (token->flags & GR_TOKEN_UNUSED);
        if ((token->flags & GR_TOKEN_ATOM) &&
            !gr_added_add(&m->atoms, (gr_added_token){ gr_vocab_bytes(m->vocab, token), token->len,
                                                       (int32_t)id, false }))
            return gr_fail(err, GR_ERR_MEM, "no memory for user-defined pieces");
    }
    gr_added_sort(&m->atoms);
    return rank_pieces(m, scores, err);
}

/* --- merging ------------------------------------------------------------------------------------------- */

static const uint8_t *bytes_at(const gr_spm_work *w, size_t at)
{
    return (const uint8_t *)gr_buf_str(&w->text) + at;
}

/* Text that is encoded, spelled. */
static bool spell(gr_spm_work *w, const uint8_t *text, size_t n, bool prefix)
{
    gr_buf_clear(&w->text);
    if (prefix && !gr_buf_add(&w->text, " ", 1))
        return false;
    const size_t at = w->text.len;
    if (!gr_buf_add(&w->text, text, n))
        return false;
    uint8_t *copy = (uint8_t *)w->text.data + at;
    w->text.len = at + gr_spm_unspell(copy, copy, n);
    return true;
}

static bool add_symbol(const gr_spm *m, gr_spm_work *w, size_t at, size_t len, int32_t id, bool atom)
{
    if (!gr_grow(m->rt, &w->symbols, &w->cap, w->n, w->n + 1, sizeof *w->symbols))
        return false;
    const int32_t i = (int32_t)w->n++;
    w->symbols[i] = (symbol){ (uint32_t)at, (uint32_t)len, i - 1, -1, id, -1, atom };
    if (i > 0)
        w->symbols[i - 1].next = i;
    return true;
}

/* Characters, bytes that are none, and user-defined pieces. */
static bool cut(const gr_spm *m, gr_spm_work *w)
{
    const size_t n = w->text.len;
    for (size_t at = 0; at < n;) {
        size_t skip;
        const gr_added_token *atom = gr_added_find(&m->atoms, bytes_at(w, at), n - at, true, &skip);
        for (const size_t end = atom ? at + skip : n; at < end;) {
            const size_t len = (size_t)gr_utf8_decode(bytes_at(w, at), end - at).bytes;
            if (!add_symbol(m, w, at, len, gr_vocab_find(m->vocab, bytes_at(w, at), len), false))
                return false;
            at += len;
        }
        if (atom) {
            if (!add_symbol(m, w, at, atom->len, atom->id, true))
                return false;
            at += atom->len;
        }
    }
    return true;
}

/* Pushes the merge of the part at `at` with the one after it, if they are a piece. */
static bool consider(const gr_spm *m, gr_spm_work *w, int32_t at)
{
    if (at < 0)
        return true;
    symbol *left = &w->symbols[at];
    left->pair = -1;
    if (left->next < 0 || left->atom || w->symbols[left->next].atom)
        return true;
    w->heap.steps++;
    left->pair = gr_vocab_find(m->vocab, bytes_at(w, left->at), left->len + w->symbols[left->next].len);
    if (left->pair < 0)
        return true;
    if (m->vocab->tokens[left->pair].flags & GR_TOKEN_UNUSED)
        w->splits[left->pair] = (uint16_t)left->len;
    return gr_merge_heap_push(&w->heap, m->rt, (gr_merge_candidate){ m->ranks[left->pair], at });
}

/* Carries out a candidate, unless its parts have changed since. A pair that took its place and has the same
 * rank may as well go now: nothing lies between the two in the heap's order. */
static bool merge(const gr_spm *m, gr_spm_work *w, gr_merge_candidate c)
{
    symbol *left = &w->symbols[c.at];
    if (left->pair < 0 || m->ranks[left->pair] != c.rank)
        return true;
    symbol *right = &w->symbols[left->next];
    left->id = left->pair;
    left->len += right->len;
    left->next = right->next;
    right->pair = -1;
    if (left->next >= 0)
        w->symbols[left->next].prev = c.at;
    return consider(m, w, left->prev) && consider(m, w, c.at);
}

static bool merge_all(const gr_spm *m, gr_spm_work *w)
{
    w->heap.n = 0;
    if (m->any_unused && !w->splits)
        w->splits = gr_calloc(m->rt, m->vocab->n, sizeof *w->splits);
    bool ok = !m->any_unused || w->splits;
    for (size_t i = 0; ok && i < w->n; i++)
        ok = consider(m, w, (int32_t)i);
    while (ok && w->heap.n > 0)
        ok = merge(m, w, gr_merge_heap_pop(&w->heap));
    return ok;
}

/* --- output -------------------------------------------------------------------------------------------- */

static gr_status emit(const gr_spm *m, const gr_spm_work *w, size_t at, size_t len, int32_t id, gr_ids *out,
                      gr_error *err)
{
    const bool unused = id >= 0 && (m->vocab->tokens[id].flags & GR_TOKEN_UNUSED);
    if (id >= 0 && !unused)
        return gr_ids_add(out, id, err);
    const size_t split = unused ? w->splits[id] : 0;
    if (split == 0) { /* a character without a piece, or with one that is not used */
        for (size_t i = 0; i < len; i++)
            GR_TRY(gr_ids_add(out, m->byte_ids[bytes_at(w, at)[i]], err));
        return GR_OK;
    }
    GR_TRY(emit(m, w, at, split, gr_vocab_find(m->vocab, bytes_at(w, at), split), out, err));
    at += split;
    return emit(m, w, at, len - split, gr_vocab_find(m->vocab, bytes_at(w, at), len - split), out, err);
}

gr_status gr_spm_encode(const gr_spm *m, gr_spm_work *w, const uint8_t *text, size_t n, bool prefix,
                        gr_ids *out, gr_error *err)
{
    if (n == 0)
        return GR_OK;
    w->n = 0;
    if (!spell(w, text, n, prefix) || !cut(m, w) || !merge_all(m, w))
        return gr_fail(err, GR_ERR_MEM, "no memory to encode a text of %zu bytes", n);
    gr_status st = GR_OK;
    for (int32_t i = 0; st == GR_OK && i >= 0; i = w->symbols[i].next)
        st = emit(m, w, w->symbols[i].at, w->symbols[i].len, w->symbols[i].id, out, err);
    return st;
}
