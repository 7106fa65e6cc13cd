/* lora.h - low-rank adapters: y = x W^T + b + (alpha / r) (x A^T) B^T where a linear layer is adapted.
 * Source: Hu et al. 2021, section 4.1; names, factor and first values as peft has them
 * (src/peft/tuners/lora/layer.py), without dropout, without bias, without its other factors.
 *
 * A is [r, in] and drawn evenly from +-1 / sqrt(in) (what kaiming_uniform_ with a = sqrt(5) comes to), B is
 * [out, r] and zero: a new adapter changes nothing. The layer itself stays frozen. */
#ifndef GR_MODEL_LORA_H
#define GR_MODEL_LORA_H

#include <stdbool.h>
#include <stdint.h>
#include "graph/graph.h"
#include "model/gar_tensors.h"

/* X(id, the published module's name, its weight in the inventory). Within a segment they stand in the order
 * of the segment's own parameters. "proj" is the attention's alone: the patch embedding, which peft would
 * take by that name as well, is a convolution. */
#define GR_LORA_TARGET_TABLE(X)         \
    X(Q, "q_proj", Q)                   \
    X(K, "k_proj", K)                   \
    X(V, "v_proj", V)                   \
    X(O, "o_proj", O)                   \
    X(GATE, "gate_proj", GATE)          \
    X(UP, "up_proj", UP)                \
    X(DOWN, "down_proj", DOWN)          \
    X(QKV, "qkv", QKV_W)                \
    X(PROJ, "proj", PROJ_W)             \
    X(FC1, "fc1", FC1_W)                \
    X(FC2, "fc2", FC2_W)                \
    X(LINEAR_1, "linear_1", LINEAR_1_W) \
    X(LINEAR_2, "linear_2", LINEAR_2_W)

typedef enum {
#define X(id, word, tensor) GR_LORA_##id,
    GR_LORA_TARGET_TABLE(X)
#undef X
        GR_LORA_TARGET_COUNT
} gr_lora_target;

#define GR_LORA_MAX_RANK 1024

typedef struct {
    unsigned targets; /* bits 1 << gr_lora_target; 0: no adapters, and the rest does not matter */
    int rank;         /* r, 1 to GR_LORA_MAX_RANK */
    float alpha;      /* > 0 */
    uint64_t seed;    /* A is drawn from it and from A's name */
} gr_lora;

const char *gr_lora_target_name(gr_lora_target target); /* "q_proj", ... */
gr_gar_tensor_id gr_lora_target_tensor(gr_lora_target target);

/* Names of the table joined by commas, as bits. GR_ERR_ARG: another name, or none. */
gr_status gr_lora_targets_parse(unsigned *targets, const char *text, gr_error *err);
/* GR_ERR_ARG: a rank or alpha out of its range. */
gr_status gr_lora_check(const gr_lora *l, gr_error *err);

/* Whether tensors of this kind have an adapter; false for a NULL. */
bool gr_lora_adapts(const gr_lora *l, gr_gar_tensor_id id);

static inline float gr_lora_factor(const gr_lora *l) { return l->alpha / (float)l->rank; }

/* First values of an A of that name: elements [first, first + n) in logical order, `in` to a row. Any split
 * gives the same. */
void gr_lora_draw(float *to, const gr_lora *l, const char *name, size_t in, size_t first, size_t n);

/* --- in a segment -------------------------------------------------------------------------------------- */

/* The adapters of a segment being built. */
typedef struct {
    float factor;
    gr_value *w[GR_LORA_TARGET_COUNT], *a[GR_LORA_TARGET_COUNT], *b[GR_LORA_TARGET_COUNT];
} gr_lora_slots;

/* Declares A and B of every adapted weight among w[GR_LORA_TARGET_COUNT] (NULL: the segment has none), in the
 * order of the table: the segment's last parameters. */
gr_lora_slots gr_lora_declare(gr_graph *g, const gr_lora *l, gr_value *const *w);

/* gr_linear, and the adapter of w where it has one. */
gr_value *gr_lora_linear(const gr_lora_slots *slots, gr_value *x, gr_value *w, gr_value *b);

#endif
