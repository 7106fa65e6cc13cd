#include "text/tokenizer_write.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "io/json.h"
#include "text/bpe_split.h"
#include "text/byte_alphabet.h"
#include "text/unicode.h"

static const gr_special_token *special_of(const gr_special_token *specials, size_t n, int32_t id)
{
    for (size_t i = 0; i < n; i++)
        if (specials[i].id == id)
            return &specials[i];
    return NULL;
}

static gr_status check(const gr_special_token *specials, size_t n, int32_t bos, int32_t eos, gr_error *err)
{
    for (size_t i = 0; i < n; i++) {
        const gr_special_token *s = &specials[i];
        if (s->id < 256 || special_of(specials, i, s->id))
            return gr_fail(err, GR_ERR_ARG, "special token '%s' has id %d, which is the id of another token",
                           s->content, s->id);
        if (!s->content[0] || !gr_utf8_valid(s->content, strlen(s->content)))
            return gr_fail(err, GR_ERR_ARG, "special token %d is empty or not UTF-8", s->id);
        for (size_t k = 0; k < i; k++)
            if (strcmp(specials[k].content, s->content) == 0)
                return gr_fail(err, GR_ERR_ARG, "special token '%s' is there twice, with ids %d and %d",
                               s->content, specials[k].id, s->id);
    }
    if (!special_of(specials, n, bos) || !special_of(specials, n, eos))
        return gr_fail(err, GR_ERR_ARG, "bos %d and eos %d have to be special tokens", bos, eos);
    return GR_OK;
}

static gr_status written(const gr_buf *out, gr_error *err)
{
    return out->failed ? gr_fail(err, GR_ERR_MEM, "no room to write tokenizer files") : GR_OK;
}

static void put_string(gr_json_writer *w, const char *key, const char *value)
{
    gr_json_put_key(w, key);
    gr_json_put_text(w, value);
}

static void put_bool(gr_json_writer *w, const char *key, bool value)
{
    gr_json_put_key(w, key);
    gr_json_put_bool(w, value);
}

static void put_null(gr_json_writer *w, const char *key)
{
    gr_json_put_key(w, key);
    gr_json_put_null(w);
}

static void open_object(gr_json_writer *w, const char *key)
{
    gr_json_put_key(w, key);
    gr_json_put_object(w);
}

static void put_flags(gr_json_writer *w, const char *content)
{
    put_string(w, "content", content);
    put_bool(w, "single_word", false);
    put_bool(w, "lstrip", false);
    put_bool(w, "rstrip", false);
    put_bool(w, "normalized", false);
    put_bool(w, "special", true);
}

static void put_byte_level(gr_json_writer *w, bool prefix_and_regex)
{
    put_string(w, "type", "ByteLevel");
    put_bool(w, "add_prefix_space", prefix_and_regex);
    put_bool(w, "trim_offsets", true);
    put_bool(w, "use_regex", prefix_and_regex);
}

static void put_pre_tokenizer(gr_json_writer *w)
{
    open_object(w, "pre_tokenizer");
    put_string(w, "type", "Sequence");
    gr_json_put_key(w, "pretokenizers");
    gr_json_put_array(w);
    gr_json_put_object(w);
    put_string(w, "type", "Split");
    open_object(w, "pattern");
    put_string(w, "Regex", gr_llama3_split);
    gr_json_put_end(w, '}');
    put_string(w, "behavior", "Isolated");
    put_bool(w, "invert", false);
    gr_json_put_end(w, '}');
    gr_json_put_object(w);
    put_byte_level(w, false);
    gr_json_put_end(w, '}');
    gr_json_put_end(w, ']');
    gr_json_put_end(w, '}');
}

/* {"SpecialToken": {"id": token, "type_id": type}} or {"Sequence": {...}} */
static void put_template_item(gr_json_writer *w, const char *kind, const char *id, int type)
{
    gr_json_put_object(w);
    open_object(w, kind);
    put_string(w, "id", id);
    gr_json_put_key(w, "type_id");
    gr_json_put_int(w, type);
    gr_json_put_end(w, '}');
    gr_json_put_end(w, '}');
}

static void put_template(gr_json_writer *w, const gr_special_token *bos)
{
    open_object(w, "post_processor");
    put_string(w, "type", "TemplateProcessing");
    for (int n_texts = 1; n_texts <= 2; n_texts++) {
        gr_json_put_key(w, n_texts == 1 ? "single" : "pair");
        gr_json_put_array(w);
        for (int i = 0; i < n_texts; i++) {
            put_template_item(w, "SpecialToken", bos->content, i);
            put_template_item(w, "Sequence", i == 0 ? "A" : "B", i);
        }
        gr_json_put_end(w, ']');
    }
    open_object(w, "special_tokens");
    open_object(w, bos->content);
    put_string(w, "id", bos->content);
    gr_json_put_key(w, "ids");
    gr_json_put_array(w);
    gr_json_put_int(w, bos->id);
    gr_json_put_end(w, ']');
    gr_json_put_key(w, "tokens");
    gr_json_put_array(w);
    gr_json_put_text(w, bos->content);
    gr_json_put_end(w, ']');
    gr_json_put_end(w, '}');
    gr_json_put_end(w, '}');
    gr_json_put_end(w, '}');
}

static void put_model(gr_json_writer *w)
{
    open_object(w, "model");
    put_string(w, "type", "BPE");
    put_null(w, "dropout");
    put_null(w, "unk_token");
    put_null(w, "continuing_subword_prefix");
    put_null(w, "end_of_word_suffix");
    put_bool(w, "fuse_unk", false);
    put_bool(w, "byte_fallback", false);
    put_bool(w, "ignore_merges", true);
    open_object(w, "vocab");
    for (int byte = 0; byte < 256; byte++) {
        char spelled[5] = "";
        gr_utf8_encode(gr_byte_to_char((uint8_t)byte), (uint8_t *)spelled);
        gr_json_put_key(w, spelled);
        gr_json_put_int(w, byte);
    }
    gr_json_put_end(w, '}');
    gr_json_put_key(w, "merges");
    gr_json_put_array(w);
    gr_json_put_end(w, ']');
    gr_json_put_end(w, '}');
}

gr_status gr_tokenizer_write_bytes(gr_buf *out, const gr_special_token *specials, size_t n, int32_t bos,
                                   gr_error *err)
{
    GR_TRY(check(specials, n, bos, bos, err));
    gr_json_writer w;
    gr_json_writer_init(&w, out, true);
    gr_json_put_object(&w);
    put_string(&w, "version", "1.0");
    put_null(&w, "truncation");
    put_null(&w, "padding");
    gr_json_put_key(&w, "added_tokens");
    gr_json_put_array(&w);
    for (size_t i = 0; i < n; i++) {
        gr_json_put_object(&w);
        gr_json_put_key(&w, "id");
        gr_json_put_int(&w, specials[i].id);
        put_flags(&w, specials[i].content);
        gr_json_put_end(&w, '}');
    }
    gr_json_put_end(&w, ']');
    put_null(&w, "normalizer");
    put_pre_tokenizer(&w);
    put_template(&w, special_of(specials, n, bos));
    open_object(&w, "decoder");
    put_byte_level(&w, true);
    gr_json_put_end(&w, '}');
    put_model(&w);
    gr_json_put_end(&w, '}');
    gr_buf_text(out, "\n");
    return written(out, err);
}

gr_status gr_tokenizer_write_config(gr_buf *out, const gr_special_token *specials, size_t n, int32_t bos,
                                    int32_t eos, int context, gr_error *err)
{
    GR_TRY(check(specials, n, bos, eos, err));
    gr_json_writer w;
    gr_json_writer_init(&w, out, true);
    gr_json_put_object(&w);
    open_object(&w, "added_tokens_decoder");
    for (size_t i = 0; i < n; i++) {
        char id[16];
        snprintf(id, sizeof id, "%d", specials[i].id);
        open_object(&w, id);
        put_flags(&w, specials[i].content);
        gr_json_put_end(&w, '}');
    }
    gr_json_put_end(&w, '}');
    put_string(&w, "bos_token", special_of(specials, n, bos)->content);
    put_bool(&w, "clean_up_tokenization_spaces", true);
    put_string(&w, "eos_token", special_of(specials, n, eos)->content);
    gr_json_put_key(&w, "model_input_names");
    gr_json_put_array(&w);
    gr_json_put_text(&w, "input_ids");
    gr_json_put_text(&w, "attention_mask");
    gr_json_put_end(&w, ']');
    gr_json_put_key(&w, "model_max_length");
    gr_json_put_int(&w, context);
    put_string(&w, "tokenizer_class", "PreTrainedTokenizerFast");
    gr_json_put_end(&w, '}');
    gr_buf_text(out, "\n");
    return written(out, err);
}

gr_status gr_tokenizer_write_special_map(gr_buf *out, const gr_special_token *specials, size_t n, int32_t bos,
                                         int32_t eos, gr_error *err)
{
    GR_TRY(check(specials, n, bos, eos, err));
    gr_json_writer w;
    gr_json_writer_init(&w, out, true);
    gr_json_put_object(&w);
    put_string(&w, "bos_token", special_of(specials, n, bos)->content);
    put_string(&w, "eos_token", special_of(specials, n, eos)->content);
    gr_json_put_end(&w, '}');
    gr_buf_text(out, "\n");
    return written(out, err);
}
