/* segment.h - a segment of the model as training runs it: forward, and forward with its backward pass.
 *
 * What enters a segment is kept; its backward run makes the rest again (docs/graph.md). The gradient of an
 * input is an output of its own, gradients of weights are added to the flat buffer of gradients. */
#ifndef GR_TRAIN_SEGMENT_H
#define GR_TRAIN_SEGMENT_H

#include "graph/graph.h"
#include "train/flat.h"

typedef struct {
    gr_graph *forward, *both; /* both: NULL where nothing below or in it is trained */
    int n_params;
    int input_grad[GR_MAX_SLOTS], param_grad[GR_MAX_SLOTS]; /* output slot of `both`, or -1 */
    int dy;                                                 /* input slot of `both` */
} gr_train_segment;

/* How a segment is built: one of the functions of src/model with its arguments bound. */
typedef gr_status (*gr_build_fn)(gr_graph **out, const void *arguments, gr_error *err);

/* Bits of inputs and of parameters whose gradients are wanted. Those parameters are held as rows. */
typedef struct {
    unsigned inputs, params;
    unsigned sum_inputs; /* of `inputs`: added to what is there */
} gr_train_wants;

gr_status gr_train_segment_init(gr_train_segment *s, gr_build_fn build, const void *arguments,
                                const gr_train_wants *wants, const gr_backend *b, gr_error *err);
void gr_train_segment_fini(gr_train_segment *s);

/* Arena of the larger graph. */
size_t gr_train_segment_arena(const gr_train_segment *s);

/* Binds weights, and gradients of those that are held: slots[n] as in gr_gar. Adapters of these weights are
 * bound to the parameters behind them. */
void gr_train_segment_bind(gr_run *run, const gr_train_segment *s, const gr_weight *const *slots, int n,
                           const gr_flat *flat, const gr_gar *m);

#endif
