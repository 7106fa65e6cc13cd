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
#include "base/source.h"
#include "grasp/dtype.h"

#define GR_PANEL 32

/* How an operator reads a parameter. */
typedef enum {
    GR_FORM_NONE,
    GR_FORM_VECTOR, /* f32, row-major: norms, biases, tables */
    GR_FORM_PANELS, /* linear layers */
    GR_FORM_ROWS    /* looked up row by row with gr_weight_look_up: embeddings */
} gr_form;

struct gr_weight {
    const char *name;  /* for messages; borrowed */
    const char *file;  /* likewise */
    gr_dtype dtype;    /* as stored: F32, BF16 or F16 */
    size_t rows, cols; /* outputs and inputs of a linear weight; 1 x n for vectors */
    /* Row-major, perhaps misaligned, borrowed: in memory, or from `offset` of a source. Neither: only made
     * forms exist. */
    const void *stored;
    const gr_source *source;
    size_t offset;
    int paired_rows; /* > 0: stored rows of each group of so many lie in pairs (a0, b0, a1, ...), wanted as
                        halves (a0, a1, ..., b0, ...) */
    bool round_bf16; /* f32 and f16 are rounded to bf16 while preparing (numerics released) */
    /* Made by a backend's `prepare`, in its space; NULL: not made. */
    float *vector;
    void *panels;
    gr_dtype panel_dtype;
    const void *looked_up; /* logical rows, of the stored type */
    bool rows_ready;       /* form ROWS: in the panels, in `looked_up`, or where they are stored */
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

/* Columns of the 32 rows of a panel that a worker reads at a time, and bytes of a buffer for them: what
 * preparing takes besides for each worker while it lasts. Few enough to stay in a core's cache from reading
 * to packing. */
size_t gr_weight_block_cols(const gr_weight *w);
size_t gr_weight_buffer_bytes(const gr_weight *w);

static inline bool gr_weight_is_stored(const gr_weight *w) { return w->stored || w->source; }

/* Where a logical row is stored. */
size_t gr_weight_stored_row(const gr_weight *w, size_t row);

/* `n` elements of stored row `row` from column `col` on, as stored; they may go on in the rows behind.
 * GR_ERR_IO: the file became shorter, or cannot be read; the sentence names file and tensor. */
gr_status gr_weight_read(const gr_weight *w, size_t row, size_t col, size_t n, void *to, gr_error *err);

/* GR_ERR_FORMAT, naming file, tensor, row, column and the value, unless n elements that were read from there
 * are finite. */
gr_status gr_weight_check(const gr_weight *w, size_t row, size_t col, size_t n, const void *read,
                          gr_error *err);

/* Logical row `row` as f32 in y[cols], of a weight whose form ROWS is ready. GR_ERR_IO, GR_ERR_FORMAT: only
 * where rows stay in the file, whose values nobody has looked at before. */
gr_status gr_weight_look_up(const gr_weight *w, size_t row, float *y, gr_error *err);

#endif
