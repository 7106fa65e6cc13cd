/* gar.h - a GAR checkpoint: configuration, stored tensors, logical weights, and which weight stands in which
 * slot of which segment.
 *
 * gr_gar_open reads headers and checks every tensor; nothing of the size of the weights is allocated until
 * gr_gar_prepare packs them for a backend. Source of names and shapes: gar_tensors.h. */
#ifndef GR_MODEL_GAR_H
#define GR_MODEL_GAR_H

#include "backend/backend.h"
#include "graph/graph.h"
#include "io/checkpoint.h"
#include "model/gar_config.h"
#include "model/gar_segments.h"
#include "model/gar_tensors.h"
#include "model/llama.h"
#include "model/perception.h"

typedef struct {
    gr_runtime *rt;
    char *dir;
    gr_gar_config config;
    gr_rounding round; /* GR_ROUND_BF16: numerics released */
    gr_checkpoint *files;
    gr_gar_tensors tensors;
    gr_gar_bound *bound; /* [tensors.n] */
    gr_weight *weights;  /* [tensors.n] in their order, then the tables of extra_weight */
    size_t n_weights;
    float *tower_rope, *text_rope; /* [rows of a tile][head_dim], [max_positions][head_dim]; owned */
    float *zero_mask;              /* stands in for the mask embedding that a base model has not; owned */
    int max_positions;

    /* By slot; borrowed from `weights`. */
    const gr_weight *pe_embed[GR_PE_EMBED_SLOTS];
    const gr_weight *(*pe_blocks)[GR_PE_BLOCK_SLOTS]; /* [depth] */
    const gr_weight *projector[GR_PROJ_SLOTS];
    const gr_weight *embed[GR_LLAMA_EMBED_SLOTS];
    const gr_weight *(*blocks)[GR_LLAMA_BLOCK_SLOTS]; /* [layers] */
    const gr_weight *head[GR_LLAMA_HEAD_SLOTS];

    gr_backend *backend; /* that prepared the weights, or NULL */
    /* Weights that somebody else holds as f32 rows and changes: nothing is prepared for them. [tensors.n], or
     * NULL: none. Borrowed; while it is set the weights' `vector` belongs to the holder. */
    const bool *held;
} gr_gar;

/* `dir`: a folder with config.json and weights. All problems of all tensors are reported in one sentence (the
 * first few by name). */
gr_status gr_gar_open(gr_gar **out, gr_runtime *rt, const char *dir, gr_rounding round, gr_error *err);
void gr_gar_close(gr_gar *m); /* NULL is fine; also releases what was prepared */

/* Bytes that gr_gar_prepare will take, tables included. */
size_t gr_gar_prepared_bytes(const gr_gar *m, int max_positions);

/* Bytes of buffers that it takes besides, while it lasts, with so many workers. */
size_t gr_gar_reading_bytes(const gr_gar *m, int n_workers);

/* Packs every weight into the form its segment reads, tensor by tensor, as it is read. Of the files only an
 * embedding that is not the head too is needed afterwards. `progress` (may be NULL) is told bytes done and in
 * all, and returns false to cancel. Once; after a failure nothing is prepared, and it may be tried again. */
gr_status gr_gar_prepare(gr_gar *m, gr_backend *b, int max_positions,
                         bool (*progress)(void *user, size_t done, size_t total), void *user, gr_error *err);

#endif
