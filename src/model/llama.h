/* llama.h - the Llama 3 decoder: segments for rows of any number of conversations.
 * Source: transformers/models/llama/modeling_llama.py; h += o(attn(norm h)); h += down(silu(gate(norm h)) *
 * up(norm h)).
 *
 * Extent 0 is the number of rows of the call. Parameters are listed in slot order. */
#ifndef GR_MODEL_LLAMA_H
#define GR_MODEL_LLAMA_H

#include "graph/graph.h"
#include "model/gar_config.h"
#include "model/lora.h"

enum { GR_LLAMA_EMBED, GR_LLAMA_EMBED_SLOTS };
/* Inputs: ids [rows, 1]; features [feature_rows, H] (extent 1, capacity max_features). Row r is embedding
 * ids[r], or feature row -1 - ids[r]. Output: [rows, H]. */
gr_status gr_llama_embed_segment(gr_graph **out, gr_runtime *rt, const gr_llama_config *c, int max_rows,
                                 int max_features, gr_rounding round, gr_error *err);

enum {
    GR_LLAMA_NORM1,
    GR_LLAMA_Q,
    GR_LLAMA_K,
    GR_LLAMA_V,
    GR_LLAMA_ROPE,
    GR_LLAMA_O,
    GR_LLAMA_NORM2,
    GR_LLAMA_GATE,
    GR_LLAMA_UP,
    GR_LLAMA_DOWN,
    GR_LLAMA_BLOCK_SLOTS
};
/* [rows, H] -> the same. GR_LLAMA_ROPE is the table of gr_rope_table_llama with max_positions rows. With
 * `paged`, keys and values live in KV pages (inference); without, a span attends to its own rows (training).
 */
gr_status gr_llama_block_segment(gr_graph **out, gr_runtime *rt, const gr_llama_config *c, int max_rows,
                                 int max_positions, bool paged, gr_rounding round, gr_error *err);
/* Training: the same without pages, with the adapters of `lora` (NULL: none) after GR_LLAMA_BLOCK_SLOTS. */
gr_status gr_llama_adapted_block_segment(gr_graph **out, gr_runtime *rt, const gr_llama_config *c,
                                         int max_rows, int max_positions, const gr_lora *lora,
                                         gr_rounding round, gr_error *err);

enum { GR_LLAMA_NORM, GR_LLAMA_HEAD, GR_LLAMA_HEAD_SLOTS };
/* Inputs: x [rows, H]; pick [picks, 1] (extent 1, capacity max_picks): the rows whose logits are wanted.
 * Output: logits [picks, vocab]. */
gr_status gr_llama_head_segment(gr_graph **out, gr_runtime *rt, const gr_llama_config *c, int max_rows,
                                int max_picks, gr_rounding round, gr_error *err);

/* Training: the loss of rows. Inputs: x [rows, H]; pick [picks, 1] (extent 1): the rows that are scored;
 * target [picks, 1]: the token that should follow each. Output: cross entropy [picks, 1]. Parameters as the
 * head's. */
gr_status gr_llama_loss_segment(gr_graph **out, gr_runtime *rt, const gr_llama_config *c, int max_rows,
                                int max_picks, gr_rounding round, gr_error *err);

#endif
