/* shape.h - shapes of stored tensors. */
#ifndef GR_IO_SHAPE_H
#define GR_IO_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GR_MAX_RANK 8

/* "[1024, 3, 14, 14]" into out; "[]" for rank 0. */
void gr_shape_text(char *out, size_t n, int rank, const int64_t *shape);

/* The product of the dimensions (1 for rank 0) in *count; false when one is negative or it does not fit. */
bool gr_shape_count(size_t *count, int rank, const int64_t *shape);

bool gr_shape_equal(int rank_a, const int64_t *a, int rank_b, const int64_t *b);

#endif
