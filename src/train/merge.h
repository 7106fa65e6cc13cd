/* merge.h - a tensor with its adapter added, for an export that needs no adapters:
 * W + (alpha / r) B A in f32, rounded once to the type that is written (Hu et al. 2021, section 4.1). */
#ifndef GR_TRAIN_MERGE_H
#define GR_TRAIN_MERGE_H

#include "train/flat.h"

/* Rows [row, row + n) of an adapted tensor (gr_flat_find_adapter), logical rows as in gr_weight, so that a
 * writer can stream: out is n rows of as many elements of type `dtype` (F32, BF16 or F16) as the tensor has
 * columns. W is read from the checkpoint, in whatever type. Any split into ranges gives the same bits.
 * GR_ERR_ARG: no adapter, or rows that it has not. GR_ERR_IO, GR_ERR_FORMAT: as gr_weight_read. GR_ERR_MEM:
 * r + 2 rows of f32 are needed while it lasts. */
gr_status gr_merge_rows(const gr_flat *f, const gr_gar *m, size_t tensor, size_t row, size_t n,
                        gr_dtype dtype, void *out, gr_error *err);

#endif
