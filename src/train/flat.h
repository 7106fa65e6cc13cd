/* flat.h - what an optimiser works on: four flat buffers of f32 - weights, gradients, two moments - in which
 * every trained tensor has a range (training-and-data.md 2.5). A range is one tensor's elements in logical
 * order, row by row; ranges stand in the order of the model's inventory, each at a multiple of 16. */
#ifndef GR_TRAIN_FLAT_H
#define GR_TRAIN_FLAT_H

#include "model/gar.h"
#include "train/parts.h"

typedef struct {
    size_t tensor; /* index into gr_gar.tensors */
    const char *name;
    size_t offset, count;
} gr_range;

typedef struct {
    gr_runtime *rt;
    gr_backend *b; /* in whose space the buffers lie */
    gr_range *ranges;
    size_t n_ranges, n; /* n: elements of each buffer, gaps included */
    float *weights, *grads, *m, *v;
} gr_flat;

/* Ranges of the tensors of these parts; takes no memory of their size. GR_ERR_ARG: the model has none of
 * them. */
gr_status gr_flat_plan(gr_flat *f, const gr_gar *m, unsigned parts, gr_error *err);
/* Bytes that gr_flat_take will take. */
size_t gr_flat_bytes(const gr_flat *f);
/* Takes the buffers: weights read from the checkpoint and checked, the others zero. `progress` is told
 * elements done and in all; false cancels. */
gr_status gr_flat_take(gr_flat *f, gr_backend *b, const gr_gar *m,
                       bool (*progress)(void *user, size_t done, size_t total), void *user, gr_error *err);
/* The model computes with the weights of the buffers from now on (gr_gar.held), until gr_flat_detach; it can
 * then only be closed. `held` has an element for each tensor. */
void gr_flat_attach(const gr_flat *f, gr_gar *m, bool *held);
void gr_flat_detach(gr_gar *m);
void gr_flat_fini(gr_flat *f); /* an all-zero one is fine */

/* The range of a tensor, or NULL where it is frozen. */
const gr_range *gr_flat_find(const gr_flat *f, size_t tensor);

#endif
