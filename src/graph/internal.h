/* internal.h - the inside of a gr_graph, shared by the files of this folder only. */
#ifndef GR_GRAPH_INTERNAL_H
#define GR_GRAPH_INTERNAL_H

#include "graph/op.h"

struct gr_graph {
    gr_runtime *rt;
    const char *title; /* a literal */
    gr_rounding round;
    gr_error err; /* the first failure of building */

    struct {
        const char *name;
        int capacity;
    } extents[GR_MAX_EXTENTS];
    int n_extents;

    /* Nodes and values never move: they are allocated one by one and listed here. */
    gr_node **nodes;
    size_t n_nodes, cap_nodes;
    gr_value **values;
    size_t n_values, cap_values;

    gr_value *inputs[GR_MAX_SLOTS], *params[GR_MAX_SLOTS], *outputs[GR_MAX_SLOTS];
    int n_inputs, n_params, n_outputs;
    gr_form param_forms[GR_MAX_SLOTS];

    size_t n_forward; /* nodes before those of the backward pass; 0: there is none */
    bool planned;
    size_t values_bytes;  /* of the arena, for values */
    size_t scratch_bytes; /* of one worker, after the values */
    unsigned trained;     /* bit i: parameter i is read as rows, not panels */
    int n_workers;
};

gr_value *gr_graph_new_value(gr_graph *g, const gr_value *like);

/* The value whose memory v lies in: views and in-place followed to the end. */
gr_value *gr_value_root(gr_value *v);

#endif
