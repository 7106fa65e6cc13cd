/* stages.h - what the stages of a benchmark share: a picture, a model made ready, the limits, and how rows
 * are told. */
#ifndef GR_BENCH_STAGES_H
#define GR_BENCH_STAGES_H

#include "base/buf.h"
#include "bench/limits.h"
#include "bench/tile.h"
#include "engine/model.h"
#include "grasp/bench.h"

/* One benchmark of stages. */
typedef struct {
    const gr_bench_stage_options *options;
    gr_model *model;
    gr_runtime *rt;
    gr_limits limits;
    gr_buf pnm, png;
    gr_image *image;
    gr_region *region;
    gr_engine_options engine_options;
    gr_memory announced;
    gr_engine *engine;
    gr_tile_bench tile;
    int tiles[GR_BENCH_MAX_TILES]; /* [n_tiles] of the options, without those that cut the picture alike */
    int n_tiles;
    uint64_t done, total; /* rows */
} gr_stages;

/* gr_timing.go_on; `user` is the gr_stages. */
bool gr_stages_go_on(void *user);

/* A row is complete but for these. */
void gr_stages_tell(gr_stages *s, gr_bench_row *row, const char *kind);

/* Times one stage and tells it; `limit` GR_N_LIMITS: there is none to hold it against. The row says what one
 * call does. */
gr_status gr_stages_measure(gr_stages *s, gr_bench_row *row, const gr_work *work, gr_limit limit,
                            gr_error *err);

/* A description of the region, of at most so many tiles. */
gr_request gr_stages_request(gr_stages *s, int tiles);

/* stage_picture.c: decoding every form of the picture there is; prompt, tiles and masks. */
gr_status gr_stages_decoding(gr_stages *s, gr_error *err);
gr_status gr_stages_cutting(gr_stages *s, int tiles, gr_error *err);

/* stage_answer.c: tower, prefill and decode of a whole answer, and all of it. */
#define GR_ANSWER_ROWS 4
gr_status gr_stages_answer(gr_stages *s, int tiles, gr_error *err);

#endif
