/* model.h - a model folder as it was published: opened, described, not yet computing.
 *
 * gr_model_open reads the headers of the weights and checks every tensor's name, type and shape; it reads and
 * allocates nothing of their size, and keeps the files open until the model is closed. Packing them for a
 * device is the engine's first act (engine.h). */
#ifndef GRASP_MODEL_H
#define GRASP_MODEL_H

#include <stdbool.h>
#include <stdint.h>
#include "grasp/profile.h"
#include "grasp/runtime.h"

typedef struct gr_model gr_model;

/* exact: f32 arithmetic. released: f32 arithmetic with results rounded to bf16 wherever the published bf16
 * code rounds. */
typedef enum { GR_NUMERICS_EXACT, GR_NUMERICS_RELEASED } gr_numerics;

/* Begin with gr_model_options_init; fields are only ever added at the end. */
typedef struct {
    size_t size; /* sizeof(gr_model_options), set by init */
    gr_numerics numerics;
} gr_model_options;

GR_API void gr_model_options_init(gr_model_options *options);

/* `dir`: config.json, tokenizer.json and weights (safetensors, one file or shards). `options` may be NULL. On
 * failure *out is NULL. GR_ERR_IO, GR_ERR_FORMAT, GR_ERR_SHAPE, GR_ERR_UNSUPPORTED, GR_ERR_MEM: the sentence
 * names file, tensor or field. */
GR_API gr_status gr_model_open(gr_model **out, gr_runtime *rt, const char *dir,
                               const gr_model_options *options, gr_error *err);
GR_API void gr_model_close(gr_model *model); /* NULL is fine; its engines must be gone */

/* The switches the checkpoint was trained for; released where it does not say. */
GR_API void gr_model_profile(const gr_model *model, gr_profile *out);

/* One part of the network. */
typedef struct {
    const char *name; /* "vision", "mask", "projector", "text", "head" */
    int tensors;
    int64_t parameters;
    uint64_t stored_bytes;
} gr_model_part;

#define GR_MODEL_PARTS 5

/* What `grasp inspect` shows. Texts are borrowed from the model. */
typedef struct {
    size_t size;                        /* sizeof(gr_model_info), set by the caller */
    const char *dir, *family, *tower;   /* "gar"; the tower's published architecture name */
    const char *license, *base_license; /* NULL: not stated in the files */
    const char *dtypes;                 /* "BF16" or, mixed, "BF16 470, F32 8" */
    int tile_px, patch_px, tower_dim, tower_depth, tower_heads;
    bool class_token;
    int tokens_per_tile, rows_per_region, max_tiles, n_prompts;
    bool max_tiles_stated; /* by the checkpoint's files; otherwise by our table of known names */
    int hidden, layers, heads, kv_heads, head_dim, ffn, vocab, context;
    double rope_theta, rope_factor; /* factor 0: not scaled */
    bool tied;
    int tensors;
    int64_t parameters;
    uint64_t stored_bytes;
    gr_model_part parts[GR_MODEL_PARTS];
    int tokens; /* of the tokenizer; 0: the folder has none, so that it can be inspected and no more */
} gr_model_info;

/* GR_ERR_ARG: info->size is not sizeof(gr_model_info). Allocates nothing. */
GR_API gr_status gr_model_describe(const gr_model *model, gr_model_info *info, gr_error *err);

/* The tiles, besides the thumbnail, that a picture of width x height pixels is cut into. `max_tiles` 0: the
 * model's limit. GR_ERR_ARG: a side below 1, or max_tiles over 64. */
GR_API gr_status gr_model_tiles(const gr_model *model, int width, int height, int max_tiles, int *across,
                                int *down, gr_error *err);

/* Things that no published file has confirmed yet, as sentences with the command that will settle them; NULL
 * ends the list. */
GR_API const char *gr_model_unverified(const gr_model *model, size_t i);

#endif
