#include "text/spm_model.h"

#include "base/half.h"
#include "io/protobuf.h"
#include "text/spm_pieces.h"

/* Fields that matter, with the defaults of sentencepiece_model.proto. */
typedef struct {
    gr_spm_pieces pieces;
    uint64_t model_type, byte_fallback, whitespace_as_suffix, bos;
    uint64_t dummy_prefix, remove_extra, escape;
    size_t charsmap; /* bytes of the normaliser's and the denormaliser's tables */
} reading;

/* Which value a numbered field goes to. */
typedef struct {
    uint32_t number;
    uint64_t *value;
} slot;

/* Numbers go to their slots; `table`, if not NULL, counts the bytes of field 2. */
static gr_status read_slots(const gr_proto_field *message, const slot *slots, size_t n, size_t *table,
                            const char *where, gr_error *err)
{
    gr_proto p = { message->data, message->data + message->n, NULL };
    for (gr_proto_field f; gr_proto_next(&p, &f);) {
        for (size_t i = 0; i < n; i++)
            if (slots[i].number == f.number && f.wire == GR_PROTO_VARINT)
                *slots[i].value = f.value;
        if (table && f.number == 2 && f.wire == GR_PROTO_BYTES)
            *table += f.n;
    }
    return p.bad ? gr_fail(err, GR_ERR_FORMAT, "%s: %s", where, p.bad) : GR_OK;
}

static gr_status read_piece(reading *r, const gr_proto_field *message, gr_error *err)
{
    gr_proto p = { message->data, message->data + message->n, NULL };
    gr_proto_field text = { .n = 0 };
    float score = 0;
    uint64_t type = GR_SPM_NORMAL;
    for (gr_proto_field f; gr_proto_next(&p, &f);) {
        if (f.number == 1 && f.wire == GR_PROTO_BYTES)
            text = f;
        else if (f.number == 2 && f.wire == GR_PROTO_FIXED32)
            score = gr_f32_from_bits((uint32_t)f.value);
        else if (f.number == 3 && f.wire == GR_PROTO_VARINT)
            type = f.value;
    }
    if (p.bad)
        return gr_fail(err, GR_ERR_FORMAT, "piece %zu: %s", r->pieces.n, p.bad);
    return gr_spm_pieces_add(&r->pieces, text.data, text.n, score, type, err);
}

static gr_status read_field(reading *r, const gr_proto_field *f, gr_error *err)
{
    const slot trainer[] = {
        { 3, &r->model_type }, { 24, &r->whitespace_as_suffix }, { 35, &r->byte_fallback }, { 41, &r->bos }
    };
    const slot normalizer[] = { { 3, &r->dummy_prefix }, { 4, &r->remove_extra }, { 5, &r->escape } };
    if (f->wire != GR_PROTO_BYTES)
        return GR_OK;
    switch (f->number) {
    case 1:
        return read_piece(r, f, err);
    case 2:
        return read_slots(f, trainer, 4, NULL, "trainer_spec", err);
    case 3:
        return read_slots(f, normalizer, 3, &r->charsmap, "normalizer_spec", err);
    case 5:
        return read_slots(f, NULL, 0, &r->charsmap, "denormalizer_spec", err);
    default:
        return GR_OK; /* self-tests, extensions */
    }
}

static gr_status check(const reading *r, gr_error *err)
{
    const struct {
        bool bad;
        const char *what;
    } rules[] = {
        { r->model_type != 2, "model_type is not BPE" },
        { !r->byte_fallback, "byte_fallback is off: not every text could be encoded" },
        { r->whitespace_as_suffix, "treat_whitespace_as_suffix is on" },
        { r->charsmap, "precompiled_charsmap: texts would be normalised" },
        { r->remove_extra, "remove_extra_whitespaces is on" },
        { !r->escape, "escape_whitespaces is off" },
    };
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (rules[i].bad)
            return gr_fail(err, GR_ERR_UNSUPPORTED, "%s, which is not supported", rules[i].what);
    return GR_OK;
}

static gr_status read_model(reading *r, const uint8_t *data, size_t n, gr_error *err)
{
    gr_proto p = { data, data + n, NULL };
    for (gr_proto_field f; gr_proto_next(&p, &f);)
        GR_TRY(read_field(r, &f, err));
    if (p.bad)
        return gr_fail(err, GR_ERR_FORMAT, "not a SentencePiece model: %s", p.bad);
    return check(r, err);
}

gr_status gr_tokenizer_from_spm_model(gr_tokenizer **out, gr_runtime *rt, const uint8_t *data, size_t n,
                                      const char *name, gr_error *err)
{
    static const uint8_t nothing[1];
    *out = NULL;
    if (n > GR_TOKENIZER_FILE_MAX)
        return gr_fail(err, GR_ERR_LIMIT, "%s: %zu bytes, the limit for a tokenizer is %zu", name, n,
                       GR_TOKENIZER_FILE_MAX);
    reading r = { .model_type = 1, .bos = 1, .dummy_prefix = 1, .remove_extra = 1, .escape = 1 };
    gr_error why = { 0 };
    GR_TRY(gr_spm_pieces_init(&r.pieces, rt, err));
    gr_status st = read_model(&r, data ? data : nothing, n, &why);
    if (st == GR_OK) { /* a negative id: there is none */
        const int32_t bos = r.bos >> 63 ? -1 : r.bos > INT32_MAX ? INT32_MAX : (int32_t)r.bos;
        st = gr_spm_pieces_finish(&r.pieces, bos, r.dummy_prefix, out, &why);
    } else {
        gr_spm_pieces_fini(&r.pieces);
    }
    return st == GR_OK ? GR_OK : gr_fail(err, st, "%s: %s", name, why.msg);
}
