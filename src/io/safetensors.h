/* safetensors.h - the file format of published weights: reader and streaming writer.
 *
 * Layout (github.com/huggingface/safetensors, README "Format"):
 *   1. u64, little-endian: length N of the header, at most 100,000,000 and at most the file's size - 8
 *   2. N bytes of JSON that begin with '{' and may end in spaces:
 *      {"__metadata__": {text: text}, NAME: {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}, ...}
 *   3. data: sorted by offset the tensors lie side by side from 0 to the end of the file, without holes or
 *      overlap; little-endian, C order. Zero-size and rank-0 tensors are allowed. */
#ifndef GR_IO_SAFETENSORS_H
#define GR_IO_SAFETENSORS_H

#include <stddef.h>
#include <stdint.h>
#include "base/source.h"
#include "grasp/dtype.h"
#include "grasp/error.h"
#include "grasp/runtime.h"
#include "io/shape.h"

#define GR_SAFETENSORS_MAX_HEADER  100000000 /* as the published reader */
#define GR_SAFETENSORS_MAX_TENSORS 1000000
#define GR_SAFETENSORS_MAX_NAME    4096

/* --- reading ------------------------------------------------------------------------------------------- */

/* One tensor of a file: `bytes` of it lie from `offset` on, counted from the beginning of the file, and may
 * be misaligned for the dtype in old files. `name` belongs to the gr_safetensors. */
typedef struct {
    const char *name;
    gr_dtype dtype;
    int rank;
    int64_t shape[GR_MAX_RANK];
    size_t offset, bytes;
} gr_safetensor;

typedef struct gr_safetensors gr_safetensors;

/* Reads the header; data are not touched, and `file` is needed for the call only. `name` is for messages. On
 * failure *out is NULL. GR_ERR_FORMAT: a rule above is broken. GR_ERR_LIMIT: header, rank, name or count.
 * GR_ERR_UNSUPPORTED: an element type of other than whole bytes, or unknown. GR_ERR_IO, GR_ERR_MEM. */
gr_status gr_safetensors_parse(gr_safetensors **out, gr_runtime *rt, const gr_source *file, const char *name,
                               gr_error *err);
void gr_safetensors_free(gr_safetensors *f); /* NULL is fine */
size_t gr_safetensors_count(const gr_safetensors *f);
const gr_safetensor *gr_safetensors_at(const gr_safetensors *f, size_t i);           /* sorted by name */
const gr_safetensor *gr_safetensors_find(const gr_safetensors *f, const char *name); /* NULL: not there */
/* The "__metadata__" object as JSON text; NULL and 0 when there is none. */
const char *gr_safetensors_metadata(const gr_safetensors *f, size_t *n);

/* --- writing ------------------------------------------------------------------------------------------- */

/* What a tensor will be; names are zero-terminated UTF-8 and borrowed for the call that takes them. */
typedef struct {
    const char *name;
    gr_dtype dtype;
    int rank;
    int64_t shape[GR_MAX_RANK];
} gr_tensor_spec;

typedef struct gr_safetensors_writer gr_safetensors_writer;

/* Begins a file that appears under `path` when it is complete. All tensors are declared here; their data
 * follows in the order of the file: larger element types first, then by name, as the published writer does.
 * `metadata`: pairs of texts ended by NULL, or NULL. Space on the disk is reserved where the system can, so
 * that a full disk is known before the first byte. GR_ERR_ARG: a name twice, empty or reserved, a bad shape.
 */
gr_status gr_safetensors_writer_open(gr_safetensors_writer **out, gr_runtime *rt, const char *path,
                                     const gr_tensor_spec *specs, size_t n, const char *const *metadata,
                                     gr_error *err);
/* Index into `specs` of the tensor that the next byte belongs to; n when the file is complete. Tensors
 * without data never come up. */
size_t gr_safetensors_writer_next(const gr_safetensors_writer *w);
/* Bytes of that tensor still to come. */
size_t gr_safetensors_writer_left(const gr_safetensors_writer *w);
/* Adds bytes to the present tensor, in any portions, but not beyond its end (GR_ERR_ARG). */
gr_status gr_safetensors_writer_add(gr_safetensors_writer *w, const void *bytes, size_t n, gr_error *err);
/* Completes the file, or removes what was written; frees the writer in every case. GR_ERR_ARG: data is
 * missing. GR_ERR_IO: the disk is full, ... */
gr_status gr_safetensors_writer_commit(gr_safetensors_writer *w, gr_error *err);
void gr_safetensors_writer_abort(gr_safetensors_writer *w); /* NULL is fine */

#endif
