#include "text/bpe_train.h"

#include <string.h>

#include "base/alloc.h"
#include "text/byte_alphabet.h"
#include "text/pairs.h"
#include "text/vocab.h"

/* All words one after the other, a place a byte. The first place of a token holds its id, the last one
 * ~length if that is another place: so the neighbours of a token are found from either end. */
typedef struct {
    int32_t id;
    uint32_t word; /* of counts */
} place;

#define BARRIER INT32_MIN /* between words, and inside of tokens */

typedef struct {
    gr_runtime *rt;
    const gr_bpe_train_options *o;
    gr_bpe_learned *out;
    place *places;
    int64_t *counts; /* of words */
    gr_pairs pairs;
    gr_word_table reserved; /* as bytes */
    gr_buf joined;          /* bytes of the token that may come next */
} training;

static gr_status no_memory(const training *t, gr_error *err)
{
    return gr_fail(err, GR_ERR_MEM, "no memory for %zu pairs of tokens at %zu places", t->pairs.n,
                   t->pairs.n_places);
}

/* --- tokens -------------------------------------------------------------------------------------------- */

static uint32_t length_of(const training *t, int32_t id) { return t->out->tokens.v[id].len; }

static int32_t add_token(gr_word_table *tokens, const void *bytes, size_t n, int64_t count)
{
    return gr_word_table_add(tokens, gr_word_hash(bytes, n), bytes, n, (uint64_t)count);
}

/* The bytes in the order of their characters' numbers. `ids` receives the id of each. */
static bool add_bytes(training *t, int32_t ids[256])
{
    const uint32_t last = 0x143; /* the alphabet's last character */
    for (uint32_t cp = 0; cp <= last; cp++)
        for (int b = 0; b < 256; b++)
            if (gr_byte_to_char((uint8_t)b) == cp) {
                const uint8_t byte = (uint8_t)b;
                if ((ids[b] = add_token(&t->out->tokens, &byte, 1, 0)) < 0)
                    return false;
            }
    return true;
}

/* A content that is not of the byte alphabet is no token's spelling. */
static gr_status reserve(training *t, gr_error *err)
{
    for (size_t i = 0; i < t->o->n_reserved; i++) {
        const char *content = t->o->reserved[i];
        const size_t n = strlen(content);
        gr_buf_clear(&t->joined);
        if (!gr_buf_add(&t->joined, content, n))
            return gr_fail(err, GR_ERR_MEM, "no memory for a special token of %zu bytes", n);
        const ptrdiff_t bytes =
            gr_byte_unspell((uint8_t *)t->joined.data, (const uint8_t *)t->joined.data, n);
        if (bytes == 1)
            return gr_fail(err, GR_ERR_ARG, "special token '%s' is how the file spells a byte", content);
        if (bytes > 1 && add_token(&t->reserved, t->joined.data, (size_t)bytes, 0) < 0)
            return gr_fail(err, GR_ERR_MEM, "no memory for %zu special tokens", t->o->n_reserved);
    }
    return GR_OK;
}

/* Puts the bytes of both into t->joined. */
static gr_status join_bytes(training *t, const gr_pair *pair, gr_error *err)
{
    const gr_word_table *tokens = &t->out->tokens;
    const int32_t ids[2] = { pair->left, pair->right };
    gr_buf_clear(&t->joined);
    for (int i = 0; i < 2; i++)
        if (!gr_buf_add(&t->joined, gr_word_bytes(tokens, &tokens->v[ids[i]]), length_of(t, ids[i])))
            return no_memory(t, err);
    return GR_OK;
}

static bool is_allowed(const training *t)
{
    return t->joined.len <= GR_TOKEN_BYTES_MAX &&
           gr_word_table_find(&t->reserved, t->joined.data, t->joined.len) < 0;
}

/* --- places -------------------------------------------------------------------------------------------- */

static gr_status lay_out(training *t, const gr_word_counter *words, const int32_t ids[256], gr_error *err)
{
    const gr_word_totals totals = gr_word_counter_totals(words);
    const uint64_t n = totals.bytes + totals.words + 1;
    if (n >= GR_PLACE_NONE)
        return gr_fail(err, GR_ERR_LIMIT, "%llu bytes of distinct words are too many",
                       (unsigned long long)totals.bytes);
    t->places = gr_malloc(t->rt, n, sizeof *t->places);
    t->counts = gr_malloc(t->rt, totals.words, sizeof *t->counts);
    if (!t->places || !t->counts)
        return gr_fail(err, GR_ERR_MEM, "no memory for %llu distinct words",
                       (unsigned long long)totals.words);
    uint32_t at = 0, word = 0;
    t->places[at++] = (place){ BARRIER, 0 };
    for (int s = 0; s < GR_WORD_SHARDS; s++)
        for (size_t i = 0; i < words->shards[s].n; i++) {
            const gr_word *w = &words->shards[s].v[i];
            const uint8_t *bytes = gr_word_bytes(&words->shards[s], w);
            for (uint32_t k = 0; k < w->len; k++)
                t->places[at++] = (place){ ids[bytes[k]], word };
            t->places[at++] = (place){ BARRIER, word };
            t->counts[word++] = (int64_t)w->count;
        }
    for (uint32_t i = 1; i + 1 < at; i++)
        if (t->places[i].id != BARRIER && t->places[i + 1].id != BARRIER &&
            !gr_pairs_gain(&t->pairs, t->rt, t->places[i].id, t->places[i + 1].id,
                           t->counts[t->places[i].word], i))
            return no_memory(t, err);
    return gr_pairs_settle(&t->pairs, t->rt, t->o->min_frequency) ? GR_OK : no_memory(t, err);
}

/* Where the token before the one at `at` begins; 0, which is no token's place: there is none. */
static uint32_t before(const training *t, uint32_t at)
{
    const int32_t last = t->places[at - 1].id;
    return last == BARRIER ? 0 : last >= 0 ? at - 1 : at - (uint32_t)~last;
}

/* Joins the pair at one place, if it is still there. */
static bool join_at(training *t, int32_t left, int32_t right, int32_t joined, uint32_t at)
{
    place *p = t->places;
    const uint32_t middle = at + length_of(t, left), end = middle + length_of(t, right);
    if (p[at].id != left || p[middle].id != right)
        return true;
    const int64_t count = t->counts[p[at].word];
    const uint32_t prior = before(t, at);
    p[middle].id = BARRIER;
    p[at].id = joined;
    p[end - 1].id = ~(int32_t)(end - at);
    gr_pairs_lose(&t->pairs, left, right, count);
    if (prior) {
        gr_pairs_lose(&t->pairs, p[prior].id, left, count);
        if (!gr_pairs_gain(&t->pairs, t->rt, p[prior].id, joined, count, prior))
            return false;
    }
    if (p[end].id != BARRIER) {
        gr_pairs_lose(&t->pairs, right, p[end].id, count);
        return gr_pairs_gain(&t->pairs, t->rt, joined, p[end].id, count, at);
    }
    return true;
}

/* --- learning ------------------------------------------------------------------------------------------ */

static gr_status add_merge(training *t, gr_merge merge, gr_error *err)
{
    gr_bpe_learned *l = t->out;
    if (!gr_grow(t->rt, &l->merges, &l->cap, l->n_merges, l->n_merges + 1, sizeof *l->merges))
        return no_memory(t, err);
    l->merges[l->n_merges++] = merge;
    return GR_OK;
}

static gr_status join(training *t, uint32_t number, gr_error *err)
{
    const gr_pair pair = t->pairs.v[number];
    const gr_pair_list places = gr_pairs_take_places(&t->pairs, number);
    GR_TRY(join_bytes(t, &pair, err));
    if (is_allowed(t)) {
        const int32_t joined = add_token(&t->out->tokens, t->joined.data, t->joined.len, pair.count);
        if (joined < 0)
            return no_memory(t, err);
        GR_TRY(add_merge(t, (gr_merge){ pair.left, pair.right, joined }, err));
        for (uint32_t i = places.first; i != GR_PLACE_NONE; i = t->pairs.places[i].next)
            if (!join_at(t, pair.left, pair.right, joined, t->pairs.places[i].at))
                return no_memory(t, err);
    }
    gr_pairs_free_places(&t->pairs, places);
    return gr_pairs_settle(&t->pairs, t->rt, t->o->min_frequency) ? GR_OK : no_memory(t, err);
}

static gr_status learn(training *t, gr_error *err)
{
    const uint64_t max = (uint64_t)t->o->max_tokens;
    uint32_t pair;
    while (t->out->tokens.n < max && gr_pairs_pop(&t->pairs, t->rt, t->o->min_frequency, &pair)) {
        GR_TRY(join(t, pair, err));
        if (t->o->progress && !t->o->progress(t->o->user, t->out->tokens.n, max))
            return gr_fail(err, GR_ERR_CANCELLED, "cancelled after %zu of %llu tokens", t->out->tokens.n,
                           (unsigned long long)max);
    }
    return GR_OK;
}

/* A place takes 8 bytes, and 8 as the place of a pair; joins leave as many of those behind as they make.
 * Pairs and their candidates take about 60 bytes, at most places of ordinary text there is one for four
 * places. */
uint64_t gr_bpe_train_bytes(const gr_word_totals *words) { return 36 * words->bytes + 16 * words->words; }

gr_status gr_bpe_train(gr_bpe_learned *out, gr_runtime *rt, const gr_word_counter *words,
                       const gr_bpe_train_options *options, gr_error *err)
{
    training t = { .rt = rt, .o = options, .out = out };
    int32_t ids[256];
    *out = (gr_bpe_learned){ 0 };
    gr_word_table_init(&out->tokens, rt);
    gr_word_table_init(&t.reserved, rt);
    gr_buf_init(&t.joined, rt, (size_t)1 << 20);
    gr_status st =
        add_bytes(&t, ids) ? GR_OK : gr_fail(err, GR_ERR_MEM, "no memory for a vocabulary of bytes");
    if (st == GR_OK)
        st = reserve(&t, err);
    if (st == GR_OK)
        st = lay_out(&t, words, ids, err);
    if (st == GR_OK)
        st = learn(&t, err);
    gr_free(rt, t.places);
    gr_free(rt, t.counts);
    gr_pairs_fini(&t.pairs, rt);
    gr_word_table_fini(&t.reserved);
    gr_buf_fini(&t.joined);
    if (st != GR_OK)
        gr_bpe_learned_fini(out);
    return st;
}

void gr_bpe_learned_fini(gr_bpe_learned *l)
{
    if (!l->tokens.rt)
        return;
    gr_free(l->tokens.rt, l->merges);
    gr_word_table_fini(&l->tokens);
    *l = (gr_bpe_learned){ 0 };
}
