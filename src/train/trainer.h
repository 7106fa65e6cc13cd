/* trainer.h - a model in training: its frozen weights, the flat buffers of the trained ones, the memory of
 * passes, and the optimiser's step. What it takes is known before it is taken.
 *
 * Weights are f32 while they are trained, and what is computed is not rounded, but for the factors of
 * products where that is asked for. Results do not depend on threads. */
#ifndef GR_TRAIN_TRAINER_H
#define GR_TRAIN_TRAINER_H

#include "grasp/train.h"
#include "train/adamw.h"
#include "train/passes.h"
#include "train/ranks.h"
#include "train/train_source.h"

/* Whether what blocks compute forward is kept for the backward pass: AUTO where memory_bytes has room for it,
 * or, where any memory may be taken, all of it together is no more than half of the machine's. The bits are
 * the same. */
typedef enum { GR_KEEP_AUTO, GR_KEEP_YES, GR_KEEP_NO } gr_keep;

typedef struct {
    gr_passes_limits limits; /* and what is trained: parts, adapters; `keeps` is the trainer's to say */
    gr_keep keep;
    gr_adamw adamw;
    gr_rounding round;   /* GR_ROUND_NONE, or GR_ROUND_PRODUCTS for mixed precision */
    size_t memory_bytes; /* most it may take; 0: whatever is there */
    /* Asked before each sample of a step, in a world of one; true: the step is given up, GR_ERR_CANCELLED,
     * and nothing of it stays. May be NULL. */
    bool (*stop)(void *user);
    void *stop_user;
    gr_ranks ranks;
} gr_trainer_options;

typedef struct {
    gr_runtime *rt;
    gr_backend *backend;
    gr_gar *gar;
    gr_flat flat;
    bool *held; /* [tensors] */
    gr_passes *passes;
    gr_trainer_options o;
    gr_trainer_memory memory;
    int64_t steps; /* of the optimiser, since the moments were zero */
} gr_trainer;

/* Opens a model folder and adds up; takes no memory of the weights' size. On failure *out is NULL.
 * GR_ERR_ARG: limits out of range, nothing to train, an
 * adapter of a part that is trained itself. GR_ERR_LIMIT: it takes more than options->memory_bytes;
 * the sentence has the bytes of each part. Others as gr_gar_open. */
gr_status gr_trainer_open(gr_trainer **out, gr_runtime *rt, const char *dir,
                          const gr_trainer_options *options, gr_error *err);
/* Takes the memory and reads the weights. Once. `progress` (may be NULL) is told what is done and all of it,
 * in some unit, first of the trained and then of the frozen weights; false cancels. */
gr_status gr_trainer_load(gr_trainer *t, bool (*progress)(void *user, size_t done, size_t total), void *user,
                          gr_error *err);
void gr_trainer_close(gr_trainer *t); /* NULL is fine */

typedef struct {
    double loss;   /* mean over the samples of the mean over each one's scored rows */
    double norm;   /* of all gradients, before clipping */
    uint64_t rows; /* of all sequences */
    double wait_s; /* for samples */
} gr_trainer_result;

/* One step of the optimiser over elements first..first+n-1 of an epoch, each with weight 1/n, at learning
 * rate `lr`. Of several ranks each makes its share of them (n is a multiple of their number); loss, norm and
 * rows are those of all. GR_ERR_LIMIT: a loss or the norm is not finite; the sentence names the step, counted
 * from 1, and the samples. GR_ERR_CANCELLED: another rank failed. After any failure weights, moments and
 * `steps` are what they were. */
gr_status gr_trainer_step(gr_trainer *t, const gr_train_source *source, uint32_t epoch, uint64_t first, int n,
                          double lr, gr_trainer_result *result, gr_error *err);

/* Means over samples: of the loss, and of the share of scored rows whose label was the likeliest token. */
typedef struct {
    double loss, accuracy; /* NAN where there is no sample */
    double n;
} gr_validation_mean;

typedef struct {
    gr_validation_mean all, sets[GR_TRAIN_SETS]; /* of each set of the source */
} gr_validation;

/* The losses of elements 0..n-1 of epoch 0, without a step; ranks share them. `go_on` (may be NULL) is polled
 * before each sample; false: GR_ERR_CANCELLED. A loss that is not finite is no failure. */
gr_status gr_trainer_validate(gr_trainer *t, const gr_train_source *source, uint64_t n,
                              bool (*go_on)(void *user), void *user, gr_validation *v, gr_error *err);

#endif
