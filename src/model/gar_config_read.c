/* gar_config_read.c - the JSON files of a GAR checkpoint to a gar_raw: one table a JSON object. */
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "model/gar_config_raw.h"

typedef enum {
    INT,  /* int in lo..hi */
    BOOL, /* int, 0 or 1 */
    REAL, /* double in lo..hi */
    TEXT, /* char[64] */
    IDS,  /* raw_ids: one number or a list, each in lo..hi */
    PAIR, /* int[2]: one number or two, in lo..hi */
    RGB,  /* double[3] in lo..hi */
    OBJ   /* another table; fields lie in the same gar_raw */
} field_kind;

typedef struct table table;

typedef struct {
    const char *key;
    field_kind kind;
    size_t at; /* offset in gar_raw */
    double lo, hi;
    const table *sub;
} field;

struct table {
    int n; /* at most 64: one bit each in `seen` */
    const field *fields;
};

/* clang-format off */
#define TABLE(name, ...) \
    static const field name##_fields[] = { __VA_ARGS__ }; \
    static const table name = { sizeof name##_fields / sizeof *name##_fields, name##_fields }
#define I(key, field, lo, hi) { key, INT,  offsetof(gar_raw, field), lo, hi, NULL }
#define B(key, field)         { key, BOOL, offsetof(gar_raw, field), 0, 1, NULL }
#define R(key, field, lo, hi) { key, REAL, offsetof(gar_raw, field), lo, hi, NULL }
#define T(key, field)         { key, TEXT, offsetof(gar_raw, field), 0, 0, NULL }
#define L(key, field, lo, hi) { key, IDS,  offsetof(gar_raw, field), lo, hi, NULL }
#define P(key, field, lo, hi) { key, PAIR, offsetof(gar_raw, field), lo, hi, NULL }
#define C(key, field, lo, hi) { key, RGB,  offsetof(gar_raw, field), lo, hi, NULL }
#define O(key, sub)           { key, OBJ,  0, 0, 0, &sub }
#define ID_MAX 16777215

TABLE(rope_scaling,
    R("factor", text.scaling.factor, 1e-3, 1e6),
    R("low_freq_factor", text.scaling.low, 1e-6, 1e6),
    R("high_freq_factor", text.scaling.high, 1e-6, 1e6),
    I("original_max_position_embeddings", text.scaling.original, 1, 1 << 24),
    T("rope_type", text.scaling.type),
    T("type", text.scaling.old_type));

TABLE(rope_parameters,
    R("rope_theta", text.parameters.rope_theta, 1, 1e12),
    R("factor", text.parameters.factor, 1e-3, 1e6),
    R("low_freq_factor", text.parameters.low, 1e-6, 1e6),
    R("high_freq_factor", text.parameters.high, 1e-6, 1e6),
    I("original_max_position_embeddings", text.parameters.original, 1, 1 << 24),
    T("rope_type", text.parameters.type),
    T("type", text.parameters.old_type));

TABLE(text_config,
    T("model_type", text.model_type),
    T("dtype", text.dtype),
    T("torch_dtype", text.torch_dtype),
    T("hidden_act", text.act),
    I("hidden_size", text.hidden, 1, 65536),
    I("intermediate_size", text.ffn, 1, 1 << 19),
    I("num_hidden_layers", text.layers, 1, 512),
    I("num_attention_heads", text.heads, 1, 1024),
    I("num_key_value_heads", text.kv_heads, 1, 1024),
    I("head_dim", text.head_dim, 2, 1024),
    I("max_position_embeddings", text.context, 1, 1 << 24),
    I("vocab_size", text.vocab, 1, ID_MAX + 1),
    B("tie_word_embeddings", text.tied),
    I("bos_token_id", text.bos, 0, ID_MAX),
    L("eos_token_id", text.eos, 0, ID_MAX),
    B("attention_bias", text.attention_bias),
    B("mlp_bias", text.mlp_bias),
    R("rms_norm_eps", text.rms_eps, 0, 1),
    R("rope_theta", text.rope_theta, 1, 1e12),
    O("rope_scaling", rope_scaling),
    O("rope_parameters", rope_parameters));

TABLE(model_args,
    I("embed_dim", vision.dim, 1, 16384),
    I("depth", vision.depth, 1, 512),
    I("num_heads", vision.heads, 1, 1024),
    I("patch_size", vision.patch, 1, 512),
    B("class_token", vision.class_token),
    P("img_size", vision.img, 1, 4096),
    P("ref_feat_shape", vision.ref, 1, 4096),
    R("mlp_ratio", vision.mlp_ratio, 1e-3, 64),
    R("rope_grid_offset", vision.rope_offset, 0, 4096),
    R("init_values", vision.init_values, -1e6, 1e6),
    B("use_post_transformer_norm", vision.post_norm),
    B("use_pre_transformer_norm", vision.pre_norm),
    B("qkv_bias", vision.fused_bias),
    B("use_abs_pos_emb", vision.abs_pos),
    B("use_rot_pos_emb", vision.rot_pos),
    B("qk_norm", vision.qk_norm),
    B("swiglu_mlp", vision.swiglu),
    B("scale_mlp", vision.scale_mlp),
    B("scale_attn_inner", vision.scale_inner),
    I("num_reg_tokens", vision.registers, 0, 4096));

TABLE(vision_config,
    T("model_type", vision.model_type),
    T("architecture", vision.architecture),
    I("num_features", vision.num_features, 1, 16384),
    O("model_args", model_args));

TABLE(mllm_config,
    T("model_type", mllm.model_type),
    T("dtype", mllm.dtype),
    T("torch_dtype", mllm.torch_dtype),
    I("image_token_id", mllm.image_id, 0, ID_MAX),
    I("video_token_id", mllm.video_id, 0, ID_MAX),
    I("projector_pooling_ratio", mllm.pool, 1, 64),
    B("vision_use_cls_token", mllm.use_class_token),
    O("text_config", text_config),
    O("vision_config", vision_config));

TABLE(grasp_block,
    I("tile_size", grasp.tile, 1, 4096),
    I("patch_size", grasp.patch, 1, 512),
    I("replay_grid", grasp.replay, 1, 128),
    I("max_num_tiles", grasp.max_tiles, 1, 64),
    I("num_heads", grasp.heads, 1, 1024),
    I("mlp_width", grasp.mlp, 1, 1 << 19),
    B("class_token", grasp.class_token),
    I("rope_offset", grasp.rope_offset, 0, 4096),
    R("norm_eps", grasp.norm_eps, 0, 1),
    T("license", grasp.license),
    T("base_license", grasp.base_license),
    T("profile", grasp.profile));

TABLE(gar_config,
    T("model_type", model_type),
    T("dtype", dtype),
    T("torch_dtype", torch_dtype),
    I("prompt_numbers", prompt_numbers, 0, GR_MAX_PROMPTS),
    L("crop_tokens_ids", crop_ids, 0, ID_MAX),
    I("patch_size_h", patch_h, 1, 512),
    I("patch_size_w", patch_w, 1, 512),
    P("kernel_size", kernel, 1, 512),
    I("mask_path_embedding_out_channels", mask_channels, 1, 16384),
    O("mllm_config", mllm_config),
    O("grasp", grasp_block));

/* A PerceptionLM checkpoint: the same file without the wrapper. */
TABLE(base_config,
    T("model_type", mllm.model_type),
    T("dtype", mllm.dtype),
    T("torch_dtype", mllm.torch_dtype),
    I("image_token_id", mllm.image_id, 0, ID_MAX),
    I("video_token_id", mllm.video_id, 0, ID_MAX),
    I("projector_pooling_ratio", mllm.pool, 1, 64),
    B("vision_use_cls_token", mllm.use_class_token),
    O("text_config", text_config),
    O("vision_config", vision_config),
    O("grasp", grasp_block));

#define IMAGE(at) \
    I("tile_size", at.tile, 1, 4096), \
    I("max_num_tiles", at.max_tiles, 1, 64), \
    I("resample", at.resample, 0, 5), \
    R("rescale_factor", at.rescale, 0, 1e6), \
    C("image_mean", at.mean, -1e3, 1e3), \
    C("image_std", at.std, 1e-6, 1e3), \
    T("vision_input_type", at.input_type)

TABLE(preprocessor_config, IMAGE(image));

/* Newer files keep the image processor inside the processor. */
TABLE(inner_preprocessor, IMAGE(processor.image));

TABLE(processor_config,
    I("patch_size", processor.patch, 1, 512),
    I("pooling_ratio", processor.pool, 1, 64),
    O("image_processor", inner_preprocessor));
/* clang-format on */

void gr_gar_raw_init(gar_raw *raw)
{
    static const table *const all[] = { &rope_scaling,        &rope_parameters,    &text_config,
                                        &model_args,          &vision_config,      &mllm_config,
                                        &grasp_block,         &gar_config,         &base_config,
                                        &preprocessor_config, &inner_preprocessor, &processor_config };
    memset(raw, 0, sizeof *raw);
    for (size_t t = 0; t < sizeof all / sizeof *all; t++)
        for (int i = 0; i < all[t]->n; i++) {
            const field *f = &all[t]->fields[i];
            void *at = (char *)raw + f->at;
            const int n_int = f->kind == PAIR ? 2 : f->kind == INT || f->kind == BOOL || f->kind == IDS;
            const int n_real = f->kind == RGB ? 3 : f->kind == REAL;
            for (int k = 0; k < n_int; k++)
                ((int *)at)[k] = ABSENT;
            for (int k = 0; k < n_real; k++)
                ((double *)at)[k] = NAN;
        }
}

/* --- values -------------------------------------------------------------------------------------------- */

static int read_int(gr_json *j, const field *f)
{
    return (int)gr_json_int(j, (int64_t)f->lo, (int64_t)f->hi);
}

static double read_real(gr_json *j, const field *f)
{
    const double x = gr_json_number(j);
    if (!(x >= f->lo && x <= f->hi))
        gr_json_fail(j, GR_ERR_FORMAT, "%g, expected a number in %g..%g", x, f->lo, f->hi);
    return x;
}

static void read_text(gr_json *j, char out[64])
{
    const char *text = gr_json_string(j, NULL);
    if (strlen(text) > 63)
        gr_json_fail(j, GR_ERR_LIMIT, "a text of %zu bytes, the limit here is 63", strlen(text));
    else
        memcpy(out, text, strlen(text) + 1);
}

/* One number or a list of `least` to `most`; how many. */
static int read_numbers(gr_json *j, const field *f, int *out, int least, int most)
{
    int n = 0;
    if (gr_json_peek(j) != GR_JSON_ARRAY) {
        out[0] = read_int(j, f);
        return 1;
    }
    for (gr_json_array(j); gr_json_item(j); n++) {
        const int x = read_int(j, f);
        if (n == most)
            gr_json_fail(j, GR_ERR_LIMIT, "more than %d numbers", most);
        else
            out[n] = x;
    }
    if (n < least)
        gr_json_fail(j, GR_ERR_FORMAT, "%d numbers, expected %d", n, least);
    return n;
}

static void read_rgb(gr_json *j, const field *f, double out[3])
{
    int n = 0;
    for (gr_json_array(j); gr_json_item(j); n++) {
        const double x = read_real(j, f);
        if (n < 3)
            out[n] = x;
    }
    if (n != 3)
        gr_json_fail(j, GR_ERR_FORMAT, "%d numbers, expected 3", n);
}

/* --- objects ------------------------------------------------------------------------------------------- */

typedef struct {
    gr_json j;
    gar_raw *raw;
    char path[256]; /* of the value that is being read */
} reader;

static void read_object(reader *r, const table *t);

static void read_field(reader *r, const field *f)
{
    gr_json *j = &r->j;
    void *at = (char *)r->raw + f->at;
    int *numbers = at;
    if (gr_json_null(j))
        return;
    switch (f->kind) {
    case INT:
        *numbers = read_int(j, f);
        break;
    case BOOL:
        *numbers = gr_json_bool(j);
        break;
    case REAL:
        *(double *)at = read_real(j, f);
        break;
    case TEXT:
        read_text(j, at);
        break;
    case IDS:
        ((raw_ids *)at)->n = read_numbers(j, f, ((raw_ids *)at)->v, 0, GR_MAX_PROMPTS);
        break;
    case PAIR:
        if (read_numbers(j, f, numbers, 2, 2) == 1)
            numbers[1] = numbers[0];
        break;
    case RGB:
        read_rgb(j, f, at);
        break;
    case OBJ:
        read_object(r, f->sub);
        break;
    }
}

static void read_object(reader *r, const table *t)
{
    const size_t length = strlen(r->path);
    uint64_t seen = 0;
    const char *key;
    for (gr_json_object(&r->j); gr_json_key(&r->j, &key);) {
        int i = 0;
        while (i < t->n && strcmp(t->fields[i].key, key) != 0)
            i++;
        if (i == t->n) {
            gr_json_skip(&r->j);
            continue;
        }
        snprintf(r->path + length, sizeof r->path - length, "%s%s", length ? "." : "", key);
        if (seen & (uint64_t)1 << i)
            gr_json_fail(&r->j, GR_ERR_FORMAT, "stated twice");
        seen |= (uint64_t)1 << i;
        read_field(r, &t->fields[i]);
        r->path[length] = '\0';
    }
}

static gr_status read_file(gar_raw *raw, const table *t, gr_runtime *rt, const char *json, size_t n,
                           const char *name, gr_error *err)
{
    reader r = { .raw = raw };
    gr_json_init(&r.j, rt, json, n, name, 65536);
    r.j.about = r.path;
    read_object(&r, t);
    const gr_status st = gr_json_status(&r.j, true, err);
    gr_json_fini(&r.j);
    return st;
}

/* Whether the top object has an "mllm_config": decides which table reads the file. */
static gr_status find_wrapper(bool *found, gr_runtime *rt, const char *json, size_t n, const char *name,
                              gr_error *err)
{
    gr_json j;
    const char *key;
    *found = false;
    gr_json_init(&j, rt, json, n, name, 65536);
    for (gr_json_object(&j); gr_json_key(&j, &key);) {
        *found = *found || strcmp(key, "mllm_config") == 0;
        gr_json_skip(&j);
    }
    const gr_status st = gr_json_status(&j, true, err);
    gr_json_fini(&j);
    return st;
}

gr_status gr_gar_raw_read_config(gar_raw *raw, gr_runtime *rt, const char *json, size_t n, const char *name,
                                 gr_error *err)
{
    GR_TRY(find_wrapper(&raw->has_mllm, rt, json, n, name, err));
    return read_file(raw, raw->has_mllm ? &gar_config : &base_config, rt, json, n, name, err);
}

gr_status gr_gar_raw_read_preprocessor(gar_raw *raw, gr_runtime *rt, const char *json, size_t n,
                                       const char *name, gr_error *err)
{
    return read_file(raw, &preprocessor_config, rt, json, n, name, err);
}

gr_status gr_gar_raw_read_processor(gar_raw *raw, gr_runtime *rt, const char *json, size_t n,
                                    const char *name, gr_error *err)
{
    return read_file(raw, &processor_config, rt, json, n, name, err);
}
