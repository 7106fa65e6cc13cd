/* gar_segments.h - the segments that are GAR's own: projector and feature replay. Tower and decoder:
 * perception.h, llama.h. Sources: transformers/models/perception_lm (projector), GAR paper section 3.2 and
 * hf_models/modeling_gar.py (replay). */
#ifndef GR_MODEL_GAR_SEGMENTS_H
#define GR_MODEL_GAR_SEGMENTS_H

#include "graph/graph.h"
#include "model/gar_config.h"
#include "model/lora.h"

enum { GR_PROJ_1_W, GR_PROJ_1_B, GR_PROJ_2_W, GR_PROJ_2_B, GR_PROJ_SLOTS };
/* Tower rows [tiles * rows, D] -> tokens [tiles * tokens_side^2, H]: the class row is dropped, two linear
 * layers with GELU between, and pooling last. */
gr_status gr_gar_projector_segment(gr_graph **out, gr_runtime *rt, const gr_gar_config *c, int max_tiles,
                                   gr_rounding round, gr_error *err);
/* Training: the same with the adapters of `lora` (NULL: none) after GR_PROJ_SLOTS. */
gr_status gr_gar_adapted_projector_segment(gr_graph **out, gr_runtime *rt, const gr_gar_config *c,
                                           int max_tiles, const gr_lora *lora, gr_rounding round,
                                           gr_error *err);

/* Feature replay. Inputs: features [feature_rows, H] (extent 0); boxes [regions, 4] (extent 1) in cells,
 * shifted; canvas index [1, 3] = (tiles across, tiles down, feature row of the first tile after the
 * thumbnail). Output: [regions * replay_grid^2, H]. */
gr_status gr_gar_replay_segment(gr_graph **out, gr_runtime *rt, const gr_gar_config *c, int max_features,
                                int max_regions, gr_rounding round, gr_error *err);

/* The box that replay pools, in cells of a canvas of `across` x `down` tiles, from a box in 0..1 of the
 * picture. `scaled_twice` is the released behaviour (quirk Q-a): the scale 1 / (patch * pool) is applied once
 * more. */
void gr_gar_replay_box(float out[4], const double box[4], int across, int down, const gr_gar_config *c,
                       bool scaled_twice);

#endif
