/* engine.h - what computes for one model: weights packed for the device, working memory, and the step loop
 * over conversations.
 *
 * One thread drives an engine at a time; cancelling is allowed from anywhere. All memory is taken when the
 * engine and its sessions are made. */
#ifndef GRASP_ENGINE_H
#define GRASP_ENGINE_H

#include "grasp/model.h"

typedef struct gr_engine gr_engine;

/* Begin with gr_engine_options_init; fields are only ever added at the end. */
typedef struct {
    size_t size;      /* sizeof(gr_engine_options), set by init */
    int max_sessions; /* conversations at once; default 1 */
    int max_context;  /* tokens of one, prompt and answer; 0: the model's limit */
    int chunk_rows;   /* prompt rows of one step; default 256. Results do not depend on it. */
    int max_tiles;    /* tiles of a picture, without the thumbnail; 0: the model's limit */
    int max_regions;  /* of one conversation; 0: the model's prompts */
    /* While weights are packed, with bytes done and in all; false cancels (GR_ERR_CANCELLED). May be NULL. */
    bool (*progress)(void *user, size_t done, size_t total);
    void *progress_user;
    /* Answers of a closed set that gr_session_choose works on side by side, besides the first: each takes 128
     * tokens of KV. Default 0, at most 64. Probabilities do not depend on it. */
    int max_branches;
} gr_engine_options;

/* Defaults; writes the whole struct. */
GR_API void gr_engine_options_init(gr_engine_options *options);

/* Memory in bytes, computed before anything is taken. Peak resident memory is at most total + 3 % + 64 MB; a
 * large picture comes on top of it (gr_request_picture_bytes). */
typedef struct {
    size_t weights, kv, arena, features;
    size_t buffers; /* of a step, of tiles, and of reading the weights while they are loaded */
    size_t picture; /* tiles of a picture of max_tiles, as bytes, and resizing to them */
    size_t total;
} gr_memory;

/* Builds the plans and adds up; takes nothing of that order. GR_ERR_ARG: an option out of its range.
 * GR_ERR_LIMIT: a context the model has not. GR_ERR_MEM. */
GR_API gr_status gr_engine_measure(const gr_model *model, const gr_engine_options *options, gr_memory *memory,
                                   gr_error *err);

/* GR_ERR_FORMAT: a weight is not finite. GR_ERR_IO: a file became shorter, or the disk failed. GR_ERR_LIMIT,
 * GR_ERR_MEM, GR_ERR_CANCELLED. */
GR_API gr_status gr_engine_open(gr_engine **out, gr_model *model, const gr_engine_options *options,
                                gr_error *err);
GR_API void gr_engine_close(gr_engine *engine); /* NULL is fine; its sessions must be gone */

#endif
