/* gar_tensors_table.h - the rows behind gar_tensors.h. Private to gar_tensors.c and gar_bind.c. */
#ifndef GR_MODEL_GAR_TENSORS_TABLE_H
#define GR_MODEL_GAR_TENSORS_TABLE_H

#include "model/gar_tensors.h"

typedef enum { GR_GAR_ONE, GR_GAR_BLOCK, GR_GAR_LAYER } gr_gar_repeated;

/* Symbolic dimensions: resolved from a configuration. NONE (0) ends a shape. */
typedef enum {
    GR_GAR_DIM_NONE,
    GR_GAR_DIM_1,
    GR_GAR_DIM_3,
    GR_GAR_DIM_D,
    GR_GAR_DIM_3D,
    GR_GAR_DIM_ROWS, /* patches of a tile, and the class token */
    GR_GAR_DIM_PATCH,
    GR_GAR_DIM_MLP,
    GR_GAR_DIM_HIDDEN,
    GR_GAR_DIM_QUERY, /* heads * head_dim */
    GR_GAR_DIM_KEY,   /* kv_heads * head_dim */
    GR_GAR_DIM_FFN,
    GR_GAR_DIM_VOCAB
} gr_gar_dim;

typedef struct {
    gr_gar_part part;
    gr_gar_repeated repeated;
    const char *suffix;
    gr_gar_dim dims[5]; /* NONE ends them */
} gr_gar_row;

extern const gr_gar_row gr_gar_rows[GR_GAR_T_COUNT];

int64_t gr_gar_dim_value(const gr_gar_config *c, gr_gar_dim dim);
/* How many tensors of a kind the model has. */
int gr_gar_repeats(const gr_gar_config *c, gr_gar_tensor_id id);
/* A name without its leading "mllm." and "model.", in place. */
const char *gr_gar_key(const char *name);

#endif
