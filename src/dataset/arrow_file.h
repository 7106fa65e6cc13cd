/* arrow_file.h - one Arrow IPC stream (a shard `data-00000-of-00042.arrow`): its schema and where its batches
 * are. Bodies are not touched.
 *
 * A stream is a sequence of messages: u32 0xffffffff, i32 size, that many bytes of metadata
 * (arrow_message.h), a body. First the schema, then dictionaries and record batches; a size of 0 or the end
 * of the file ends it. Streams from before Arrow 0.15 lack the 0xffffffff. A file of the random-access format
 * ("ARROW1") is read as the stream that it holds. Source: apache/arrow, docs/source/format/Columnar.rst, "IPC
 * Streaming Format".
 *
 * The file stays open and is read by position, so any number of cursors may read it from any threads. Memory:
 * the schema and 56 bytes for each batch. */
#ifndef GR_DATASET_ARROW_FILE_H
#define GR_DATASET_ARROW_FILE_H

#include "base/source.h"
#include "dataset/arrow_schema.h"

/* A message with a body. */
typedef struct {
    size_t meta_at, meta_bytes, body_at, body_bytes;
    uint64_t first_row, n_rows; /* of the file; of a dictionary: the first value, the number of values */
} gr_arrow_entry;

typedef struct {
    gr_arrow_entry at;
    int64_t id;
    bool is_delta;       /* appends to what the id holds; else replaces it */
    size_t before_batch; /* counts for the record batches from this one on */
} gr_arrow_dictionary;

typedef struct {
    gr_runtime *rt;
    char *name; /* for messages */
    gr_source source;
    gr_arrow_schema schema;
    gr_arrow_entry *batches;
    size_t n_batches, batches_cap;
    gr_arrow_dictionary *dictionaries;
    size_t n_dictionaries, dictionaries_cap;
    uint64_t n_rows;
} gr_arrow_file;

/* Opens and indexes a file; on failure *out is NULL. Sentences begin with the path. GR_ERR_IO; GR_ERR_FORMAT:
 * a rule of the format is broken, or the file is cut off; GR_ERR_UNSUPPORTED: versions before 0.8;
 * GR_ERR_LIMIT; GR_ERR_MEM. */
gr_status gr_arrow_file_open(gr_arrow_file **out, gr_runtime *rt, const char *path, gr_error *err);
/* The same of a stream in memory, which is borrowed and must outlive the result; `name` is for messages. */
gr_status gr_arrow_file_parse(gr_arrow_file **out, gr_runtime *rt, const void *bytes, size_t n,
                              const char *name, gr_error *err);
void gr_arrow_file_close(gr_arrow_file *f); /* NULL is fine; no cursor may hold batches of it (see there) */

/* Index of the record batch that holds a row < n_rows. */
size_t gr_arrow_file_batch_of(const gr_arrow_file *f, uint64_t row);

#endif
