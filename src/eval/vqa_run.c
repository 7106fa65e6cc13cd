/* vqa_run.c - asks a model the items of a benchmark. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/hash.h"
#include "engine/session.h"
#include "eval/answer_text.h"
#include "eval/scene.h"
#include "eval/vqa.h"

#define TEMPLATE_ROWS 1024 /* of the words around picture, regions and question */
#define MAX_ANSWER    ((size_t)16 << 20)

typedef struct {
    gr_evaluation *e;
    gr_model *model;
    const gr_eval_options *o;
    char images[4096];
    gr_engine *engine;
    gr_session *session;
    FILE *journal;
    bool clean_up;
    uint64_t done, total;
    bool model_failed; /* and not an item */
} work;

void gr_eval_options_init(gr_eval_options *options)
{
    *options = (gr_eval_options){ .size = sizeof *options, .max_tokens = 1024 };
}

static bool tile_progress(void *user, int done, int total)
{
    (void)done, (void)total;
    const work *w = user;
    return !w->o->watch.progress || w->o->watch.progress(w->o->watch.user, w->done, w->total);
}

static bool stopped(void *user) { return !tile_progress(user, 0, 0); }

/* --- one item ------------------------------------------------------------------------------------------ */

static gr_status choose_letter(work *w, const gr_request *r, size_t i, gr_error *err)
{
    const size_t n = w->e->items.items[i].n_choices;
    gr_vqa_answer *a = &w->e->answers[i];
    gr_choice choices[GR_VQA_LETTERS];
    char letters[GR_VQA_LETTERS][2];
    const char *texts[GR_VQA_LETTERS];
    size_t chosen;
    for (size_t k = 0; k < n; k++) {
        letters[k][0] = (char)('A' + k);
        letters[k][1] = '\0';
        texts[k] = letters[k];
    }
    gr_choice_options o;
    gr_choice_options_init(&o);
    o.texts = texts;
    o.n = n;
    o.cancelled = stopped;
    o.cancel_user = w;
    GR_TRY(gr_session_choose(w->session, r, &o, choices, &chosen, err));
    for (size_t k = 0; k < n; k++)
        a->probability[k] = choices[k].probability;
    a->output = gr_strdup(w->e->rt, texts[chosen]);
    return a->output ? GR_OK : gr_fail(err, GR_ERR_MEM, "no memory for an answer");
}

/* What the published script would write. */
static gr_status take_text(work *w, size_t i, gr_error *err)
{
    gr_ids ids;
    gr_buf text;
    gr_status st = GR_OK;
    gr_ids_init(&ids, w->e->rt, (size_t)1 << 20);
    gr_buf_init(&text, w->e->rt, MAX_ANSWER);
    for (size_t k = 0; k < gr_session_n_tokens(w->session) && st == GR_OK; k++)
        st = gr_ids_add(&ids, gr_session_token(w->session, k).id, err);
    if (st == GR_OK)
        st = gr_answer_text(&text, w->model->tokenizer, ids.v, ids.n,
                            w->e->describes ? GR_ANSWER_CAPTION : GR_ANSWER_BENCH, w->clean_up, err);
    if (st == GR_OK && !(w->e->answers[i].output = gr_strdup(w->e->rt, gr_buf_str(&text))))
        st = gr_fail(err, GR_ERR_MEM, "no memory for an answer");
    gr_ids_fini(&ids);
    gr_buf_fini(&text);
    return st;
}

static gr_status answer_freely(work *w, const gr_request *r, size_t i, gr_error *err)
{
    gr_answer_options o;
    gr_answer_options_init(&o);
    o.max_tokens = w->o->max_tokens;
    o.keep_special = true;
    GR_TRY(gr_session_ask(w->session, r, &o, err));
    while (gr_session_busy(w->session)) {
        if (stopped(w))
            return gr_fail(err, GR_ERR_CANCELLED, "cancelled");
        GR_TRY(gr_engine_step(w->engine, err));
    }
    return take_text(w, i, err);
}

static gr_status ask_item(work *w, size_t i, gr_error *err)
{
    const gr_reference_item *x = &w->e->items.items[i];
    gr_item_scene s;
    gr_request r;
    GR_TRY(gr_item_scene_open(&s, w->e->rt, w->images, x, err));
    gr_request_init(&r, w->model);
    r.image = s.image;
    r.regions = (const gr_region *const *)s.regions;
    r.n_regions = (size_t)s.n_regions;
    r.question = w->e->describes ? NULL : x->text; /* as 'grasp describe' asks */
    r.max_tiles = w->o->max_tiles;
    if (w->o->has_profile)
        r.profile = w->o->profile;
    r.progress = tile_progress;
    r.progress_user = w;
    r.cancelled = stopped;
    r.cancel_user = w;
    /* The picture is there: what cannot be read from here on is the model's, and no other item would do
     * better. */
    gr_error why = { 0 };
    const gr_status st = w->o->free_text ? answer_freely(w, &r, i, &why) : choose_letter(w, &r, i, &why);
    w->model_failed = st == GR_ERR_IO || st == GR_ERR_FORMAT;
    gr_item_scene_fini(&s);
    return st == GR_OK ? GR_OK : gr_fail(err, st, "%s", why.msg);
}

/* --- all items ----------------------------------------------------------------------------------------- */

static gr_status add_to_journal(work *w, const gr_buf *line, gr_error *err)
{
    if (fwrite(line->data, 1, line->len, w->journal) == line->len && fflush(w->journal) == 0)
        return GR_OK;
    return gr_fail(err, GR_ERR_IO, "%s: cannot write it: %s", w->o->journal, strerror(errno));
}

static gr_status write_journal(work *w, size_t i, gr_error *err)
{
    gr_buf line;
    if (!w->journal)
        return GR_OK;
    gr_buf_init(&line, w->e->rt, (size_t)64 << 20);
    gr_status st = gr_vqa_journal_line(w->e, i, &line, err);
    if (st == GR_OK)
        st = add_to_journal(w, &line, err);
    gr_buf_fini(&line);
    return st;
}

static gr_status run_item(work *w, size_t i, gr_error *err)
{
    const gr_reference_item *x = &w->e->items.items[i];
    gr_error why = { 0 };
    const gr_status st = ask_item(w, i, &why);
    w->done++;
    if (st == GR_OK)
        return write_journal(w, i, err);
    if (st == GR_ERR_CANCELLED || st == GR_ERR_MEM || w->model_failed)
        return gr_fail(err, st, "item %zu (%s): %s", i, x->image, why.msg);
    if (w->o->watch.failed)
        w->o->watch.failed(w->o->watch.user, i, x->image, why.msg);
    w->e->answers[i].why = gr_strdup(w->e->rt, why.msg);
    return w->e->answers[i].why ? GR_OK : gr_fail(err, GR_ERR_MEM, "no memory for an answer");
}

static gr_status run_items(work *w, gr_error *err)
{
    const gr_evaluation *e = w->e;
    for (size_t i = 0; i < e->items.n; i++)
        w->total += e->answers[i].chosen && !e->answers[i].output;
    for (size_t i = 0; i < e->items.n; i++)
        if (e->answers[i].chosen && !e->answers[i].output) {
            if (stopped(w))
                return gr_fail(err, GR_ERR_CANCELLED, "cancelled");
            GR_TRY(run_item(w, i, err));
        }
    return GR_OK;
}

/* --- making ready -------------------------------------------------------------------------------------- */

/* Evenly over the file, which is often sorted by type. */
static void choose_items(gr_evaluation *e, size_t limit)
{
    const size_t n = e->items.n;
    for (size_t i = 0; i < n; i++)
        e->answers[i].chosen = limit == 0 || limit >= n || (i + 1) * limit / n > i * limit / n;
}

/* Large enough for every item. */
static gr_status make_engine(work *w, gr_error *err)
{
    const gr_gar_config *c = &w->model->gar->config;
    const int tile = c->tokens_side * c->tokens_side, region = c->replay_grid * c->replay_grid;
    gr_engine_options o;
    gr_memory memory;
    int64_t rows = 0;
    gr_engine_options_init(&o);
    o.max_tiles = w->o->max_tiles > 0 ? w->o->max_tiles : c->max_num_tiles;
    o.max_regions = 1;
    for (size_t i = 0; i < w->e->items.n; i++) {
        const gr_reference_item *x = &w->e->items.items[i];
        const int64_t mine = (int64_t)strlen(x->text) + (int64_t)x->n_regions * (region + 32);
        rows = mine > rows ? mine : rows; /* a token is a byte at least */
        o.max_regions = x->n_regions > o.max_regions ? x->n_regions : o.max_regions;
    }
    rows += TEMPLATE_ROWS + (int64_t)(1 + o.max_tiles) * tile + (w->o->free_text ? w->o->max_tokens : 1);
    o.max_context = rows < c->text.context ? (int)rows : c->text.context;
    GR_TRY(gr_engine_measure(w->model, &o, &memory, err));
    if (w->o->watch.announce && !w->o->watch.announce(w->o->watch.user, memory.total))
        return gr_fail(err, GR_ERR_CANCELLED, "cancelled before memory was taken");
    GR_TRY(gr_engine_open(&w->engine, w->model, &o, err));
    return gr_session_open(&w->session, w->engine, err);
}

/* What decides the answers, besides the questions' own text, whose hash stands for it. */
static gr_status say_run(work *w, gr_error *err)
{
    const gr_eval_options *o = w->o;
    const gr_hash items = gr_hash_bytes((gr_hash){ 0 }, w->e->text, w->e->n_text);
    gr_profile profile = w->model->profile;
    gr_buf out;
    if (o->has_profile)
        profile = o->profile;
    gr_buf_init(&out, w->e->rt, (size_t)64 << 10);
    gr_buf_printf(&out, "%s %016llx, model %s%s, ", w->e->benchmark, (unsigned long long)items.low,
                  w->model->gar->dir, w->model->gar->round ? " rounded" : "");
    if (o->free_text)
        gr_buf_printf(&out, "free text of %d tokens", o->max_tokens);
    else
        gr_buf_text(&out, "letters");
    gr_buf_printf(&out, ", %d tiles", o->max_tiles);
    for (size_t i = 0; gr_profile_switch_at(i); i++)
        gr_buf_printf(&out, ", %s=%s", gr_profile_switch_at(i)->name, gr_profile_value(&profile, i));
    w->e->run = out.failed ? NULL : gr_strdup(w->e->rt, gr_buf_str(&out));
    gr_buf_fini(&out);
    return w->e->run ? GR_OK : gr_fail(err, GR_ERR_MEM, "no memory for the journal");
}

/* Takes over what is there. *n: bytes of its whole lines. */
static gr_status read_journal(work *w, size_t *n, gr_error *err)
{
    const char *path = w->o->journal;
    char *text;
    *n = 0;
    if (!gr_path_exists(path))
        return GR_OK;
    if (!w->o->resume)
        return gr_fail(err, GR_ERR_ARG,
                       "%s: answers of an earlier run are there; go on with it, or remove it", path);
    GR_TRY(gr_file_read(w->e->rt, path, GR_REFERENCE_MAX_BYTES, &text, n, err));
    const gr_status st = gr_vqa_journal_parse(w->e, text, *n, path, err);
    while (*n > 0 && text[*n - 1] != '\n') /* a line that was cut */
        --*n;
    gr_free(w->e->rt, text);
    GR_TRY(st);
    return truncate(path, (off_t)*n) == 0
               ? GR_OK
               : gr_fail(err, GR_ERR_IO, "%s: cannot write it: %s", path, strerror(errno));
}

static gr_status open_journal(work *w, gr_error *err)
{
    size_t there;
    gr_buf line;
    if (!w->o->journal)
        return GR_OK;
    GR_TRY(say_run(w, err));
    GR_TRY(read_journal(w, &there, err));
    w->journal = fopen(w->o->journal, "ae");
    if (!w->journal)
        return gr_fail(err, GR_ERR_IO, "%s: cannot open it to write: %s", w->o->journal, strerror(errno));
    if (there > 0)
        return GR_OK;
    gr_buf_init(&line, w->e->rt, (size_t)1 << 20);
    gr_status st = gr_vqa_journal_begin(w->e, &line, err);
    if (st == GR_OK)
        st = add_to_journal(w, &line, err);
    gr_buf_fini(&line);
    return st;
}

static gr_status run(work *w, gr_error *err)
{
    gr_evaluation *e = w->e;
    for (size_t i = 0; i < e->items.n; i++) { /* those of another model */
        gr_free(e->rt, e->answers[i].output);
        e->answers[i].output = NULL;
    }
    e->has_probabilities = !w->o->free_text;
    gr_item_images(w->images, sizeof w->images, w->o->images, e->path);
    choose_items(e, w->o->limit);
    GR_TRY(gr_answer_clean_up(&w->clean_up, e->rt, w->model->gar->dir, err));
    GR_TRY(open_journal(w, err));
    GR_TRY(make_engine(w, err));
    return run_items(w, err);
}

gr_status gr_eval_vqa(gr_evaluation **out, gr_model *model, const char *benchmark, const char *path,
                      const gr_eval_options *options, gr_error *err)
{
    gr_eval_options o;
    gr_eval_options_init(&o);
    *out = NULL;
    if (options && options->size != sizeof o)
        return gr_fail(err, GR_ERR_ARG,
                       "gr_eval_options.size is %zu, this library expects %zu: call gr_eval_options_init",
                       options->size, sizeof o);
    if (options)
        o = *options;
    GR_TRY(gr_model_need_text(model, err));
    work w = { .model = model, .o = &o };
    GR_TRY(gr_vqa_open(&w.e, model->rt, benchmark, path, err));
    o.free_text |= w.e->describes;
    const gr_status st = run(&w, err);
    gr_session_close(w.session);
    gr_engine_close(w.engine);
    if (w.journal)
        fclose(w.journal);
    if (st == GR_OK || st == GR_ERR_CANCELLED)
        *out = w.e;
    else
        gr_evaluation_free(w.e);
    return st;
}
