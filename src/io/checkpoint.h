/* checkpoint.h - the tensors of a model folder: one safetensors file, or shards named by an index. Headers
 * are read when it is opened; the files stay open, and data are read where they are wanted.
 *
 * Layout of a safetensors file: safetensors.h; of an index: shard_index.h. A name in two shards, an index
 * that names a missing file or a tensor that its file lacks are refused by name. Tensors that the index does
 * not mention are there all the same, and a line of the log says so; so it does for files that the index does
 * not need. */
#ifndef GR_IO_CHECKPOINT_H
#define GR_IO_CHECKPOINT_H

#include <stddef.h>
#include <stdint.h>
#include "base/source.h"
#include "grasp/dtype.h"
#include "grasp/error.h"
#include "grasp/runtime.h"
#include "io/shape.h"

/* One stored tensor; everything is borrowed from the checkpoint. */
typedef struct {
    const char *name; /* as stored */
    const char *file; /* path of its file, for messages */
    gr_dtype dtype;
    int rank;
    int64_t shape[GR_MAX_RANK];
    const gr_source *source; /* its file */
    size_t offset, bytes;    /* of its data in the file */
    int file_index;
} gr_stored;

typedef struct gr_checkpoint gr_checkpoint;

/* `path`: a folder (model.safetensors, or model.safetensors.index.json with its shards) or one .safetensors
 * file. */
gr_status gr_checkpoint_open(gr_checkpoint **out, gr_runtime *rt, const char *path, gr_error *err);
void gr_checkpoint_close(gr_checkpoint *c); /* NULL is fine */
size_t gr_checkpoint_count(const gr_checkpoint *c);
const gr_stored *gr_checkpoint_at(const gr_checkpoint *c, size_t i);           /* sorted by name */
const gr_stored *gr_checkpoint_find(const gr_checkpoint *c, const char *name); /* NULL: not there */
size_t gr_checkpoint_n_files(const gr_checkpoint *c);
const char *gr_checkpoint_file(const gr_checkpoint *c, size_t file_index); /* its path */
/* Reads [from, from + bytes) of a tensor's data, in any thread. GR_ERR_IO: the file became shorter, or the
 * disk failed. */
gr_status gr_stored_read(const gr_stored *t, size_t from, void *to, size_t bytes, gr_error *err);

#endif
