/* talk.h - conversations with the golden model through gr_core: a world (weights, backend, core) and talks
 * whose prompt and picture follow from a seed. What the core says about a talk, its logits to the bit, is
 * kept. */
#ifndef TEST_TALK_H
#define TEST_TALK_H

#include "engine/internal.h"
#include "support/drawn.h"

#define TALK_MAX_TOKENS 48
#define TALK_MAX_ROWS   512

typedef struct {
    gr_runtime *rt;
    gr_gar *gar;
    gr_backend *backend;
    gr_core *core;
} world;

/* `dir` as made by test_drawn_checkpoint. Limits left 0: 1 sequence, 512 rows, chunks of 256, 400 features, 5
 * regions. */
void world_open(world *w, const char *dir, int n_threads, gr_core_limits limits);
/* With a runtime that the world then owns. */
void world_open_with(world *w, const char *dir, gr_runtime *rt, gr_core_limits limits);
void world_close(world *w);

/* Prompt: `before` tokens, the picture's rows, the regions' rows, `after` tokens. */
typedef struct {
    uint64_t seed;
    int before, across, down, n_regions, after; /* across 0: no picture */
    int tokens;                                 /* of the answer */
    double temperature;
} talk;

/* What came out. */
typedef struct {
    gr_sequence *s;
    int n;
    float *logits; /* [TALK_MAX_TOKENS][vocab], rows 0..n-1 */
    int32_t tokens[TALK_MAX_TOKENS];
    double logprobs[TALK_MAX_TOKENS];
} said;

int talk_rows(const world *w, const talk *t, int32_t *ids, int32_t *source);
void talk_picture(gr_picture *p, const talk *t); /* t must outlive it */
void talk_encode(gr_sequence *s, const talk *t);
gr_generation talk_generation(const talk *t);

void said_init(said *a, const world *w);
void said_fini(said *a);
/* Picture, rows, generation on the sequence a->s, which is made when it is NULL. */
void talk_start(world *w, const talk *t, said *a);
/* One step; what answers grew by is added to those of `all` whose sequence it is. */
void world_step(world *w, said *const *all, int n);
void world_finish(world *w, said *const *all, int n); /* steps until nobody is busy */
/* A talk by itself in a world of its own. */
void talk_alone(const char *dir, int n_threads, int chunk_rows, const talk *t, said *a);
/* With the kernels of these GR_CPU_* bits. */
void talk_alone_on(const char *dir, int n_threads, int chunk_rows, unsigned cpu, const talk *t, said *a);

/* Fails unless both said the same, to the bit. */
void said_same(const said *a, const said *b, const char *what);

#endif
