/* gar_config_write.c - a configuration as the published files, in the key style of transformers 4.56. */
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "io/json.h"
#include "model/gar_new.h"

/* One call a line of the file: key and value. */
static void put_text(gr_json_writer *w, const char *key, const char *value)
{
    gr_json_put_key(w, key);
    gr_json_put_text(w, value);
}

static void put_int(gr_json_writer *w, const char *key, int64_t value)
{
    gr_json_put_key(w, key);
    gr_json_put_int(w, value);
}

static void put_real(gr_json_writer *w, const char *key, double value)
{
    gr_json_put_key(w, key);
    gr_json_put_number(w, value);
}

static void put_f32(gr_json_writer *w, const char *key, float value)
{
    gr_json_put_key(w, key);
    gr_json_put_f32(w, value);
}

static void put_bool(gr_json_writer *w, const char *key, bool value)
{
    gr_json_put_key(w, key);
    gr_json_put_bool(w, value);
}

static void put_ids(gr_json_writer *w, const char *key, const int32_t *ids, int n)
{
    gr_json_put_key(w, key);
    gr_json_put_array(w);
    for (int i = 0; i < n; i++)
        gr_json_put_int(w, ids[i]);
    gr_json_put_end(w, ']');
}

static void put_pair(gr_json_writer *w, const char *key, int a, int b)
{
    const int32_t pair[2] = { a, b };
    put_ids(w, key, pair, 2);
}

static void put_rgb(gr_json_writer *w, const char *key, const float rgb[3])
{
    gr_json_put_key(w, key);
    gr_json_put_array(w);
    for (int i = 0; i < 3; i++)
        gr_json_put_f32(w, rgb[i]);
    gr_json_put_end(w, ']');
}

static void open_object(gr_json_writer *w, const char *key)
{
    gr_json_put_key(w, key);
    gr_json_put_object(w);
}

static void put_names(gr_json_writer *w, const char *key, const char *a, const char *b)
{
    gr_json_put_key(w, key);
    gr_json_put_array(w);
    gr_json_put_text(w, a);
    if (b)
        gr_json_put_text(w, b);
    gr_json_put_end(w, ']');
}

static const char *dtype_text(gr_dtype dtype)
{
    return dtype == GR_DTYPE_BF16 ? "bfloat16" : dtype == GR_DTYPE_F16 ? "float16" : "float32";
}

/* --- config.json --------------------------------------------------------------------------------------- */

static void put_text_config(gr_json_writer *w, const gr_gar_config *c)
{
    const gr_llama_config *t = &c->text;
    open_object(w, "text_config");
    put_names(w, "architectures", "LlamaForCausalLM", NULL);
    put_bool(w, "attention_bias", false);
    put_real(w, "attention_dropout", 0);
    put_int(w, "bos_token_id", t->bos);
    put_ids(w, "eos_token_id", t->eos, t->n_eos);
    put_int(w, "head_dim", t->head_dim);
    put_text(w, "hidden_act", "silu");
    put_int(w, "hidden_size", t->hidden);
    put_real(w, "initializer_range", 0.02);
    put_int(w, "intermediate_size", t->ffn);
    put_int(w, "max_position_embeddings", t->context);
    put_bool(w, "mlp_bias", false);
    put_text(w, "model_type", "llama");
    put_int(w, "num_attention_heads", t->heads);
    put_int(w, "num_hidden_layers", t->layers);
    put_int(w, "num_key_value_heads", t->kv_heads);
    put_int(w, "pretraining_tp", 1);
    put_f32(w, "rms_norm_eps", t->rms_eps);
    gr_json_put_key(w, "rope_scaling");
    if (t->rope_llama3) {
        gr_json_put_object(w);
        put_real(w, "factor", t->rope_factor);
        put_real(w, "high_freq_factor", t->rope_high);
        put_real(w, "low_freq_factor", t->rope_low);
        put_int(w, "original_max_position_embeddings", t->rope_original);
        put_text(w, "rope_type", "llama3");
        gr_json_put_end(w, '}');
    } else {
        gr_json_put_null(w);
    }
    put_real(w, "rope_theta", t->rope_theta);
    put_bool(w, "tie_word_embeddings", t->tied);
    put_text(w, "torch_dtype", dtype_text(c->stored));
    put_bool(w, "use_cache", true);
    put_int(w, "vocab_size", t->vocab);
    gr_json_put_end(w, '}');
}

/* The ratio that gives the width back when a reader multiplies and rounds down. */
static double mlp_ratio(const gr_pe_config *v)
{
    double ratio = (double)v->mlp / v->dim;
    while ((int)(v->dim * ratio) < v->mlp)
        ratio = nextafter(ratio, INFINITY);
    return ratio;
}

/* model_args state what the architecture's name implies too, so that the file means the same for a model of
 * any size. */
static void put_vision_config(gr_json_writer *w, const gr_gar_config *c)
{
    const gr_pe_config *v = &c->vision;
    open_object(w, "vision_config");
    put_text(w, "architecture", v->architecture);
    put_bool(w, "do_pooling", true);
    put_text(w, "global_pool", "map");
    put_real(w, "initializer_range", 0.02);
    put_names(w, "label_names", "LABEL_0", "LABEL_1");
    open_object(w, "model_args");
    put_bool(w, "class_token", v->class_token);
    put_int(w, "depth", v->depth);
    put_int(w, "embed_dim", v->dim);
    put_text(w, "global_pool", "");
    put_pair(w, "img_size", v->tile_px, v->tile_px);
    put_real(w, "init_values", 0.1);
    put_real(w, "mlp_ratio", mlp_ratio(v));
    put_int(w, "num_heads", v->heads);
    put_int(w, "patch_size", v->patch_px);
    put_pair(w, "ref_feat_shape", v->grid, v->grid);
    put_real(w, "rope_grid_offset", v->rope_offset);
    put_bool(w, "use_post_transformer_norm", false);
    gr_json_put_end(w, '}');
    put_text(w, "model_type", "timm_wrapper");
    put_int(w, "num_classes", 2);
    put_int(w, "num_features", v->dim);
    open_object(w, "pretrained_cfg");
    gr_json_put_end(w, '}');
    gr_json_put_end(w, '}');
}

/* What the published keys have no place for: docs/config.md. */
static void put_grasp(gr_json_writer *w, const gr_gar_config *c)
{
    open_object(w, "grasp");
    put_int(w, "max_num_tiles", c->max_num_tiles);
    put_f32(w, "norm_eps", c->vision.norm_eps);
    put_int(w, "replay_grid", c->replay_grid);
    if (c->license[0])
        put_text(w, "license", c->license);
    if (c->base_license[0])
        put_text(w, "base_license", c->base_license);
    if (c->profile[0])
        put_text(w, "profile", c->profile);
    gr_json_put_end(w, '}');
}

/* The keys of a PerceptionLM, into the object that is open. */
static void put_mllm(gr_json_writer *w, const gr_gar_config *c)
{
    put_names(w, "architectures", "PerceptionLMForConditionalGeneration", NULL);
    put_int(w, "image_token_id", c->image_id);
    put_text(w, "model_type", "perception_lm");
    put_int(w, "projector_pooling_ratio", c->pool);
    put_text_config(w, c);
    put_text(w, "torch_dtype", dtype_text(c->stored));
    put_bool(w, "use_flash_attn", true);
    put_int(w, "video_token_id", c->video_id);
    put_vision_config(w, c);
    put_bool(w, "vision_use_cls_token", c->vision.class_token);
}

static void put_gar(gr_json_writer *w, const gr_gar_config *c)
{
    put_names(w, "architectures", "GARModel", NULL);
    open_object(w, "auto_map");
    put_text(w, "AutoConfig", "configuration_gar.GARConfig");
    put_text(w, "AutoModel", "modeling_gar.GARModel");
    put_text(w, "AutoModelForCausalLM", "modeling_gar.GARModel");
    gr_json_put_end(w, '}');
    put_ids(w, "crop_tokens_ids", c->crop_ids, c->n_crop);
    put_grasp(w, c);
    put_pair(w, "kernel_size", c->vision.patch_px, c->vision.patch_px);
    put_int(w, "mask_path_embedding_out_channels", c->vision.dim);
    open_object(w, "mllm_config");
    put_mllm(w, c);
    gr_json_put_end(w, '}');
    put_text(w, "model_type", "GAR");
    put_int(w, "patch_size_h", c->vision.patch_px);
    put_int(w, "patch_size_w", c->vision.patch_px);
    put_int(w, "prompt_numbers", c->n_prompts);
    put_text(w, "torch_dtype", dtype_text(c->stored));
}

static gr_status finish(gr_json_writer *w, gr_error *err)
{
    gr_json_put_end(w, '}');
    gr_buf_text(w->out, "\n");
    return w->out->failed ? gr_fail(err, GR_ERR_MEM, "no room to write a configuration") : GR_OK;
}

static void begin(gr_json_writer *w, gr_buf *out)
{
    gr_json_writer_init(w, out, true);
    gr_json_put_object(w);
}

gr_status gr_gar_config_write(gr_buf *out, const gr_gar_config *config, gr_error *err)
{
    gr_json_writer w;
    begin(&w, out);
    if (config->base_only) {
        put_mllm(&w, config);
        put_grasp(&w, config);
    } else {
        put_gar(&w, config);
    }
    put_text(&w, "transformers_version", "4.56.2");
    return finish(&w, err);
}

/* --- the files beside it ------------------------------------------------------------------------------- */

gr_status gr_gar_preprocessor_write(gr_buf *out, const gr_gar_config *config, gr_error *err)
{
    gr_json_writer w;
    begin(&w, out);
    put_bool(&w, "do_convert_rgb", true);
    put_bool(&w, "do_normalize", true);
    put_bool(&w, "do_rescale", true);
    put_bool(&w, "do_resize", true);
    put_rgb(&w, "image_mean", config->image_mean);
    put_text(&w, "image_processor_type", "PerceptionLMImageProcessorFast");
    put_rgb(&w, "image_std", config->image_std);
    put_int(&w, "max_num_tiles", config->max_num_tiles);
    put_text(&w, "processor_class", config->base_only ? "PerceptionLMProcessor" : "GARPerceptionLMProcessor");
    put_int(&w, "resample", 3);
    put_real(&w, "rescale_factor", 1.0 / 255);
    open_object(&w, "size");
    put_int(&w, "height", config->vision.tile_px);
    put_int(&w, "width", config->vision.tile_px);
    gr_json_put_end(&w, '}');
    put_int(&w, "tile_size", config->vision.tile_px);
    put_text(&w, "vision_input_type", "thumb+tile");
    return finish(&w, err);
}

gr_status gr_gar_processor_write(gr_buf *out, const gr_gar_config *config, gr_error *err)
{
    gr_json_writer w;
    begin(&w, out);
    if (!config->base_only) {
        open_object(&w, "auto_map");
        put_text(&w, "AutoProcessor", "processing_gar.GARPerceptionLMProcessor");
        gr_json_put_end(&w, '}');
    }
    put_int(&w, "patch_size", config->vision.patch_px);
    put_int(&w, "pooling_ratio", config->pool);
    put_text(&w, "processor_class", config->base_only ? "PerceptionLMProcessor" : "GARPerceptionLMProcessor");
    return finish(&w, err);
}

/* Videos are nothing to a GAR, but the published processor does not open without. */
gr_status gr_gar_video_write(gr_buf *out, const gr_gar_config *config, gr_error *err)
{
    gr_json_writer w;
    begin(&w, out);
    open_object(&w, "size");
    put_int(&w, "height", config->vision.tile_px);
    put_int(&w, "width", config->vision.tile_px);
    gr_json_put_end(&w, '}');
    put_text(&w, "video_processor_type", "PerceptionLMVideoProcessor");
    return finish(&w, err);
}

gr_status gr_gar_generation_write(gr_buf *out, const gr_gar_config *config, gr_error *err)
{
    gr_json_writer w;
    begin(&w, out);
    put_bool(&w, "_from_model_config", true);
    put_int(&w, "bos_token_id", config->text.bos);
    put_ids(&w, "eos_token_id", config->text.eos, config->text.n_eos);
    put_text(&w, "transformers_version", "4.56.2");
    return finish(&w, err);
}
