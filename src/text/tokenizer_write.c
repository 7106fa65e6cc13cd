#include "text/tokenizer_write.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "io/json.h"
#include "text/bpe_split.h"
#include "text/byte_alphabet.h"
#include "text/tokenizer.h"
#include "text/unicode.h"
#include "text/vocab.h"

static const gr_special_token *special_of(const gr_special_token *specials, size_t n, int32_t id)
{
    for (size_t i = 0; i < n; i++)
        if (specials[i].id == id)
            return &specials[i];
    return NULL;
}

static const char *content_of(const gr_tokenizer_text *t, int32_t id)
{
    return special_of(t->specials, t->n_specials, id)->content;
}

static gr_status check(const gr_tokenizer_text *t, gr_error *err)
{
    const int32_t n_vocab = t->learned ? (int32_t)t->learned->tokens.n : 256;
    for (size_t i = 0; i < t->n_specials; i++) {
        const gr_special_token *s = &t->specials[i];
        if (s->id < n_vocab || special_of(t->specials, i, s->id))
            return gr_fail(err, GR_ERR_ARG, "special token '%s' has id %d, which is the id of another token",
                           s->content, s->id);
        if (!s->content[0] || !gr_utf8_valid(s->content, strlen(s->content)))
            return gr_fail(err, GR_ERR_ARG, "special token %d is empty or not UTF-8", s->id);
        for (size_t k = 0; k < i; k++)
            if (strcmp(t->specials[k].content, s->content) == 0)
                return gr_fail(err, GR_ERR_ARG, "special token '%s' is there twice, with ids %d and %d",
                               s->content, t->specials[k].id, s->id);
    }
    if (!special_of(t->specials, t->n_specials, t->bos) || !special_of(t->specials, t->n_specials, t->eos))
        return gr_fail(err, GR_ERR_ARG, "bos %d and eos %d have to be special tokens", t->bos, t->eos);
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

static void put_template(gr_json_writer *w, int32_t id, const char *bos)
{
    open_object(w, "post_processor");
    put_string(w, "type", "TemplateProcessing");
    for (int n_texts = 1; n_texts <= 2; n_texts++) {
        gr_json_put_key(w, n_texts == 1 ? "single" : "pair");
        gr_json_put_array(w);
        for (int i = 0; i < n_texts; i++) {
            put_template_item(w, "SpecialToken", bos, i);
            put_template_item(w, "Sequence", i == 0 ? "A" : "B", i);
        }
        gr_json_put_end(w, ']');
    }
    open_object(w, "special_tokens");
    open_object(w, bos);
    put_string(w, "id", bos);
    gr_json_put_key(w, "ids");
    gr_json_put_array(w);
    gr_json_put_int(w, id);
    gr_json_put_end(w, ']');
    gr_json_put_key(w, "tokens");
    gr_json_put_array(w);
    gr_json_put_text(w, bos);
    gr_json_put_end(w, ']');
    gr_json_put_end(w, '}');
    gr_json_put_end(w, '}');
    gr_json_put_end(w, '}');
}

/* --- the vocabulary ------------------------------------------------------------------------------------ */

/* Bytes as the byte alphabet spells them, zero-terminated. */
static void spell(char out[2 * GR_TOKEN_BYTES_MAX + 1], const uint8_t *bytes, size_t n)
{
    size_t at = 0;
    for (size_t i = 0; i < n; i++)
        at += (size_t)gr_utf8_encode(gr_byte_to_char(bytes[i]), (uint8_t *)out + at);
    out[at] = '\0';
}

static void put_token(gr_json_writer *w, const uint8_t *bytes, size_t n, int id)
{
    char spelled[2 * GR_TOKEN_BYTES_MAX + 1];
    spell(spelled, bytes, n);
    gr_json_put_key(w, spelled);
    gr_json_put_int(w, id);
}

static void put_vocab(gr_json_writer *w, const gr_bpe_learned *l)
{
    open_object(w, "vocab");
    for (size_t i = 0; l && i < l->tokens.n; i++)
        put_token(w, gr_word_bytes(&l->tokens, &l->tokens.v[i]), l->tokens.v[i].len, (int)i);
    for (int b = 0; !l && b < 256; b++) {
        const uint8_t byte = (uint8_t)b;
        put_token(w, &byte, 1, b);
    }
    gr_json_put_end(w, '}');
}

/* "left right": the way that every version of the tokenizers library reads. */
static void put_merges(gr_json_writer *w, const gr_bpe_learned *l)
{
    char spelled[2 * (2 * GR_TOKEN_BYTES_MAX + 1)];
    gr_json_put_key(w, "merges");
    gr_json_put_array(w);
    for (size_t i = 0; l && i < l->n_merges; i++) {
        const gr_word *left = &l->tokens.v[l->merges[i].left], *right = &l->tokens.v[l->merges[i].right];
        spell(spelled, gr_word_bytes(&l->tokens, left), left->len);
        char *end = spelled + strlen(spelled);
        *end = ' ';
        spell(end + 1, gr_word_bytes(&l->tokens, right), right->len);
        gr_json_put_text(w, spelled);
    }
    gr_json_put_end(w, ']');
}

static void put_model(gr_json_writer *w, const gr_bpe_learned *learned)
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
    put_vocab(w, learned);
    put_merges(w, learned);
    gr_json_put_end(w, '}');
}

/* --- the files ----------------------------------------------------------------------------------------- */

gr_status gr_tokenizer_write(gr_buf *out, const gr_tokenizer_text *t, gr_error *err)
{
    const gr_tokenizer_text bos_only = { t->learned, t->specials, t->n_specials, t->bos, t->bos, 0 };
    GR_TRY(check(&bos_only, err));
    gr_json_writer w;
    gr_json_writer_init(&w, out, true);
    gr_json_put_object(&w);
    put_string(&w, "version", "1.0");
    put_null(&w, "truncation");
    put_null(&w, "padding");
    gr_json_put_key(&w, "added_tokens");
    gr_json_put_array(&w);
    for (size_t i = 0; i < t->n_specials; i++) {
        gr_json_put_object(&w);
        gr_json_put_key(&w, "id");
        gr_json_put_int(&w, t->specials[i].id);
        put_flags(&w, t->specials[i].content);
        gr_json_put_end(&w, '}');
    }
    gr_json_put_end(&w, ']');
    put_null(&w, "normalizer");
    put_pre_tokenizer(&w);
    put_template(&w, t->bos, content_of(t, t->bos));
    open_object(&w, "decoder");
    put_byte_level(&w, true);
    gr_json_put_end(&w, '}');
    put_model(&w, t->learned);
    gr_json_put_end(&w, '}');
    gr_buf_text(out, "\n");
    return written(out, err);
}

/* By what names the published processor asks for special tokens: attributes of the tokenizer. */
static void put_attributes(gr_json_writer *w, const gr_tokenizer_text *t)
{
    static const char *const named[][2] = { { "image_token", "<|image|>" },
                                            { "pad_token", "<|end_of_text|>" },
                                            { "video_token", "<|video|>" } };
    open_object(w, "extra_special_tokens");
    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        for (size_t k = 0; k < t->n_specials; k++)
            if (strcmp(t->specials[k].content, named[i][1]) == 0)
                put_string(w, named[i][0], named[i][1]);
    gr_json_put_end(w, '}');
}

gr_status gr_tokenizer_write_config(gr_buf *out, const gr_tokenizer_text *t, gr_error *err)
{
    GR_TRY(check(t, err));
    gr_json_writer w;
    gr_json_writer_init(&w, out, true);
    gr_json_put_object(&w);
    open_object(&w, "added_tokens_decoder");
    for (size_t i = 0; i < t->n_specials; i++) {
        char id[16];
        snprintf(id, sizeof id, "%d", t->specials[i].id);
        open_object(&w, id);
        put_flags(&w, t->specials[i].content);
        gr_json_put_end(&w, '}');
    }
    gr_json_put_end(&w, '}');
    put_string(&w, "bos_token", content_of(t, t->bos));
    put_bool(&w, "clean_up_tokenization_spaces", true);
    put_string(&w, "eos_token", content_of(t, t->eos));
    put_attributes(&w, t);
    gr_json_put_key(&w, "model_input_names");
    gr_json_put_array(&w);
    gr_json_put_text(&w, "input_ids");
    gr_json_put_text(&w, "attention_mask");
    gr_json_put_end(&w, ']');
    gr_json_put_key(&w, "model_max_length");
    gr_json_put_int(&w, t->context);
    put_string(&w, "tokenizer_class", "PreTrainedTokenizerFast");
    gr_json_put_end(&w, '}');
    gr_buf_text(out, "\n");
    return written(out, err);
}

gr_status gr_tokenizer_write_special_map(gr_buf *out, const gr_tokenizer_text *t, gr_error *err)
{
    GR_TRY(check(t, err));
    gr_json_writer w;
    gr_json_writer_init(&w, out, true);
    gr_json_put_object(&w);
    put_string(&w, "bos_token", content_of(t, t->bos));
    put_string(&w, "eos_token", content_of(t, t->eos));
    gr_json_put_end(&w, '}');
    gr_buf_text(out, "\n");
    return written(out, err);
}

gr_status gr_tokenizer_write_files(const gr_folder *folder, gr_runtime *rt, const gr_tokenizer_text *t,
                                   gr_error *err)
{
    static const struct {
        const char *name;
        gr_status (*write)(gr_buf *out, const gr_tokenizer_text *t, gr_error *err);
    } files[] = {
        { "tokenizer.json", gr_tokenizer_write },
        { "tokenizer_config.json", gr_tokenizer_write_config },
        { "special_tokens_map.json", gr_tokenizer_write_special_map },
    };
    gr_buf text;
    gr_status st = GR_OK;
    gr_buf_init(&text, rt, GR_TOKENIZER_FILE_MAX);
    for (size_t i = 0; i < sizeof files / sizeof *files && st == GR_OK; i++) {
        gr_buf_clear(&text);
        st = files[i].write(&text, t, err);
        if (st == GR_OK)
            st = gr_folder_add(folder, files[i].name, text.data, text.len, err);
    }
    gr_buf_fini(&text);
    return st;
}
