/* perception.h - the Perception Encoder (lang variant): segments of the vision tower.
 * Source: timm/models/eva.py (vit_pe_*), timm/layers/attention.py; a block is x += gamma1 attn(norm1 x); x +=
 * gamma2 mlp(norm2 x).
 *
 * Extent 0 of every segment is the number of tiles of the call; a tile is gr_pe_rows rows. Parameters are
 * listed in slot order. */
#ifndef GR_MODEL_PERCEPTION_H
#define GR_MODEL_PERCEPTION_H

#include "graph/graph.h"
#include "model/gar_config.h"
#include "model/lora.h"

/* Rows of a tile inside the tower: patches and, where there is one, the class token in front. */
int gr_pe_rows(const gr_pe_config *c);

enum { GR_PE_PATCH, GR_PE_MASK, GR_PE_POS, GR_PE_PRE_W, GR_PE_PRE_B, GR_PE_CLASS, GR_PE_EMBED_SLOTS };
/* Inputs: pixels [tiles, 3 * side^2] planar; mask [tiles, side^2], 1 where prompted (one plane, read as three
 * equal ones). Output: [tiles * rows, D]. Slot GR_PE_CLASS exists only with a class token. */
gr_status gr_pe_embed_segment(gr_graph **out, gr_runtime *rt, const gr_pe_config *c, int max_tiles,
                              gr_rounding round, gr_error *err);

enum {
    GR_PE_NORM1_W,
    GR_PE_NORM1_B,
    GR_PE_QKV_W,
    GR_PE_QKV_B,
    GR_PE_ROPE,
    GR_PE_PROJ_W,
    GR_PE_PROJ_B,
    GR_PE_GAMMA1,
    GR_PE_NORM2_W,
    GR_PE_NORM2_B,
    GR_PE_FC1_W,
    GR_PE_FC1_B,
    GR_PE_FC2_W,
    GR_PE_FC2_B,
    GR_PE_GAMMA2,
    GR_PE_BLOCK_SLOTS
};
/* [tiles * rows, D] -> the same. Rows need a row table with one span a tile. GR_PE_ROPE is the table of
 * gr_rope_table_2d. */
gr_status gr_pe_block_segment(gr_graph **out, gr_runtime *rt, const gr_pe_config *c, int max_tiles,
                              gr_rounding round, gr_error *err);
/* Training: the same with the adapters of `lora` (NULL: none) after GR_PE_BLOCK_SLOTS. */
gr_status gr_pe_adapted_block_segment(gr_graph **out, gr_runtime *rt, const gr_pe_config *c, int max_tiles,
                                      const gr_lora *lora, gr_rounding round, gr_error *err);

#endif
