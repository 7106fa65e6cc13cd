/* arrow_writer.h - writes one Arrow IPC stream, uncompressed: rows are collected into record batches. The
 * file appears under its name when it is complete. Layout as arrow_file.h has it; metadata version 5. */
#ifndef GR_DATASET_ARROW_WRITER_H
#define GR_DATASET_ARROW_WRITER_H

#include "base/hash.h"
#include "dataset/arrow_schema.h"
#include "dataset/arrow_value.h"

typedef struct {
    size_t batch_rows; /* at most; 0: 1000, as huggingface/datasets writes */
    size_t
        batch_bytes; /* about; 0: 256 MiB, at most GR_ARROW_BATCH_MAX. A batch is in memory while it grows */
} gr_arrow_writer_options;

typedef struct gr_arrow_writer gr_arrow_writer;

/* `schema` is borrowed until the end, with its `huggingface` text; `options` may be NULL. GR_ERR_ARG: a type
 * that is not written. GR_ERR_IO, GR_ERR_MEM. Sentences begin with the path. */
gr_status gr_arrow_writer_open(gr_arrow_writer **out, gr_runtime *rt, const char *path,
                               const gr_arrow_schema *schema, const gr_arrow_writer_options *options,
                               gr_error *err);

/* Adds a row: a value for each column, in order; borrowed for the call. A struct has a member for each child
 * of its field. A row that does not fit (GR_ERR_ARG, GR_ERR_LIMIT: arrow_builder.h) is refused and others may
 * follow; after GR_ERR_IO and GR_ERR_MEM there is only abort. */
gr_status gr_arrow_writer_add(gr_arrow_writer *w, const gr_arrow_value *row, gr_error *err);

uint64_t gr_arrow_writer_n_rows(const gr_arrow_writer *w);
/* Of all that is written so far. */
gr_hash gr_arrow_writer_hash(const gr_arrow_writer *w);
size_t gr_arrow_writer_bytes(const gr_arrow_writer *w);

/* Writes the last batch and the end of the stream. Bytes and hash are those of the file from then on. */
gr_status gr_arrow_writer_finish(gr_arrow_writer *w, gr_error *err);
/* Finishes, and lets the file appear; frees the writer in every case. */
gr_status gr_arrow_writer_commit(gr_arrow_writer *w, gr_error *err);
void gr_arrow_writer_abort(gr_arrow_writer *w); /* removes what was written; NULL is fine */

#endif
