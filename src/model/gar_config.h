/* gar_config.h - every size and id of a GAR model, read from the files that are published with the weights.
 *
 * Sources: config.json (spec: mllm_config of PerceptionLM, old and new key styles), preprocessor_config.json,
 * processor_config.json, and an optional "grasp" object in config.json for what published keys lack. What a
 * known architecture name implies (heads, patch, MLP ratio, class token, rotary offset) comes from a table in
 * gar_config.c. Letters: D tower width, H text width, T tiles, P patches a tile. */
#ifndef GR_MODEL_GAR_CONFIG_H
#define GR_MODEL_GAR_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "grasp/dtype.h"
#include "grasp/error.h"
#include "grasp/runtime.h"

#define GR_MAX_PROMPTS 32
#define GR_MAX_EOS     8

/* Perception Encoder, "lang" variant: timm/models/eva.py, vit_pe_*_patch14. */
typedef struct {
    char architecture[64];      /* as published, e.g. vit_pe_core_large_patch14_336 */
    int tile_px;                /* side of a square tile: 448 */
    int patch_px;               /* 14 */
    int grid;                   /* tile_px / patch_px */
    int dim, depth, heads, mlp; /* D, blocks, heads, hidden width of the MLP */
    bool class_token;           /* row 0 of every tile, dropped before the projector */
    int rope_offset;            /* added to both coordinates: 1 with a class token, else 0 */
    float norm_eps;
} gr_pe_config;

/* Llama 3 decoder: transformers models/llama/modeling_llama.py. */
typedef struct {
    int hidden, layers, heads, kv_heads, head_dim, ffn, vocab, context;
    float rms_eps;
    double rope_theta;
    bool rope_llama3; /* the four below are used */
    double rope_factor, rope_low, rope_high;
    int rope_original;
    bool tied; /* the head is the embedding when no lm_head.weight is stored */
    int32_t bos;
    int n_eos;
    int32_t eos[GR_MAX_EOS];
} gr_llama_config;

typedef struct {
    gr_pe_config vision;
    gr_llama_config text;
    int pool;          /* side of the mean pooling after the projector: 2 */
    int tokens_side;   /* vision.grid / pool; a tile gives tokens_side^2 rows */
    int replay_grid;   /* side of the RoI grid: 16; a region gives replay_grid^2 rows */
    int max_num_tiles; /* default tile limit; at most 64 */
    int n_prompts;     /* visual prompts a picture may carry: 5; 0 for a base model */
    int n_crop;        /* at least n_prompts */
    int32_t crop_ids[GR_MAX_PROMPTS];
    int32_t image_id, video_id;
    float image_mean[3], image_std[3];
    gr_dtype stored;       /* dtype the file states for its weights */
    bool base_only;        /* a PerceptionLM checkpoint: no mask embedding, names without "mllm." */
    bool tile_limit_known; /* false: max_num_tiles is the table's value, not the checkpoint's */
    char license[64], base_license[64]; /* "" when not stated */
    char profile[64];                   /* as gr_profile_parse takes it; "" when not stated */
} gr_gar_config;

/* Reads DIR/config.json and, where present, preprocessor_config.json and processor_config.json. All sizes are
 * checked against each other and against limits; a sentence names file, key, value and what was expected.
 * Unknown keys are passed over. */
gr_status gr_gar_config_load(gr_gar_config *c, gr_runtime *rt, const char *dir, gr_error *err);

/* The same from text, for tests and fuzzing: `name` is for messages. */
gr_status gr_gar_config_parse(gr_gar_config *c, gr_runtime *rt, const char *json, size_t n, const char *name,
                              gr_error *err);

/* One file's text; `name` is for messages. */
typedef struct {
    const char *json;
    size_t n;
    const char *name;
} gr_gar_config_text;

/* The same from the texts of config.json, preprocessor_config.json and processor_config.json; the last two
 * may be NULL. */
gr_status gr_gar_config_parse_files(gr_gar_config *c, gr_runtime *rt, const gr_gar_config_text *config,
                                    const gr_gar_config_text *preprocessor,
                                    const gr_gar_config_text *processor, gr_error *err);

/* The presets of `grasp new`: "gar-1b", "gar-8b", "gar-test". NULL ends them. */
const char *gr_gar_preset_name(size_t i);
/* GR_ERR_ARG names them when `preset` is another. */
gr_status gr_gar_config_preset(gr_gar_config *c, const char *preset, gr_error *err);
/* What the configuration states, as gr_profile_parse takes it; "": nothing. GR_ERR_ARG, GR_ERR_LIMIT. */
gr_status gr_gar_config_set_profile(gr_gar_config *c, const char *text, gr_error *err);

#endif
