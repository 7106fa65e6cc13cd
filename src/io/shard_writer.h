/* shard_writer.h - tensors as the weights of a model folder: model.safetensors, or shards and their index.
 *
 * Neighbours of the list go into one file as long as they fit, as the published writer does. */
#ifndef GR_IO_SHARD_WRITER_H
#define GR_IO_SHARD_WRITER_H

#include "io/safetensors.h"

#define GR_SHARD_BYTES 5000000000u /* as the published writer: max_shard_size "5GB" */

typedef struct {
    const gr_tensor_spec *specs; /* [n] */
    size_t n;
    uint64_t shard_bytes; /* most bytes of data in one file, unless one tensor has more; 0: GR_SHARD_BYTES */
    /* Writes all bytes of tensor i; `to` stands at it. Tensors of a file come in the file's order. */
    gr_status (*fill)(void *user, size_t i, gr_safetensors_writer *to, gr_error *err);
    void *user;
} gr_shard_job;

typedef struct {
    int files;
    uint64_t bytes; /* of data */
} gr_shard_size;

/* `dir` is for messages. GR_ERR_ARG, GR_ERR_LIMIT: a shape that cannot be. */
gr_status gr_shards_measure(gr_shard_size *size, const gr_shard_job *job, const char *dir, gr_error *err);

/* Writes into an existing folder. Files that were complete when it failed are left. */
gr_status gr_shards_write(gr_runtime *rt, const char *dir, const gr_shard_job *job, gr_error *err);

#endif
