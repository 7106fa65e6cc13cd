#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "text/bpe_split.h"
#include "text/byte_alphabet.h"
#include "text/tokenizer_reading.h"

#define STRING_MAX ((size_t)1 << 20) /* longer strings occur only in what is refused anyway */
#define ADDED_MAX  (1 << 16)
#define MERGES_MAX (1 << 22)

typedef gr_tokenizer_reading reading;
typedef gr_noted noted;

/* A key of an object and what reads its value. */
typedef struct {
    const char *key;
    void (*read)(reading *r);
    bool required;
} member;

/* Reads an object; keys without a row are passed over. */
static void read_members(reading *r, const member *members, size_t n, const char *where)
{
    unsigned seen = 0;
    const char *key;
    for (gr_json_object(&r->json); gr_json_key(&r->json, &key);) {
        size_t i = 0;
        while (i < n && strcmp(members[i].key, key) != 0)
            i++;
        if (i == n) {
            gr_json_skip(&r->json);
            continue;
        }
        if (seen & 1u << i)
            gr_json_fail(&r->json, GR_ERR_FORMAT, "%s has the key '%s' twice", where, members[i].key);
        seen |= 1u << i;
        members[i].read(r);
    }
    for (size_t i = 0; i < n; i++)
        if (members[i].required && !(seen & 1u << i))
            gr_json_fail(&r->json, GR_ERR_FORMAT, "%s lacks '%s'", where, members[i].key);
}

#define N(array) (sizeof(array) / sizeof *(array))

static void no_memory(reading *r) { gr_json_fail(&r->json, GR_ERR_MEM, "no memory to read the tokenizer"); }

/* Appends a zeroed entry; NULL, and recorded, when there is no memory or the limit is reached. */
static noted *note(reading *r, noted **list, size_t *n, size_t *cap, size_t max, const char *what)
{
    if (*n >= max) {
        gr_json_fail(&r->json, GR_ERR_LIMIT, "more than %zu %s", max, what);
        return NULL;
    }
    if (!gr_grow(r->t->rt, list, cap, *n, *n + 1, sizeof **list)) {
        no_memory(r);
        return NULL;
    }
    (*list)[*n] = (noted){ .at = r->bytes.len };
    return &(*list)[(*n)++];
}

/* --- what has to be as expected ------------------------------------------------------------------------ */

/* A short copy of the next string, for comparisons and messages. */
static void read_word(reading *r, char *out, size_t n)
{
    snprintf(out, n, "%s", gr_json_string(&r->json, NULL));
}

/* The fields of pre-tokenisers, post-processors, decoders and normalisers that tell what they do. */
typedef struct {
    char type[32], behavior[32], pattern[300];
    bool regex, invert, add_prefix_space, use_regex;
} step;

static void read_pattern(reading *r, step *s)
{
    const char *key;
    for (gr_json_object(&r->json); gr_json_key(&r->json, &key);) {
        s->regex = strcmp(key, "Regex") == 0; /* else "String": a plain one, even if it is spelled alike */
        read_word(r, s->pattern, sizeof s->pattern);
    }
}

static void read_step(reading *r, step *s, const char *list, void (*each)(reading *r))
{
    *s = (step){ .add_prefix_space = true, .use_regex = true }; /* ByteLevel's defaults */
    const char *key;
    for (gr_json_object(&r->json); gr_json_key(&r->json, &key);) {
        if (strcmp(key, "type") == 0)
            read_word(r, s->type, sizeof s->type);
        else if (strcmp(key, "behavior") == 0)
            read_word(r, s->behavior, sizeof s->behavior);
        else if (strcmp(key, "pattern") == 0 && gr_json_peek(&r->json) == GR_JSON_OBJECT)
            read_pattern(r, s);
        else if (strcmp(key, "invert") == 0)
            s->invert = gr_json_bool(&r->json);
        else if (strcmp(key, "add_prefix_space") == 0)
            s->add_prefix_space = gr_json_bool(&r->json);
        else if (strcmp(key, "use_regex") == 0)
            s->use_regex = gr_json_bool(&r->json);
        else if (list && strcmp(key, list) == 0)
            for (gr_json_array(&r->json); gr_json_item(&r->json);)
                each(r);
        else
            gr_json_skip(&r->json);
    }
}

static void read_normalizer(reading *r)
{
    if (gr_json_null(&r->json))
        return;
    step s;
    read_step(r, &s, NULL, NULL);
    gr_json_fail(&r->json, GR_ERR_UNSUPPORTED, "normalizer '%s' is not supported, expected null", s.type);
}

static void read_pre_tokenizer(reading *r)
{
    step s;
    read_step(r, &s, "pretokenizers", read_pre_tokenizer);
    if (strcmp(s.type, "Sequence") == 0)
        return;
    if (strcmp(s.type, "Split") == 0) {
        if (!s.regex || strcmp(s.pattern, gr_llama3_split) != 0 || strcmp(s.behavior, "Isolated") != 0 ||
            s.invert)
            gr_json_fail(&r->json, GR_ERR_UNSUPPORTED,
                         "pre_tokenizer Split with %s \"%.200s\", behavior '%s', invert %s is not "
                         "supported, expected the Llama-3 pattern, isolated",
                         s.regex ? "Regex" : "String", s.pattern, s.behavior, s.invert ? "true" : "false");
        if (r->split || r->byte_level)
            gr_json_fail(&r->json, GR_ERR_UNSUPPORTED, "pre_tokenizer: a Split after another step");
        r->split = true;
    } else if (strcmp(s.type, "ByteLevel") == 0) {
        if (s.add_prefix_space || s.use_regex || r->byte_level)
            gr_json_fail(&r->json, GR_ERR_UNSUPPORTED,
                         "pre_tokenizer ByteLevel with add_prefix_space %s, use_regex %s%s is not supported, "
                         "expected false and false, once",
                         s.add_prefix_space ? "true" : "false", s.use_regex ? "true" : "false",
                         r->byte_level ? ", a second time" : "");
        r->byte_level = true;
    } else {
        gr_json_fail(&r->json, GR_ERR_UNSUPPORTED,
                     "pre_tokenizer '%s' is not supported, expected Split followed by ByteLevel", s.type);
    }
}

/* One element of TemplateProcessing's "single": {"SpecialToken": {"id": ...}} or {"Sequence": {"id": "A"}}.
 */
static void read_template_item(reading *r, bool *sequence)
{
    char id[GR_ADDED_BYTES_MAX + 1] = "";
    bool token = false;
    const char *key;
    for (gr_json_object(&r->json); gr_json_key(&r->json, &key);) {
        token = strcmp(key, "SpecialToken") == 0;
        for (gr_json_object(&r->json); gr_json_key(&r->json, &key);) {
            if (strcmp(key, "id") == 0)
                read_word(r, id, sizeof id);
            else
                gr_json_skip(&r->json);
        }
    }
    if (token && (*sequence || r->bos[0]))
        gr_json_fail(&r->json, GR_ERR_UNSUPPORTED,
                     "post_processor TemplateProcessing puts '%s' %s, expected at most one token, before the "
                     "text",
                     id, *sequence ? "after the text" : "beside another token");
    if (token)
        memcpy(r->bos, id, sizeof id);
    else
        *sequence = true;
}

/* TemplateProcessing's "special_tokens": {"<spelling>": {"ids": [128000], ...}, ...}. */
static void read_template_tokens(reading *r)
{
    const char *key;
    for (gr_json_object(&r->json); gr_json_key(&r->json, &key);) {
        noted *token =
            note(r, &r->templates, &r->n_templates, &r->templates_cap, ADDED_MAX, "template tokens");
        if (!token)
            return;
        token->len = (uint32_t)strlen(key);
        if (!gr_buf_add(&r->bytes, key, token->len))
            no_memory(r);
        int n_ids = 0;
        for (gr_json_object(&r->json); gr_json_key(&r->json, &key);) {
            if (strcmp(key, "ids") != 0) {
                gr_json_skip(&r->json);
                continue;
            }
            for (gr_json_array(&r->json); gr_json_item(&r->json); n_ids++)
                token->id = (int32_t)gr_json_int(&r->json, 0, GR_VOCAB_MAX - 1);
        }
        if (n_ids != 1)
            token->id = -1;
    }
}

static void read_post_processor(reading *r)
{
    if (gr_json_null(&r->json))
        return;
    char type[32] = "";
    bool sequence = false;
    const char *key;
    for (gr_json_object(&r->json); gr_json_key(&r->json, &key);) {
        if (strcmp(key, "type") == 0)
            read_word(r, type, sizeof type);
        else if (strcmp(key, "processors") == 0)
            for (gr_json_array(&r->json); gr_json_item(&r->json);)
                read_post_processor(r);
        else if (strcmp(key, "single") == 0)
            for (gr_json_array(&r->json); gr_json_item(&r->json);)
                read_template_item(r, &sequence);
        else if (strcmp(key, "special_tokens") == 0)
            read_template_tokens(r);
        else
            gr_json_skip(&r->json);
    }
    if (strcmp(type, "Sequence") != 0 && strcmp(type, "ByteLevel") != 0 &&
        strcmp(type, "TemplateProcessing") != 0)
        gr_json_fail(&r->json, GR_ERR_UNSUPPORTED,
                     "post_processor '%s' is not supported, expected TemplateProcessing", type);
}

static void read_decoder(reading *r)
{
    step s = { .type = "null" };
    if (!gr_json_null(&r->json))
        read_step(r, &s, NULL, NULL);
    if (strcmp(s.type, "ByteLevel") != 0)
        gr_json_fail(&r->json, GR_ERR_UNSUPPORTED, "decoder '%s' is not supported, expected ByteLevel",
                     s.type);
}

/* --- tokens and merges --------------------------------------------------------------------------------- */

static void read_added_token(reading *r)
{
    noted *a = note(r, &r->added, &r->n_added, &r->added_cap, ADDED_MAX, "added tokens");
    if (!a) {
        gr_json_skip(&r->json);
        return;
    }
    bool one_sided = false, has_id = false, has_normalized = false;
    const char *key;
    for (gr_json_object(&r->json); gr_json_key(&r->json, &key);) {
        if (strcmp(key, "id") == 0) {
            a->id = (int32_t)gr_json_int(&r->json, 0, GR_VOCAB_MAX - 1);
            has_id = true;
        } else if (strcmp(key, "content") == 0) {
            size_t n;
            const char *content = gr_json_string(&r->json, &n);
            a->at = r->bytes.len;
            a->len = (uint32_t)n;
            if (!gr_buf_add(&r->bytes, content, n))
                no_memory(r);
        } else if (strcmp(key, "special") == 0) {
            a->special = gr_json_bool(&r->json);
        } else if (strcmp(key, "normalized") == 0) {
            a->normalized = gr_json_bool(&r->json);
            has_normalized = true;
        } else if (strcmp(key, "single_word") == 0 || strcmp(key, "lstrip") == 0 ||
                   strcmp(key, "rstrip") == 0) {
            one_sided |= gr_json_bool(&r->json);
        } else {
            gr_json_skip(&r->json);
        }
    }
    if (!has_normalized)
        a->normalized = !a->special;
    if (!has_id || a->len < 1 || a->len > GR_ADDED_BYTES_MAX)
        gr_json_fail(&r->json, GR_ERR_FORMAT, "an added token wants an id and a content of 1 to %d bytes",
                     GR_ADDED_BYTES_MAX);
    char shown[64];
    if (one_sided)
        gr_json_fail(&r->json, GR_ERR_UNSUPPORTED,
                     "added token '%s': single_word, lstrip and rstrip are not supported",
                     gr_bytes_show(shown, gr_buf_str(&r->bytes) + a->at, a->len));
}

static void read_added(reading *r)
{
    for (gr_json_array(&r->json); gr_json_item(&r->json);)
        read_added_token(r);
}

static void read_model_type(reading *r)
{
    char type[32];
    read_word(r, type, sizeof type);
    if (strcmp(type, "BPE") != 0)
        gr_json_fail(&r->json, GR_ERR_UNSUPPORTED, "model type '%s' is not supported, expected BPE", type);
}

static void read_dropout(reading *r)
{
    if (!gr_json_null(&r->json) && gr_json_number(&r->json) != 0)
        gr_json_fail(&r->json, GR_ERR_UNSUPPORTED, "model with dropout is not supported, expected null");
}

static void read_affix(reading *r)
{
    char affix[32] = "";
    if (!gr_json_null(&r->json))
        read_word(r, affix, sizeof affix);
    if (affix[0])
        gr_json_fail(&r->json, GR_ERR_UNSUPPORTED,
                     "model with continuing_subword_prefix or end_of_word_suffix '%s' is not supported",
                     affix);
}

static void read_ignore_merges(reading *r) { r->t->ignore_merges = gr_json_bool(&r->json); }

static void read_vocab(reading *r)
{
    gr_error err = { 0 };
    const char *key;
    uint8_t bytes[2 * GR_TOKEN_BYTES_MAX];
    for (gr_json_object(&r->json); gr_json_key(&r->json, &key);) {
        const size_t n = strlen(key);
        if (n > sizeof bytes) {
            gr_json_fail(&r->json, GR_ERR_LIMIT, "a token spelled with %zu bytes, the limit is %zu", n,
                         sizeof bytes);
            break;
        }
        const ptrdiff_t unspelled = gr_byte_unspell(bytes, (const uint8_t *)key, n);
        if (unspelled < 0) /* no text becomes such a token; it decodes to what is written */
            memcpy(bytes, key, n);
        const size_t len = unspelled < 0 ? n : (size_t)unspelled;
        const int32_t id = (int32_t)gr_json_int(&r->json, 0, GR_VOCAB_MAX - 1);
        if (len < 1 || len > GR_TOKEN_BYTES_MAX)
            gr_json_fail(&r->json, GR_ERR_LIMIT, "token %d has %zu bytes, expected 1 to %d", id, len,
                         GR_TOKEN_BYTES_MAX);
        else if (gr_json_status(&r->json, false, NULL) == GR_OK &&
                 gr_vocab_add(&r->t->vocab, id, bytes, len, unspelled < 0 ? 0 : GR_TOKEN_MODEL, &err) !=
                     GR_OK)
            gr_json_fail(&r->json, err.status, "%s", err.msg);
    }
}

/* Notes one half of a merge. */
static void note_half(reading *r, const char *spelled, size_t n, uint32_t *len)
{
    const size_t at = r->bytes.len;
    if (!gr_buf_add(&r->bytes, spelled, n)) {
        no_memory(r);
        return;
    }
    uint8_t *bytes = (uint8_t *)r->bytes.data + at;
    const ptrdiff_t unspelled = gr_byte_unspell(bytes, bytes, n);
    if (unspelled <= 0)
        gr_json_fail(&r->json, GR_ERR_FORMAT, "merge %zu has an empty half or a character that is no byte",
                     r->n_merges - 1);
    else
        r->bytes.len = at + (*len = (uint32_t)unspelled);
}

static void read_merge(reading *r)
{
    const bool pair = gr_json_peek(&r->json) == GR_JSON_ARRAY;
    size_t n = 0, n_halves = 0;
    const char *text = pair ? "" : gr_json_string(&r->json, &n);
    if (!pair && n >= 8 && memcmp(text, "#version", 8) == 0)
        return; /* the first line of a merges.txt */
    noted *m = note(r, &r->merges, &r->n_merges, &r->merges_cap, MERGES_MAX, "merges");
    const char *space = pair || n == 0 ? NULL : memchr(text, ' ', n);
    if (!m || (!pair && !space)) {
        gr_json_fail(&r->json, GR_ERR_FORMAT, "a merge wants two halves with a space between them");
        if (pair)
            gr_json_skip(&r->json);
        return;
    }
    if (!pair) {
        note_half(r, text, (size_t)(space - text), &m->len);
        note_half(r, space + 1, n - (size_t)(space + 1 - text), &m->right_len);
        return;
    }
    for (gr_json_array(&r->json); gr_json_item(&r->json); n_halves++) {
        text = gr_json_string(&r->json, &n);
        note_half(r, text, n, n_halves == 0 ? &m->len : &m->right_len);
    }
    if (n_halves != 2)
        gr_json_fail(&r->json, GR_ERR_FORMAT, "a merge wants two halves, found %zu", n_halves);
}

static void read_merges(reading *r)
{
    for (gr_json_array(&r->json); gr_json_item(&r->json);)
        read_merge(r);
}

static void read_model(reading *r)
{
    static const member members[] = {
        { "type", read_model_type, true },
        { "dropout", read_dropout, false },
        { "continuing_subword_prefix", read_affix, false },
        { "end_of_word_suffix", read_affix, false },
        { "ignore_merges", read_ignore_merges, false },
        { "vocab", read_vocab, true },
        { "merges", read_merges, true },
    };
    read_members(r, members, N(members), "model");
}

static void read_file(reading *r)
{
    static const member members[] = {
        { "added_tokens", read_added, false },
        { "normalizer", read_normalizer, false },
        { "pre_tokenizer", read_pre_tokenizer, true },
        { "post_processor", read_post_processor, false },
        { "decoder", read_decoder, true },
        { "model", read_model, true },
    };
    read_members(r, members, N(members), "the tokenizer");
    if (!r->split || !r->byte_level)
        gr_json_fail(&r->json, GR_ERR_UNSUPPORTED,
                     "pre_tokenizer without %s is not supported, expected Split followed by ByteLevel",
                     r->split ? "ByteLevel" : "Split");
}

/* --- the whole file --------------------------------------------------------------------------------- */

gr_status gr_tokenizer_parse(gr_tokenizer **out, gr_runtime *rt, const char *text, size_t n, const char *name,
                             gr_error *err)
{
    *out = NULL;
    if (n > GR_TOKENIZER_FILE_MAX)
        return gr_fail(err, GR_ERR_LIMIT, "%s: %zu bytes, the limit for a tokenizer is %zu", name, n,
                       GR_TOKENIZER_FILE_MAX);
    gr_tokenizer *t = gr_tokenizer_new(rt, GR_TOKENIZER_BPE);
    if (!t)
        return gr_fail(err, GR_ERR_MEM, "%s: no memory for the tokenizer", name);

    reading r = { .t = t, .name = name };
    gr_buf_init(&r.bytes, rt, GR_TOKENIZER_FILE_MAX);
    gr_json_init(&r.json, rt, text, n, name, STRING_MAX);
    read_file(&r);
    gr_error why = { 0 };
    gr_status st = gr_json_status(&r.json, true, &why);
    if (st == GR_OK && (st = gr_tokenizer_join(&r, &why)) != GR_OK)
        gr_error_prefix(&why, "%s", name);
    gr_json_fini(&r.json);
    gr_buf_fini(&r.bytes);
    gr_free(rt, r.added);
    gr_free(rt, r.merges);
    gr_free(rt, r.templates);
    if (st != GR_OK) {
        gr_tokenizer_free(t);
        return gr_fail(err, st, "%s", why.msg);
    }
    *out = t;
    return GR_OK;
}
