/* segments.h - the plans of a GAR model for given capacities: built once by an engine, called for every tile,
 * layer and step. */
#ifndef GR_ENGINE_SEGMENTS_H
#define GR_ENGINE_SEGMENTS_H

#include "model/gar.h"

typedef struct {
    int max_tiles;    /* of one tower call */
    int max_rows;     /* of one decoder call */
    int max_picks;    /* rows whose logits one call gives */
    int max_features; /* feature rows of all conversations */
    int max_regions;  /* of one replay call */
    int max_positions;
} gr_capacities;

typedef struct {
    gr_graph *pe_embed, *pe_block, *projector, *replay, *embed, *block, *head;
} gr_segments;

/* On failure nothing is left. Without `rewrite` the plain operators stay, for tests. */
gr_status gr_segments_init(gr_segments *s, gr_runtime *rt, const gr_gar_config *c, const gr_backend *b,
                           const gr_capacities *cap, gr_rounding round, bool rewrite, gr_error *err);
void gr_segments_fini(gr_segments *s);

/* The largest arena any of them needs. */
size_t gr_segments_arena_bytes(const gr_segments *s);

#endif
