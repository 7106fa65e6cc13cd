#include "model/gar_prompt.h"

#include <stdio.h>
#include <string.h>

#include "model/gar_reference.h"
#include "text/strip.h"

const char gr_gar_system_text[] =
    "You are a helpful language and vision assistant. You are able to understand the visual content that the "
    "user provides, and assist the user with a variety of tasks using natural language.";
static const char released_words[] = "Describe this masked region in detail.";
static const char paper_words[] = "Describe the masked region in detail.";
static const char list_words[] = "There are some objects I am curious about: ";

/* --- what a text refers to ----------------------------------------------------------------------------- */

typedef struct {
    const char *text;
    size_t n;
} words;

static words words_of(const gr_gar_turn *turn)
{
    return turn->text ? (words){ turn->text, turn->bytes } : (words){ "", 0 };
}

static bool find_reference(const gr_gar_dialog *d, words w, size_t at, gr_gar_reference *r)
{
    while (gr_gar_find_reference(w.text, w.n, at, r)) {
        if (r->is_prompt || !d->prompts_only)
            return true;
        at = r->at + r->len;
    }
    return false;
}

/* The region that is meant, of the first n of the dialog; -1: none. */
static int region_of(const gr_gar_dialog *d, int n, const gr_gar_reference *r)
{
    if (!r->is_prompt && r->number >= 0)
        return r->number < n ? r->number : -1;
    for (int i = 0; i < n; i++) {
        const char *name = d->regions[i].name;
        const bool same =
            r->is_prompt ? d->regions[i].prompt == r->number
                         : name && strlen(name) == r->name_bytes && memcmp(name, r->name, r->name_bytes) == 0;
        if (same)
            return i;
    }
    return -1;
}

static void mark_mentioned(const gr_gar_dialog *d, int n_prompts, bool mentioned[GR_MAX_PROMPTS], bool *any)
{
    for (int i = 0; i < d->n_turns; i++) {
        const words w = words_of(&d->turns[i]);
        gr_gar_reference r;
        for (size_t at = 0; !d->turns[i].ids && find_reference(d, w, at, &r); at = r.at + r.len) {
            if (r.is_prompt && r.number < n_prompts)
                mentioned[r.number] = true;
            *any |= !r.is_prompt || r.number < n_prompts;
        }
    }
}

void gr_gar_assign_prompts(gr_gar_dialog *d, int n_prompts)
{
    bool mentioned[GR_MAX_PROMPTS] = { 0 }, used[GR_MAX_PROMPTS] = { 0 }, any = false;
    if (d->extra != GR_EXTRA_REFUSE && d->n_regions > n_prompts)
        n_prompts = d->n_regions < GR_MAX_PROMPTS ? d->n_regions : GR_MAX_PROMPTS;
    mark_mentioned(d, n_prompts, mentioned, &any);
    for (int i = 0; i < d->n_regions; i++)
        if (d->regions[i].prompt >= 0 && d->regions[i].prompt < GR_MAX_PROMPTS)
            used[d->regions[i].prompt] = true;
    if (d->n_regions == 1 && d->regions[0].prompt < 0 && !any && n_prompts > 1) {
        d->regions[0].prompt = d->single_is_0 ? 0 : 1;
        return;
    }
    for (int i = 0; i < d->n_regions; i++)
        for (int free_too = 0; free_too < 2; free_too++)
            for (int k = 0; k < n_prompts && d->regions[i].prompt < 0; k++)
                if (!used[k] && (free_too || mentioned[k])) {
                    used[k] = true;
                    d->regions[i].prompt = k;
                }
}

/* --- the templates ------------------------------------------------------------------------------------- */

typedef struct {
    gr_prompt *p;
    const gr_gar_markers *m;
    const gr_gar_dialog *d;
    int n_known; /* regions shown so far, this turn's included */
    gr_error *err;
} building;

static words trim(words w, bool left)
{
    gr_strip(&w.text, &w.n, left ? GR_STRIP_BOTH : GR_STRIP_RIGHT);
    return w;
}

static gr_status put(building *b, const char *text) { return gr_prompt_words(b->p, text, b->err); }
static gr_status put_special(building *b, int32_t id) { return gr_prompt_special(b->p, id, b->err); }

/* <PromptK>: a token, or text where the model has none. */
static gr_status put_marker(building *b, int prompt)
{
    char name[24];
    if (prompt < b->m->n_prompts)
        return put_special(b, b->m->prompt[prompt]);
    snprintf(name, sizeof name, "<Prompt%d>", prompt);
    return put(b, name);
}

static gr_status put_header(building *b, const char *role)
{
    GR_TRY(put_special(b, b->m->start_header));
    GR_TRY(put(b, role));
    GR_TRY(put_special(b, b->m->end_header));
    return put(b, "\n\n");
}

/* Text with its references. One that means nothing is an error of the user; in an answer it is characters. */
static gr_status put_text(building *b, words w, bool strict)
{
    size_t at = 0, from = 0;
    gr_gar_reference r;
    while (find_reference(b->d, w, at, &r)) {
        const int region = region_of(b->d, b->n_known, &r);
        if (region < 0 && !r.is_prompt && strict)
            return gr_fail(b->err, GR_ERR_ARG,
                           "the text refers to '%.*s', but %d region%s known by then and none is called that",
                           (int)r.len, w.text + r.at, b->n_known, b->n_known == 1 ? " is" : "s are");
        at = r.at + r.len;
        const bool loose = r.is_prompt && b->d->all_markers && r.number < b->m->n_prompts;
        if (region < 0 && !loose)
            continue;
        GR_TRY(gr_prompt_text(b->p, w.text + from, r.at - from, b->err));
        GR_TRY(put_marker(b, loose ? r.number : b->d->regions[region].prompt));
        from = at;
    }
    return gr_prompt_text(b->p, w.text + from, w.n - from, b->err);
}

/* "<PK>: " and the rows of a region. */
static gr_status put_region(building *b, int region)
{
    const int prompt = b->d->regions[region].prompt;
    GR_TRY(put_marker(b, prompt));
    GR_TRY(put(b, ": "));
    if (prompt < b->m->n_prompts || b->d->extra == GR_EXTRA_REUSE)
        return gr_prompt_region(b->p, region, b->m->crop[prompt], b->d->region_rows, b->err);
    for (size_t i = 0; i < b->d->region_rows; i++)
        GR_TRY(put_special(b, b->m->crop[prompt]));
    return GR_OK;
}

/* The turn's regions by ascending prompt index (the released code takes Python's set order). */
static void sort_regions(const building *b, int first, int n, int order[GR_MAX_PROMPTS])
{
    for (int i = 0; i < n; i++) {
        int k = i;
        for (; k > 0 && b->d->regions[order[k - 1]].prompt > b->d->regions[first + i].prompt; k--)
            order[k] = order[k - 1];
        order[k] = first + i;
    }
}

static gr_status put_described(building *b, int region, words text)
{
    GR_TRY(put(b, list_words));
    GR_TRY(put_marker(b, b->d->regions[region].prompt));
    GR_TRY(put(b, ";\n"));
    GR_TRY(put_region(b, region));
    return put_text(b, text, true);
}

static gr_status put_asked(building *b, const int *order, int n, words text)
{
    GR_TRY(put(b, list_words));
    for (int i = 0; i < n; i++) {
        GR_TRY(put_marker(b, b->d->regions[order[i]].prompt));
        GR_TRY(put(b, "; "));
    }
    GR_TRY(put(b, "\n"));
    for (int i = 0; i < n; i++) {
        GR_TRY(put_region(b, order[i]));
        GR_TRY(put(b, "\n"));
    }
    GR_TRY(put(b, "\n"));
    return put_text(b, text, true);
}

static gr_status put_listed(building *b, int region, words text)
{
    GR_TRY(put(b, list_words));
    for (int i = 0; i < b->d->n_regions; i++) {
        GR_TRY(put_marker(b, b->d->regions[i].prompt));
        GR_TRY(put(b, "; "));
    }
    GR_TRY(put(b, "\n"));
    GR_TRY(put_region(b, region));
    return put_text(b, text, true);
}

/* Regions of a later turn, as in the training conversations: no list, and for one region no new line. */
static gr_status put_more(building *b, const int *order, int n, words text)
{
    for (int i = 0; i < n; i++) {
        GR_TRY(put_region(b, order[i]));
        if (n > 1)
            GR_TRY(put(b, "\n"));
    }
    if (n > 1)
        GR_TRY(put(b, "\n"));
    return put_text(b, text, true);
}

/* True when the text mentions a region that is known. */
static bool mentions(const building *b, words text)
{
    gr_gar_reference r;
    for (size_t at = 0; find_reference(b->d, text, at, &r); at = r.at + r.len)
        if (region_of(b->d, b->n_known, &r) >= 0 || !r.is_prompt)
            return true;
    return false;
}

static gr_status put_user(building *b, const gr_gar_turn *turn)
{
    const int first = b->n_known, n = turn->n_regions;
    words text = trim(words_of(turn), n == 0);
    int order[GR_MAX_PROMPTS];
    if (n < 0 || n > b->d->n_regions - first)
        return gr_fail(b->err, GR_ERR_ARG, "a turn shows %d regions, the dialog has %d left", n,
                       b->d->n_regions - first);
    b->n_known += n;
    if (n == 0)
        return put_text(b, text, true);
    const bool describe =
        turn->style == GR_GAR_DESCRIBE || (turn->style == GR_GAR_AUTO && n == 1 && !mentions(b, text));
    if (describe && n != 1)
        return gr_fail(b->err, GR_ERR_ARG, "%d regions to describe in one turn, the template has one", n);
    if (text.n == 0 && !describe)
        return gr_fail(b->err, GR_ERR_ARG, "%d region%s in a turn without a question", n, n == 1 ? "" : "s");
    if (text.n == 0)
        text.text = b->d->paper_wording ? paper_words : released_words, text.n = strlen(text.text);
    sort_regions(b, first, n, order);
    if (first > 0)
        return put_more(b, order, n, text);
    if (turn->style == GR_GAR_LIST)
        return put_listed(b, first, text);
    return describe ? put_described(b, first, text) : put_asked(b, order, n, text);
}

static gr_status put_assistant(building *b, const gr_gar_turn *turn)
{
    if (!turn->ids)
        return put_text(b, trim(words_of(turn), true), false);
    for (size_t i = 0; i < turn->n_ids; i++)
        GR_TRY(put_special(b, turn->ids[i]));
    return GR_OK;
}

static gr_status check_regions(const gr_gar_markers *m, const gr_gar_dialog *d, gr_error *err)
{
    int shown = 0;
    for (int i = 0; i < d->n_turns; i++)
        shown += d->turns[i].role == GR_GAR_USER ? d->turns[i].n_regions : 0;
    if (d->n_regions == 0 && shown == 0)
        return GR_OK;
    if (m->n_prompts == 0)
        return gr_fail(err, GR_ERR_UNSUPPORTED,
                       "regions need a GAR model; this is a base Perception-LM, which has no region prompts");
    const int limit = d->extra == GR_EXTRA_REFUSE ? m->n_prompts : GR_MAX_PROMPTS;
    if (d->n_regions > limit)
        return gr_fail(err, GR_ERR_LIMIT,
                       "too_many_regions: %d regions in one dialog, the model takes at most %d", d->n_regions,
                       limit);
    const bool rows_lack = d->image_rows == 0 || d->region_rows == 0;
    if (shown != d->n_regions || (rows_lack && !d->fewer_rows))
        return gr_fail(err, GR_ERR_ARG, "%d regions of a %s, %d of them shown in a turn", d->n_regions,
                       d->image_rows ? "picture" : "dialog without picture", shown);
    for (int i = 0; i < d->n_regions; i++) {
        const int prompt = d->regions[i].prompt;
        if (prompt < 0 || prompt >= limit)
            return gr_fail(err, GR_ERR_ARG, "region %d has prompt index %d, expected 0 to %d", i, prompt,
                           limit - 1);
        if (m->crop[prompt] < 0)
            return gr_fail(err, GR_ERR_UNSUPPORTED,
                           "region %d has prompt index %d, for whose rows tokenizer.json has no "
                           "'<|reserved_special_token_%d|>'",
                           i, prompt, prompt + 2);
        for (int k = 0; k < i; k++)
            if (d->regions[k].prompt == prompt)
                return gr_fail(err, GR_ERR_ARG, "regions %d and %d both have prompt index %d", k, i, prompt);
    }
    return GR_OK;
}

static gr_status put_turn(building *b, const gr_gar_turn *turn, bool with_image)
{
    GR_TRY(put_header(b, turn->role == GR_GAR_USER ? "user" : "assistant"));
    if (with_image)
        GR_TRY(gr_prompt_image(b->p, b->m->image, b->d->image_rows, b->err));
    GR_TRY(turn->role == GR_GAR_USER ? put_user(b, turn) : put_assistant(b, turn));
    return put_special(b, b->m->eot);
}

gr_status gr_gar_prompt_build(gr_prompt *p, const gr_gar_markers *m, const gr_gar_dialog *d, gr_error *err)
{
    building b = { .p = p, .m = m, .d = d, .err = err };
    GR_TRY(check_regions(m, d, err));
    for (int i = 0; i < (d->double_bos ? 2 : 1); i++)
        GR_TRY(put_special(&b, m->bos));
    GR_TRY(put_header(&b, "system"));
    const char *system = d->system ? d->system : gr_gar_system_text;
    const words trimmed = trim((words){ system, strlen(system) }, true);
    GR_TRY(gr_prompt_text(p, trimmed.text, trimmed.n, err));
    GR_TRY(put_special(&b, m->eot));
    bool image_left = d->image_rows > 0;
    for (int i = 0; i < d->n_turns; i++) {
        const bool here = image_left && d->turns[i].role == GR_GAR_USER;
        GR_TRY(put_turn(&b, &d->turns[i], here));
        image_left = image_left && !here;
    }
    if (image_left)
        return gr_fail(err, GR_ERR_ARG, "a picture in a dialog without a user's turn");
    return d->open_answer ? put_header(&b, "assistant") : GR_OK;
}

bool gr_gar_choice_question(gr_buf *out, const char *question, const char *const *options, size_t n_options)
{
    gr_buf_text(out, "Question: ");
    gr_buf_text(out, question);
    gr_buf_text(out, "\nOptions:\n");
    for (size_t i = 0; i < n_options; i++) {
        gr_buf_text(out, options[i]);
        gr_buf_text(out, "\n");
    }
    gr_buf_text(out, "Answer with the correct option's letter directly.");
    return !out->failed;
}
