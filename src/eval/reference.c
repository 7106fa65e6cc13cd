#include "eval/reference.h"

#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "io/json.h"
#include "model/gar_config.h"
#include "model/gar_prompt.h"

#define MAX_STRING  ((size_t)16 << 20) /* run lengths of a mask are one string */
#define MAX_CHOICES 64

/* An item while it is read; texts are owned. */
typedef struct {
    char *question, *choices[MAX_CHOICES];
    size_t n_choices;
    bool has_choices, is_relation, has_truth;
} asked;

/* What a file is expected to be. */
typedef enum { QUESTIONS, OUTPUTS, TRUTHS } expected;

typedef struct {
    gr_reference *r;
    gr_json *j;
    expected form;
} reading;

static void item_fini(gr_runtime *rt, gr_reference_item *item)
{
    for (int i = 0; i < item->n_regions; i++)
        gr_region_spec_free(item->regions[i]);
    gr_free(rt, item->regions);
    gr_free(rt, item->image);
    gr_free(rt, item->text);
    gr_free(rt, item->output);
    gr_free(rt, item->answer);
    gr_free(rt, item->type);
}

void gr_reference_fini(gr_reference *r)
{
    for (size_t i = 0; i < r->n; i++)
        item_fini(r->rt, &r->items[i]);
    if (r->rt)
        gr_free(r->rt, r->items);
    *r = (gr_reference){ 0 };
}

/* A string into *to, which must still be empty. */
static void read_text(reading *in, char **to, const char *key)
{
    if (*to) {
        gr_json_fail(in->j, GR_ERR_FORMAT, "'%s' is there twice", key);
        return;
    }
    *to = gr_strdup(in->r->rt, gr_json_string(in->j, NULL));
    if (!*to)
        gr_json_fail(in->j, GR_ERR_MEM, "no memory");
}

static void read_choices(reading *in, asked *a)
{
    if (a->has_choices)
        gr_json_fail(in->j, GR_ERR_FORMAT, "'choices' is there twice");
    a->has_choices = true;
    for (gr_json_array(in->j); gr_json_item(in->j);) {
        if (a->n_choices == MAX_CHOICES) {
            gr_json_fail(in->j, GR_ERR_LIMIT, "more than %d choices", MAX_CHOICES);
            return;
        }
        read_text(in, &a->choices[a->n_choices++], "choices");
    }
}

/* One mask: {"size": [h, w], "counts": ...}. */
static void read_mask(reading *in, gr_reference_item *item)
{
    static const char form[] = "rle:";
    gr_runtime *rt = in->r->rt;
    gr_error why = { 0 };
    gr_buf text;
    size_t n;
    const char *raw = gr_json_raw(in->j, &n);
    if (gr_json_status(in->j, false, NULL) != GR_OK)
        return;
    if (item->n_regions == GR_MAX_PROMPTS) {
        gr_json_fail(in->j, GR_ERR_LIMIT, "more than %d masks", GR_MAX_PROMPTS);
        return;
    }
    gr_buf_init(&text, rt, MAX_STRING);
    gr_buf_text(&text, form);
    gr_buf_add(&text, raw, n);
    if (text.failed)
        gr_json_fail(in->j, n > MAX_STRING - sizeof form ? GR_ERR_LIMIT : GR_ERR_MEM,
                     "no room for a mask of %zu bytes", n);
    else if (gr_region_spec_parse(&item->regions[item->n_regions], rt, gr_buf_str(&text), text.len, &why) ==
             GR_OK)
        item->n_regions++;
    else
        gr_json_fail(in->j, why.status, "mask %d: %s", item->n_regions, why.msg);
    gr_buf_fini(&text);
}

static void read_masks(reading *in, gr_reference_item *item)
{
    if (item->regions) {
        gr_json_fail(in->j, GR_ERR_FORMAT, "'mask_rles' is there twice");
        return;
    }
    item->regions = gr_calloc(in->r->rt, GR_MAX_PROMPTS, sizeof *item->regions);
    if (!item->regions) {
        gr_json_fail(in->j, GR_ERR_MEM, "no memory");
        return;
    }
    for (gr_json_array(in->j); gr_json_item(in->j);)
        read_mask(in, item);
}

static void read_truth(reading *in, gr_reference_item *item)
{
    if (item->truth_end > 0) {
        gr_json_fail(in->j, GR_ERR_FORMAT, "'truth' is there twice");
        return;
    }
    size_t n;
    const char *raw = gr_json_raw(in->j, &n);
    if (gr_json_status(in->j, false, NULL) != GR_OK)
        return;
    item->truth_begin = (size_t)(raw - in->j->text);
    item->truth_end = item->truth_begin + n;
}

static void read_members(reading *in, gr_reference_item *item, asked *a)
{
    const char *key;
    for (gr_json_object(in->j); gr_json_key(in->j, &key);) {
        if (strcmp(key, "image") == 0)
            read_text(in, &item->image, "image");
        else if (strcmp(key, "model_output") == 0)
            read_text(in, &item->output, "model_output");
        else if (strcmp(key, "answer") == 0 && gr_json_peek(in->j) == GR_JSON_STRING)
            read_text(in, &item->answer, "answer");
        else if (strcmp(key, "type") == 0 && gr_json_peek(in->j) == GR_JSON_STRING)
            read_text(in, &item->type, "type");
        else if (strcmp(key, "error") == 0) {
            item->failed = true;
            gr_json_skip(in->j);
        } else if (strcmp(key, "question") == 0)
            read_text(in, &a->question, "question");
        else if (strcmp(key, "choices") == 0)
            read_choices(in, a);
        else if (strcmp(key, "mask_rles") == 0)
            read_masks(in, item);
        else if (strcmp(key, "truth") == 0 && in->form == TRUTHS)
            read_truth(in, item);
        else {
            a->has_truth |= strcmp(key, "truth") == 0;
            a->is_relation |= strcmp(key, "subject_name") == 0;
            gr_json_skip(in->j);
        }
    }
}

/* The text that was asked. */
static void put_together(reading *in, gr_reference_item *item, const asked *a)
{
    gr_buf text;
    gr_buf_init(&text, in->r->rt, (size_t)64 << 20);
    if (in->form == TRUTHS)
        gr_buf_text(&text, "");
    else if (a->has_choices)
        gr_gar_choice_question(&text, a->question, (const char *const *)a->choices, a->n_choices);
    else
        gr_buf_text(&text, a->question
                               ? a->question
                               : "Describe <Prompt0> in detail, including the relationship with <Prompt1>.");
    item->text = text.failed ? NULL : gr_strdup(in->r->rt, gr_buf_str(&text));
    if (!item->text)
        gr_json_fail(in->j, GR_ERR_MEM, "no memory for the question");
    gr_buf_fini(&text);
}

static void check_item(reading *in, const gr_reference_item *item, const asked *a)
{
    static const char *const forms[] = { "annotations", "annotations with outputs",
                                         "regions, each with its \"truth\"" };
    const char *missing = !item->image                           ? "image"
                          : item->n_regions == 0                 ? "mask_rles"
                          : !item->output && in->form == OUTPUTS ? "model_output"
                          : in->form == TRUTHS                   ? item->truth_end > 0 ? NULL : "truth"
                          : a->question                          ? NULL
                          : a->has_choices                       ? "question"
                          : a->is_relation                       ? NULL
                                                                 : "question";
    if (missing)
        gr_json_fail(in->j, GR_ERR_FORMAT, "item %zu has no \"%s\"; expected a list of %s%s", item->number,
                     missing, forms[in->form],
                     a->has_truth ? ". It has a \"truth\", as those of synth-bench-cap" : "");
}

static void read_item(reading *in)
{
    gr_reference *r = in->r;
    asked a = { 0 };
    if (r->n == GR_REFERENCE_MAX_ITEMS ||
        !gr_grow(r->rt, &r->items, &r->capacity, r->n, r->n + 1, sizeof *r->items)) {
        gr_json_fail(in->j, r->n == GR_REFERENCE_MAX_ITEMS ? GR_ERR_LIMIT : GR_ERR_MEM,
                     "no room for item %zu", r->n);
        return;
    }
    gr_reference_item *item = &r->items[r->n];
    gr_json_peek(in->j); /* the item begins there */
    *item = (gr_reference_item){ .number = r->n, .begin = (size_t)(in->j->at - in->j->text) };
    r->n++;
    read_members(in, item, &a);
    item->end = (size_t)(in->j->at - in->j->text);
    item->n_choices = a.n_choices;
    if (gr_json_status(in->j, false, NULL) == GR_OK)
        check_item(in, item, &a);
    if (gr_json_status(in->j, false, NULL) == GR_OK)
        put_together(in, item, &a);
    gr_free(r->rt, a.question);
    for (size_t i = 0; i < a.n_choices; i++)
        gr_free(r->rt, a.choices[i]);
}

static gr_status parse(gr_reference *r, gr_runtime *rt, const char *json, size_t n, const char *name,
                       expected form, gr_error *err)
{
    gr_json j;
    reading in = { r, &j, form };
    *r = (gr_reference){ .rt = rt };
    gr_json_init(&j, rt, json, n, name, MAX_STRING);
    for (gr_json_array(&j); gr_json_item(&j);)
        read_item(&in);
    gr_status st = gr_json_status(&j, true, err);
    gr_json_fini(&j);
    if (st == GR_OK && r->n == 0)
        st = gr_fail(err, GR_ERR_FORMAT, "%s: an empty list, expected annotations", name);
    if (st != GR_OK)
        gr_reference_fini(r);
    return st;
}

gr_status gr_reference_parse(gr_reference *r, gr_runtime *rt, const char *json, size_t n, const char *name,
                             gr_error *err)
{
    return parse(r, rt, json, n, name, OUTPUTS, err);
}

gr_status gr_reference_parse_questions(gr_reference *r, gr_runtime *rt, const char *json, size_t n,
                                       const char *name, gr_error *err)
{
    return parse(r, rt, json, n, name, QUESTIONS, err);
}

gr_status gr_reference_parse_truths(gr_reference *r, gr_runtime *rt, const char *json, size_t n,
                                    const char *name, gr_error *err)
{
    return parse(r, rt, json, n, name, TRUTHS, err);
}

gr_status gr_reference_open(gr_reference *r, gr_runtime *rt, const char *path, gr_error *err)
{
    char *text;
    size_t n;
    *r = (gr_reference){ 0 };
    GR_TRY(gr_file_read(rt, path, GR_REFERENCE_MAX_BYTES, &text, &n, err));
    const gr_status st = parse(r, rt, text, n, path, OUTPUTS, err);
    gr_free(rt, text);
    return st;
}
