/* engine.c - grasp/engine.h on top of the core. */
#include "base/alloc.h"
#include "base/runtime.h"
#include "engine/model.h"
#include "engine/session.h"
#include "media/resize.h"
#include "region/canvas.h"

void gr_engine_options_init(gr_engine_options *options)
{
    *options = (gr_engine_options){ .size = sizeof *options, .max_sessions = 1, .chunk_rows = 256 };
}

static gr_status limits_of(const gr_model *m, const gr_engine_options *o, gr_core_limits *l, int *max_tiles,
                           gr_error *err)
{
    const gr_gar_config *c = &m->gar->config;
    if (o->size != sizeof *o)
        return gr_fail(err, GR_ERR_ARG,
                       "gr_engine_options.size is %zu, this library expects %zu: call gr_engine_options_init",
                       o->size, sizeof *o);
    if (o->max_tiles < 0 || o->max_tiles > GR_CANVAS_MAX_TILES || o->max_regions < 0 ||
        o->max_regions > GR_MAX_PROMPTS)
        return gr_fail(err, GR_ERR_ARG, "max_tiles is %d and max_regions %d, expected at most %d and %d",
                       o->max_tiles, o->max_regions, GR_CANVAS_MAX_TILES, GR_MAX_PROMPTS);
    if (o->max_sessions < 1 || o->max_sessions > GR_MAX_SEQUENCES)
        return gr_fail(err, GR_ERR_ARG, "max_sessions is %d, expected 1 to %d", o->max_sessions,
                       GR_MAX_SEQUENCES);
    if (o->max_branches < 0 || o->max_branches > GR_MAX_BRANCHES)
        return gr_fail(err, GR_ERR_ARG, "max_branches is %d, expected 0 to %d", o->max_branches,
                       GR_MAX_BRANCHES);
    const int regions = o->max_regions ? o->max_regions : c->n_prompts > 0 ? c->n_prompts : 1;
    *max_tiles = o->max_tiles ? o->max_tiles : c->max_num_tiles;
    const int per_session =
        (1 + *max_tiles) * c->tokens_side * c->tokens_side + regions * c->replay_grid * c->replay_grid;
    *l = (gr_core_limits){ .max_sequences = o->max_sessions + o->max_branches,
                           .max_branches = o->max_branches,
                           .max_context = o->max_context ? o->max_context : c->text.context,
                           .chunk_rows = o->chunk_rows,
                           .max_features = o->max_sessions * per_session,
                           .max_regions = regions };
    return GR_OK;
}

gr_status gr_engine_measure(const gr_model *model, const gr_engine_options *options, gr_memory *memory,
                            gr_error *err)
{
    gr_core_limits limits;
    gr_core_memory m;
    int max_tiles = 0;
    GR_TRY(limits_of(model, options, &limits, &max_tiles, err));
    GR_TRY(gr_core_measure(&m, model->gar, model->backend, &limits, err));
    const int side = model->gar->config.vision.tile_px;
    *memory = (gr_memory){
        .weights = m.weights, .kv = m.kv, .arena = m.arena, .features = m.features, .buffers = m.buffers
    };
    /* Picture and masks as bytes, and what resizing to the widest canvas takes. */
    memory->picture = (size_t)(1 + max_tiles) * (size_t)side * (size_t)side * 4 +
                      gr_resize_bytes(gr_threads_count(model->rt->threads), side * max_tiles, 3);
    memory->total = m.total + memory->picture;
    return GR_OK;
}

static size_t longest_token(const gr_tokenizer *t)
{
    size_t most = 0, n;
    for (int32_t id = 0; id < gr_tokenizer_n_vocab(t); id++)
        if (gr_tokenizer_bytes(t, id, &n) && n > most)
            most = n;
    return most;
}

gr_status gr_engine_open(gr_engine **out, gr_model *model, const gr_engine_options *options, gr_error *err)
{
    gr_core_limits limits;
    int max_tiles = 0;
    *out = NULL;
    GR_TRY(gr_model_need_text(model, err));
    GR_TRY(limits_of(model, options, &limits, &max_tiles, err));
    gr_engine *e = gr_calloc(model->rt, 1, sizeof *e);
    if (!e)
        return gr_fail(err, GR_ERR_MEM, "no memory for the engine");
    e->model = model;
    e->max_tiles = max_tiles;
    e->max_context = limits.max_context;
    e->n_sessions = limits.max_sequences - limits.max_branches;
    e->token_bytes = longest_token(model->tokenizer);
    e->sessions = gr_calloc(model->rt, (size_t)e->n_sessions, sizeof *e->sessions);
    gr_status st = e->sessions ? GR_OK : gr_fail(err, GR_ERR_MEM, "no memory for the engine");
    if (st == GR_OK)
        st = gr_core_new(&e->core, model->gar, model->backend, &limits, options->progress,
                         options->progress_user, err);
    if (st != GR_OK)
        gr_engine_close(e);
    else
        *out = e;
    return st;
}

void gr_engine_close(gr_engine *engine)
{
    if (!engine)
        return;
    gr_core_free(engine->core);
    gr_free(engine->model->rt, engine->sessions);
    gr_free(engine->model->rt, engine);
}

/* The step's watcher: values are shown to the dump of the one session that has one. With several at once rows
 * of the step could not be told apart, so a dump asks for an engine of one session. */
static gr_dump *dump_of(const gr_engine *e)
{
    return e->n_sessions == 1 && e->sessions[0] ? e->sessions[0]->dump : NULL;
}

gr_status gr_engine_step(gr_engine *engine, gr_error *err)
{
    const gr_core_watch watch = gr_dump_watch(dump_of(engine));
    const gr_status st = gr_core_step(engine->core, &watch, err);
    for (int i = 0; st != GR_OK && i < engine->n_sessions; i++)
        if (engine->sessions[i])
            gr_session_drop(engine->sessions[i]);
    GR_TRY(st);
    for (int i = 0; i < engine->n_sessions; i++)
        if (engine->sessions[i])
            GR_TRY(gr_session_collect(engine->sessions[i], err));
    return GR_OK;
}
