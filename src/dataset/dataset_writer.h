/* dataset_writer.h - writes a data set as `save_to_disk` does (dataset_folder.h), so that
 * huggingface/datasets opens it.
 *
 * Rows are streamed into one file, rows.arrow.part. When all are there the number of shards is known,
 * bytes / shard_bytes + 1: one shard is that file renamed, more are copied out of it, each with its equal
 * share of the rows in order (for that time the rows lie on the disk twice). dataset_info.json follows, and
 * state.json last: a folder without it is not complete. */
#ifndef GR_DATASET_DATASET_WRITER_H
#define GR_DATASET_DATASET_WRITER_H

#include "dataset/arrow_writer.h"

typedef struct {
    uint64_t shard_bytes;          /* 0: 500,000,000 */
    gr_arrow_writer_options batch; /* all zero: those of the Arrow writer */
} gr_dataset_writer_options;

typedef struct gr_dataset_writer gr_dataset_writer;

/* Begins a data set of n fields in pre-order (arrow_schema.h; copied) in the folder `dir`, which is made when
 * it is not there; `options` may be NULL. GR_ERR_ARG: there is a data set in it, or a type cannot be written.
 * GR_ERR_IO, GR_ERR_MEM. */
gr_status gr_dataset_writer_open(gr_dataset_writer **out, gr_runtime *rt, const char *dir,
                                 const gr_arrow_field *fields, int n,
                                 const gr_dataset_writer_options *options, gr_error *err);

/* As gr_arrow_writer_add. */
gr_status gr_dataset_writer_add(gr_dataset_writer *w, const gr_arrow_value *row, gr_error *err);

/* Completes the folder, or removes what was written; frees the writer in every case. "_fingerprint" is a hash
 * (base/hash.h) of the bytes of all shards, so equal rows give equal folders. */
gr_status gr_dataset_writer_commit(gr_dataset_writer *w, gr_error *err);
void gr_dataset_writer_abort(gr_dataset_writer *w); /* NULL is fine */

#endif
