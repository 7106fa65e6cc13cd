#include "engine/model.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "model/gar_profile.h"
#include "region/canvas.h"

void gr_model_options_init(gr_model_options *options)
{
    *options = (gr_model_options){ .size = sizeof *options };
}

static gr_status open_tokenizer(gr_model *m, const char *dir, gr_error *err)
{
    char path[4096];
    if (!gr_path_join(path, sizeof path, dir, "tokenizer.json") || !gr_path_exists(path))
        return GR_OK; /* reported when text is wanted */
    GR_TRY(gr_tokenizer_open(&m->tokenizer, m->rt, path, err));
    if (gr_tokenizer_n_vocab(m->tokenizer) > m->gar->config.text.vocab)
        return gr_fail(err, GR_ERR_FORMAT, "%s: token ids go up to %d, config.json has a vocabulary of %d",
                       path, gr_tokenizer_n_vocab(m->tokenizer) - 1, m->gar->config.text.vocab);
    if (gr_gar_markers_init(&m->markers, &m->gar->config, m->tokenizer, err) != GR_OK)
        return gr_error_prefix(err, "%s", dir);
    return GR_OK;
}

static gr_status read_profile(gr_model *m, gr_error *err)
{
    const char *text = m->gar->config.profile;
    gr_error why = { 0 };
    return gr_profile_parse(&m->profile, text[0] ? text : "released", &why) == GR_OK
               ? GR_OK
               : gr_fail(err, GR_ERR_FORMAT, "%s/config.json: grasp.profile: %s", m->gar->dir, why.msg);
}

static void list_dtypes(gr_model *m)
{
    int counts[GR_DTYPE_COUNT] = { 0 }, kinds = 0;
    for (size_t i = 0; i < m->gar->tensors.n; i++)
        if (m->gar->bound[i].stored)
            kinds += counts[m->gar->bound[i].stored->dtype]++ == 0;
    for (int t = 0; t < GR_DTYPE_COUNT; t++) {
        const size_t at = strlen(m->dtypes);
        if (counts[t] && kinds == 1)
            snprintf(m->dtypes, sizeof m->dtypes, "%s", gr_dtype_name((gr_dtype)t));
        else if (counts[t])
            snprintf(m->dtypes + at, sizeof m->dtypes - at, "%s%s %d", at ? ", " : "",
                     gr_dtype_name((gr_dtype)t), counts[t]);
    }
}

gr_status gr_model_open(gr_model **out, gr_runtime *rt, const char *dir, const gr_model_options *options,
                        gr_error *err)
{
    *out = NULL;
    gr_model_options o;
    gr_model_options_init(&o);
    if (options && options->size != sizeof o)
        return gr_fail(err, GR_ERR_ARG,
                       "gr_model_options.size is %zu, this library expects %zu: call gr_model_options_init",
                       options->size, sizeof o);
    if (options)
        o = *options;
    gr_model *m = gr_calloc(rt, 1, sizeof *m);
    if (!m)
        return gr_fail(err, GR_ERR_MEM, "%s: no memory for the model", dir);
    m->rt = rt;
    gr_status st = gr_gar_open(&m->gar, rt, dir,
                               o.numerics == GR_NUMERICS_RELEASED ? GR_ROUND_BF16 : GR_ROUND_NONE, err);
    if (st == GR_OK)
        st = gr_backend_cpu_new(&m->backend, rt, err);
    if (st == GR_OK)
        st = read_profile(m, err);
    if (st == GR_OK)
        st = open_tokenizer(m, dir, err);
    if (st != GR_OK) {
        gr_model_close(m);
        return st;
    }
    list_dtypes(m);
    *out = m;
    return GR_OK;
}

void gr_model_close(gr_model *m)
{
    if (!m)
        return;
    gr_tokenizer_free(m->tokenizer);
    gr_gar_close(m->gar);
    gr_backend_free(m->backend);
    gr_free(m->rt, m);
}

gr_status gr_model_need_text(const gr_model *m, gr_error *err)
{
    return m->tokenizer
               ? GR_OK
               : gr_fail(err, GR_ERR_IO, "%s/tokenizer.json: not there, and questions and answers need it",
                         m->gar->dir);
}

void gr_model_profile(const gr_model *model, gr_profile *out) { *out = model->profile; }

static void describe_parts(const gr_model *m, gr_model_info *info)
{
    const gr_gar *g = m->gar;
    for (int p = 0; p < GR_MODEL_PARTS; p++)
        info->parts[p] = (gr_model_part){ .name = gr_gar_part_name((gr_gar_part)p),
                                          .parameters = g->tensors.part_parameters[p] };
    for (size_t i = 0; i < g->tensors.n; i++) {
        gr_model_part *part = &info->parts[g->tensors.at[i].part];
        if (!g->bound[i].stored)
            continue;
        part->tensors++;
        part->stored_bytes += g->bound[i].stored->bytes;
        info->tensors++;
        info->stored_bytes += g->bound[i].stored->bytes;
    }
    for (int p = 0; p < GR_MODEL_PARTS; p++)
        info->parameters += info->parts[p].parameters;
}

gr_status gr_model_describe(const gr_model *m, gr_model_info *info, gr_error *err)
{
    if (info->size != sizeof *info)
        return gr_fail(err, GR_ERR_ARG, "gr_model_info.size is %zu, this library expects %zu", info->size,
                       sizeof *info);
    const gr_gar_config *c = &m->gar->config;
    *info = (gr_model_info){ .size = sizeof *info,
                             .dir = m->gar->dir,
                             .family = c->base_only ? "perception_lm" : "gar",
                             .tower = c->vision.architecture,
                             .license = c->license[0] ? c->license : NULL,
                             .base_license = c->base_license[0] ? c->base_license : NULL,
                             .dtypes = m->dtypes,
                             .tile_px = c->vision.tile_px,
                             .patch_px = c->vision.patch_px,
                             .tower_dim = c->vision.dim,
                             .tower_depth = c->vision.depth,
                             .tower_heads = c->vision.heads,
                             .class_token = c->vision.class_token,
                             .tokens_per_tile = c->tokens_side * c->tokens_side,
                             .rows_per_region = c->replay_grid * c->replay_grid,
                             .max_tiles = c->max_num_tiles,
                             .n_prompts = c->n_prompts,
                             .max_tiles_stated = c->tile_limit_known,
                             .hidden = c->text.hidden,
                             .layers = c->text.layers,
                             .heads = c->text.heads,
                             .kv_heads = c->text.kv_heads,
                             .head_dim = c->text.head_dim,
                             .ffn = c->text.ffn,
                             .vocab = c->text.vocab,
                             .context = c->text.context,
                             .rope_theta = c->text.rope_theta,
                             .rope_factor = c->text.rope_llama3 ? c->text.rope_factor : 0,
                             .tokens = m->tokenizer ? gr_tokenizer_n_vocab(m->tokenizer) : 0,
                             .tied = m->gar->head[GR_LLAMA_HEAD] == m->gar->embed[GR_LLAMA_EMBED] };
    describe_parts(m, info);
    return GR_OK;
}

gr_status gr_model_tiles(const gr_model *model, int width, int height, int max_tiles, int *across, int *down,
                         gr_error *err)
{
    const gr_gar_config *c = &model->gar->config;
    gr_canvas canvas;
    GR_TRY(gr_canvas_choose(&canvas, width, height, max_tiles ? max_tiles : c->max_num_tiles,
                            c->vision.tile_px, err));
    *across = canvas.cols;
    *down = canvas.rows;
    return GR_OK;
}

/* Spec gar.md section 11: what only the published weights can settle. */
static const char *const unverified[] = {
    "roi_mode (Q2): whether the weights expect the doubly scaled box; settle with: grasp verify DIR "
    "--reference OUTPUTS",
    "double_bos (Q4): whether the published processor keeps the second begin-of-text; settle with: grasp "
    "verify DIR --reference OUTPUTS",
    "mask_resample (Q4, Q-u): nearest or bicubic at inference; settle with: grasp verify DIR --reference "
    "OUTPUTS",
};

const char *gr_model_unverified(const gr_model *model, size_t i)
{
    if (model->gar->config.base_only)
        return NULL;
    if (i < sizeof unverified / sizeof *unverified)
        return unverified[i];
    if (i == sizeof unverified / sizeof *unverified && !model->gar->config.tile_limit_known)
        return "max_num_tiles (Q3): no file of this folder states it, the value is our table's; settle with: "
               "grasp verify DIR --reference OUTPUTS";
    return NULL;
}
