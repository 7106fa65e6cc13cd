/* shard_index.h - model.safetensors.index.json: which file of a folder holds which tensor.
 *
 * {"metadata": {"total_size": N}, "weight_map": {TENSOR: FILE, ...}}. Files lie beside the index: a name with
 * a slash, or one that is not NAME.safetensors, is refused. Source: transformers, modeling_utils.py (sharded
 * checkpoints). */
#ifndef GR_IO_SHARD_INDEX_H
#define GR_IO_SHARD_INDEX_H

#include <stddef.h>
#include "base/buf.h"
#include "grasp/error.h"
#include "grasp/runtime.h"

#define GR_SHARDS_MAX           4096
#define GR_SHARD_INDEX_MAX_SIZE ((size_t)256 << 20)

typedef struct {
    const char *tensor;
    int file; /* index into files */
} gr_shard_row;

typedef struct {
    gr_runtime *rt;
    gr_buf names;       /* what the pointers below point into */
    gr_shard_row *rows; /* sorted by tensor */
    size_t n_rows, rows_capacity;
    const char **files; /* in order of first mention */
    size_t n_files, files_capacity;
} gr_shard_index;

/* Reads an index; `name` is for messages. On failure there is nothing to release. */
gr_status gr_shard_index_parse(gr_shard_index *x, gr_runtime *rt, const char *json, size_t n,
                               const char *name, gr_error *err);
void gr_shard_index_fini(gr_shard_index *x);

/* Writer's side: the name of shard i (from 0) of n, "model-00001-of-00003.safetensors". */
void gr_shard_name(char out[64], size_t i, size_t n);

#endif
