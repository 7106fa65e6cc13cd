#include "engine/segments.h"

#define N_SEGMENTS (sizeof(gr_segments) / sizeof(gr_graph *))

static gr_graph **list_of(gr_segments *s) { return &s->pe_embed; }

gr_status gr_segments_init(gr_segments *s, gr_runtime *rt, const gr_gar_config *c, const gr_backend *b,
                           const gr_capacities *cap, gr_rounding round, bool rewrite, gr_error *err)
{
    *s = (gr_segments){ 0 };
    gr_status st = gr_pe_embed_segment(&s->pe_embed, rt, &c->vision, cap->max_tiles, round, err);
    if (st == GR_OK)
        st = gr_pe_block_segment(&s->pe_block, rt, &c->vision, cap->max_tiles, round, err);
    if (st == GR_OK)
        st = gr_gar_projector_segment(&s->projector, rt, c, cap->max_tiles, round, err);
    if (st == GR_OK)
        st = gr_gar_replay_segment(&s->replay, rt, c, cap->max_features, cap->max_regions, round, err);
    if (st == GR_OK)
        st = gr_llama_embed_segment(&s->embed, rt, &c->text, cap->max_rows, cap->max_features, round, err);
    if (st == GR_OK)
        st = gr_llama_block_segment(&s->block, rt, &c->text, cap->max_rows, cap->max_positions, true, round,
                                    err);
    if (st == GR_OK)
        st = gr_llama_head_segment(&s->head, rt, &c->text, cap->max_rows, cap->max_picks, round, err);
    for (size_t i = 0; i < N_SEGMENTS && st == GR_OK; i++) {
        if (rewrite)
            gr_graph_rewrite(list_of(s)[i]);
        st = gr_graph_plan(list_of(s)[i], b, err);
    }
    if (st != GR_OK)
        gr_segments_fini(s);
    return st;
}

void gr_segments_fini(gr_segments *s)
{
    for (size_t i = 0; i < N_SEGMENTS; i++)
        gr_graph_free(list_of(s)[i]);
    *s = (gr_segments){ 0 };
}

size_t gr_segments_arena_bytes(const gr_segments *s)
{
    size_t most = 0;
    for (size_t i = 0; i < N_SEGMENTS; i++) {
        const size_t bytes = gr_graph_arena_bytes((&s->pe_embed)[i]);
        most = bytes > most ? bytes : most;
    }
    return most;
}
