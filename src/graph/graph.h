/* graph.h - build, plan and call a segment. docs/graph.md is the idea.
 *
 * Life cycle: gr_graph_new, builders (src/op/ops.h), gr_graph_output, [gr_graph_backward],
 * [gr_graph_rewrite], gr_graph_plan; then any number of gr_graph_run calls. Builders return NULL after a
 * failure and accept NULL; gr_graph_plan reports the first one. */
#ifndef GR_GRAPH_GRAPH_H
#define GR_GRAPH_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "grasp/error.h"
#include "grasp/runtime.h"
#include "backend/task.h"
#include "backend/weight.h"

#define GR_MAX_EXTENTS 4
#define GR_MAX_SLOTS   24   /* inputs, outputs and parameters of a segment, each */
#define GR_FIXED       (-1) /* "extent" of values whose rows do not change */

typedef struct gr_graph gr_graph;
typedef struct gr_node gr_node;
typedef struct gr_value gr_value;
typedef struct gr_op gr_op;
struct gr_backend;

typedef enum {
    GR_VALUE_INPUT, /* bound at run time */
    GR_VALUE_PARAM, /* a weight, bound at run time */
    GR_VALUE_TEMP,  /* in the arena, or bound at run time when it is an output */
    GR_VALUE_VIEW   /* columns [col0, col0 + cols) of `base` */
} gr_value_kind;

struct gr_value {
    const char *name; /* "" or a literal: taps and messages */
    gr_value_kind kind;
    bool index; /* int32 instead of the activation type */
    int extent; /* which extent the rows follow, or GR_FIXED */
    int factor; /* rows = extent * factor; when fixed, rows = factor */
    int cols;
    int slot;   /* of an input or parameter; of an output -1 when it is none */
    int output; /* output slot or -1 */
    gr_graph *graph;
    gr_node *producer; /* NULL for inputs and parameters */
    gr_value *base;    /* of a view */
    int col0;
    /* Planner. `first` and `last` are node numbers; `storage` is the value whose memory this one uses
     * (itself, or by in-place). */
    int first, last;
    gr_value *storage;
    size_t offset;
};

struct gr_node {
    const gr_op *op;
    gr_graph *graph;
    int number;
    int n_in, n_out;
    gr_value *in[GR_MAX_IN]; /* an optional input may be NULL */
    gr_value *out[GR_MAX_OUT];
    gr_attr attr;
    gr_rounding round;
    bool adds; /* to what output 0 holds */
};

/* What of a plan a call runs. A graph with a backward pass can be run in two calls, the same memory bound in
 * both: what lies in the arena between them is what the second needs of the first. */
typedef enum { GR_RUN_ALL, GR_RUN_FORWARD, GR_RUN_BACKWARD } gr_run_part;

/* One call of a plan. Everything is borrowed; pointers to values are in the backend's space. Outputs overlap
 * neither inputs nor each other. An input without rows in this call may be NULL. */
typedef struct gr_run {
    int extents[GR_MAX_EXTENTS];
    void *inputs[GR_MAX_SLOTS];
    void *outputs[GR_MAX_SLOTS];
    const gr_weight *params[GR_MAX_SLOTS];
    const gr_rows *rows;   /* needed by rope and attention: every row of theirs */
    const gr_kv_pages *kv; /* needed by paged attention */
    int kv_layer;
    gr_run_part part;
    uint8_t *arena;   /* at least gr_graph_arena_bytes; with `scratch`, gr_graph_values_bytes */
    uint8_t *scratch; /* the difference of both; NULL: it is in the arena */
    /* Called after the node that made a named value; `data` is host memory, [rows, cols] without gaps. May be
     * NULL. */
    void (*tap)(void *user, const char *name, const float *data, size_t rows, size_t cols);
    void *tap_user;
    /* Polled between nodes; may be NULL. */
    bool (*cancelled)(void *user);
    void *cancel_user;
} gr_run;

gr_status gr_graph_new(gr_graph **out, gr_runtime *rt, const char *name, gr_rounding round, gr_error *err);
void gr_graph_free(gr_graph *g); /* NULL is fine */

/* Parameters (bit i: slot i) that are trained: linear weights among them are read as f32 rows
 * (GR_FORM_VECTOR) instead of panels, so that what an optimiser changes needs no packing again. The bits are
 * the same, except in graphs that round where the processor multiplies bf16 (gr_kernels.strip_pairs). Before
 * gr_graph_plan. */
void gr_graph_train(gr_graph *g, unsigned params);

/* Declares a run-time number of rows; returns its index. capacity >= 1. */
int gr_graph_extent(gr_graph *g, const char *name, int capacity);

/* Slots are numbered in order of declaration, for each of the three kinds on its own. */
gr_value *gr_graph_input(gr_graph *g, const char *name, int extent, int factor, int cols);
gr_value *gr_graph_input_index(gr_graph *g, const char *name, int extent, int factor, int cols);
gr_value *gr_graph_param(gr_graph *g, const char *name, int rows, int cols);
/* The form in which the nodes so far read a parameter: what to ask of a backend's `prepare`. GR_FORM_NONE:
 * nobody reads it. */
gr_form gr_graph_param_form(const gr_graph *g, int slot);
/* Makes a value an output: its memory is bound at run time. Returns the value. */
gr_value *gr_graph_output(gr_graph *g, gr_value *v);
/* The same, but results are added to what that memory holds: gradients of weights over tiles and samples. The
 * operator that makes v must be able to (gr_op.adds). */
gr_value *gr_graph_output_sum(gr_graph *g, gr_value *v);
/* What was declared or made an output, by slot; NULL: there is none. */
gr_value *gr_graph_input_at(const gr_graph *g, int slot);
gr_value *gr_graph_param_at(const gr_graph *g, int slot);
gr_value *gr_graph_output_at(const gr_graph *g, int slot);
/* Names a value, so that it can be tapped; the name is a literal. Returns the value. */
gr_value *gr_graph_name(gr_value *v, const char *name);
/* Columns [col0, col0 + cols) of v. */
gr_value *gr_graph_columns(gr_value *v, int col0, int cols);

/* Adds a node; for builders in src/op. `in` may contain NULL only where the operator allows it; a failed
 * graph gives NULL. */
gr_node *gr_graph_add(gr_graph *g, const gr_op *op, const gr_attr *attr, gr_value *const *in, int n_in);
/* Records a failure of the graph being built: the first one is kept. */
void gr_graph_fail(gr_graph *g, gr_status status, const char *fmt, ...) GR_PRINTF(3, 4);
gr_status gr_graph_status(const gr_graph *g, gr_error *err);

/* Adds the backward pass. dy[i] is the gradient of outs[i] (values with the same shape, usually inputs). On
 * return dx[j] is the gradient of wants[j] (inputs or parameters), as a value of its own that can be made an
 * output; NULL where nothing flows. */
void gr_graph_backward(gr_graph *g, gr_value *const *outs, gr_value *const *dy, int n_outs,
                       gr_value *const *wants, gr_value **dx, int n_wants);

/* Fuses neighbours by the table of rewrite.c; returns how many rewrites were made. Before gr_graph_plan,
 * after all nodes. */
int gr_graph_rewrite(gr_graph *g);

/* Lays out the arena and fixes the graph; reports whatever failed before, and nodes that the backend does not
 * support. */
gr_status gr_graph_plan(gr_graph *g, const struct gr_backend *backend, gr_error *err);
size_t gr_graph_arena_bytes(const gr_graph *g);
size_t gr_graph_values_bytes(const gr_graph *g); /* the same without the workers' scratch */
/* How many parameter slots there are. */
int gr_graph_n_params(const gr_graph *g);

/* GR_ERR_CANCELLED, or what the backend reports (a lost device; GR_ERR_IO, GR_ERR_FORMAT: a row to be looked
 * up in a file). Mistakes of the caller: GR_ERR_ARG (extents over capacity, missing memory, row table or
 * prepared form), GR_ERR_SHAPE (a weight of another shape). */
gr_status gr_graph_run(const gr_graph *g, struct gr_backend *backend, const gr_run *run, gr_error *err);

/* FLOP and bytes of memory traffic of one call at these extents, summed over nodes; either may be NULL. */
void gr_graph_cost(const gr_graph *g, const int *extents, double *flop, double *bytes);

/* One line a node: number, operator, shapes, inputs, offset. For people. */
void gr_graph_dump(const gr_graph *g, void (*line)(void *user, const char *text), void *user);

#endif
