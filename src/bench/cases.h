/* cases.h - which kernels are timed: the operators of a model at its own shapes, as rows.
 *
 * Shapes follow from a configuration, so that they are the model's whatever it is. `keys` of attention and
 * `rows` of a chunk are those of whole answers: docs/bench.md. */
#ifndef GR_BENCH_CASES_H
#define GR_BENCH_CASES_H

#include "grasp/bench.h"
#include "model/gar_config.h"

typedef enum { GR_CASE_PRODUCT, GR_CASE_GRADIENT, GR_CASE_ROW, GR_CASE_ATTENTION, GR_CASE_PASS } gr_case_kind;

/* Products of training, of a layer y = x W^T. A frozen weight lies in panels, a trained one in rows. */
typedef enum { GR_TRAINED_Y, GR_FROZEN_DX, GR_TRAINED_DX, GR_TRAINED_DW } gr_case_product;

/* Operators that go once over memory. */
typedef enum {
    GR_PASS_LAYER_NORM,
    GR_PASS_RMS_NORM,
    GR_PASS_ROPE_PAIRS,  /* neighbours are turned, as in the tower */
    GR_PASS_ROPE_HALVES, /* as in the decoder */
    GR_PASS_GELU,
    GR_PASS_SWIGLU,
    GR_PASS_ADD,
    GR_PASS_SCALE_ADD,
    GR_PASS_POOL,
    GR_PASS_ROI_ALIGN
} gr_pass;

typedef struct {
    gr_case_kind kind;
    gr_pass pass;            /* of GR_CASE_PASS */
    gr_case_product product; /* of GR_CASE_GRADIENT */
    char name[64];
    int rows, inputs, outputs;     /* as in gr_bench_row */
    int heads, kv_heads, head_dim; /* of attention; of a rope pass heads and head_dim */
    int layers;                    /* attention in pages: of the decoder; 0: keys are the rows' own */
    double flop, bytes;            /* bytes 0: the graph says */
} gr_bench_case;

#define GR_MAX_CASES 64

typedef struct {
    gr_gar_config config;
    int n;
    gr_bench_case at[GR_MAX_CASES];
} gr_bench_cases;

/* The cases of a preset that a filter lets through (gr_bench_options.filter). GR_ERR_ARG: no such preset, no
 * such case, a type that weights cannot have. */
gr_status gr_bench_cases_make(gr_bench_cases *cases, const char *preset, const char *filter, gr_dtype weights,
                              gr_error *err);

/* A row that is not measured: what the case says of itself. */
gr_bench_row gr_bench_case_row(const gr_bench_case *c, gr_dtype weights, int threads);

/* Held against the bandwidth of memory rather than arithmetic. */
bool gr_bench_case_reads(const gr_bench_case *c);

#endif
