/* internal.h - the inside of engines and sequences, shared by the files of this folder only. */
#ifndef GR_ENGINE_INTERNAL_H
#define GR_ENGINE_INTERNAL_H

#include "base/hash.h"
#include "engine/core.h"
#include "text/ids.h"

struct gr_core {
    gr_runtime *rt;
    gr_gar *model;       /* borrowed */
    gr_backend *backend; /* borrowed */
    gr_core_limits limits;
    gr_segments segments;
    gr_kv kv;

    /* In the backend's space. */
    uint8_t *arena;
    float *boundary[2]; /* a segment reads one and writes the other */
    float *features;    /* [max_features, H] */
    float *pixels, *mask, *boxes, *logits;
    int32_t *ids, *pick, *canvas;

    /* On the host. */
    float *host_pixels, *host_mask, *host_logits;
    int32_t *host_ids, *host_pick, *position, *span_of, *order;
    gr_span *spans;

    gr_sequence **sequences; /* [max_sequences], NULL where free */
};

struct gr_sequence {
    gr_core *engine;
    gr_kv_sequence kv;
    int32_t
        *rows;  /* [max_context] every row from the first: a token id, or -1 - feature row of the picture */
    int n_rows; /* of them, stored or waiting; kv.n_tokens are stored */
    int first_feature, n_features; /* where the picture lies among the engine's; a fork has the same */
    gr_hash *tiles; /* [most tiles]: what each tile's rows were made of, where `n_tiles` of them are there */
    int n_tiles, n_kept;
    bool generating;
    gr_generation generation;
    void (*see)(void *user, const float *logits, int n);
    void *see_user;
    gr_sampled *answer; /* [max_context] */
    int n_answer;
    gr_sequence_status state;
    atomic_bool cancelled;
    int take; /* rows of the step under way */
};

/* Tiles whose rows so many feature rows have room for. */
static inline int gr_most_tiles(const gr_gar_config *c, int max_features)
{
    return max_features / (c->tokens_side * c->tokens_side) + 1;
}

/* Rows of one tile and of one region among features. */
static inline int gr_tile_tokens(const gr_gar_config *c) { return c->tokens_side * c->tokens_side; }
static inline int gr_region_rows(const gr_gar_config *c) { return c->replay_grid * c->replay_grid; }

/* Makes room for n feature rows in one piece, moving other pictures where that helps. The sequence's own are
 * given up, unless they are n and nobody shares them: then they stay, with what is in them. */
gr_status gr_features_take(gr_sequence *s, int n, gr_error *err);
void gr_features_release(gr_sequence *s);

/* Hands values to the watcher. GR_ERR_MEM: only when there is one. */
gr_status gr_watch_device(const gr_core *e, const gr_core_watch *w, const char *name, const float *data,
                          size_t rows, size_t cols, gr_error *err);

/* A run of a segment with what every call shares filled in. */
gr_run gr_core_run(gr_core *e, const gr_core_watch *w);

#endif
