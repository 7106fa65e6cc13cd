/* gar_config.c - settles what the files of a checkpoint say into one gr_gar_config. */
#include "model/gar_config.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "model/gar_config_raw.h"

#define CONFIG_MAX_SIZE ((size_t)16 << 20)

/* What an architecture's name implies. Source: timm/models/eva.py at 1.0.19, vit_pe_core_* and vit_pe_lang_*.
 * `max_tiles`: the limit the GAR of that size was trained with (its configs; spec 1.5), for folders without a
 * preprocessor_config.json. */
static const struct architecture {
    const char *name;
    int dim, depth, tile, patch, heads, ref, class_token, rope_offset;
    double mlp_ratio;
    bool ends_bare;   /* no final norm and no pooling unless model_args ask for it */
    bool layer_scale; /* gamma_1, gamma_2 unless model_args ask for it */
    int max_tiles;
} architectures[] = {
    { "vit_pe_core_large_patch14_336", 1024, 24, 336, 14, 16, 24, 1, 1, 4.0, false, false, 16 },
    { "vit_pe_lang_large_patch14_448", 1024, 23, 448, 14, 16, 32, 1, 1, 4.0, true, true, 16 },
    { "vit_pe_core_gigantic_patch14_448", 1536, 50, 448, 14, 16, 32, 0, 0, 8960.0 / 1536, false, false, 8 },
    { "vit_pe_lang_gigantic_patch14_448", 1536, 47, 448, 14, 16, 32, 0, 0, 8960.0 / 1536, true, true, 8 },
};

/* Of a PerceptionLM that was not trained on regions (facebook/Perception-LM-*: preprocessor_config.json). */
#define BASE_MAX_TILES 36

/* Defaults of the published configuration class, configuration_gar.py. */
#define DEFAULT_PROMPTS 5
static const int32_t default_crop_ids[DEFAULT_PROMPTS] = { 128004, 128005, 128008, 128010, 128011 };

typedef struct {
    const gar_raw *raw;
    gr_gar_config *c;
    const struct architecture *known; /* NULL: not in the table */
    const char *name;                 /* of config.json, for messages */
    gr_error *err;
} settling;

static gr_status GR_PRINTF(3, 4) bad(const settling *s, gr_status status, const char *fmt, ...)
{
    char what[400];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    return gr_fail(s->err, status, "%s: %s", s->name, what);
}

/* One place where a number may be stated. */
typedef struct {
    const char *key;
    int value; /* ABSENT: not stated there */
} source;

/* The number that the sources agree on, or `fallback` when none states it. */
static gr_status settle(const settling *s, int *out, int fallback, const char *meaning, const source *sources,
                        size_t n)
{
    const source *first = NULL;
    for (size_t i = 0; i < n; i++) {
        if (sources[i].value == ABSENT)
            continue;
        if (first && first->value != sources[i].value)
            return bad(s, GR_ERR_FORMAT, "%s = %d contradicts %s = %d (%s)", sources[i].key, sources[i].value,
                       first->key, first->value, meaning);
        if (!first)
            first = &sources[i];
    }
    *out = first ? first->value : fallback;
    if (*out == ABSENT)
        return bad(s, GR_ERR_FORMAT, "%s is missing (%s)%s%s%s", sources[0].key, meaning,
                   s->known || !s->raw->vision.architecture[0] ? "" : "; architecture '",
                   s->known ? "" : s->raw->vision.architecture,
                   s->known || !s->raw->vision.architecture[0] ? "" : "' is not one that implies it");
    return GR_OK;
}

#define SETTLE(out, fallback, meaning, ...)                                   \
    GR_TRY(settle(s, out, fallback, meaning, (const source[]){ __VA_ARGS__ }, \
                  sizeof((const source[]){ __VA_ARGS__ }) / sizeof(source)))
#define KNOWN(field) (s->known ? s->known->field : ABSENT)

/* --- vision -------------------------------------------------------------------------------------------- */

/* What this tower cannot be: rows of (key, stated, wanted, meaning when it is not stated). */
static gr_status check_tower_kind(const settling *s)
{
    const gar_raw *r = s->raw;
    const struct {
        const char *key;
        int stated, wanted;
    } rows[] = {
        { "use_pre_transformer_norm", r->vision.pre_norm, 1 },
        { "qkv_bias", r->vision.fused_bias, 1 },
        { "use_abs_pos_emb", r->vision.abs_pos, 1 },
        { "use_rot_pos_emb", r->vision.rot_pos, 1 },
        { "qk_norm", r->vision.qk_norm, 0 },
        { "swiglu_mlp", r->vision.swiglu, 0 },
        { "scale_mlp", r->vision.scale_mlp, 0 },
        { "scale_attn_inner", r->vision.scale_inner, 0 },
        { "num_reg_tokens", r->vision.registers, 0 },
        { "use_post_transformer_norm", r->vision.post_norm, 0 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].stated != ABSENT && rows[i].stated != rows[i].wanted)
            return bad(s, GR_ERR_UNSUPPORTED, "model_args.%s = %d, this tower is built with %d", rows[i].key,
                       rows[i].stated, rows[i].wanted);
    if (s->known && !s->known->ends_bare && r->vision.post_norm == ABSENT)
        return bad(s, GR_ERR_UNSUPPORTED,
                   "model_args.use_post_transformer_norm is missing; %s then ends in a norm, expected false",
                   s->known->name);
    if (s->known && !s->known->layer_scale && isnan(r->vision.init_values))
        return bad(s, GR_ERR_UNSUPPORTED,
                   "model_args.init_values is missing; %s then has no layer scale, expected a number",
                   s->known->name);
    return GR_OK;
}

static gr_status settle_tile(const settling *s)
{
    const gar_raw *r = s->raw;
    gr_pe_config *v = &s->c->vision;
    if (r->vision.img[0] != r->vision.img[1])
        return bad(s, GR_ERR_UNSUPPORTED, "model_args.img_size = [%d, %d], only square tiles",
                   r->vision.img[0], r->vision.img[1]);
    if (r->has_mllm && r->kernel[0] != r->kernel[1])
        return bad(s, GR_ERR_UNSUPPORTED, "kernel_size = [%d, %d], only square patches", r->kernel[0],
                   r->kernel[1]);
    SETTLE(&v->tile_px, KNOWN(tile), "side of a tile in pixels", { "model_args.img_size", r->vision.img[0] },
           { "grasp.tile_size", r->grasp.tile }, { "preprocessor_config.json: tile_size", r->image.tile },
           { "processor_config.json: image_processor.tile_size", r->processor.image.tile });
    SETTLE(&v->patch_px, KNOWN(patch), "side of a patch in pixels",
           { "model_args.patch_size", r->vision.patch }, { "grasp.patch_size", r->grasp.patch },
           { "kernel_size", r->kernel[0] }, { "patch_size_h", r->patch_h }, { "patch_size_w", r->patch_w },
           { "processor_config.json: patch_size", r->processor.patch });
    if (v->tile_px % v->patch_px != 0 || v->tile_px / v->patch_px > 128)
        return bad(s, GR_ERR_FORMAT, "a tile of %d pixels does not hold 1 to 128 whole patches of %d",
                   v->tile_px, v->patch_px);
    v->grid = v->tile_px / v->patch_px;
    int ref;
    if (r->vision.ref[0] != r->vision.ref[1])
        return bad(s, GR_ERR_UNSUPPORTED, "model_args.ref_feat_shape = [%d, %d], expected [%d, %d]",
                   r->vision.ref[0], r->vision.ref[1], v->grid, v->grid);
    SETTLE(&ref, s->known ? s->known->ref : v->grid, "grid of the rotary table",
           { "model_args.ref_feat_shape", r->vision.ref[0] });
    if (ref != v->grid)
        return bad(
            s, GR_ERR_UNSUPPORTED,
            "model_args.ref_feat_shape is %d, expected %d = %d / %d: rescaled rotary tables are not used by "
            "this model",
            ref, v->grid, v->tile_px, v->patch_px);
    return GR_OK;
}

static gr_status settle_vision(const settling *s)
{
    const gar_raw *r = s->raw;
    gr_pe_config *v = &s->c->vision;
    int class_token, offset = ABSENT, width = ABSENT;
    if (r->vision.model_type[0] && strcmp(r->vision.model_type, "timm_wrapper") != 0)
        return bad(s, GR_ERR_UNSUPPORTED, "vision_config.model_type is '%s', expected 'timm_wrapper'",
                   r->vision.model_type);
    memcpy(v->architecture, r->vision.architecture, sizeof v->architecture);
    GR_TRY(check_tower_kind(s));
    GR_TRY(settle_tile(s));
    SETTLE(&v->dim, KNOWN(dim), "width of the tower", { "model_args.embed_dim", r->vision.dim },
           { "vision_config.num_features", r->vision.num_features },
           { "mask_path_embedding_out_channels", r->mask_channels });
    SETTLE(&v->depth, KNOWN(depth), "blocks of the tower", { "model_args.depth", r->vision.depth });
    SETTLE(&v->heads, KNOWN(heads), "heads of the tower", { "model_args.num_heads", r->vision.heads },
           { "grasp.num_heads", r->grasp.heads });
    if (v->dim % v->heads != 0 || v->dim / v->heads % 4 != 0)
        return bad(s, GR_ERR_FORMAT,
                   "%d heads of a tower %d wide: a head must be a multiple of 4 wide for two rotary "
                   "axes",
                   v->heads, v->dim);
    if (!isnan(r->vision.mlp_ratio)) /* int(dim * ratio), as timm */
        width = (int)(v->dim * r->vision.mlp_ratio);
    SETTLE(&v->mlp, s->known ? (int)(v->dim * s->known->mlp_ratio) : ABSENT,
           "hidden width of the tower's MLP", { "model_args.mlp_ratio * embed_dim", width },
           { "grasp.mlp_width", r->grasp.mlp });
    if (v->mlp < 1)
        return bad(s, GR_ERR_FORMAT, "the tower's MLP is %d wide", v->mlp);
    SETTLE(&class_token, s->known ? s->known->class_token : r->mllm.use_class_token, "class token",
           { "model_args.class_token", r->vision.class_token },
           { "grasp.class_token", r->grasp.class_token });
    if (r->mllm.use_class_token != ABSENT && r->mllm.use_class_token != class_token)
        return bad(s, GR_ERR_FORMAT, "vision_use_cls_token = %d, but the tower %s a class token",
                   r->mllm.use_class_token, class_token ? "has" : "has not");
    v->class_token = class_token;
    if (!isnan(r->vision.rope_offset)) {
        offset = (int)r->vision.rope_offset;
        if (offset != r->vision.rope_offset)
            return bad(s, GR_ERR_UNSUPPORTED, "model_args.rope_grid_offset = %g, expected a whole number",
                       r->vision.rope_offset);
    }
    SETTLE(&v->rope_offset, s->known ? s->known->rope_offset : class_token, "offset of rotary coordinates",
           { "model_args.rope_grid_offset", offset }, { "grasp.rope_offset", r->grasp.rope_offset });
    v->norm_eps =
        isnan(r->grasp.norm_eps) ? 1e-5f : (float)r->grasp.norm_eps; /* partial(LayerNorm, eps=1e-5) */
    return GR_OK;
}

/* --- text ---------------------------------------------------------------------------------------------- */

/* Old style: rope_theta and rope_scaling; new style: rope_parameters, which may hold rope_theta. */
static gr_status settle_rope(const settling *s)
{
    const gar_raw *r = s->raw;
    gr_llama_config *t = &s->c->text;
    const bool old = r->text.scaling.type[0] || r->text.scaling.old_type[0] || !isnan(r->text.scaling.factor);
    const raw_rope *rope = old ? &r->text.scaling : &r->text.parameters;
    const char *block = old ? "rope_scaling" : "rope_parameters";
    const char *type = rope->type[0] ? rope->type : rope->old_type[0] ? rope->old_type : "default";
    const double in = r->text.parameters.rope_theta, out = r->text.rope_theta;
    if (!isnan(in) && !isnan(out) && in != out)
        return bad(s, GR_ERR_FORMAT,
                   "text_config.rope_parameters.rope_theta = %g contradicts rope_theta = %g", in, out);
    t->rope_theta = !isnan(out) ? out : !isnan(in) ? in : 10000; /* the default of LlamaConfig */
    if (strcmp(type, "default") == 0)
        return GR_OK;
    if (strcmp(type, "llama3") != 0)
        return bad(s, GR_ERR_UNSUPPORTED,
                   "text_config.%s.rope_type is '%s', expected 'llama3', 'default' or null", block, type);
    if (isnan(rope->factor) || isnan(rope->low) || isnan(rope->high) || rope->original == ABSENT)
        return bad(s, GR_ERR_FORMAT,
                   "text_config.%s of type llama3 wants factor, low_freq_factor, high_freq_factor and "
                   "original_max_position_embeddings",
                   block);
    if (rope->high <= rope->low)
        return bad(s, GR_ERR_FORMAT,
                   "text_config.%s: high_freq_factor = %g, expected more than low_freq_factor = %g", block,
                   rope->high, rope->low);
    t->rope_llama3 = true;
    t->rope_factor = rope->factor;
    t->rope_low = rope->low;
    t->rope_high = rope->high;
    t->rope_original = rope->original;
    return GR_OK;
}

static gr_status settle_eos(const settling *s)
{
    const raw_ids *eos = &s->raw->text.eos;
    gr_llama_config *t = &s->c->text;
    if (eos->n == ABSENT || eos->n == 0)
        return bad(s, GR_ERR_FORMAT, "text_config.eos_token_id is missing: generation would not end");
    if (eos->n > GR_MAX_EOS)
        return bad(s, GR_ERR_LIMIT, "text_config.eos_token_id has %d ids, the limit is %d", eos->n,
                   GR_MAX_EOS);
    t->n_eos = eos->n;
    for (int i = 0; i < eos->n; i++) {
        if (eos->v[i] >= t->vocab)
            return bad(s, GR_ERR_FORMAT, "text_config.eos_token_id %d is not below vocab_size = %d",
                       eos->v[i], t->vocab);
        t->eos[i] = eos->v[i];
    }
    return GR_OK;
}

static gr_status settle_text(const settling *s)
{
    const gar_raw *r = s->raw;
    gr_llama_config *t = &s->c->text;
    if (r->text.model_type[0] && strcmp(r->text.model_type, "llama") != 0)
        return bad(s, GR_ERR_UNSUPPORTED, "text_config.model_type is '%s', expected 'llama'",
                   r->text.model_type);
    if (r->text.act[0] && strcmp(r->text.act, "silu") != 0)
        return bad(s, GR_ERR_UNSUPPORTED, "text_config.hidden_act is '%s', expected 'silu'", r->text.act);
    if (r->text.attention_bias == 1 || r->text.mlp_bias == 1)
        return bad(s, GR_ERR_UNSUPPORTED, "text_config asks for biases, this decoder has none");
    SETTLE(&t->hidden, ABSENT, "width of the decoder", { "text_config.hidden_size", r->text.hidden });
    SETTLE(&t->ffn, ABSENT, "width of the feed-forward", { "text_config.intermediate_size", r->text.ffn });
    SETTLE(&t->layers, ABSENT, "decoder layers", { "text_config.num_hidden_layers", r->text.layers });
    SETTLE(&t->heads, ABSENT, "query heads", { "text_config.num_attention_heads", r->text.heads });
    SETTLE(&t->kv_heads, t->heads, "key heads", { "text_config.num_key_value_heads", r->text.kv_heads });
    SETTLE(&t->vocab, ABSENT, "rows of the vocabulary", { "text_config.vocab_size", r->text.vocab });
    SETTLE(&t->context, 2048, "longest sequence", { "text_config.max_position_embeddings", r->text.context });
    SETTLE(&t->head_dim, t->hidden % t->heads ? ABSENT : t->hidden / t->heads, "width of a head",
           { "text_config.head_dim", r->text.head_dim });
    if (t->heads % t->kv_heads != 0)
        return bad(s, GR_ERR_FORMAT,
                   "text_config.num_attention_heads = %d is not a multiple of num_key_value_heads = %d",
                   t->heads, t->kv_heads);
    if (t->head_dim % 2 != 0)
        return bad(s, GR_ERR_FORMAT, "text_config.head_dim = %d is odd, rotary pairs need an even width",
                   t->head_dim);
    t->rms_eps = isnan(r->text.rms_eps) ? 1e-6f : (float)r->text.rms_eps; /* the default of LlamaConfig */
    t->tied = r->text.tied == ABSENT || r->text.tied;
    if (r->text.bos == ABSENT)
        return bad(s, GR_ERR_FORMAT, "text_config.bos_token_id is missing");
    if (r->text.bos >= t->vocab)
        return bad(s, GR_ERR_FORMAT, "text_config.bos_token_id = %d is not below vocab_size = %d",
                   r->text.bos, t->vocab);
    t->bos = r->text.bos;
    GR_TRY(settle_eos(s));
    return settle_rope(s);
}

/* --- the rest ------------------------------------------------------------------------------------------ */

static gr_status settle_ids(const settling *s)
{
    const gar_raw *r = s->raw;
    gr_gar_config *c = s->c;
    int id;
    SETTLE(&id, 128002, "id of the image token",
           { "image_token_id", r->mllm.image_id }); /* PerceptionLMConfig */
    c->image_id = id;
    SETTLE(&id, 128003, "id of the video token", { "video_token_id", r->mllm.video_id });
    c->video_id = id;
    if (c->base_only) /* reads no visual prompts: it has no mask embedding */
        r = NULL;
    c->n_prompts = !r ? 0 : r->prompt_numbers == ABSENT ? DEFAULT_PROMPTS : r->prompt_numbers;
    c->n_crop = !r ? 0 : r->crop_ids.n == ABSENT ? DEFAULT_PROMPTS : r->crop_ids.n;
    for (int i = 0; i < c->n_crop; i++)
        c->crop_ids[i] = r->crop_ids.n == ABSENT ? default_crop_ids[i] : r->crop_ids.v[i];
    if (c->image_id >= c->text.vocab || c->video_id >= c->text.vocab)
        return bad(s, GR_ERR_FORMAT,
                   "image_token_id = %d and video_token_id = %d must be below vocab_size = %d", c->image_id,
                   c->video_id, c->text.vocab);
    for (int i = 0; i < c->n_crop; i++) {
        if (c->crop_ids[i] >= c->text.vocab)
            return bad(s, GR_ERR_FORMAT, "crop_tokens_ids[%d] = %d is not below vocab_size = %d", i,
                       c->crop_ids[i], c->text.vocab);
        bool taken = c->crop_ids[i] == c->image_id;
        for (int k = 0; k < i; k++)
            taken = taken || c->crop_ids[k] == c->crop_ids[i];
        if (taken)
            return bad(s, GR_ERR_FORMAT, "crop_tokens_ids[%d] = %d has a meaning already", i, c->crop_ids[i]);
    }
    if (c->n_crop < c->n_prompts)
        return bad(s, GR_ERR_FORMAT, "crop_tokens_ids has %d ids for prompt_numbers = %d", c->n_crop,
                   c->n_prompts);
    return GR_OK;
}

static gr_status check_image(const settling *s, const raw_image *image, const char *file)
{
    if (image->resample != ABSENT && image->resample != 3)
        return gr_fail(s->err, GR_ERR_UNSUPPORTED, "%s: resample = %d, expected 3 (bicubic)", file,
                       image->resample);
    if (!isnan(image->rescale) && fabs(image->rescale * 255 - 1) > 1e-6)
        return gr_fail(s->err, GR_ERR_UNSUPPORTED, "%s: rescale_factor = %g, expected 1/255", file,
                       image->rescale);
    if (image->input_type[0] && strcmp(image->input_type, "thumb+tile") != 0)
        return gr_fail(s->err, GR_ERR_UNSUPPORTED, "%s: vision_input_type is '%s', expected 'thumb+tile'",
                       file, image->input_type);
    return GR_OK;
}

static gr_status settle_image(const settling *s)
{
    const gar_raw *r = s->raw;
    gr_gar_config *c = s->c;
    GR_TRY(check_image(s, &r->image, "preprocessor_config.json"));
    GR_TRY(check_image(s, &r->processor.image, "processor_config.json"));
    for (int i = 0; i < 3; i++) {
        const double mean = isnan(r->image.mean[i]) ? r->processor.image.mean[i] : r->image.mean[i];
        const double std = isnan(r->image.std[i]) ? r->processor.image.std[i] : r->image.std[i];
        c->image_mean[i] = isnan(mean) ? 0.5f : (float)mean; /* PerceptionLMImageProcessorFast */
        c->image_std[i] = isnan(std) ? 0.5f : (float)std;
    }
    SETTLE(&c->max_num_tiles, c->base_only ? BASE_MAX_TILES : KNOWN(max_tiles), "most tiles of a picture",
           { "preprocessor_config.json: max_num_tiles", r->image.max_tiles },
           { "processor_config.json: image_processor.max_num_tiles", r->processor.image.max_tiles },
           { "grasp.max_num_tiles", r->grasp.max_tiles });
    c->tile_limit_known = r->image.max_tiles != ABSENT || r->processor.image.max_tiles != ABSENT ||
                          r->grasp.max_tiles != ABSENT;
    return GR_OK;
}

static gr_status settle_pooling(const settling *s)
{
    const gar_raw *r = s->raw;
    gr_gar_config *c = s->c;
    SETTLE(&c->pool, 1, "side of the pooling", { "projector_pooling_ratio", r->mllm.pool },
           { "processor_config.json: pooling_ratio", r->processor.pool });
    if (c->vision.grid % c->pool != 0)
        return bad(s, GR_ERR_FORMAT, "projector_pooling_ratio = %d does not divide the grid of %d patches",
                   c->pool, c->vision.grid);
    c->tokens_side = c->vision.grid / c->pool;
    /* The published model replays 16 x 16 rows whatever the tile gives (modeling_gar.py: output_size 16). */
    SETTLE(&c->replay_grid, 16, "side of the RoI grid", { "grasp.replay_grid", r->grasp.replay });
    return GR_OK;
}

static gr_status settle_dtype(const settling *s)
{
    static const struct {
        const char *name;
        gr_dtype dtype;
    } names[] = { { "float32", GR_DTYPE_F32 }, { "bfloat16", GR_DTYPE_BF16 }, { "float16", GR_DTYPE_F16 } };
    const gar_raw *r = s->raw;
    const struct {
        const char *key, *value;
    } places[] = { { "dtype", r->dtype },
                   { "torch_dtype", r->torch_dtype },
                   { "mllm_config.dtype", r->mllm.dtype },
                   { "mllm_config.torch_dtype", r->mllm.torch_dtype },
                   { "text_config.dtype", r->text.dtype },
                   { "text_config.torch_dtype", r->text.torch_dtype } };
    s->c->stored = GR_DTYPE_F32; /* what the published classes take when no file says */
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const char *value = places[i].value;
        if (!*value)
            continue;
        if (strncmp(value, "torch.", 6) == 0)
            value += 6;
        for (size_t k = 0; k < sizeof names / sizeof *names; k++)
            if (strcmp(value, names[k].name) == 0) {
                s->c->stored = names[k].dtype;
                return GR_OK;
            }
        return bad(s, GR_ERR_UNSUPPORTED, "%s is '%s', expected float32, bfloat16 or float16", places[i].key,
                   value);
    }
    return GR_OK;
}

static gr_status settle_all(gr_gar_config *c, const gar_raw *r, const char *name, gr_error *err)
{
    settling state = { .raw = r, .c = c, .name = name, .err = err }, *s = &state;
    memset(c, 0, sizeof *c); /* padding too: configurations are compared as bytes */
    c->base_only = !r->has_mllm;
    if (r->has_mllm && r->model_type[0] && strcmp(r->model_type, "GAR") != 0)
        return bad(s, GR_ERR_UNSUPPORTED, "model_type is '%s', expected 'GAR'", r->model_type);
    if (r->mllm.model_type[0] ? strcmp(r->mllm.model_type, "perception_lm") != 0 : c->base_only)
        return bad(s, GR_ERR_UNSUPPORTED, "%smodel_type is '%s', expected 'perception_lm'%s",
                   c->base_only ? "" : "mllm_config.", r->mllm.model_type,
                   c->base_only ? ", or a GAR file with mllm_config" : "");
    for (size_t i = 0; i < sizeof architectures / sizeof *architectures; i++)
        if (strcmp(architectures[i].name, r->vision.architecture) == 0)
            s->known = &architectures[i];
    GR_TRY(settle_vision(s));
    GR_TRY(settle_text(s));
    GR_TRY(settle_pooling(s));
    GR_TRY(settle_ids(s));
    GR_TRY(settle_image(s));
    GR_TRY(settle_dtype(s));
    memcpy(c->license, r->grasp.license, sizeof c->license);
    memcpy(c->base_license, r->grasp.base_license, sizeof c->base_license);
    memcpy(c->profile, r->grasp.profile, sizeof c->profile);
    return GR_OK;
}

/* --- files --------------------------------------------------------------------------------------------- */

gr_status gr_gar_config_parse_files(gr_gar_config *c, gr_runtime *rt, const gr_gar_config_text *config,
                                    const gr_gar_config_text *preprocessor,
                                    const gr_gar_config_text *processor, gr_error *err)
{
    gar_raw raw;
    *c = (gr_gar_config){ 0 };
    gr_gar_raw_init(&raw);
    GR_TRY(gr_gar_raw_read_config(&raw, rt, config->json, config->n, config->name, err));
    if (preprocessor)
        GR_TRY(gr_gar_raw_read_preprocessor(&raw, rt, preprocessor->json, preprocessor->n, preprocessor->name,
                                            err));
    if (processor)
        GR_TRY(gr_gar_raw_read_processor(&raw, rt, processor->json, processor->n, processor->name, err));
    const gr_status st = settle_all(c, &raw, config->name, err);
    if (st != GR_OK)
        *c = (gr_gar_config){ 0 };
    return st;
}

gr_status gr_gar_config_parse(gr_gar_config *c, gr_runtime *rt, const char *json, size_t n, const char *name,
                              gr_error *err)
{
    const gr_gar_config_text text = { json, n, name };
    return gr_gar_config_parse_files(c, rt, &text, NULL, NULL, err);
}

gr_status gr_gar_config_load(gr_gar_config *c, gr_runtime *rt, const char *dir, gr_error *err)
{
    static const char *const names[3] = { "config.json", "preprocessor_config.json",
                                          "processor_config.json" };
    char paths[3][4096];
    char *data[3] = { NULL };
    gr_gar_config_text texts[3];
    gr_status st = GR_OK;
    *c = (gr_gar_config){ 0 };
    for (int i = 0; i < 3 && st == GR_OK; i++) {
        if (!gr_path_join(paths[i], sizeof paths[i], dir, names[i]))
            st = gr_fail(err, GR_ERR_ARG, "%s: the path is too long", dir);
        else if (i == 0 || gr_path_exists(paths[i]))
            st = gr_file_read(rt, paths[i], CONFIG_MAX_SIZE, &data[i], &texts[i].n, err);
        texts[i].json = data[i];
        texts[i].name = paths[i];
    }
    if (st == GR_OK)
        st = gr_gar_config_parse_files(c, rt, &texts[0], data[1] ? &texts[1] : NULL,
                                       data[2] ? &texts[2] : NULL, err);
    for (int i = 0; i < 3; i++)
        gr_free(rt, data[i]);
    return st;
}
