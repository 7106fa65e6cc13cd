#include "model/gar_segments.h"

#include "model/perception.h"
#include "op/ops.h"

gr_status gr_gar_projector_segment(gr_graph **out, gr_runtime *rt, const gr_gar_config *c, int max_tiles,
                                   gr_rounding round, gr_error *err)
{
    return gr_gar_adapted_projector_segment(out, rt, c, max_tiles, NULL, round, err);
}

gr_status gr_gar_adapted_projector_segment(gr_graph **out, gr_runtime *rt, const gr_gar_config *c,
                                           int max_tiles, const gr_lora *lora, gr_rounding round,
                                           gr_error *err)
{
    GR_TRY(gr_graph_new(out, rt, "projector", round, err));
    gr_graph *g = *out;
    const gr_pe_config *v = &c->vision;
    const int tiles = gr_graph_extent(g, "tiles", max_tiles), rows = gr_pe_rows(v),
              patches = v->grid * v->grid, h = c->text.hidden;
    gr_value *x = gr_graph_input(g, "x", tiles, rows, v->dim);
    gr_value *w1 = gr_graph_param(g, "linear_1.weight", h, v->dim),
             *b1 = gr_graph_param(g, "linear_1.bias", 1, h);
    gr_value *w2 = gr_graph_param(g, "linear_2.weight", h, h), *b2 = gr_graph_param(g, "linear_2.bias", 1, h);
    const gr_lora_slots lo = gr_lora_declare(
        g, lora, (gr_value *[GR_LORA_TARGET_COUNT]){ [GR_LORA_LINEAR_1] = w1, [GR_LORA_LINEAR_2] = w2 });
    if (v->class_token)
        x = gr_slice_rows(x, rows, 1, patches);
    x = gr_lora_linear(&lo, gr_gelu(gr_lora_linear(&lo, x, w1, b1)), w2, b2);
    gr_graph_output(g, gr_graph_name(gr_mean_pool(x, v->grid, c->pool), "image_features"));
    return gr_graph_status(g, err);
}

gr_status gr_gar_replay_segment(gr_graph **out, gr_runtime *rt, const gr_gar_config *c, int max_features,
                                int max_regions, gr_rounding round, gr_error *err)
{
    GR_TRY(gr_graph_new(out, rt, "replay", round, err));
    gr_graph *g = *out;
    const int rows = gr_graph_extent(g, "features", max_features),
              regions = gr_graph_extent(g, "regions", max_regions);
    gr_value *features = gr_graph_input(g, "features", rows, 1, c->text.hidden);
    gr_value *boxes = gr_graph_input(g, "boxes", regions, 1, 4),
             *canvas = gr_graph_input_index(g, "canvas", GR_FIXED, 1, 3);
    gr_graph_output(
        g, gr_graph_name(gr_roi_align(features, boxes, canvas, c->tokens_side, c->replay_grid), "replay"));
    return gr_graph_status(g, err);
}

/* The published code multiplies the box by the picture's width in pixels and by cells per pixel, in double,
 * rounds to float32, and then hands cells per pixel to roi_align as well, which multiplies again
 * (hf_models/modeling_gar.py). Released weights may expect it: a switch. */
void gr_gar_replay_box(float out[4], const double box[4], int across, int down, const gr_gar_config *c,
                       bool scaled_twice)
{
    const double cell_px = (double)(c->vision.patch_px * c->pool);
    const double cells[2] = { (double)(across * c->tokens_side), (double)(down * c->tokens_side) };
    for (int i = 0; i < 4; i++) {
        const double width_px = cells[i % 2] * cell_px, scale = cells[i % 2] / width_px;
        const float in_cells = (float)(box[i] * width_px * scale);
        out[i] = in_cells * (scaled_twice ? (float)scale : 1.0f) - 0.5f;
    }
}
