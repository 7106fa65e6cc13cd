#include "text/tokenizer.h"

#include <string.h>

#include "base/alloc.h"
#include "text/bpe_split.h"
#include "text/tokenizer_data.h"

gr_tokenizer *gr_tokenizer_new(gr_runtime *rt, gr_tokenizer_kind kind)
{
    gr_tokenizer *t = gr_calloc(rt, 1, sizeof *t);
    if (!t)
        return NULL;
    t->rt = t->added[0].rt = t->added[1].rt = rt;
    t->kind = kind;
    t->bos = -1;
    gr_vocab_init(&t->vocab, rt);
    gr_bpe_init(&t->bpe, rt);
    gr_spm_init(&t->spm, rt, &t->vocab);
    return t;
}

void gr_tokenizer_free(gr_tokenizer *t)
{
    if (!t)
        return;
    gr_vocab_fini(&t->vocab);
    gr_bpe_fini(&t->bpe);
    gr_spm_fini(&t->spm);
    for (int phase = 0; phase < 2; phase++)
        gr_added_fini(&t->added[phase]);
    gr_free(t->rt, t);
}

typedef struct {
    const gr_tokenizer *t;
    unsigned flags;
    bool begun; /* what comes is not the beginning of the text */
    gr_bpe_work bpe;
    gr_spm_work spm;
    gr_ids *ids;
    gr_error *err;
} encoding;

static gr_status encode_bpe(encoding *e, const uint8_t *text, size_t n)
{
    const gr_tokenizer *t = e->t;
    while (n > 0) {
        const size_t piece = gr_bpe_split(text, n);
        const int32_t whole = t->ignore_merges ? gr_vocab_find(&t->vocab, text, piece) : -1;
        if (whole >= 0)
            GR_TRY(gr_ids_add(e->ids, whole, e->err));
        else
            GR_TRY(gr_bpe_encode(&t->bpe, &e->bpe, text, piece, e->ids, e->err));
        text += piece;
        n -= piece;
    }
    return GR_OK;
}

/* Text without added tokens. */
static gr_status encode_plain(encoding *e, const uint8_t *text, size_t n)
{
    if (n == 0)
        return GR_OK;
    const bool prefix = e->t->prefix && !e->begun;
    e->begun = true;
    return e->t->kind == GR_TOKENIZER_SPM
               ? gr_spm_encode(&e->t->spm, &e->spm, text, n, prefix, e->ids, e->err)
               : encode_bpe(e, text, n);
}

/* Cuts the text at the added tokens of a phase; what is between them goes to the next one. */
static gr_status encode_phase(encoding *e, int phase, const uint8_t *text, size_t n)
{
    if (phase == 2)
        return encode_plain(e, text, n);
    size_t at;
    const gr_added_token *found;
    while ((found = gr_added_find(&e->t->added[phase], text, n, e->flags & GR_ENCODE_SPECIALS, &at))) {
        GR_TRY(encode_phase(e, phase + 1, text, at));
        GR_TRY(gr_ids_add(e->ids, found->id, e->err));
        e->begun = !(e->flags & GR_ENCODE_PREFIX_EACH);
        text += at + found->len;
        n -= at + found->len;
    }
    return encode_phase(e, phase + 1, text, n);
}

gr_status gr_tokenizer_encode(const gr_tokenizer *t, const char *text, size_t n, unsigned flags, gr_ids *ids,
                              gr_error *err)
{
    if (n > GR_TEXT_MAX)
        return gr_fail(err, GR_ERR_LIMIT, "a text of %zu bytes, the limit is %zu", n, GR_TEXT_MAX);
    encoding e = { .t = t, .flags = flags, .begun = flags & GR_ENCODE_CONTINUES, .ids = ids, .err = err };
    gr_spm_work_init(&e.spm, t->rt);
    const gr_status st = encode_phase(&e, 0, (const uint8_t *)text, n);
    gr_bpe_work_fini(&e.bpe, t->rt);
    gr_spm_work_fini(&e.spm, t->rt);
    return st;
}

gr_status gr_tokenizer_to_ids(const gr_tokenizer *t, const char *text, size_t n, bool specials, int32_t *ids,
                              size_t max, size_t *count, gr_error *err)
{
    gr_ids list;
    gr_ids_init(&list, t->rt, n + 1); /* SentencePiece may put a piece of its own before the text */
    gr_status st = gr_tokenizer_encode(t, text, n, specials, &list, err);
    *count = list.n;
    if (st == GR_OK && ids && list.n > max)
        st = gr_fail(err, GR_ERR_LIMIT, "the text has %zu tokens, there is room for %zu", list.n, max);
    if (st == GR_OK && ids && list.n > 0)
        memcpy(ids, list.v, list.n * sizeof *ids);
    gr_ids_fini(&list);
    return st;
}

void gr_tokenizer_ends(const gr_tokenizer *t, const int32_t *ids, size_t n, size_t *ends)
{
    size_t end = 0;
    for (size_t i = 0; i < n; i++) {
        const gr_token *token = gr_vocab_at(&t->vocab, ids[i]);
        end += token ? token->len - (i == 0 ? gr_tokenizer_lead(t, ids[i]) : 0) : 0;
        ends[i] = end;
    }
}

int32_t gr_tokenizer_id(const gr_tokenizer *t, const char *content)
{
    const size_t n = strlen(content);
    for (int phase = 0; phase < 2; phase++) {
        size_t at;
        const gr_added_token *found = gr_added_find(&t->added[phase], (const uint8_t *)content, n, true, &at);
        if (found && at == 0 && found->len == n)
            return found->id;
    }
    const int32_t id = gr_vocab_find(&t->vocab, content, n);
    return id < 0 && n == 1 && t->kind == GR_TOKENIZER_SPM ? t->spm.byte_ids[(uint8_t)content[0]] : id;
}

const uint8_t *gr_tokenizer_bytes(const gr_tokenizer *t, int32_t id, size_t *n)
{
    const gr_token *token = gr_vocab_at(&t->vocab, id);
    *n = token ? token->len : 0;
    return token ? gr_vocab_bytes(&t->vocab, token) : NULL;
}

size_t gr_tokenizer_lead(const gr_tokenizer *t, int32_t id)
{
    const gr_token *token = t->prefix ? gr_vocab_at(&t->vocab, id) : NULL;
    return token && !(token->flags & (GR_TOKEN_BYTE | GR_TOKEN_SPECIAL)) &&
           *gr_vocab_bytes(&t->vocab, token) == ' ';
}

bool gr_tokenizer_is_special(const gr_tokenizer *t, int32_t id)
{
    const gr_token *token = gr_vocab_at(&t->vocab, id);
    return token && (token->flags & GR_TOKEN_SPECIAL);
}

int32_t gr_tokenizer_n_vocab(const gr_tokenizer *t) { return (int32_t)t->vocab.n; }
int32_t gr_tokenizer_bos(const gr_tokenizer *t) { return t->bos; }
gr_runtime *gr_tokenizer_runtime(const gr_tokenizer *t) { return t->rt; }
