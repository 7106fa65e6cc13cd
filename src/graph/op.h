/* op.h - what an operator is: a row of data. One file of src/op holds one operator and its backward partners.
 */
#ifndef GR_GRAPH_OP_H
#define GR_GRAPH_OP_H

#include "backend/weight.h"
#include "graph/graph.h"

typedef struct {
    double flop, bytes;
} gr_cost;

struct gr_op {
    const char *name;
    int min_in, max_in, n_out;
    gr_form forms[GR_MAX_IN]; /* how a parameter given as this input is read; NONE: must not be a parameter */
    unsigned inplace;         /* bit i: output 0 may take the memory of input i when that dies here */
    bool adds;                /* can add to what output 0 holds (gr_task.adds) */
    bool reads_rows;          /* needs the row table, which must say where every row of input 0 belongs */
    int n_phases;             /* 0 counts as 1 */
    /* Checks the inputs and sets extent, factor and cols of the outputs (they come as copies of input 0).
     * False after gr_graph_fail. */
    bool (*infer)(gr_node *n);
    size_t (*units)(const gr_task *t, int phase); /* NULL: gr_units_rows */
    size_t (*scratch)(const gr_node *n);          /* bytes of one worker at capacity; NULL: none */
    void (*forward)(const gr_task *t, int phase, size_t unit, void *scratch);
    gr_cost (*cost)(const gr_node *n, const int *extents); /* NULL: gr_cost_elementwise */
    /* Adds nodes that make dx[i], the gradient of input i. dy[o] is NULL when nothing flows into output o
     * (dy[0] never is). dx comes NULL; an input left NULL gets no gradient. want[i] is false where nobody
     * asks for dx[i]: rules of costly operators look at it. */
    void (*grad)(gr_graph *g, const gr_node *n, gr_value *const *dy, gr_value **dx, const bool *want);
};

/* Rows of a value at run time, and at capacity. */
size_t gr_value_rows(const gr_value *v, const int *extents);
size_t gr_value_max_rows(const gr_value *v);
bool gr_same_shape(const gr_value *a, const gr_value *b);

/* 2 * rows * inputs * outputs FLOP: input 0 is rows, input 1 a weight of outputs x inputs. */
gr_cost gr_linear_cost(const gr_node *n, const int *extents);

/* One FLOP an element of output 0; every value read or written once. */
gr_cost gr_cost_elementwise(const gr_node *n, const int *extents);

/* Shape rules that several operators share. */
bool gr_infer_same(gr_node *n); /* all inputs have the shape of input 0, and so has the output */
bool gr_infer_first(
    gr_node *n); /* the output has the shape of input 0; parameters are vectors of its columns */

#endif
