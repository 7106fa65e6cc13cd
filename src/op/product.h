/* product.h - the one loop of all matrix products: out[r][c] = sum over i ascending of a(r, i) b(i, c), in
 * blocks of GR_K_BLOCK, whoever computes it (docs/graph.md, "Same bits").
 *
 * A unit is a block of rows and a group of panels of GR_PANEL columns. For every block of i it lays rows of a
 * side by side once, then meets each panel of b. Where b does not lie in panels, they are made on the fly. */
#ifndef GR_OP_PRODUCT_H
#define GR_OP_PRODUCT_H

#include <stdbool.h>

#include "backend/task.h"
#include "grasp/dtype.h"

typedef struct gr_product gr_product;
struct gr_product {
    const struct gr_kernels *k;
    size_t rows, cols, depth;
    float *out;
    size_t ldo;
    bool adds;         /* to what `out` holds */
    size_t block_rows; /* of a unit; <= GR_PRODUCT_ROWS */
    /* Lays the strips of `rows` rows of a from r0 on, GR_K_BLOCK rows of the strip apart: puts
     * a(r0 + r, i0 + i) to strips[s * GR_K_BLOCK + i * k->strip_rows + r - s] with s the first row of r's
     * strip, for r < rows and i < n, or pairs of them. */
    void (*strips)(const gr_product *p, float *strips, size_t r0, size_t rows, size_t i0, size_t n);
    /* Rows i0 .. i0 + n - 1 of panel `c`: where they lie, or made in `room` ([GR_K_BLOCK][GR_PANEL] floats).
     */
    const void *(*panel)(const gr_product *p, float *room, size_t c, size_t i0, size_t n);
    /* gr_kernels.strip[] of the panels' type, strip_pairs, or strip_paired. */
    void (*multiply)(float *out, size_t ldo, size_t rows, size_t cols, const float *strip, size_t n,
                     const void *panel, bool first);
    const gr_mat *a, *b; /* for the two functions above */
};

#define GR_PRODUCT_ROWS 120 /* most rows of a unit */

/* Rows of which the next ones are asked for: they lie too far apart for the processor to guess. */
#define GR_PRODUCT_AHEAD 8

/* gr_product.strips of the rows of `a`. */
void gr_product_rows(const gr_product *p, float *strips, size_t r0, size_t rows, size_t i0, size_t n);
/* gr_product.panel where panels are columns of b. */
const void *gr_product_columns(const gr_product *p, float *room, size_t c, size_t i0, size_t n);
/* The same two in pairs of i, rounded to bf16. */
void gr_product_row_pairs(const gr_product *p, float *strips, size_t r0, size_t rows, size_t i0, size_t n);
const void *gr_product_column_pairs(const gr_product *p, float *room, size_t c, size_t i0, size_t n);
/* Whether the task's products are to be of bf16, and the processor has them. */
bool gr_product_by_pairs(const gr_task *t);

/* Bytes of scratch for units of so many rows. */
size_t gr_product_scratch(size_t block_rows);
/* How many units there are, and the part of the result that one of them makes: rows [r0, r1), columns
 * [c0, c1). */
size_t gr_product_units(const gr_product *p, int n_workers);
typedef struct {
    size_t r0, r1, c0, c1;
} gr_product_part;
gr_product_part gr_product_run(const gr_product *p, int n_workers, size_t unit, void *scratch);

#endif
