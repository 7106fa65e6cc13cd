/* gar_new_vocab.c - the special tokens of a new model, and whether a given tokenizer suits a configuration.
 */
#include "model/gar_new_internal.h"

#include <stdio.h>
#include <string.h>

#include "text/tokenizer.h"

/* The published order from bos on (spec gar.md 4.2); reserved tokens 5 and up follow, then the prompts. */
static const char *const first_specials[] = {
    "<|begin_of_text|>",
    "<|end_of_text|>",
    "<|image|>",
    "<|video|>",
    "<|reserved_special_token_2|>",
    "<|reserved_special_token_3|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|reserved_special_token_4|>",
    "<|eot_id|>",
};
#define N_FIRST ((int)(sizeof first_specials / sizeof *first_specials))

/* The name of special token i of n. */
static void special_name(char out[GR_SPECIAL_NAME], int i, int n, int n_prompts)
{
    if (i < N_FIRST)
        snprintf(out, GR_SPECIAL_NAME, "%s", first_specials[i]);
    else if (i == n - 1)
        snprintf(out, GR_SPECIAL_NAME, "<NO_Prompt>");
    else if (i >= n - 1 - n_prompts)
        snprintf(out, GR_SPECIAL_NAME, "<Prompt%d>", i - (n - 1 - n_prompts));
    else
        snprintf(out, GR_SPECIAL_NAME, "<|reserved_special_token_%d|>", i - N_FIRST + 5);
}

/* The name that the published processor gives the crop token of prompt i. */
static void crop_name(char out[GR_SPECIAL_NAME], int i)
{
    snprintf(out, GR_SPECIAL_NAME, "<|reserved_special_token_%d|>", i + 2);
}

/* Names that a configuration's ids must have, one after the other; false behind the last. */
static bool named_id(const gr_gar_config *c, int i, char name[GR_SPECIAL_NAME], int32_t *id)
{
    const int n_fixed = 3;
    if (i >= n_fixed + c->n_prompts)
        return false;
    const int32_t fixed[] = { c->text.bos, c->image_id, c->video_id };
    if (i < n_fixed) {
        snprintf(name, GR_SPECIAL_NAME, "%s", first_specials[i == 0 ? 0 : i + 1]);
        *id = fixed[i];
    } else {
        crop_name(name, i - n_fixed);
        *id = c->crop_ids[i - n_fixed];
    }
    return true;
}

gr_status gr_gar_new_specials(gr_new_specials *s, gr_runtime *rt, const gr_gar_config *c, gr_error *err)
{
    const int n = c->text.vocab - c->text.bos;
    *s = (gr_new_specials){ .n = n > 0 ? (size_t)n : 0 };
    if (c->text.bos < 256 || n < N_FIRST + c->n_prompts + 1)
        return gr_fail(
            err, GR_ERR_ARG,
            "a vocabulary of bytes wants bos_token_id >= 256 and at least %d ids from it on, found %d of %d: "
            "give a tokenizer",
            N_FIRST + c->n_prompts + 1, c->text.bos, c->text.vocab);
    s->tokens = gr_calloc(rt, s->n, sizeof *s->tokens);
    s->names = gr_calloc(rt, s->n, GR_SPECIAL_NAME);
    if (!s->tokens || !s->names) {
        gr_gar_new_specials_fini(s, rt);
        return gr_fail(err, GR_ERR_MEM, "no memory for %d special tokens", n);
    }
    for (int i = 0; i < n; i++) {
        special_name(s->names[i], i, n, c->n_prompts);
        s->tokens[i] = (gr_special_token){ c->text.bos + i, s->names[i] };
    }
    char name[GR_SPECIAL_NAME];
    int32_t id;
    for (int i = 0; named_id(c, i, name, &id); i++)
        if (id < c->text.bos || strcmp(s->names[id - c->text.bos], name) != 0) {
            gr_gar_new_specials_fini(s, rt);
            return gr_fail(err, GR_ERR_ARG,
                           "the configuration has '%s' at id %d, not where published vocabularies have it: "
                           "give a tokenizer",
                           name, id);
        }
    return GR_OK;
}

void gr_gar_new_specials_fini(gr_new_specials *s, gr_runtime *rt)
{
    gr_free(rt, s->tokens);
    gr_free(rt, s->names);
    *s = (gr_new_specials){ 0 };
}

/* Where the id called `name` of named_id stands. */
static int32_t *place_of(gr_gar_config *c, int i)
{
    int32_t *const fixed[] = { &c->text.bos, &c->image_id, &c->video_id };
    return i < 3 ? fixed[i] : &c->crop_ids[i - 3];
}

static gr_status fit(gr_gar_config *c, const gr_tokenizer *t, const char *path, gr_error *err)
{
    static const char *const ends[] = { "<|end_of_text|>", "<|eot_id|>" };
    char name[GR_SPECIAL_NAME];
    int32_t id;
    for (int i = 0; named_id(c, i, name, &id); i++)
        if ((*place_of(c, i) = gr_tokenizer_id(t, name)) < 0)
            return gr_fail(err, GR_ERR_ARG, "%s: there is no token '%s', which a GAR model needs", path,
                           name);
    for (int i = 0; i < 2; i++)
        if ((c->text.eos[i] = gr_tokenizer_id(t, ends[i])) < 0)
            return gr_fail(err, GR_ERR_ARG, "%s: there is no token '%s', which a GAR model needs", path,
                           ends[i]);
    c->text.n_eos = 2;
    c->text.vocab = gr_tokenizer_n_vocab(t);
    return GR_OK;
}

gr_status gr_gar_new_fit_tokenizer(gr_gar_config *c, gr_runtime *rt, const char *path, gr_error *err)
{
    gr_tokenizer *t;
    if (!path)
        return gr_fail(err, GR_ERR_ARG, "the vocabulary is to be a tokenizer's, and no tokenizer is given");
    GR_TRY(gr_tokenizer_open(&t, rt, path, err));
    const gr_status st = fit(c, t, path, err);
    gr_tokenizer_free(t);
    return st;
}

gr_status gr_gar_new_check_tokenizer(gr_runtime *rt, const gr_gar_config *c, const char *path, gr_error *err)
{
    gr_tokenizer *t;
    GR_TRY(gr_tokenizer_open(&t, rt, path, err));
    gr_status st = GR_OK;
    char name[GR_SPECIAL_NAME];
    int32_t id;
    if (gr_tokenizer_n_vocab(t) > c->text.vocab)
        st = gr_fail(err, GR_ERR_ARG, "%s: %d tokens, the configuration has vocab_size = %d", path,
                     gr_tokenizer_n_vocab(t), c->text.vocab);
    for (int i = 0; st == GR_OK && named_id(c, i, name, &id); i++)
        if (gr_tokenizer_id(t, name) != id)
            st = gr_fail(err, GR_ERR_ARG, "%s: '%s' has id %d, the configuration expects %d", path, name,
                         gr_tokenizer_id(t, name), id);
    gr_tokenizer_free(t);
    return st;
}
