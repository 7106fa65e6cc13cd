#include "model/perception.h"

#include <math.h>

#include "op/ops.h"

int gr_pe_rows(const gr_pe_config *c) { return c->grid * c->grid + (c->class_token ? 1 : 0); }

gr_status gr_pe_embed_segment(gr_graph **out, gr_runtime *rt, const gr_pe_config *c, int max_tiles,
                              gr_rounding round, gr_error *err)
{
    GR_TRY(gr_graph_new(out, rt, "tower embedding", round, err));
    gr_graph *g = *out;
    const int tiles = gr_graph_extent(g, "tiles", max_tiles), side = c->tile_px, patches = c->grid * c->grid;
    const int patch_size = 3 * c->patch_px * c->patch_px;
    gr_value *pixels = gr_graph_input(g, "pixels", tiles, 1, 3 * side * side);
    gr_value *mask = gr_graph_input(g, "mask", tiles, 1, side * side);
    gr_value *patch_w = gr_graph_param(g, "patch_embed", c->dim, patch_size);
    gr_value *mask_w = gr_graph_param(g, "mask_patch_embedding", c->dim, patch_size);
    gr_value *pos = gr_graph_param(g, "pos_embed", gr_pe_rows(c), c->dim);
    gr_value *pre_w = gr_graph_param(g, "norm_pre.weight", 1, c->dim),
             *pre_b = gr_graph_param(g, "norm_pre.bias", 1, c->dim);

    /* The mask term joins after the patch embedding and before anything else; the class token gets none. */
    gr_value *x = gr_add(gr_linear(gr_patchify(pixels, 3, 1, side, c->patch_px), patch_w, NULL),
                         gr_linear(gr_patchify(mask, 1, 3, side, c->patch_px), mask_w, NULL));
    if (c->class_token)
        x = gr_prepend_row(x, gr_graph_param(g, "cls_token", 1, c->dim), patches);
    x = gr_add_table(x, pos, gr_pe_rows(c));
    gr_graph_output(g, gr_graph_name(gr_layer_norm(x, pre_w, pre_b, c->norm_eps), "tower.embedded"));
    return gr_graph_status(g, err);
}

gr_status gr_pe_block_segment(gr_graph **out, gr_runtime *rt, const gr_pe_config *c, int max_tiles,
                              gr_rounding round, gr_error *err)
{
    return gr_pe_adapted_block_segment(out, rt, c, max_tiles, NULL, round, err);
}

gr_status gr_pe_adapted_block_segment(gr_graph **out, gr_runtime *rt, const gr_pe_config *c, int max_tiles,
                                      const gr_lora *lora, gr_rounding round, gr_error *err)
{
    GR_TRY(gr_graph_new(out, rt, "tower block", round, err));
    gr_graph *g = *out;
    const int tiles = gr_graph_extent(g, "tiles", max_tiles), d = c->dim, head_dim = d / c->heads;
    gr_value *x = gr_graph_input(g, "x", tiles, gr_pe_rows(c), d);
    gr_value *norm1_w = gr_graph_param(g, "norm1.weight", 1, d),
             *norm1_b = gr_graph_param(g, "norm1.bias", 1, d);
    gr_value *qkv_w = gr_graph_param(g, "attn.qkv.weight", 3 * d, d),
             *qkv_b = gr_graph_param(g, "attn.qkv.bias", 1, 3 * d);
    gr_value *rope = gr_graph_param(g, "rope", gr_pe_rows(c), head_dim);
    gr_value *proj_w = gr_graph_param(g, "attn.proj.weight", d, d),
             *proj_b = gr_graph_param(g, "attn.proj.bias", 1, d);
    gr_value *gamma1 = gr_graph_param(g, "gamma_1", 1, d);
    gr_value *norm2_w = gr_graph_param(g, "norm2.weight", 1, d),
             *norm2_b = gr_graph_param(g, "norm2.bias", 1, d);
    gr_value *fc1_w = gr_graph_param(g, "mlp.fc1.weight", c->mlp, d),
             *fc1_b = gr_graph_param(g, "mlp.fc1.bias", 1, c->mlp);
    gr_value *fc2_w = gr_graph_param(g, "mlp.fc2.weight", d, c->mlp),
             *fc2_b = gr_graph_param(g, "mlp.fc2.bias", 1, d);
    gr_value *gamma2 = gr_graph_param(g, "gamma_2", 1, d);
    const gr_lora_slots lo = gr_lora_declare(
        g, lora,
        (gr_value *[GR_LORA_TARGET_COUNT]){
            [GR_LORA_QKV] = qkv_w, [GR_LORA_PROJ] = proj_w, [GR_LORA_FC1] = fc1_w, [GR_LORA_FC2] = fc2_w });

    gr_value *qkv = gr_lora_linear(&lo, gr_layer_norm(x, norm1_w, norm1_b, c->norm_eps), qkv_w, qkv_b);
    gr_value *q = gr_rope(gr_graph_columns(qkv, 0, d), rope, c->heads, true);
    gr_value *k = gr_rope(gr_graph_columns(qkv, d, d), rope, c->heads, true);
    gr_value *v = gr_graph_columns(qkv, 2 * d, d);
    const float scale = (float)(1.0 / sqrt((double)head_dim));
    gr_value *a =
        gr_lora_linear(&lo, gr_attention(q, k, v, c->heads, c->heads, scale, false, false), proj_w, proj_b);
    x = gr_add(x, gr_scale_columns(a, gamma1));

    gr_value *m = gr_gelu(gr_lora_linear(&lo, gr_layer_norm(x, norm2_w, norm2_b, c->norm_eps), fc1_w, fc1_b));
    x = gr_add(x, gr_scale_columns(gr_lora_linear(&lo, m, fc2_w, fc2_b), gamma2));
    gr_graph_output(g, gr_graph_name(x, "tower.block"));
    return gr_graph_status(g, err);
}
