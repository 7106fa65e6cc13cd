#include "text/word_count.h"

#include "base/failure.h"
#include "base/runtime.h"
#include "text/bpe_split.h"

void gr_word_counter_init(gr_word_counter *c, gr_runtime *rt, uint64_t max_words)
{
    *c = (gr_word_counter){ .rt = rt, .max_words = max_words };
    for (int i = 0; i < GR_WORD_UNITS; i++)
        gr_word_table_init(&c->units[i], rt);
    for (int i = 0; i < GR_WORD_SHARDS; i++)
        gr_word_table_init(&c->shards[i], rt);
}

void gr_word_counter_fini(gr_word_counter *c)
{
    for (int i = 0; i < GR_WORD_UNITS; i++)
        gr_word_table_fini(&c->units[i]);
    for (int i = 0; i < GR_WORD_SHARDS; i++)
        gr_word_table_fini(&c->shards[i]);
}

/* What the threads share while a block is counted. */
typedef struct {
    gr_word_counter *c;
    const gr_corpus *block;
    gr_failure failure;
} job;

static const char slow_words[] = "the words are chosen so that looking them up is slow";

/* --- a share of the block ------------------------------------------------------------------------------ */

static bool count_document(gr_word_table *t, const uint8_t *text, size_t n)
{
    for (size_t at = 0, bytes; at < n; at += bytes) {
        bytes = gr_bpe_split(text + at, n - at);
        if (gr_word_table_add(t, gr_word_hash(text + at, bytes), text + at, bytes, 1) < 0)
            return false;
    }
    return true;
}

static gr_status count_part(job *j, const gr_corpus_part *part, size_t unit, gr_error *err)
{
    gr_word_table *t = &j->c->units[unit];
    gr_documents d;
    gr_status st;
    const char *text;
    size_t n;
    gr_documents_init(&d, j->block, part);
    while ((st = gr_documents_next(&d, &text, &n, err)) == GR_OK && text) {
        j->c->unit_documents[unit]++;
        if (!count_document(t, (const uint8_t *)text, n)) {
            st = gr_fail(err, GR_ERR_MEM, "%s: no memory for %zu distinct words", part->path, t->n);
            break;
        }
    }
    if (st == GR_OK && gr_word_table_is_slow(t))
        st = gr_fail(err, GR_ERR_LIMIT, "%s: %s", part->path, slow_words);
    gr_documents_fini(&d);
    return st;
}

static void count_unit(void *user, size_t unit, int worker)
{
    (void)worker;
    job *j = user;
    const size_t n = j->block->n_parts;
    gr_error err = { 0 };
    gr_word_table_clear(&j->c->units[unit]);
    j->c->unit_documents[unit] = 0;
    for (size_t i = unit * n / GR_WORD_UNITS; i < (unit + 1) * n / GR_WORD_UNITS; i++)
        if (count_part(j, &j->block->parts[i], unit, &err) != GR_OK) {
            gr_failure_note(&j->failure, unit, err.status, "%s", err.msg);
            return;
        }
}

/* --- a share of the words ------------------------------------------------------------------------------ */

/* Not of the low bits, which choose the slots. */
static size_t shard_of(uint64_t hash) { return (hash >> 40) % GR_WORD_SHARDS; }

static void join_shard(void *user, size_t shard, int worker)
{
    (void)worker;
    job *j = user;
    gr_word_table *to = &j->c->shards[shard];
    for (int unit = 0; unit < GR_WORD_UNITS; unit++) {
        const gr_word_table *from = &j->c->units[unit];
        for (size_t i = 0; i < from->n; i++) {
            const gr_word *w = &from->v[i];
            if (shard_of(w->hash) == shard &&
                gr_word_table_add(to, w->hash, gr_word_bytes(from, w), w->len, w->count) < 0) {
                gr_failure_note(&j->failure, shard, GR_ERR_MEM, "no memory for %zu distinct words", to->n);
                return;
            }
        }
    }
    if (gr_word_table_is_slow(to))
        gr_failure_note(&j->failure, shard, GR_ERR_LIMIT, "%s", slow_words);
}

/* --- both ---------------------------------------------------------------------------------------------- */

gr_word_totals gr_word_counter_totals(const gr_word_counter *c)
{
    gr_word_totals sum = { 0 };
    for (int s = 0; s < GR_WORD_SHARDS; s++) {
        sum.words += c->shards[s].n;
        sum.bytes += c->shards[s].bytes.len;
        for (size_t i = 0; i < c->shards[s].n; i++)
            sum.occurrences += c->shards[s].v[i].count;
    }
    return sum;
}

static gr_status check_limits(const gr_word_counter *c, gr_error *err)
{
    uint64_t words = 0, bytes = 0;
    for (int s = 0; s < GR_WORD_SHARDS; s++) {
        words += c->shards[s].n;
        bytes += c->shards[s].bytes.len;
    }
    if (words > c->max_words)
        return gr_fail(err, GR_ERR_LIMIT,
                       "the text has %llu distinct words so far, the limit is %llu: give less text, or allow "
                       "more words and their memory",
                       (unsigned long long)words, (unsigned long long)c->max_words);
    if (bytes > GR_WORD_BYTES_MAX)
        return gr_fail(
            err, GR_ERR_LIMIT,
            "the distinct words of the text have %llu bytes so far, the limit is %zu: give less text",
            (unsigned long long)bytes, GR_WORD_BYTES_MAX);
    return GR_OK;
}

gr_status gr_word_counter_add(gr_word_counter *c, const gr_corpus *block, gr_error *err)
{
    job j = { .c = c, .block = block };
    gr_failure_init(&j.failure);
    gr_threads_run(c->rt->threads, GR_WORD_UNITS, count_unit, &j);
    GR_TRY(gr_failure_status(&j.failure, err));
    gr_threads_run(c->rt->threads, GR_WORD_SHARDS, join_shard, &j);
    GR_TRY(gr_failure_status(&j.failure, err));
    for (int i = 0; i < GR_WORD_UNITS; i++)
        c->documents += c->unit_documents[i];
    return check_limits(c, err);
}
