#include "eval/caption.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "eval/wilson.h"

#define MAX_WORD 4096 /* more than any word of a truth: those that are too long are named */

/* --- what is true -------------------------------------------------------------------------------------- */

/* What a region has to have, so that a description of it can be right; NULL: all is there. */
static const char *lacks(const gr_truths *t)
{
    if (!t->noun[0])
        return "no noun, expected a \"shape\", \"thing\", \"person\", \"mirror\" or \"screen\"";
    if (!t->entity[0])
        return "no \"entity\"";
    for (int i = 0; i < t->n_relations; i++)
        if (!t->relations[i].view[0] || !t->relations[i].noun[0])
            return "a relation without \"view\" or \"noun\"";
    for (int k = GR_ENTITY; k <= GR_ON_SCREEN; k++)
        if (strcmp(t->entity, gr_entity_word((gr_entity)k)) == 0)
            return NULL;
    return "an \"entity\" that is none of entity, reflection, shadow and screen";
}

/* Read in place, so that messages tell line and column of the file. */
static gr_status read_truth(const gr_evaluation *e, size_t i, const char *name, gr_truths *t, gr_error *err)
{
    gr_json j;
    char about[40];
    const gr_reference_item *x = &e->items.items[i];
    snprintf(about, sizeof about, "item %zu, \"truth\"", i);
    gr_json_init(&j, e->rt, e->text, x->truth_end, name, MAX_WORD);
    j.at = e->text + x->truth_begin;
    j.about = about;
    gr_truth_read(&j, t);
    j.mark = e->text + x->truth_begin;
    if (gr_json_status(&j, true, NULL) == GR_OK && lacks(t))
        gr_json_fail(&j, GR_ERR_FORMAT, "it has %s", lacks(t));
    const gr_status st = gr_json_status(&j, true, err);
    gr_json_fini(&j);
    return st;
}

gr_status gr_caption_check(const gr_evaluation *e, const char *name, gr_error *err)
{
    gr_truths truth;
    for (size_t i = 0; i < e->items.n; i++) {
        if (e->items.items[i].n_regions != 1)
            return gr_fail(
                err, GR_ERR_FORMAT,
                "%s: item %zu has %d masks in \"mask_rles\", expected the one of what is described", name, i,
                e->items.items[i].n_regions);
        GR_TRY(read_truth(e, i, name, &truth, err));
    }
    return GR_OK;
}

/* --- counting ------------------------------------------------------------------------------------------ */

gr_status gr_caption_score(const gr_evaluation *e, size_t i, gr_score *score, gr_error *err)
{
    gr_truths truth;
    const char *text = e->answers[i].output ? e->answers[i].output : "";
    GR_TRY(read_truth(e, i, "the benchmark", &truth, err)); /* was read before: only memory can fail */
    *score = gr_score_description(text, strlen(text), &truth);
    return GR_OK;
}

static void add(gr_eval_statements *row, int n_true, int n_false, int n_known, int n_missing)
{
    row->stated += (size_t)(n_true + n_false);
    row->stated_true += (size_t)n_true;
    row->known += (size_t)n_known;
    row->known_stated += (size_t)(n_known - n_missing);
}

static double part_of(size_t part, size_t n) { return n ? (double)part / (double)n : NAN; }

bool gr_evaluation_statements(const gr_evaluation *e, size_t kind, gr_eval_statements *row)
{
    if (!e->describes || kind > GR_SCORE_KINDS || row->size != sizeof *row)
        return false;
    *row = (gr_eval_statements){ .size = sizeof *row, .name = "overall" };
    if (kind < GR_SCORE_KINDS)
        row->name = gr_score_word((gr_score_kind)kind);
    for (size_t i = 0; i < e->items.n; i++) {
        gr_score s;
        if (!e->answers[i].chosen)
            continue;
        row->items++;
        row->answered += e->answers[i].output != NULL;
        if (gr_caption_score(e, i, &s, NULL) != GR_OK)
            return false;
        if (kind == GR_SCORE_KINDS)
            add(row, s.n_true, s.n_false, s.n_known, s.n_missing);
        else
            add(row, s.part[kind].n_true, s.part[kind].n_false, s.part[kind].n_known, s.part[kind].n_missing);
    }
    row->precision = part_of(row->stated_true, row->stated);
    row->recall = part_of(row->known_stated, row->known);
    gr_wilson(row->stated_true, row->stated, &row->precision_low, &row->precision_high);
    gr_wilson(row->known_stated, row->known, &row->recall_low, &row->recall_high);
    return true;
}

/* --- writing ------------------------------------------------------------------------------------------- */

void gr_caption_put(gr_json_writer *w, const gr_evaluation *e, size_t i)
{
    gr_score s = { .n_true = 0 };
    w->out->failed |= gr_caption_score(e, i, &s, NULL) != GR_OK;
    gr_json_put_key(w, "statements");
    gr_json_put_object(w);
    gr_json_put_key(w, "true");
    gr_json_put_int(w, s.n_true);
    gr_json_put_key(w, "false");
    gr_json_put_int(w, s.n_false);
    gr_json_put_key(w, "known");
    gr_json_put_int(w, s.n_known);
    gr_json_put_key(w, "missing");
    gr_json_put_int(w, s.n_missing);
    gr_json_put_end(w, '}');
}
