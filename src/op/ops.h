/* ops.h - the builders: one function an operator, used by segments and by gradient rules. Each returns the
 * (first) result, or NULL after a failure of the graph. Shapes are written [rows, cols]; R is any run-time
 * number of rows. Each operator's file says what it computes. */
#ifndef GR_OP_OPS_H
#define GR_OP_OPS_H

#include "graph/graph.h"

/* --- linear.c: y = x W^T + b
 * -------------------------------------------------------------------------------------- */
/* x [R, in], w parameter [out, in] in panels, b parameter [1, out] or NULL -> [R, out]. */
gr_value *gr_linear(gr_value *x, gr_value *w, gr_value *b);
gr_value *gr_linear_dx(gr_value *dy, gr_value *w); /* [R, out], [out, in] -> [R, in] */
gr_value *gr_linear_dw(gr_value *dy, gr_value *x); /* [R, out], [R, in] -> [out, in] */

/* --- elementwise.c
 * ------------------------------------------------------------------------------------------------- */
gr_value *gr_add(gr_value *a, gr_value *b);           /* same shapes */
gr_value *gr_mul(gr_value *a, gr_value *b);           /* same shapes */
gr_value *gr_scale_columns(gr_value *x, gr_value *v); /* x[r][c] * v[c]; v parameter [1, cols] */
gr_value *gr_add_table(gr_value *x, gr_value *table,
                       int group); /* x[r] + table[r mod group]; table parameter [group, cols] */

/* --- times.c
 * ---------------------------------------------------------------------------------------------------------
 */
gr_value *gr_times(gr_value *x, float s); /* s x; s is fixed when the graph is built */

/* --- activation.c
 * ---------------------------------------------------------------------------------------------------- */
gr_value *gr_gelu(gr_value *x); /* x (1 + erf(x / sqrt 2)) / 2 */
gr_value *gr_silu(gr_value *x); /* x / (1 + exp(-x)) */
gr_value *gr_gelu_grad(gr_value *dy, gr_value *x);
gr_value *gr_silu_grad(gr_value *dy, gr_value *x);

/* --- norm.c
 * ----------------------------------------------------------------------------------------------------------
 */
gr_value *gr_layer_norm(gr_value *x, gr_value *w, gr_value *b, float eps);
gr_value *gr_rms_norm(gr_value *x,
                      float eps); /* x / sqrt(mean(x^2) + eps); the weight is a gr_scale_columns */

/* --- rope.c
 * ----------------------------------------------------------------------------------------------------------
 */
/* x [R, heads * head_dim]; table parameter [positions, head_dim]: a row is head_dim / 2 cosines, then as many
 * sines. Interleaved: pairs are neighbours (2i, 2i + 1), as in the Perception Encoder; otherwise (i, i +
 * head_dim / 2), as in Llama. Positions come from the row table. */
gr_value *gr_rope(gr_value *x, gr_value *table, int heads, bool interleaved);

/* --- attention.c
 * ----------------------------------------------------------------------------------------------------- */
/* q [R, heads * head_dim], k and v [R, kv_heads * head_dim] -> [R, heads * head_dim]. Rows attend within
 * their span (causal: to positions up to their own). With `paged`, k and v are first stored in the span's KV
 * pages and all earlier positions are read from there. */
gr_value *gr_attention(gr_value *q, gr_value *k, gr_value *v, int heads, int kv_heads, float scale,
                       bool causal, bool paged);

/* --- rows.c: moving rows
 * -------------------------------------------------------------------------------------------- */
/* Of every group of `group` rows, rows from .. from + n - 1. */
gr_value *gr_slice_rows(gr_value *x, int group, int from, int n);
/* The opposite: groups of `group` rows are put at `from` in groups of `total`, zeros elsewhere. */
gr_value *gr_pad_rows(gr_value *x, int group, int from, int total);
/* Puts parameter row [1, cols] before every group of `group` rows. */
gr_value *gr_prepend_row(gr_value *x, gr_value *row, int group);
/* y[i] = x[index[i]]; index [N, 1] of rows of x. */
gr_value *gr_gather_rows(gr_value *x, gr_value *index);
gr_value *gr_scatter_rows(gr_value *dy, gr_value *index,
                          gr_value *like); /* sums rows with the same index, in row order */
/* The same for the feature rows of gr_embed: row -1 - index, where index < 0. */
gr_value *gr_scatter_features(gr_value *dy, gr_value *index, gr_value *like);
/* Sum over all rows r with r mod group = i -> [group, cols], fixed. group = 1: the sum of all rows. */
gr_value *gr_sum_groups(gr_value *x, int group);
/* [R, cols] into columns col0.. of [R, total], zeros elsewhere. */
gr_value *gr_pad_columns(gr_value *x, int col0, int total);

/* --- embed.c
 * ---------------------------------------------------------------------------------------------------------
 */
/* y[r] = table[ids[r]] when ids[r] >= 0, else features[-1 - ids[r]]. table parameter [vocab, cols] as stored;
 * features [F, cols] or NULL. */
gr_value *gr_embed(gr_value *ids, gr_value *table, gr_value *features);

/* --- patch.c
 * ---------------------------------------------------------------------------------------------------------
 */
/* [T, channels * side^2] planar pictures -> [T * (side / patch)^2, channels * repeat * patch^2], patches row
 * by row, elements in the order of a convolution's weight. Every channel is repeated `repeat` times (a mask
 * plane for a three-channel convolution). */
gr_value *gr_patchify(gr_value *x, int channels, int repeat, int side, int patch);

/* --- pool.c
 * ----------------------------------------------------------------------------------------------------------
 */
/* Groups of side^2 rows (a square grid, row by row) -> (side / factor)^2 rows, means of factor x factor
 * cells. */
gr_value *gr_mean_pool(gr_value *x, int side, int factor);

/* --- roi_align.c
 * ------------------------------------------------------------------------------------------------------ */
/* Pools boxes of a feature map to side x side rows each. features [F, cols]: tiles of tile_side^2 rows,
 * merged by canvas, an index value [1, 3] = (tiles across, tiles down, first row of tile 0). boxes [N, 4]:
 * x0, y0, x1, y1 in cells, already shifted by -1/2. -> [N * side^2, cols]. Sampling ratio 2, as
 * torchvision.ops.roi_align(aligned=True). */
gr_value *gr_roi_align(gr_value *features, gr_value *boxes, gr_value *canvas, int tile_side, int side);

/* --- cross_entropy.c
 * -------------------------------------------------------------------------------------------------- */
/* logits [R, V], target an index [R, 1] of columns -> [R, 1]: log(sum(exp(logits))) - logits[target]. */
gr_value *gr_cross_entropy(gr_value *logits, gr_value *target);
extern const gr_op gr_op_cross_entropy_grad;
bool gr_infer_targets(gr_node *n); /* logits and targets fit together: one number a row */

/* --- top_hit.c
 * -------------------------------------------------------------------------------------------------------- */
/* The same inputs -> [R, 1]: 1 where the target has the greatest logit, the first of equal ones, else 0. */
gr_value *gr_top_hit(gr_value *logits, gr_value *target);

/* --- fused.c: made by rewrites only
 * ----------------------------------------------------------------------------------- */
extern const gr_op gr_op_rms_scale, gr_op_swiglu, gr_op_add_scaled;
/* What the rewrites look for. */
extern const gr_op gr_op_rms_norm, gr_op_scale_columns, gr_op_silu, gr_op_mul, gr_op_add;

/* Every operator, for tests that walk the table; NULL ends it. */
extern const gr_op *const gr_all_ops[];

#endif
