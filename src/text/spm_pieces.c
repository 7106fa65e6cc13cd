#include "text/spm_pieces.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "text/tokenizer_data.h"
#include "text/unicode.h"

gr_status gr_spm_pieces_init(gr_spm_pieces *p, gr_runtime *rt, gr_error *err)
{
    *p = (gr_spm_pieces){ .t = gr_tokenizer_new(rt, GR_TOKENIZER_SPM) };
    return p->t ? GR_OK : gr_fail(err, GR_ERR_MEM, "no memory for a tokenizer");
}

void gr_spm_pieces_fini(gr_spm_pieces *p)
{
    if (p->t)
        gr_free(p->t->rt, p->scores);
    gr_tokenizer_free(p->t);
    *p = (gr_spm_pieces){ .t = NULL };
}

static int hex(uint8_t c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The byte that "<0x0A>" stands for, or -1. */
static int byte_of(const uint8_t *text, size_t n)
{
    const bool framed = n == 6 && memcmp(text, "<0x", 3) == 0 && text[5] == '>';
    const int high = framed ? hex(text[3]) : -1, low = framed ? hex(text[4]) : -1;
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

gr_status gr_spm_pieces_add(gr_spm_pieces *p, const void *text, size_t n, float score, uint64_t type,
                            gr_error *err)
{
    static const struct {
        unsigned flags;
        size_t max;
    } kinds[] = {
        [GR_SPM_NORMAL] = { GR_TOKEN_MODEL, GR_SPM_PIECE_MAX },
        [GR_SPM_UNKNOWN] = { GR_TOKEN_ADDED | GR_TOKEN_SPECIAL, GR_ADDED_BYTES_MAX },
        [GR_SPM_CONTROL] = { GR_TOKEN_ADDED | GR_TOKEN_SPECIAL, GR_ADDED_BYTES_MAX },
        [GR_SPM_USER] = { GR_TOKEN_MODEL | GR_TOKEN_ATOM, GR_ADDED_BYTES_MAX },
        [GR_SPM_UNUSED] = { GR_TOKEN_MODEL | GR_TOKEN_UNUSED, GR_SPM_PIECE_MAX },
        [GR_SPM_BYTE] = { GR_TOKEN_BYTE, 6 },
    };
    const size_t id = p->n;
    uint8_t spelled[GR_SPM_PIECE_MAX];
    if (id >= GR_VOCAB_MAX)
        return gr_fail(err, GR_ERR_LIMIT, "more than %d pieces", GR_VOCAB_MAX);
    if (type < GR_SPM_NORMAL || type > GR_SPM_BYTE)
        return gr_fail(err, GR_ERR_FORMAT, "piece %zu has the type %llu, expected 1 to 6", id,
                       (unsigned long long)type);
    if (n > kinds[type].max)
        return gr_fail(err, GR_ERR_LIMIT, "piece %zu has %zu bytes, the limit is %zu", id, n,
                       kinds[type].max);
    if (n == 0 || !gr_utf8_valid(text, n))
        return gr_fail(err, GR_ERR_FORMAT, "piece %zu is %s", id, n ? "not UTF-8" : "empty");
    if (!isfinite(score))
        return gr_fail(err, GR_ERR_FORMAT, "piece %zu has a score that is not finite", id);
    size_t len = gr_spm_unspell(spelled, text, n);
    if (type == GR_SPM_BYTE) {
        const int byte = byte_of(text, n);
        char shown[64];
        if (byte < 0)
            return gr_fail(err, GR_ERR_FORMAT, "piece %zu is the byte '%s', expected <0x00> to <0xFF>", id,
                           gr_bytes_show(shown, text, n));
        spelled[0] = (uint8_t)byte;
        len = 1;
    }
    if (!gr_grow(p->t->rt, &p->scores, &p->cap, id, id + 1, sizeof *p->scores))
        return gr_fail(err, GR_ERR_MEM, "no memory for %zu pieces", id + 1);
    p->scores[p->n++] = score;
    return gr_vocab_add(&p->t->vocab, (int32_t)id, spelled, len, kinds[type].flags, err);
}

static gr_status join(gr_spm_pieces *p, int32_t bos, gr_error *err)
{
    gr_tokenizer *t = p->t;
    char shown[64];
    GR_TRY(gr_vocab_index(&t->vocab, err));
    GR_TRY(gr_spm_join(&t->spm, p->scores, err));
    for (size_t id = 0; id < t->vocab.n; id++) { /* the bytes no longer move */
        const gr_token *token = &t->vocab.tokens[id];
        if ((token->flags & GR_TOKEN_ADDED) &&
            !gr_added_add(&t->added[0], (gr_added_token){ gr_vocab_bytes(&t->vocab, token), token->len,
                                                          (int32_t)id, true }))
            return gr_fail(err, GR_ERR_MEM, "no memory for special tokens");
    }
    const gr_added_token *twice = gr_added_sort(&t->added[0]);
    if (twice)
        return gr_fail(err, GR_ERR_FORMAT, "control piece '%s' is there twice, with ids %d and %d",
                       gr_bytes_show(shown, twice[0].bytes, twice[0].len), twice[0].id, twice[1].id);
    if (bos >= 0 && (size_t)bos >= t->vocab.n)
        return gr_fail(err, GR_ERR_FORMAT, "the token that begins a text is %d, there are %zu pieces", bos,
                       t->vocab.n);
    t->bos = bos;
    return GR_OK;
}

gr_status gr_spm_pieces_finish(gr_spm_pieces *p, int32_t bos, bool prefix, gr_tokenizer **out, gr_error *err)
{
    *out = NULL;
    const gr_status st = join(p, bos, err);
    if (st == GR_OK) {
        p->t->prefix = prefix;
        *out = p->t;
        gr_free(p->t->rt, p->scores);
        p->t = NULL;
    }
    gr_spm_pieces_fini(p);
    return st;
}
