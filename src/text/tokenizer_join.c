#include <string.h>

#include "text/byte_alphabet.h"
#include "text/tokenizer_reading.h"

typedef gr_tokenizer_reading reading;
typedef gr_noted noted;

static gr_status join_bytes(reading *r, gr_error *err)
{
    for (int byte = 0; byte < 256; byte++) {
        const uint8_t b = (uint8_t)byte;
        r->t->bpe.byte_ids[byte] = gr_vocab_find(&r->t->vocab, &b, 1);
        if (r->t->bpe.byte_ids[byte] < 0)
            return gr_fail(err, GR_ERR_UNSUPPORTED,
                           "the vocabulary has no token for byte 0x%02x, so not every text could be encoded",
                           b);
    }
    return GR_OK;
}

static gr_status join_merges(reading *r, gr_error *err)
{
    const gr_vocab *v = &r->t->vocab;
    char a[64], b[64];
    for (size_t i = 0; i < r->n_merges; i++) {
        const noted *m = &r->merges[i];
        const char *left = gr_buf_str(&r->bytes) + m->at, *right = left + m->len;
        const gr_merge merge = { gr_vocab_find(v, left, m->len), gr_vocab_find(v, right, m->right_len),
                                 gr_vocab_find(v, left, m->len + m->right_len) };
        if (merge.left < 0 || merge.right < 0 || merge.result < 0)
            return gr_fail(err, GR_ERR_FORMAT, "merge %zu ('%s' and '%s'): the %s is not in the vocabulary",
                           i, gr_bytes_show(a, left, m->len), gr_bytes_show(b, right, m->right_len),
                           merge.left < 0    ? "first half"
                           : merge.right < 0 ? "second half"
                                             : "result");
        GR_TRY(gr_bpe_add(&r->t->bpe, merge, err));
    }
    return gr_bpe_index(&r->t->bpe, err);
}

/* An added token may repeat a token of the vocabulary, with the same id; otherwise both must be new. */
static gr_status join_added_token(reading *r, const noted *a, gr_error *err)
{
    gr_vocab *v = &r->t->vocab;
    const uint8_t *content = (const uint8_t *)gr_buf_str(&r->bytes) + a->at;
    const unsigned flags = GR_TOKEN_ADDED | (a->special ? GR_TOKEN_SPECIAL : 0u);
    uint8_t bytes[GR_ADDED_BYTES_MAX];
    const ptrdiff_t n = gr_byte_unspell(bytes, content, a->len);
    const int32_t known = n < 0 ? -1 : gr_vocab_find(v, bytes, (size_t)n);
    char shown[64];
    if (known >= 0 && known != a->id)
        return gr_fail(err, GR_ERR_FORMAT, "added token '%s' has id %d, in the vocabulary it has %d",
                       gr_bytes_show(shown, content, a->len), a->id, known);
    const gr_token *there = gr_vocab_at(v, a->id);
    if (!there || (there->flags & GR_TOKEN_ADDED) || there->len != a->len ||
        memcmp(gr_vocab_bytes(v, there), content, a->len) != 0)
        return gr_vocab_add(v, a->id, content, a->len, flags, err);
    v->tokens[a->id].flags |= flags;
    return GR_OK;
}

static gr_status join_added(reading *r, gr_error *err)
{
    gr_tokenizer *t = r->t;
    for (size_t i = 0; i < r->n_added; i++)
        GR_TRY(join_added_token(r, &r->added[i], err));
    for (size_t i = 0; i < r->n_added; i++) { /* the bytes no longer move */
        const noted *a = &r->added[i];
        const gr_token *token = &t->vocab.tokens[a->id];
        if (!gr_added_add(&t->added[a->normalized], (gr_added_token){ gr_vocab_bytes(&t->vocab, token),
                                                                      token->len, a->id, a->special }))
            return gr_fail(err, GR_ERR_MEM, "no memory for %zu added tokens", r->n_added);
    }
    for (int phase = 0; phase < 2; phase++) {
        const gr_added_token *twice = gr_added_sort(&t->added[phase]);
        char shown[64];
        if (twice)
            return gr_fail(err, GR_ERR_FORMAT, "added token '%s' is there twice, with ids %d and %d",
                           gr_bytes_show(shown, twice[0].bytes, twice[0].len), twice[0].id, twice[1].id);
    }
    return GR_OK;
}

/* The post-processor names its token by a spelling and gives the id beside it: both must be the token's. */
static gr_status join_bos(reading *r, gr_error *err)
{
    r->t->bos = -1;
    if (!r->bos[0])
        return GR_OK;
    const int32_t bos = gr_tokenizer_id(r->t, r->bos);
    int32_t given = -1;
    for (size_t i = 0; i < r->n_templates; i++) {
        const noted *n = &r->templates[i];
        if (n->len == strlen(r->bos) && memcmp(gr_buf_str(&r->bytes) + n->at, r->bos, n->len) == 0)
            given = n->id;
    }
    if (bos < 0 || given != bos)
        return gr_fail(err, GR_ERR_FORMAT,
                       "post_processor gives '%s' the id %d, as a token it has %d (-1: none)", r->bos, given,
                       bos);
    r->t->bos = bos;
    return GR_OK;
}

gr_status gr_tokenizer_join(gr_tokenizer_reading *r, gr_error *err)
{
    GR_TRY(gr_vocab_index(&r->t->vocab, err));
    GR_TRY(join_bytes(r, err));
    GR_TRY(join_merges(r, err));
    GR_TRY(join_added(r, err));
    return join_bos(r, err);
}
