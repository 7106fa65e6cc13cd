/* task.h - a node at run time, as a device sees it: operator, attributes, matrices, row table. No graph, no
 * model.
 *
 * The runner (src/graph/run.c) makes one task a node and hands it to the backend. The CPU calls `forward`
 * unit by unit; another device looks at `op` and the matrices and does the same work its own way. */
#ifndef GR_BACKEND_TASK_H
#define GR_BACKEND_TASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GR_MAX_IN  8
#define GR_MAX_OUT 3

struct gr_kernels;
struct gr_failure;
typedef struct gr_weight gr_weight;

/* BF16: every result, as the published inference code. PRODUCTS: the factors of matrix products in which
 * weights are trained, where the processor multiplies bf16, and nothing else: sums, results and all else are
 * f32. */
typedef enum { GR_ROUND_NONE, GR_ROUND_BF16, GR_ROUND_PRODUCTS } gr_rounding;

/* What an operator needs to know besides its inputs; each operator's header says which fields it reads. */
typedef struct {
    int heads, kv_heads, head_dim;
    int group;  /* rows that belong together: a tile, a region */
    int side;   /* side of a square grid */
    int factor; /* pooling, repetition */
    float eps, scale;
    bool causal, interleaved, inverse;
    bool paged; /* attention: keys live in KV pages */
} gr_attr;

/* Rows of a step: which span a row belongs to and where it stands in its sequence. Host memory, borrowed for
 * the run. */
typedef struct {
    int32_t row, n_rows;  /* [row, row + n_rows) of the flat rows */
    int32_t pos;          /* position of the first row; 0 without pages */
    const int32_t *pages; /* KV pages of the sequence in order, or NULL: the span attends to its own rows */
} gr_span;

typedef struct {
    int n_spans, n_rows;
    const gr_span *spans;
    const int32_t *span_of;  /* [n_rows] */
    const int32_t *position; /* [n_rows] */
} gr_rows;

/* KV pages of 64 tokens. A page holds, for every layer, K [kv_heads][head_dim][64] (keys side by side, as
 * attention multiplies them) and then V [kv_heads][64][head_dim], as f32. */
#define GR_PAGE_TOKENS 64
typedef struct {
    float *memory; /* in the backend's space */
    int n_layers, kv_heads, head_dim, n_pages;
} gr_kv_pages;

static inline size_t gr_kv_half_page(const gr_kv_pages *kv)
{
    return (size_t)kv->kv_heads * GR_PAGE_TOKENS * (size_t)kv->head_dim;
}

/* K of `layer` in `page`; V follows gr_kv_half_page floats later. */
static inline float *gr_kv_page(const gr_kv_pages *kv, int32_t page, int layer)
{
    return kv->memory + ((size_t)page * (size_t)kv->n_layers + (size_t)layer) * 2 * gr_kv_half_page(kv);
}

/* A value at run time. Rows lie `stride` elements apart. A parameter has `weight` and, in its vector form,
 * `f`. */
typedef struct {
    union {
        float *f;
        int32_t *i;
    };
    size_t rows, cols, stride;
    const gr_weight *weight;
} gr_mat;

static inline float *gr_row(const gr_mat *m, size_t row) { return m->f + row * m->stride; }

typedef struct gr_task gr_task;
struct gr_task {
    const char *op;
    gr_attr attr;
    gr_rounding round;
    int n_in, n_out;
    gr_mat in[GR_MAX_IN], out[GR_MAX_OUT];
    const gr_rows *rows;   /* may be NULL where no operator needs it */
    const gr_kv_pages *kv; /* likewise */
    int kv_layer;
    int inplace; /* input whose memory output 0 overwrites, or -1 */
    bool adds;   /* results are added to what output 0 holds, and not rounded */
    /* How host memory does it. Phases are separated by barriers; units of a phase are independent. */
    int n_workers; /* that share the units */
    int n_phases;
    size_t scratch_bytes; /* of one worker */
    uint8_t *scratch;     /* scratch_bytes x workers */
    size_t (*units)(const gr_task *t, int phase);
    void (*forward)(const gr_task *t, int phase, size_t unit, void *scratch);
    /* Set by the backend for the run. */
    const struct gr_kernels *k;
    struct gr_failure *failure; /* of a unit that could not do its work: rows that could not be read */
};

#define GR_ROW_BLOCK 16 /* rows of one unit, for operators that work row by row */

/* Units of such operators: blocks of rows of output 0. */
size_t gr_units_rows(const gr_task *t, int phase);
/* The rows of unit `unit`: [*r0, *r1). */
void gr_unit_rows(const gr_task *t, size_t unit, size_t *r0, size_t *r1);
/* Rounds n results when the task rounds; every forward function calls it on what it wrote. */
void gr_finish(const gr_task *t, float *row, size_t n);

#endif
