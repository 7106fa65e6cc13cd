/* gar_config_raw.h - what the published files say, before it is settled. Private to gar_config*.c.
 *
 * A field that no file states is ABSENT (int), NAN (double) or "" (text); a JSON null states nothing. */
#ifndef GR_MODEL_GAR_CONFIG_RAW_H
#define GR_MODEL_GAR_CONFIG_RAW_H

#include <limits.h>
#include "io/json.h"
#include "model/gar_config.h"

#define ABSENT INT_MIN

typedef struct {
    int n; /* ABSENT: not stated */
    int v[GR_MAX_PROMPTS];
} raw_ids;

typedef struct {
    double rope_theta, factor, low, high;
    int original;
    char type[64], old_type[64];
} raw_rope;

typedef struct {
    int tile, max_tiles, resample;
    double mean[3], std[3], rescale;
    char input_type[64];
} raw_image;

typedef struct {
    /* config.json; for a base model the fields of mllm_config stand at the top */
    bool has_mllm;
    char model_type[64], dtype[64], torch_dtype[64];
    int prompt_numbers, patch_h, patch_w, kernel[2], mask_channels;
    raw_ids crop_ids;

    struct { /* mllm_config */
        char model_type[64], dtype[64], torch_dtype[64];
        int image_id, video_id, pool, use_class_token;
    } mllm;

    struct { /* text_config */
        char model_type[64], dtype[64], torch_dtype[64], act[64];
        int hidden, ffn, layers, heads, kv_heads, head_dim, context, vocab, tied, bos, attention_bias,
            mlp_bias;
        double rms_eps, rope_theta;
        raw_ids eos;
        raw_rope scaling, parameters;
    } text;

    struct { /* vision_config and its model_args */
        char architecture[64], model_type[64];
        int num_features, dim, depth, heads, patch, class_token, img[2], ref[2];
        double mlp_ratio, rope_offset, init_values;
        int post_norm, pre_norm, fused_bias, abs_pos, rot_pos, qk_norm, swiglu, scale_mlp, scale_inner,
            registers;
    } vision;

    struct { /* "grasp": docs/config.md */
        int tile, patch, replay, max_tiles, heads, mlp, class_token, rope_offset;
        double norm_eps;
        char license[64], base_license[64], profile[64];
    } grasp;

    raw_image image; /* preprocessor_config.json */

    struct { /* processor_config.json */
        int patch, pool;
        raw_image image; /* newer files keep it inside */
    } processor;
} gar_raw;

void gr_gar_raw_init(gar_raw *raw);
gr_status gr_gar_raw_read_config(gar_raw *raw, gr_runtime *rt, const char *json, size_t n, const char *name,
                                 gr_error *err);
gr_status gr_gar_raw_read_preprocessor(gar_raw *raw, gr_runtime *rt, const char *json, size_t n,
                                       const char *name, gr_error *err);
gr_status gr_gar_raw_read_processor(gar_raw *raw, gr_runtime *rt, const char *json, size_t n,
                                    const char *name, gr_error *err);

#endif
