/* tile.h - one tile through a model's own segments and weights, part by part, and what the parts of an answer
 * cost. */
#ifndef GR_BENCH_TILE_H
#define GR_BENCH_TILE_H

#include "engine/segments.h"

/* In the order of the work. */
typedef enum { GR_PART_EMBED, GR_PART_TOWER, GR_PART_PROJECTOR, GR_PART_REPLAY, GR_N_PARTS } gr_part;

typedef struct {
    const gr_gar *model; /* borrowed; prepared */
    gr_backend *backend;
    gr_segments segments;
    gr_run run; /* arena and row table; the rest is set by each part */
    float *pixels, *mask, *boundary[2], *features, *replayed;
    float *box;
    int32_t *canvas;
    gr_rows rows;
    gr_span span;
    int32_t *indices;          /* span_of and position */
    bool (*go_on)(void *user); /* polled between blocks of the tower; may be NULL */
    void *user;
} gr_tile_bench;

/* Takes what an engine of one session takes besides weights and pages; every number is zero, as no part's
 * time depends on it. GR_ERR_MEM: nothing is left. */
gr_status gr_tile_bench_open(gr_tile_bench *t, const gr_gar *model, gr_error *err);
void gr_tile_bench_close(gr_tile_bench *t);

/* The tile as a whole and one region: embedding, all blocks, projector, replay. GR_ERR_CANCELLED. */
gr_status gr_tile_bench_run(gr_tile_bench *t, gr_part part, gr_error *err);

/* FLOP of a part, and of the replay the bytes. */
void gr_tile_bench_cost(const gr_tile_bench *t, gr_part part, double *flop, double *bytes);

/* FLOP of a prompt of so many rows with the head's one row, as one causal span. */
double gr_prompt_flop(const gr_tile_bench *t, int rows);
/* FLOP of a token, and the bytes that it reads: the decoder's weights as they are packed, and keys and values
 * of so many positions. */
void gr_token_cost(const gr_tile_bench *t, double positions, double *flop, double *bytes);

#endif
