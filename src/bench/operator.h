/* operator.h - one operator as a graph of its own, with all that it reads and writes: what is timed is what
 * inference runs.
 *
 * One row of a product, and attention, read other memory in every call, as the layers of a model do: else the
 * last cache would hold what a token reads once. */
#ifndef GR_BENCH_OPERATOR_H
#define GR_BENCH_OPERATOR_H

#include "backend/backend.h"
#include "bench/cases.h"
#include "graph/graph.h"

enum { GR_OPERATOR_INPUTS = 3, GR_OPERATOR_PARAMS = 2 };

typedef struct {
    gr_runtime *rt; /* borrowed, as is the backend */
    gr_backend *backend;
    gr_graph *graph;
    gr_run run;
    int n_inputs, n_params;
    size_t input_bytes[GR_OPERATOR_INPUTS];
    const void *input_values[GR_OPERATOR_INPUTS]; /* NULL: drawn */
    gr_weight weights[GR_OPERATOR_PARAMS];
    void **panels; /* [n_copies] of weights[0], which turns through them; owned */
    int n_copies;
    gr_rows rows;
    gr_span span;
    int32_t *indices; /* owned: span_of, position and pages of `rows`, one after the other */
    gr_kv_pages kv;
    size_t turn;
    int32_t canvas[3]; /* of RoI-Align */
    float box[4];
} gr_operator;

/* Builds the graph of a case, takes the memory and fills it with numbers. Sets what the case did not know:
 * its FLOP and bytes. GR_ERR_MEM, and what the graph reports; then nothing is left. */
gr_status gr_operator_open(gr_operator *o, gr_backend *backend, const gr_gar_config *config, gr_bench_case *c,
                           gr_dtype weights, gr_rounding round, gr_error *err);
void gr_operator_close(gr_operator *o);

/* One call. */
gr_status gr_operator_call(gr_operator *o, gr_error *err);

#endif
