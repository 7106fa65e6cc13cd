/* encode.c - a picture becomes feature rows: tower and projector tile by tile, then the replay of every
 * region. */
#include <stdio.h>
#include <string.h>

#include "engine/internal.h"

static void bind(gr_run *run, const gr_weight *const *slots, int n)
{
    for (int i = 0; i < n; i++)
        run->params[i] = slots[i];
}

/* One span: the rows of the one tile of the call. */
static gr_rows tile_rows(gr_core *e)
{
    const int n = gr_pe_rows(&e->model->config.vision);
    for (int r = 0; r < n; r++) {
        e->position[r] = r;
        e->span_of[r] = 0;
    }
    e->spans[0] = (gr_span){ .row = 0, .n_rows = n };
    return (gr_rows){
        .n_spans = 1, .n_rows = n, .spans = e->spans, .span_of = e->span_of, .position = e->position
    };
}

/* Who may stop it: whoever holds the sequence, from any thread, and the caller's own poll. */
typedef struct {
    gr_sequence *s;
    const gr_picture *p;
} stopper;

static bool cancelled(void *user)
{
    const stopper *stop = user;
    return atomic_load(&stop->s->cancelled) ||
           (stop->p->cancelled && stop->p->cancelled(stop->p->cancel_user));
}

static gr_status encode_tile(gr_sequence *s, const gr_picture *p, int t, const gr_rows *rows,
                             const gr_core_watch *w, gr_error *err)
{
    gr_core *e = s->engine;
    const gr_gar *m = e->model;
    const gr_gar_config *c = &m->config;
    const size_t side = (size_t)c->vision.tile_px, patches = (size_t)c->vision.grid * (size_t)c->vision.grid,
                 dim = (size_t)c->vision.dim;
    GR_TRY(p->tile(p->user, t, e->host_pixels, e->host_mask, err));
    const gr_hash made_of =
        gr_hash_bytes(gr_hash_bytes((gr_hash){ 0 }, e->host_pixels, 3 * side * side * sizeof(float)),
                      e->host_mask, side * side * sizeof(float));
    if (t < s->n_tiles && gr_hash_same(made_of, s->tiles[t]) && !(w && w->put)) {
        s->n_kept++;
        return GR_OK;
    }
    s->tiles[t] = made_of;
    e->backend->ops->write(e->backend, e->pixels, e->host_pixels, 3 * side * side * sizeof(float));
    e->backend->ops->write(e->backend, e->mask, e->host_mask, side * side * sizeof(float));

    stopper stop = { s, p };
    gr_run run = gr_core_run(e, w);
    run.cancelled = cancelled;
    run.cancel_user = &stop;
    run.extents[0] = 1;
    run.rows = rows;
    run.inputs[0] = e->pixels;
    run.inputs[1] = e->mask;
    run.outputs[0] = e->boundary[0];
    bind(&run, m->pe_embed, gr_graph_n_params(e->segments.pe_embed));
    GR_TRY(gr_graph_run(e->segments.pe_embed, e->backend, &run, err));
    for (int l = 0; l < c->vision.depth; l++) {
        run.inputs[0] = e->boundary[l % 2];
        run.outputs[0] = e->boundary[(l + 1) % 2];
        bind(&run, m->pe_blocks[l], GR_PE_BLOCK_SLOTS);
        GR_TRY(gr_graph_run(e->segments.pe_block, e->backend, &run, err));
    }
    const float *tower = e->boundary[c->vision.depth % 2];
    GR_TRY(gr_watch_device(e, w, "vision_features", tower + (c->vision.class_token ? dim : 0), patches, dim,
                           err));
    float *to = e->features + (size_t)(s->first_feature + t * gr_tile_tokens(c)) * (size_t)c->text.hidden;
    run.inputs[0] = e->boundary[c->vision.depth % 2];
    run.outputs[0] = to;
    bind(&run, m->projector, GR_PROJ_SLOTS);
    GR_TRY(gr_graph_run(e->segments.projector, e->backend, &run, err));
    GR_TRY(
        gr_watch_device(e, w, "image_features", to, (size_t)gr_tile_tokens(c), (size_t)c->text.hidden, err));
    return GR_OK;
}

static gr_status replay(gr_sequence *s, const gr_picture *p, const gr_core_watch *w, gr_error *err)
{
    gr_core *e = s->engine;
    const gr_gar_config *c = &e->model->config;
    const size_t region = (size_t)gr_region_rows(c) * (size_t)c->text.hidden;
    const int tokens = gr_tile_tokens(c), to_row = s->first_feature + (1 + p->across * p->down) * tokens;
    const int32_t canvas[3] = { p->across, p->down,
                                s->first_feature + tokens }; /* the thumbnail takes no part */
    e->backend->ops->write(e->backend, e->boxes, p->boxes, (size_t)p->n_regions * 4 * sizeof(float));
    e->backend->ops->write(e->backend, e->canvas, canvas, sizeof canvas);
    stopper stop = { s, p };
    gr_run run = gr_core_run(e, w);
    run.cancelled = cancelled;
    run.cancel_user = &stop;
    run.extents[0] = to_row; /* what is written comes after what is read */
    run.extents[1] = p->n_regions;
    run.inputs[0] = e->features;
    run.inputs[1] = e->boxes;
    run.inputs[2] = e->canvas;
    run.outputs[0] = e->features + (size_t)to_row * (size_t)c->text.hidden;
    GR_TRY(gr_graph_run(e->segments.replay, e->backend, &run, err));
    for (int i = 0; i < p->n_regions; i++) {
        char name[32];
        snprintf(name, sizeof name, "replay_%d", i);
        GR_TRY(gr_watch_device(e, w, name, (float *)run.outputs[0] + (size_t)i * region,
                               (size_t)gr_region_rows(c), (size_t)c->text.hidden, err));
    }
    return GR_OK;
}

/* Rows that wait and read the picture there is would read the new one. */
static gr_status check_waiting(const gr_sequence *s, gr_error *err)
{
    for (int i = s->kv.n_tokens; i < s->n_rows; i++)
        if (s->rows[i] < 0)
            return gr_fail(err, GR_ERR_ARG,
                           "another picture while row %d of the prompt, of the earlier one, waits", i);
    return GR_OK;
}

static gr_status encode_all(gr_sequence *s, const gr_picture *p, const gr_core_watch *watch, gr_error *err)
{
    const int n_tiles = 1 + p->across * p->down;
    const gr_rows rows = tile_rows(s->engine);
    s->n_kept = 0;
    for (int t = 0; t < n_tiles; t++) {
        if (p->progress && !p->progress(p->progress_user, t, n_tiles))
            return gr_fail(err, GR_ERR_CANCELLED, "cancelled");
        GR_TRY(encode_tile(s, p, t, &rows, watch, err));
    }
    s->n_tiles = n_tiles;
    if (p->n_regions > 0)
        GR_TRY(replay(s, p, watch, err));
    if (p->progress && !p->progress(p->progress_user, n_tiles, n_tiles))
        return gr_fail(err, GR_ERR_CANCELLED, "cancelled");
    return GR_OK;
}

gr_status gr_sequence_encode(gr_sequence *s, const gr_picture *p, const gr_core_watch *watch, gr_error *err)
{
    const gr_gar_config *c = &s->engine->model->config;
    const int of_tiles = (1 + p->across * p->down) * gr_tile_tokens(c);
    if (p->n_regions > s->engine->limits.max_regions)
        return gr_fail(err, GR_ERR_LIMIT, "%d regions, the engine was made for %d", p->n_regions,
                       s->engine->limits.max_regions);
    GR_TRY(check_waiting(s, err));
    GR_TRY(gr_features_take(s, of_tiles + p->n_regions * gr_region_rows(c), err));
    const gr_status st = encode_all(s, p, watch, err);
    if (st != GR_OK)
        gr_features_release(s); /* half a picture is none */
    if (st == GR_ERR_CANCELLED)
        atomic_store(&s->cancelled, false);
    return st;
}
