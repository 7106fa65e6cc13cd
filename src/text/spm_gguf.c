#include "text/spm_gguf.h"

#include <string.h>

#include "text/spm_pieces.h"
#include "text/vocab.h"

#define KEY(name) "tokenizer.ggml." name

typedef struct {
    int32_t bos;
    bool prefix;
} settings;

/* What else the file says about texts; what would change them in another way is refused. */
static gr_status read_settings(const gr_gguf *f, settings *s, gr_error *err)
{
    gr_gguf_text model = { "", 0 };
    char shown[64];
    GR_TRY(gr_gguf_string(f, KEY("model"), GR_GGUF_REQUIRED, &model, err));
    if (model.n != 5 || memcmp(model.at, "llama", 5) != 0)
        return gr_fail(err, GR_ERR_UNSUPPORTED, "%s: %s is '%s', expected 'llama'", gr_gguf_file(f),
                       KEY("model"), gr_bytes_show(shown, model.at, model.n));
    bool add_bos = true, add_eos = false, prefix = true, strip = false;
    uint64_t bos = 1;
    GR_TRY(gr_gguf_bool(f, KEY("add_bos_token"), GR_GGUF_OPTIONAL, &add_bos, err));
    GR_TRY(gr_gguf_bool(f, KEY("add_eos_token"), GR_GGUF_OPTIONAL, &add_eos, err));
    GR_TRY(gr_gguf_bool(f, KEY("add_space_prefix"), GR_GGUF_OPTIONAL, &prefix, err));
    GR_TRY(gr_gguf_bool(f, KEY("remove_extra_whitespaces"), GR_GGUF_OPTIONAL, &strip, err));
    GR_TRY(gr_gguf_uint(f, KEY("bos_token_id"), GR_GGUF_OPTIONAL, GR_VOCAB_MAX - 1, &bos, err));
    if (add_eos || strip)
        return gr_fail(err, GR_ERR_UNSUPPORTED, "%s: %s is true, expected false", gr_gguf_file(f),
                       add_eos ? KEY("add_eos_token") : KEY("remove_extra_whitespaces"));
    const gr_gguf_value *map = gr_gguf_find(f, KEY("precompiled_charsmap"));
    if (map && map->count > 0)
        return gr_fail(err, GR_ERR_UNSUPPORTED, "%s: %s: texts would be normalised, which is not done here",
                       gr_gguf_file(f), KEY("precompiled_charsmap"));
    *s = (settings){ add_bos ? (int32_t)bos : -1, prefix };
    return GR_OK;
}

static gr_status read_pieces(const gr_gguf *f, gr_spm_pieces *p, gr_error *err)
{
    const gr_gguf_value *tokens, *scores, *types;
    GR_TRY(gr_gguf_array(f, KEY("tokens"), GR_GGUF_REQUIRED, GR_GGUF_STRING, &tokens, err));
    GR_TRY(gr_gguf_array(f, KEY("scores"), GR_GGUF_REQUIRED, GR_GGUF_F32, &scores, err));
    GR_TRY(gr_gguf_array(f, KEY("token_type"), GR_GGUF_REQUIRED, GR_GGUF_I32, &types, err));
    if (scores->count != tokens->count || types->count != tokens->count)
        return gr_fail(err, GR_ERR_FORMAT, "%s: %zu tokens, %zu scores and %zu types", gr_gguf_file(f),
                       tokens->count, scores->count, types->count);
    gr_error why = { 0 };
    gr_status st = GR_OK;
    size_t at = 0;
    for (size_t i = 0; st == GR_OK && i < tokens->count; i++) {
        const gr_gguf_text text = gr_gguf_next_string(tokens, &at);
        st = gr_spm_pieces_add(p, text.at, text.n, gr_gguf_f32_at(scores, i),
                               (uint32_t)gr_gguf_i32_at(types, i), &why);
    }
    return st == GR_OK ? GR_OK : gr_fail(err, st, "%s: %s", gr_gguf_file(f), why.msg);
}

gr_status gr_tokenizer_from_gguf(gr_tokenizer **out, gr_runtime *rt, const gr_gguf *f, gr_error *err)
{
    settings s = { -1, true };
    gr_spm_pieces p;
    *out = NULL;
    GR_TRY(read_settings(f, &s, err));
    GR_TRY(gr_spm_pieces_init(&p, rt, err));
    gr_status st = read_pieces(f, &p, err);
    if (st != GR_OK) {
        gr_spm_pieces_fini(&p);
        return st;
    }
    gr_error why = { 0 };
    st = gr_spm_pieces_finish(&p, s.bos, s.prefix, out, &why);
    return st == GR_OK ? GR_OK : gr_fail(err, st, "%s: %s", gr_gguf_file(f), why.msg);
}
