/* gar_tensors.h - every tensor of a GAR model: name, shape, part; and where a checkpoint holds it.
 *
 * The inventory is a table (spec gar.md 2.3; timm/models/eva.py, transformers models/perception_lm and
 * models/llama for the names). D tower width, P patches, H decoder width, V vocabulary, [out, in] linears. */
#ifndef GR_MODEL_GAR_TENSORS_H
#define GR_MODEL_GAR_TENSORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "io/checkpoint.h"
#include "model/gar_config.h"

typedef enum {
    GR_GAR_VISION,
    GR_GAR_MASK,
    GR_GAR_PROJECTOR,
    GR_GAR_TEXT,
    GR_GAR_HEAD,
    GR_GAR_PART_COUNT
} gr_gar_part;

/* One row a kind of tensor:
 *   X(id, part, repeated, suffix of the name, its symbolic dimensions...)
 * "repeated" is ONE, BLOCK (once per tower block) or LAYER (once per decoder layer); the rows of a repeated
 * group stand together. */
/* clang-format off */
#define GR_GAR_TENSOR_TABLE(X)                                                                              \
    X(CLASS_TOKEN,    VISION,    ONE,   "cls_token",                       D1, D1, DIM)                     \
    X(POSITION,       VISION,    ONE,   "pos_embed",                       D1, ROWS, DIM)                   \
    X(PATCH_W,        VISION,    ONE,   "patch_embed.proj.weight",         DIM, D3, PATCH, PATCH)           \
    X(NORM_PRE_W,     VISION,    ONE,   "norm_pre.weight",                 DIM)                             \
    X(NORM_PRE_B,     VISION,    ONE,   "norm_pre.bias",                   DIM)                             \
    X(GAMMA_1,        VISION,    BLOCK, "gamma_1",                         DIM)                             \
    X(GAMMA_2,        VISION,    BLOCK, "gamma_2",                         DIM)                             \
    X(NORM1_W,        VISION,    BLOCK, "norm1.weight",                    DIM)                             \
    X(NORM1_B,        VISION,    BLOCK, "norm1.bias",                      DIM)                             \
    X(QKV_W,          VISION,    BLOCK, "attn.qkv.weight",                 DIM3, DIM)                       \
    X(QKV_B,          VISION,    BLOCK, "attn.qkv.bias",                   DIM3)                            \
    X(PROJ_W,         VISION,    BLOCK, "attn.proj.weight",                DIM, DIM)                        \
    X(PROJ_B,         VISION,    BLOCK, "attn.proj.bias",                  DIM)                             \
    X(NORM2_W,        VISION,    BLOCK, "norm2.weight",                    DIM)                             \
    X(NORM2_B,        VISION,    BLOCK, "norm2.bias",                      DIM)                             \
    X(FC1_W,          VISION,    BLOCK, "mlp.fc1.weight",                  MLP, DIM)                        \
    X(FC1_B,          VISION,    BLOCK, "mlp.fc1.bias",                    MLP)                             \
    X(FC2_W,          VISION,    BLOCK, "mlp.fc2.weight",                  DIM, MLP)                        \
    X(FC2_B,          VISION,    BLOCK, "mlp.fc2.bias",                    DIM)                             \
    X(LINEAR_1_W,     PROJECTOR, ONE,   "linear_1.weight",                 HIDDEN, DIM)                     \
    X(LINEAR_1_B,     PROJECTOR, ONE,   "linear_1.bias",                   HIDDEN)                          \
    X(LINEAR_2_W,     PROJECTOR, ONE,   "linear_2.weight",                 HIDDEN, HIDDEN)                  \
    X(LINEAR_2_B,     PROJECTOR, ONE,   "linear_2.bias",                   HIDDEN)                          \
    X(EMBED,          TEXT,      ONE,   "embed_tokens.weight",             VOCAB, HIDDEN)                   \
    X(INPUT_NORM,     TEXT,      LAYER, "input_layernorm.weight",          HIDDEN)                          \
    X(Q,              TEXT,      LAYER, "self_attn.q_proj.weight",         QUERY, HIDDEN)                   \
    X(K,              TEXT,      LAYER, "self_attn.k_proj.weight",         KEY, HIDDEN)                     \
    X(V,              TEXT,      LAYER, "self_attn.v_proj.weight",         KEY, HIDDEN)                     \
    X(O,              TEXT,      LAYER, "self_attn.o_proj.weight",         HIDDEN, QUERY)                   \
    X(POST_NORM,      TEXT,      LAYER, "post_attention_layernorm.weight", HIDDEN)                          \
    X(GATE,           TEXT,      LAYER, "mlp.gate_proj.weight",            FFN, HIDDEN)                     \
    X(UP,             TEXT,      LAYER, "mlp.up_proj.weight",              FFN, HIDDEN)                     \
    X(DOWN,           TEXT,      LAYER, "mlp.down_proj.weight",            HIDDEN, FFN)                     \
    X(NORM,           TEXT,      ONE,   "norm.weight",                     HIDDEN)                          \
    X(LM_HEAD,        HEAD,      ONE,   "lm_head.weight",                  VOCAB, HIDDEN)                   \
    X(MASK_W,         MASK,      ONE,   "mask_patch_embedding.weight",     DIM, D3, PATCH, PATCH)
/* clang-format on */

typedef enum {
#define X(id, ...) GR_GAR_T_##id,
    GR_GAR_TENSOR_TABLE(X)
#undef X
        GR_GAR_T_COUNT
} gr_gar_tensor_id;

typedef struct {
    gr_gar_tensor_id id;
    gr_gar_part part;
    int layer;        /* block or layer number, -1 where there is but one */
    const char *name; /* as published: with "mllm." unless the model is a base */
    int rank;
    int64_t shape[4];
    bool optional; /* the head of a tied model: the embedding stands in for it */
} gr_gar_tensor;

typedef struct {
    gr_runtime *rt;
    gr_gar_config config; /* a copy */
    gr_gar_tensor *at;
    size_t n;                                          /* with optional ones */
    size_t n_required;                                 /* 478 and 958 for the published models */
    int64_t n_parameters;                              /* of the required ones */
    int64_t part_parameters[GR_GAR_PART_COUNT];        /* of each part */
    int first[GR_GAR_T_COUNT], stride[GR_GAR_T_COUNT]; /* index of layer 0, step to the next; -1: none */
    char *names;
    const char **keys; /* what is left of the names without prefixes, sorted, ... */
    int *key_index;    /* ... and which tensor each belongs to */
} gr_gar_tensors;

/* The inventory of a configuration. On failure (no memory) there is nothing to release. */
gr_status gr_gar_tensors_build(gr_gar_tensors *list, gr_runtime *rt, const gr_gar_config *config,
                               gr_error *err);
void gr_gar_tensors_fini(gr_gar_tensors *list); /* an all-zero list is fine */

/* Index of a tensor; `layer` is -1 or anything where there is but one. -1: this model has none. */
int gr_gar_tensors_find(const gr_gar_tensors *list, gr_gar_tensor_id id, int layer);

const char *gr_gar_part_name(gr_gar_part part); /* "vision", ... */

/* --- checkpoints --------------------------------------------------------------------------------------- */

/* Where a tensor is stored. The stored shape is the logical one, or the same without leading ones. */
typedef struct {
    const gr_stored *stored; /* NULL: an optional tensor that is not stored */
    /* Meta's files hold the rows of q and k in pairs (a0, b0, a1, b1, ...) where the published ones hold
     * halves (a0, a1, ..., b0, b1, ...). > 0: the width of a head whose rows are stored that way, which
     * gr_weight must be told. 0: rows are in place. */
    int paired_rows;
} gr_gar_bound;

/* Finds every tensor of the list in a checkpoint; bound[list->n]. Accepted names (spec gar.md 2.4): as
 * published, with or without any leading "mllm." and "model."; of development uploads
 * ("language_model.model."); of Meta's consolidated files. Entries that only a framework needs (rotary
 * tables, k_bias) are passed over. A line of `report` (may be NULL) for each tensor that is missing, twice
 * there, of the wrong shape or type, or unknown; the last kind is also a warning of the log and no failure,
 * unless it is a block or layer that the configuration does not have.
 * GR_ERR_FORMAT, GR_ERR_SHAPE: of the first problem; err tells the first few. */
gr_status gr_gar_tensors_bind(const gr_gar_tensors *list, const gr_checkpoint *checkpoint,
                              gr_gar_bound *bound, gr_buf *report, gr_error *err);

#endif
