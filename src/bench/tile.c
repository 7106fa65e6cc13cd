#include "bench/tile.h"

#include <string.h>

#include "base/alloc.h"

static int patch_rows(const gr_gar_config *c) { return gr_pe_rows(&c->vision); }
static int tile_tokens(const gr_gar_config *c) { return c->tokens_side * c->tokens_side; }

/* --- memory -------------------------------------------------------------------------------------- */

/* Zeroed floats in the backend's space. */
static bool place(gr_tile_bench *t, void *pointer, size_t bytes, gr_error *err)
{
    void *memory = t->backend->ops->place(t->backend, bytes, err);
    memcpy(pointer, &memory, sizeof memory);
    if (memory)
        memset(memory, 0, bytes);
    return memory != NULL;
}

static gr_status take(gr_tile_bench *t, gr_error *err)
{
    const gr_gar_config *c = &t->model->config;
    const size_t side = (size_t)c->vision.tile_px, plane = side * side * sizeof(float),
                 boundary = (size_t)patch_rows(c) * (size_t)c->vision.dim * sizeof(float),
                 row = (size_t)c->text.hidden * sizeof(float);
    return place(t, &t->pixels, 3 * plane, err) && place(t, &t->mask, plane, err) &&
                   place(t, &t->boundary[0], boundary, err) && place(t, &t->boundary[1], boundary, err) &&
                   place(t, &t->features, (size_t)tile_tokens(c) * row, err) &&
                   place(t, &t->replayed, (size_t)(c->replay_grid * c->replay_grid) * row, err) &&
                   place(t, &t->box, 4 * sizeof *t->box, err) &&
                   place(t, &t->canvas, 3 * sizeof *t->canvas, err) &&
                   place(t, &t->run.arena, gr_segments_arena_bytes(&t->segments) + 64, err)
               ? GR_OK
               : GR_ERR_MEM;
}

static gr_status set_rows(gr_tile_bench *t, gr_error *err)
{
    const int n = patch_rows(&t->model->config);
    t->indices = gr_calloc(t->model->rt, 2 * (size_t)n, sizeof *t->indices);
    if (!t->indices)
        return gr_fail(err, GR_ERR_MEM, "no memory for a table of %d rows", n);
    for (int i = 0; i < n; i++)
        t->indices[n + i] = i;
    t->span = (gr_span){ .n_rows = n };
    t->rows = (gr_rows){
        .n_spans = 1, .n_rows = n, .spans = &t->span, .span_of = t->indices, .position = t->indices + n
    };
    return GR_OK;
}

static void set_region(gr_tile_bench *t)
{
    const float side = (float)t->model->config.tokens_side;
    memcpy(t->canvas, (int32_t[]){ 1, 1, 0 }, 3 * sizeof *t->canvas);
    memcpy(t->box, (float[]){ 0.1f * side, 0.1f * side, 0.9f * side, 0.9f * side }, 4 * sizeof *t->box);
}

static gr_status open(gr_tile_bench *t, gr_error *err)
{
    const gr_gar *m = t->model;
    const gr_capacities cap = { .max_tiles = 1,
                                .max_rows = 1,
                                .max_picks = 1,
                                .max_features = tile_tokens(&m->config),
                                .max_regions = 1,
                                .max_positions = m->max_positions };
    GR_TRY(gr_segments_init(&t->segments, m->rt, &m->config, t->backend, &cap, m->round, true, err));
    GR_TRY(take(t, err));
    GR_TRY(set_rows(t, err));
    set_region(t);
    return GR_OK;
}

gr_status gr_tile_bench_open(gr_tile_bench *t, const gr_gar *model, gr_error *err)
{
    *t = (gr_tile_bench){ .model = model, .backend = model->backend };
    const gr_status st = open(t, err);
    if (st != GR_OK) {
        gr_tile_bench_close(t);
        *t = (gr_tile_bench){ 0 };
    }
    return st;
}

void gr_tile_bench_close(gr_tile_bench *t)
{
    void *const placed[] = { t->pixels,   t->mask, t->boundary[0], t->boundary[1], t->features,
                             t->replayed, t->box,  t->canvas,      t->run.arena };
    for (size_t i = 0; i < sizeof placed / sizeof *placed; i++)
        t->backend->ops->release(t->backend, placed[i]);
    gr_free(t->model->rt, t->indices);
    gr_segments_fini(&t->segments);
}

/* --- parts --------------------------------------------------------------------------------------- */

static gr_status call(gr_tile_bench *t, const gr_graph *segment, const gr_weight *const *weights, void *in,
                      void *out, gr_error *err)
{
    gr_run run = t->run;
    run.extents[0] = 1;
    run.rows = &t->rows;
    run.inputs[0] = in;
    run.inputs[1] = t->mask; /* of the embedding */
    run.outputs[0] = out;
    for (int i = 0; i < gr_graph_n_params(segment); i++)
        run.params[i] = weights[i];
    return gr_graph_run(segment, t->backend, &run, err);
}

static gr_status run_embed(gr_tile_bench *t, gr_error *err)
{
    return call(t, t->segments.pe_embed, t->model->pe_embed, t->pixels, t->boundary[0], err);
}

static gr_status run_tower(gr_tile_bench *t, gr_error *err)
{
    for (int l = 0; l < t->model->config.vision.depth; l++) {
        if (t->go_on && !t->go_on(t->user))
            return gr_fail(err, GR_ERR_CANCELLED, "cancelled");
        GR_TRY(call(t, t->segments.pe_block, t->model->pe_blocks[l], t->boundary[l % 2],
                    t->boundary[(l + 1) % 2], err));
    }
    return GR_OK;
}

static gr_status run_projector(gr_tile_bench *t, gr_error *err)
{
    return call(t, t->segments.projector, t->model->projector, t->boundary[0], t->features, err);
}

static gr_status run_replay(gr_tile_bench *t, gr_error *err)
{
    gr_run run = t->run;
    run.extents[0] = tile_tokens(&t->model->config);
    run.extents[1] = 1;
    run.inputs[0] = t->features;
    run.inputs[1] = t->box;
    run.inputs[2] = t->canvas;
    run.outputs[0] = t->replayed;
    return gr_graph_run(t->segments.replay, t->backend, &run, err);
}

gr_status gr_tile_bench_run(gr_tile_bench *t, gr_part part, gr_error *err)
{
    static gr_status (*const parts[GR_N_PARTS])(gr_tile_bench *,
                                                gr_error *) = { [GR_PART_EMBED] = run_embed,
                                                                [GR_PART_TOWER] = run_tower,
                                                                [GR_PART_PROJECTOR] = run_projector,
                                                                [GR_PART_REPLAY] = run_replay };
    return parts[part](t, err);
}

/* --- what they cost ------------------------------------------------------------------------------ */

static double flop_of(const gr_graph *g, int extent_0, int extent_1)
{
    const int extents[GR_MAX_EXTENTS] = { extent_0, extent_1 };
    double flop;
    gr_graph_cost(g, extents, &flop, NULL);
    return flop;
}

void gr_tile_bench_cost(const gr_tile_bench *t, gr_part part, double *flop, double *bytes)
{
    const gr_segments *s = &t->segments;
    const int replay[GR_MAX_EXTENTS] = { tile_tokens(&t->model->config), 1 };
    *flop = *bytes = 0;
    switch (part) {
    case GR_PART_EMBED:
        *flop = flop_of(s->pe_embed, 1, 0);
        break;
    case GR_PART_TOWER:
        *flop = t->model->config.vision.depth * flop_of(s->pe_block, 1, 0);
        break;
    case GR_PART_PROJECTOR:
        *flop = flop_of(s->projector, 1, 0);
        break;
    default:
        gr_graph_cost(s->replay, replay, flop, bytes);
    }
}

double gr_prompt_flop(const gr_tile_bench *t, int rows)
{
    return t->model->config.text.layers * flop_of(t->segments.block, rows, 0) +
           flop_of(t->segments.head, 1, 1);
}

/* A graph counts attention as if the rows of the call were all there is. */
void gr_token_cost(const gr_tile_bench *t, double positions, double *flop, double *bytes)
{
    const gr_llama_config *c = &t->model->config.text;
    const double layers = c->layers, q = (double)c->heads * c->head_dim,
                 kv = (double)c->kv_heads * c->head_dim;
    *flop = gr_prompt_flop(t, 1) + layers * 4 * positions * q;
    *bytes = (double)gr_weight_form_bytes(t->model->head[GR_LLAMA_HEAD], GR_FORM_PANELS) +
             layers * 2 * positions * kv * sizeof(float);
    for (int l = 0; l < c->layers; l++)
        for (int slot = 0; slot < GR_LLAMA_BLOCK_SLOTS; slot++)
            if (slot != GR_LLAMA_ROPE) /* of which a token reads one row */
                *bytes += (double)gr_weight_form_bytes(t->model->blocks[l][slot],
                                                       gr_graph_param_form(t->segments.block, slot));
}
