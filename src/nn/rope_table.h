/* rope_table.h - the cosines and sines that gr_rope reads: one row a position, half cosines, then as many
 * sines. Angles are products of float32 numbers rounded to float32, as the published code makes them. */
#ifndef GR_NN_ROPE_TABLE_H
#define GR_NN_ROPE_TABLE_H

#include <stdbool.h>
#include <stddef.h>

/* Two axes, for a square grid of patches (timm/layers/pos_embed_sincos.py, "xy" indexing): a row has head_dim
 * / 4 bands of x = column + offset, then as many of y = row + offset, frequency 10000^(-i / bands). With
 * `class_token` row 0 is the class token's, which is not turned. table [class_token + grid^2][head_dim]. */
void gr_rope_table_2d(float *table, int grid, int head_dim, int offset, bool class_token);

/* Llama 3 frequencies, scaled or not (transformers/modeling_rope_utils.py, llama3). */
typedef struct {
    double theta;
    bool llama3; /* the rest is used */
    double factor, low, high;
    int original; /* context length of the unscaled training */
} gr_rope_scaling;

/* inverse [head_dim / 2], float32 as computed there. */
void gr_rope_inverse_frequencies(float *inverse, int head_dim, const gr_rope_scaling *s);

/* table [n_positions][head_dim]; with `round_bf16` cosines and sines are rounded, as the bf16 code does. */
void gr_rope_table_llama(float *table, size_t n_positions, int head_dim, const gr_rope_scaling *s,
                         bool round_bf16);

#endif
