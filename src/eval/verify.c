/* verify.c - a model against published outputs, over the grid of what is not settled. */
#include "grasp/verify.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/rng.h"
#include "engine/request.h"
#include "engine/session.h"
#include "eval/answer_text.h"
#include "eval/reference.h"
#include "eval/scene.h"
#include "eval/verify_grid.h"

/* An answer that has left the published text this many bytes ago does not come back: what clean-up may
 * still remove is shorter, and so is a character that is not complete. */
#define SETTLED_BYTES 8
#define MAX_ANSWER    ((size_t)16 << 20)
#define TEMPLATE_ROWS 1024 /* of the words around picture, regions and question */

struct gr_verification {
    gr_runtime *rt;
    gr_grid grid;
    gr_verify_row rows[GR_GRID_MAX_ROWS];
    gr_verify_summary summary;
};

/* How one answer compares. */
typedef struct {
    uint64_t print; /* of the rows, masks and boxes that led to it */
    bool identical;
    double prefix;
} outcome;

typedef struct {
    gr_verification *v;
    gr_model *model;
    gr_engine *engine;
    gr_session *session;
    const gr_verify_options *o;
    char images[4096]; /* folder */
    bool clean_up;
    bool failed;          /* the model did, not an item */
    uint64_t done, total; /* answers, counting those that are shared */
    gr_error first;       /* why an item was left out */
    gr_buf answer;
    gr_ids ids;
} work;

void gr_verify_options_init(gr_verify_options *options)
{
    *options = (gr_verify_options){ .size = sizeof *options, .grid = "all", .max_tokens = 1024 };
}

void gr_verification_free(gr_verification *v)
{
    if (v)
        gr_free(v->rt, v);
}

const gr_verify_row *gr_verification_row(const gr_verification *v, size_t i)
{
    return i < v->grid.n ? &v->rows[i] : NULL;
}

gr_status gr_verification_summary(const gr_verification *v, gr_verify_summary *out, gr_error *err)
{
    if (out->size != sizeof *out)
        return gr_fail(err, GR_ERR_ARG, "gr_verify_summary.size is %zu, this library expects %zu", out->size,
                       sizeof *out);
    *out = v->summary;
    out->size = sizeof *out;
    return GR_OK;
}

/* --- one item ------------------------------------------------------------------------------------ */

static bool tile_progress(void *user, int done, int total)
{
    (void)done, (void)total;
    const work *w = user;
    return !w->o->watch.progress || w->o->watch.progress(w->o->watch.user, w->done, w->total);
}

static bool stopped(void *user) { return !tile_progress(user, 0, 0); }

static void request_of(gr_request *r, work *w, const gr_reference_item *item, const gr_item_scene *s,
                       const gr_grid_row *row)
{
    gr_request_init(r, w->model);
    r->image = s->image;
    r->regions = (const gr_region *const *)s->regions;
    r->n_regions = (size_t)s->n_regions;
    r->question = item->text;
    r->profile = row->profile;
    r->max_tiles = row->max_tiles;
    r->progress = tile_progress;
    r->progress_user = w;
    r->cancelled = stopped;
    r->cancel_user = w;
}

/* What the model would be given, as a number: equal numbers give equal answers. */
static gr_status print_of(uint64_t *print, work *w, const gr_request *r, gr_error *err)
{
    gr_prepared p;
    GR_TRY(gr_request_plan(&p, w->model, r, err));
    const gr_status st = gr_request_cut(&p, r, err);
    if (st == GR_OK) {
        const size_t side = (size_t)p.mask->tile_px;
        uint64_t h = gr_fnv1a64(p.ids.v, p.ids.n * sizeof *p.ids.v, 0);
        h = gr_fnv1a64(p.source.v, p.source.n * sizeof *p.source.v, h);
        h = gr_fnv1a64(&p.canvas, sizeof p.canvas, h);
        h = gr_fnv1a64(p.boxes, (size_t)p.n_boxes * sizeof p.boxes[0], h);
        h = gr_fnv1a64(p.mask->thumb, side * side, h);
        h = gr_fnv1a64(p.mask->whole, side * side * (size_t)(p.canvas.cols * p.canvas.rows), h);
        *print = gr_fnv1a64(&r->profile.value[GR_SWITCH_STOP], 1, h);
    }
    gr_prepared_fini(&p);
    return st;
}

static size_t common(const char *a, size_t n_a, const char *b, size_t n_b)
{
    size_t n = 0;
    while (n < n_a && n < n_b && a[n] == b[n])
        n++;
    return n;
}

/* The answer so far, as the published script would write it. */
static gr_status take_text(work *w, gr_error *err)
{
    for (size_t i = w->ids.n; i < gr_session_n_tokens(w->session); i++)
        GR_TRY(gr_ids_add(&w->ids, gr_session_token(w->session, i).id, err));
    gr_buf_clear(&w->answer);
    return gr_answer_text(&w->answer, w->model->tokenizer, w->ids.v, w->ids.n, GR_ANSWER_BENCH, w->clean_up,
                          err);
}

static gr_status run_answer(outcome *out, work *w, const gr_request *r, const char *want, gr_error *err)
{
    const size_t n_want = strlen(want);
    gr_answer_options o;
    gr_answer_options_init(&o);
    o.max_tokens = w->o->max_tokens;
    o.keep_special = true;
    gr_ids_clear(&w->ids);
    gr_buf_clear(&w->answer);
    w->v->summary.answers++;
    GR_TRY(gr_session_ask(w->session, r, &o, err));
    size_t same = 0;
    while (gr_session_busy(w->session)) {
        if (!tile_progress(w, 0, 0))
            return gr_fail(err, GR_ERR_CANCELLED, "cancelled");
        GR_TRY(gr_engine_step(w->engine, err));
        GR_TRY(take_text(w, err));
        same = common(gr_buf_str(&w->answer), w->answer.len, want, n_want);
        if (same + SETTLED_BYTES < w->answer.len)
            break;
    }
    out->identical = w->answer.len == n_want && same == n_want;
    out->prefix = n_want ? (double)same / (double)n_want : w->answer.len == 0;
    return GR_OK;
}

static gr_status run_row(outcome *outcomes, size_t k, work *w, const gr_reference_item *item,
                         const gr_item_scene *s, gr_error *err)
{
    gr_request r;
    outcome *mine = &outcomes[k];
    request_of(&r, w, item, s, &w->v->grid.rows[k]);
    GR_TRY(print_of(&mine->print, w, &r, err));
    for (size_t i = 0; i < k; i++)
        if (outcomes[i].print == mine->print) {
            *mine = outcomes[i];
            return GR_OK;
        }
    const gr_status st = run_answer(mine, w, &r, item->output, err);
    w->failed = st != GR_OK;
    return st;
}

/* Everything or nothing of an item counts. */
static gr_status run_item(work *w, const gr_reference_item *item, gr_error *err)
{
    outcome outcomes[GR_GRID_MAX_ROWS] = { { 0 } };
    gr_verification *v = w->v;
    gr_item_scene s;
    GR_TRY(gr_item_scene_open(&s, v->rt, w->images, item, err));
    gr_status st = GR_OK;
    for (size_t k = 0; k < v->grid.n && st == GR_OK; k++) {
        st = run_row(outcomes, k, w, item, &s, err);
        w->done += st == GR_OK;
    }
    gr_item_scene_fini(&s);
    if (st != GR_OK)
        return st;
    for (size_t k = 0; k < v->grid.n; k++) {
        v->rows[k].identical += outcomes[k].identical;
        v->rows[k].prefix += outcomes[k].prefix; /* the sum until the end */
    }
    v->summary.compared++;
    return GR_OK;
}

/* --- all items ----------------------------------------------------------------------------------- */

static void skip_item(work *w, const gr_reference_item *item, const gr_error *why, size_t index)
{
    w->v->summary.skipped++;
    w->done = (index + 1) * w->v->grid.n;
    if (w->first.status == GR_OK)
        w->first = *why;
    if (w->o->watch.skipped)
        w->o->watch.skipped(w->o->watch.user, item->image, why->msg);
}

static gr_status run_items(work *w, const gr_reference_item *const *items, gr_error *err)
{
    for (size_t i = 0; i < w->v->summary.items; i++) {
        gr_error why = { 0 };
        const gr_status st = run_item(w, items[i], &why);
        if (st == GR_ERR_CANCELLED || st == GR_ERR_MEM || w->failed)
            return gr_fail(err, st, "item %zu (%s): %s", items[i]->number, items[i]->image, why.msg);
        if (st != GR_OK)
            skip_item(w, items[i], &why, i);
        if (!tile_progress(w, 0, 0))
            return gr_fail(err, GR_ERR_CANCELLED, "cancelled");
    }
    return w->v->summary.compared
               ? GR_OK
               : gr_fail(err, GR_ERR_IO, "none of %zu items could be run; the first one: %s",
                         w->v->summary.items, w->first.msg);
}

/* Items by their number of regions, in their order otherwise; a limit takes the first ones. */
static gr_status choose_items(const gr_reference_item ***out, size_t *n, const gr_reference *ref,
                              size_t limit, gr_error *err)
{
    const gr_reference_item **items = gr_calloc(ref->rt, ref->n, sizeof *items);
    if (!items)
        return gr_fail(err, GR_ERR_MEM, "no memory for %zu items", ref->n);
    *n = 0;
    for (int regions = 1; regions <= GR_MAX_PROMPTS; regions++)
        for (size_t i = 0; i < ref->n; i++)
            if (ref->items[i].n_regions == regions)
                items[(*n)++] = &ref->items[i];
    if (limit && limit < *n)
        *n = limit;
    *out = items;
    return GR_OK;
}

/* An engine that is large enough for every item under every combination. */
static gr_status make_engine(work *w, const gr_reference_item *const *items, gr_error *err)
{
    const gr_gar_config *c = &w->model->gar->config;
    const int tile = c->tokens_side * c->tokens_side, region = c->replay_grid * c->replay_grid;
    gr_engine_options o;
    gr_engine_options_init(&o);
    int64_t rows = 0;
    o.max_tiles = o.max_regions = 1;
    for (size_t k = 0; k < w->v->grid.n; k++)
        if (w->v->grid.rows[k].max_tiles > o.max_tiles)
            o.max_tiles = w->v->grid.rows[k].max_tiles;
    for (size_t i = 0; i < w->v->summary.items; i++) {
        const int64_t text = (int64_t)strlen(items[i]->text); /* a token is a byte at least */
        const int64_t mine = text + (int64_t)items[i]->n_regions * (region + 32);
        rows = mine > rows ? mine : rows;
        o.max_regions = items[i]->n_regions > o.max_regions ? items[i]->n_regions : o.max_regions;
    }
    rows += TEMPLATE_ROWS + (int64_t)(1 + o.max_tiles) * tile + w->o->max_tokens;
    o.max_context = rows < c->text.context ? (int)rows : c->text.context;
    GR_TRY(gr_engine_open(&w->engine, w->model, &o, err));
    return gr_session_open(&w->session, w->engine, err);
}

static void finish_rows(gr_verification *v)
{
    double best_prefix = 0;
    size_t best = 0;
    for (size_t k = 0; k < v->grid.n; k++) {
        gr_verify_row *row = &v->rows[k];
        row->prefix = v->summary.compared ? row->prefix / (double)v->summary.compared : 0;
        if (row->identical > best || (row->identical == best && row->prefix > best_prefix)) {
            best = row->identical;
            best_prefix = row->prefix;
        }
    }
    for (size_t k = 0; k < v->grid.n && (best > 0 || best_prefix > 0); k++)
        v->rows[k].best = v->rows[k].identical == best && v->rows[k].prefix == best_prefix;
}

static gr_status compare(work *w, const gr_reference *ref, gr_error *err)
{
    const gr_reference_item **items = NULL;
    gr_verification *v = w->v;
    GR_TRY(choose_items(&items, &v->summary.items, ref, w->o->limit, err));
    w->total = v->summary.items * v->grid.n;
    gr_buf_init(&w->answer, v->rt, MAX_ANSWER);
    gr_ids_init(&w->ids, v->rt, (size_t)1 << 20);
    gr_status st = gr_answer_clean_up(&w->clean_up, v->rt, w->model->gar->dir, err);
    if (st == GR_OK)
        st = make_engine(w, items, err);
    if (st == GR_OK)
        st = run_items(w, items, err);
    gr_session_close(w->session);
    gr_engine_close(w->engine);
    gr_ids_fini(&w->ids);
    gr_buf_fini(&w->answer);
    gr_free(v->rt, items);
    finish_rows(v);
    return st;
}

static gr_status verification_new(gr_verification **out, const gr_model *m, const gr_verify_options *o,
                                  gr_error *err)
{
    gr_verification *v = gr_calloc(m->rt, 1, sizeof *v);
    if (!v)
        return gr_fail(err, GR_ERR_MEM, "no memory for the comparison");
    v->rt = m->rt;
    const gr_status st = gr_grid_parse(&v->grid, o->grid, m->gar->config.max_num_tiles, err);
    if (st != GR_OK) {
        gr_free(v->rt, v);
        return st;
    }
    for (size_t k = 0; k < v->grid.n; k++)
        v->rows[k] = (gr_verify_row){ .name = v->grid.rows[k].name,
                                      .profile = v->grid.rows[k].profile,
                                      .max_tiles = v->grid.rows[k].max_tiles };
    v->summary = (gr_verify_summary){ .size = sizeof v->summary, .rows = v->grid.n };
    *out = v;
    return GR_OK;
}

gr_status gr_verify_outputs(gr_verification **out, gr_model *model, const char *path,
                            const gr_verify_options *options, gr_error *err)
{
    gr_verify_options o;
    gr_reference ref;
    gr_verify_options_init(&o);
    *out = NULL;
    if (options && options->size != sizeof o)
        return gr_fail(err, GR_ERR_ARG,
                       "gr_verify_options.size is %zu, this library expects %zu: call gr_verify_options_init",
                       options->size, sizeof o);
    if (options)
        o = *options;
    GR_TRY(gr_model_need_text(model, err));
    work w = { .model = model, .o = &o };
    GR_TRY(verification_new(&w.v, model, &o, err));
    gr_item_images(w.images, sizeof w.images, o.images, path);
    gr_status st = gr_reference_open(&ref, model->rt, path, err);
    if (st == GR_OK) {
        st = compare(&w, &ref, err);
        gr_reference_fini(&ref);
    }
    if (st == GR_OK || st == GR_ERR_CANCELLED)
        *out = w.v;
    else
        gr_verification_free(w.v);
    return st;
}
