/* gar_presets.c - the configurations that `grasp new` knows by name. */
#include <stdio.h>
#include <string.h>

#include "grasp/profile.h"
#include "model/gar_config.h"

#define PUBLISHED_IDS                                                                                        \
    .n_prompts = 5, .n_crop = 5, .crop_ids = { 128004, 128005, 128008, 128010, 128011 }, .image_id = 128002, \
    .video_id = 128003, .image_mean = { 0.5f, 0.5f, 0.5f }, .image_std = { 0.5f, 0.5f, 0.5f },               \
    .tile_limit_known = true
#define PUBLISHED_TEXT                                                                                    \
    .vocab = 128262, .context = 11520, .rms_eps = 1e-5f, .rope_theta = 500000, .bos = 128000, .n_eos = 2, \
    .eos = { 128001, 128009 }

/* What the sizes that are our own have in common: tiles of 112 pixels, bytes for a vocabulary. */
#define SMALL_TILES                                                                             \
    .architecture = "vit_pe_core_large_patch14_336", .tile_px = 112, .patch_px = 14, .grid = 8, \
    .class_token = true, .rope_offset = 1, .norm_eps = 1e-5f
#define SMALL_TEXT                                                                                   \
    .vocab = 296, .context = 4096, .rms_eps = 1e-5f, .rope_theta = 500000, .rope_llama3 = true,      \
    .rope_factor = 32, .rope_low = 1, .rope_high = 4, .rope_original = 64, .tied = true, .bos = 256, \
    .n_eos = 2, .eos = { 257, 265 }
#define SMALL_REST                                                                                  \
    .pool = 2, .tokens_side = 4, .replay_grid = 4, .max_num_tiles = 4, .n_prompts = 5, .n_crop = 5, \
    .crop_ids = { 260, 261, 264, 266, 267 }, .image_id = 258, .video_id = 259,                      \
    .image_mean = { 0.5f, 0.5f, 0.5f }, .image_std = { 0.5f, 0.5f, 0.5f }, .stored = GR_DTYPE_F32,  \
    .tile_limit_known = true

static const struct {
    const char *name;
    gr_gar_config config;
} presets[] = {
    /* HaochenWang/GAR-1B and GAR-8B (spec sections 1 and 2). */
    { "gar-1b",
      { .vision = { .architecture = "vit_pe_core_large_patch14_336",
                    .tile_px = 448,
                    .patch_px = 14,
                    .grid = 32,
                    .dim = 1024,
                    .depth = 23,
                    .heads = 16,
                    .mlp = 4096,
                    .class_token = true,
                    .rope_offset = 1,
                    .norm_eps = 1e-5f },
        .text = { PUBLISHED_TEXT, .hidden = 2048, .layers = 16, .heads = 32, .kv_heads = 8, .head_dim = 64,
                  .ffn = 8192, .rope_llama3 = true, .rope_factor = 32, .rope_low = 1, .rope_high = 4,
                  .rope_original = 8192, .tied = true },
        .pool = 2,
        .tokens_side = 16,
        .replay_grid = 16,
        .max_num_tiles = 16,
        .stored = GR_DTYPE_BF16,
        PUBLISHED_IDS } },
    { "gar-8b",
      { .vision = { .architecture = "vit_pe_core_gigantic_patch14_448",
                    .tile_px = 448,
                    .patch_px = 14,
                    .grid = 32,
                    .dim = 1536,
                    .depth = 47,
                    .heads = 16,
                    .mlp = 8960,
                    .class_token = false,
                    .rope_offset = 0,
                    .norm_eps = 1e-5f },
        .text = { PUBLISHED_TEXT, .hidden = 4096, .layers = 32, .heads = 32, .kv_heads = 8, .head_dim = 128,
                  .ffn = 14336, .tied = false },
        .pool = 2,
        .tokens_side = 16,
        .replay_grid = 16,
        .max_num_tiles = 8,
        .stored = GR_DTYPE_BF16,
        PUBLISHED_IDS } },
    /* Every part of the above at a size that a test runs in milliseconds; bytes for a vocabulary. */
    { "gar-test",
      { .vision = { SMALL_TILES,
                    .dim = 64,
                    .depth = 3,
                    .heads = 4,
                    .mlp = 256,
                    },
        .text = { .hidden = 96,
                  .layers = 3,
                  .heads = 6,
                  .kv_heads = 2,
                  .head_dim = 16,
                  .ffn = 160,
                  SMALL_TEXT },
        SMALL_REST } },
    /* The same at a size that two processors train in hours: 8 million weights. */
    { "gar-small",
      { .vision = { SMALL_TILES,
                    .dim = 256,
                    .depth = 4,
                    .heads = 4,
                    .mlp = 1024,
                    },
        .text = { .hidden = 256,
                  .layers = 5,
                  .heads = 8,
                  .kv_heads = 4,
                  .head_dim = 32,
                  .ffn = 768,
                  SMALL_TEXT },
        SMALL_REST } },
};

const char *gr_gar_preset_name(size_t i)
{
    return i < sizeof presets / sizeof *presets ? presets[i].name : NULL;
}

gr_status gr_gar_config_preset(gr_gar_config *c, const char *preset, gr_error *err)
{
    char names[200] = "";
    size_t at = 0;
    for (size_t i = 0; i < sizeof presets / sizeof *presets; i++) {
        if (strcmp(presets[i].name, preset) == 0) {
            *c = presets[i].config;
            return GR_OK;
        }
        at += (size_t)snprintf(names + at, sizeof names - at, "%s%s", i ? ", " : "", presets[i].name);
    }
    return gr_fail(err, GR_ERR_ARG, "there is no preset '%.60s', expected one of %s", preset, names);
}

gr_status gr_gar_config_set_profile(gr_gar_config *c, const char *text, gr_error *err)
{
    gr_profile p;
    const size_t n = strlen(text);
    if (n > 0)
        GR_TRY(gr_profile_parse(&p, text, err));
    if (n >= sizeof c->profile)
        return gr_fail(err, GR_ERR_LIMIT, "profile '%.40s...' has %zu bytes, the limit is %zu", text, n,
                       sizeof c->profile - 1);
    memcpy(c->profile, text, n + 1);
    return GR_OK;
}
