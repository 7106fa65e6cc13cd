/* trained_weights.h - the weights of a model in training as the files of a model folder: published names and
 * shapes, values rounded to the stored type. Adapters stand beside what is trained under peft's names, or,
 * with the frozen weights, are added to those they belong to. */
#ifndef GR_TRAIN_TRAINED_WEIGHTS_H
#define GR_TRAIN_TRAINED_WEIGHTS_H

#include "train/trainer.h"

typedef struct {
    gr_dtype dtype; /* F32, BF16 or F16 */
    bool frozen;    /* also the weights that are not trained, out of the source's files as they are read;
                     * adapters are merged (merge.h) */
    uint64_t shard_bytes; /* 0: GR_SHARD_BYTES */
    /* Told bytes done and in all; false cancels. May be NULL. */
    bool (*progress)(void *user, uint64_t done, uint64_t total);
    void *user;
} gr_trained_weights_options;

/* Bytes of data that will be written. Errors as below, before anything is written. */
gr_status gr_trained_weights_measure(uint64_t *bytes, const gr_trainer *t,
                                     const gr_trained_weights_options *o, gr_error *err);

/* Writes model.safetensors, or shards and index, into an existing folder. A frozen weight of the same type
 * keeps its bits. GR_ERR_ARG: another type. GR_ERR_IO, GR_ERR_FORMAT: a frozen weight cannot be read, or is
 * not finite; the disk is full. GR_ERR_CANCELLED, GR_ERR_MEM. */
gr_status gr_trained_weights_write(const gr_trainer *t, const char *dir, const gr_trained_weights_options *o,
                                   gr_error *err);

#endif
