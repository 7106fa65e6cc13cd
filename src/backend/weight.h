/* weight.h - a logical weight: a name, a shape, the stored bytes, and the forms that a backend made of them.
 *
 * A linear weight is packed once into its one run-time layout: panels of GR_PANEL outputs side by side,
 * k-major: panel p is [k][GR_PANEL] elements, outputs p * GR_PANEL .. + GR_PANEL - 1, zeros past the last,
 * streamed by the many-row and the one-row kernel alike (design decision 12). f32 and f16 lie in order; bf16
 * lie in pairs (output j, output j + 16), so that a shift and a mask of 32-bit lanes widen two vectors. */
#ifndef GR_BACKEND_WEIGHT_H
#define GR_BACKEND_WEIGHT_H

#include <stdbool.h>
#include "backend/task.h"
#include "grasp/dtype.h"

#define GR_PANEL 32

/* How an operator reads a parameter. */
typedef enum {
    GR_FORM_NONE,
    GR_FORM_VECTOR, /* f32, row-major: norms, biases, tables */
    GR_FORM_PANELS, /* linear layers */
    GR_FORM_ROWS    /* as stored, looked up row by row: embeddings */
} gr_form;

struct gr_weight {
    const char *name;   /* for messages; borrowed */
    const char *file;   /* likewise */
    gr_dtype dtype;     /* as stored: F32, BF16 or F16 */
    size_t rows, cols;  /* outputs and inputs of a linear weight; 1 x n for vectors */
    const void *stored; /* row-major, borrowed, perhaps misaligned; NULL when only made forms exist */
    int paired_rows;    /* > 0: stored rows of each group of so many lie in pairs (a0, b0, a1, ...), wanted as
                           halves (a0, a1, ..., b0, ...) */
    bool round_bf16;    /* f32 and f16 are rounded to bf16 while preparing (numerics released) */
    /* Made by a backend's `prepare`, in its space; NULL: not made. */
    float *vector;
    const void *looked_up; /* form ROWS: row-major, stored type */
    void *panels;
    gr_dtype panel_dtype;
};

static inline size_t gr_n_panels(size_t outputs) { return (outputs + GR_PANEL - 1) / GR_PANEL; }

/* Where output o of a panel (0..31) stands in a row of it. */
static inline size_t gr_panel_slot(gr_dtype dtype, size_t o)
{
    return dtype == GR_DTYPE_BF16 ? o % 16 * 2 + o / 16 : o;
}

/* `n` rows of a panel as f32, outputs in order: to[n][GR_PANEL]. */
void gr_panel_widen(float *to, const void *from, gr_dtype dtype, size_t n);

/* Bytes that `prepare` will take for a form: what memory plans add up. */
size_t gr_weight_form_bytes(const gr_weight *w, gr_form form);

#endif
