#include "model/llama.h"

#include <math.h>

#include "op/ops.h"

gr_status gr_llama_embed_segment(gr_graph **out, gr_runtime *rt, const gr_llama_config *c, int max_rows,
                                 int max_features, gr_rounding round, gr_error *err)
{
    GR_TRY(gr_graph_new(out, rt, "token embedding", round, err));
    gr_graph *g = *out;
    const int rows = gr_graph_extent(g, "rows", max_rows),
              feature_rows = gr_graph_extent(g, "features", max_features);
    gr_value *ids = gr_graph_input_index(g, "ids", rows, 1, 1);
    gr_value *features = gr_graph_input(g, "features", feature_rows, 1, c->hidden);
    gr_value *table = gr_graph_param(g, "embed_tokens", c->vocab, c->hidden);
    gr_graph_output(g, gr_graph_name(gr_embed(ids, table, features), "inputs_embeds"));
    return gr_graph_status(g, err);
}

static gr_value *norm(gr_value *x, gr_value *w, float eps)
{
    return gr_scale_columns(gr_rms_norm(x, eps), w);
}

static gr_status block_segment(gr_graph **out, gr_runtime *rt, const gr_llama_config *c, int max_rows,
                               int max_positions, bool paged, const gr_lora *lora, gr_rounding round,
                               gr_error *err)
{
    GR_TRY(gr_graph_new(out, rt, "decoder block", round, err));
    gr_graph *g = *out;
    const int rows = gr_graph_extent(g, "rows", max_rows), h = c->hidden, kv = c->kv_heads * c->head_dim,
              q_width = c->heads * c->head_dim;
    gr_value *x = gr_graph_input(g, "x", rows, 1, h);
    gr_value *norm1 = gr_graph_param(g, "input_layernorm", 1, h);
    gr_value *q_w = gr_graph_param(g, "q_proj", q_width, h), *k_w = gr_graph_param(g, "k_proj", kv, h),
             *v_w = gr_graph_param(g, "v_proj", kv, h);
    gr_value *rope = gr_graph_param(g, "rope", max_positions, c->head_dim);
    gr_value *o_w = gr_graph_param(g, "o_proj", h, q_width);
    gr_value *norm2 = gr_graph_param(g, "post_attention_layernorm", 1, h);
    gr_value *gate_w = gr_graph_param(g, "gate_proj", c->ffn, h),
             *up_w = gr_graph_param(g, "up_proj", c->ffn, h);
    gr_value *down_w = gr_graph_param(g, "down_proj", h, c->ffn);
    const gr_lora_slots lo = gr_lora_declare(g, lora,
                                             (gr_value *[GR_LORA_TARGET_COUNT]){ [GR_LORA_Q] = q_w,
                                                                                 [GR_LORA_K] = k_w,
                                                                                 [GR_LORA_V] = v_w,
                                                                                 [GR_LORA_O] = o_w,
                                                                                 [GR_LORA_GATE] = gate_w,
                                                                                 [GR_LORA_UP] = up_w,
                                                                                 [GR_LORA_DOWN] = down_w });

    gr_value *n = norm(x, norm1, c->rms_eps);
    gr_value *q = gr_rope(gr_lora_linear(&lo, n, q_w, NULL), rope, c->heads, false);
    gr_value *k = gr_rope(gr_lora_linear(&lo, n, k_w, NULL), rope, c->kv_heads, false);
    gr_value *v = gr_lora_linear(&lo, n, v_w, NULL);
    const float scale = (float)(1.0 / sqrt((double)c->head_dim));
    x = gr_add(
        x, gr_lora_linear(&lo, gr_attention(q, k, v, c->heads, c->kv_heads, scale, true, paged), o_w, NULL));

    n = norm(x, norm2, c->rms_eps);
    gr_value *m = gr_mul(gr_silu(gr_lora_linear(&lo, n, gate_w, NULL)), gr_lora_linear(&lo, n, up_w, NULL));
    x = gr_add(x, gr_lora_linear(&lo, m, down_w, NULL));
    gr_graph_output(g, gr_graph_name(x, "decoder.block"));
    return gr_graph_status(g, err);
}

gr_status gr_llama_block_segment(gr_graph **out, gr_runtime *rt, const gr_llama_config *c, int max_rows,
                                 int max_positions, bool paged, gr_rounding round, gr_error *err)
{
    return block_segment(out, rt, c, max_rows, max_positions, paged, NULL, round, err);
}

gr_status gr_llama_adapted_block_segment(gr_graph **out, gr_runtime *rt, const gr_llama_config *c,
                                         int max_rows, int max_positions, const gr_lora *lora,
                                         gr_rounding round, gr_error *err)
{
    return block_segment(out, rt, c, max_rows, max_positions, false, lora, round, err);
}

/* Logits of picked rows; declares both inputs and both parameters. */
static gr_value *logits_of(gr_graph *g, const gr_llama_config *c, int max_rows, int max_picks)
{
    const int rows = gr_graph_extent(g, "rows", max_rows), picks = gr_graph_extent(g, "picks", max_picks);
    gr_value *x = gr_graph_input(g, "x", rows, 1, c->hidden),
             *pick = gr_graph_input_index(g, "pick", picks, 1, 1);
    gr_value *w = gr_graph_param(g, "norm", 1, c->hidden),
             *head = gr_graph_param(g, "lm_head", c->vocab, c->hidden);
    gr_value *last = gr_graph_name(norm(gr_gather_rows(x, pick), w, c->rms_eps), "decoder.norm");
    return gr_linear(last, head, NULL);
}

gr_status gr_llama_head_segment(gr_graph **out, gr_runtime *rt, const gr_llama_config *c, int max_rows,
                                int max_picks, gr_rounding round, gr_error *err)
{
    GR_TRY(gr_graph_new(out, rt, "head", round, err));
    gr_graph *g = *out;
    gr_graph_output(g, gr_graph_name(logits_of(g, c, max_rows, max_picks), "logits"));
    return gr_graph_status(g, err);
}

gr_status gr_llama_loss_segment(gr_graph **out, gr_runtime *rt, const gr_llama_config *c, int max_rows,
                                int max_picks, gr_rounding round, gr_error *err)
{
    GR_TRY(gr_graph_new(out, rt, "loss", round, err));
    gr_graph *g = *out;
    gr_value *logits = logits_of(g, c, max_rows, max_picks);
    gr_value *target = gr_graph_input_index(g, "target", 1, 1, 1);
    gr_graph_output(g, gr_cross_entropy(logits, target));
    gr_graph_output(g, gr_top_hit(logits, target));
    return gr_graph_status(g, err);
}
