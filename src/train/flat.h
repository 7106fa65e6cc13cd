/* flat.h - what an optimiser works on: four flat buffers of f32 - weights, gradients, two moments - in which
 * every trained tensor has a range (training-and-data.md 2.5). A range is one tensor's elements in logical
 * order, row by row; ranges stand in the order of the model's inventory, each at a multiple of 16. Behind
 * them stand those of adapters (model/lora.h): A and then B of each adapted tensor, in the same order. */
#ifndef GR_TRAIN_FLAT_H
#define GR_TRAIN_FLAT_H

#include "model/gar.h"
#include "model/lora.h"
#include "train/parts.h"

typedef enum { GR_RANGE_TENSOR, GR_RANGE_LORA_A, GR_RANGE_LORA_B } gr_range_kind;

typedef struct {
    size_t tensor;    /* index into gr_gar.tensors; of an adapter: the tensor that it is added to */
    const char *name; /* of an adapter as peft writes it: base_model.model.MODULE.lora_A.weight */
    size_t offset, count;
    gr_range_kind kind;
} gr_range;

typedef struct {
    gr_runtime *rt;
    gr_backend *b; /* in whose space the buffers lie */
    gr_range *ranges;
    size_t n_ranges, n;  /* n: elements of each buffer, gaps included */
    size_t n_tensors;    /* the first of the ranges are the model's own tensors, the others adapters */
    gr_lora lora;        /* targets 0: no adapters */
    gr_weight *adapters; /* [n_ranges - n_tensors], as segments read them */
    char *names;         /* of the adapters */
    float *weights, *grads, *m, *v;
} gr_flat;

/* Ranges of the tensors of these parts; takes no memory of their size. GR_ERR_ARG: the model has none of
 * them. */
gr_status gr_flat_plan(gr_flat *f, const gr_gar *m, unsigned parts, gr_error *err);
/* The same, with adapters (NULL: none); `parts` may then be 0. GR_ERR_ARG also: a rank or alpha out of range,
 * or an adapter of a part that is trained itself. */
gr_status gr_flat_plan_lora(gr_flat *f, const gr_gar *m, unsigned parts, const gr_lora *lora, gr_error *err);
/* Bytes that gr_flat_take will take. */
size_t gr_flat_bytes(const gr_flat *f);
/* Takes the buffers: weights read from the checkpoint and checked, A of adapters drawn, the others zero.
 * `progress` is told elements done and in all; false cancels. */
gr_status gr_flat_take(gr_flat *f, gr_backend *b, const gr_gar *m,
                       bool (*progress)(void *user, size_t done, size_t total), void *user, gr_error *err);
/* The model computes with the weights of the buffers from now on (gr_gar.held), until gr_flat_detach; it can
 * then only be closed. `held` has an element for each tensor. */
void gr_flat_attach(const gr_flat *f, gr_gar *m, bool *held);
void gr_flat_detach(gr_gar *m);
void gr_flat_fini(gr_flat *f); /* an all-zero one is fine */

/* The range of a tensor, or NULL where it is frozen. */
const gr_range *gr_flat_find(const gr_flat *f, size_t tensor);
/* The range of A of a tensor's adapter, behind which stands that of B; NULL: it has none. */
const gr_range *gr_flat_find_adapter(const gr_flat *f, size_t tensor);
/* The weight of an adapter's range. */
const gr_weight *gr_flat_adapter(const gr_flat *f, const gr_range *r);

#endif
