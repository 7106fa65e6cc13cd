/* arrow_batch.h - one record batch, or one batch of a dictionary, as it is read: where the buffers of its
 * columns are, and of the columns in use the validity bits and offsets.
 *
 * Opening reads the metadata and checks every position against the body. A column becomes ready at first use:
 * its validity and offsets are loaded and checked, so that rows can be taken without further checks. Its
 * values stay in the file unless they are compressed. Sentences name the column and leave file and batch to
 * the caller. */
#ifndef GR_DATASET_ARROW_BATCH_H
#define GR_DATASET_ARROW_BATCH_H

#include "dataset/arrow_file.h"
#include "dataset/arrow_message.h"

#define GR_ARROW_BUFFER_MAX ((size_t)1 << 30) /* bytes of a buffer that has to be in memory */

typedef struct {
    size_t at, stored; /* in the file */
    size_t n;          /* bytes of it, unpacked; known when its column is ready */
    bool packed;
    uint8_t *bytes; /* all n of them, or NULL: in the file */
} gr_arrow_buffer;

typedef struct {
    int64_t length, null_count; /* rows; -1: not counted */
    bool ready;
    gr_arrow_layout layout; /* of what is stored here: indices of dictionaries are numbers */
    int width, offset_width;
    gr_arrow_buffer validity, offsets, data; /* those that the layout has not got are empty */
} gr_arrow_column;

typedef struct {
    const gr_arrow_file *file;
    const gr_arrow_entry *entry;
    gr_arrow_codec codec;
    bool is_dictionary;
    int first_field, n_fields;
    gr_arrow_column *columns; /* of field f: columns[f - first_field] */
    size_t bytes;             /* held in memory */
} gr_arrow_batch;

/* `dictionary_of`: the field whose dictionary's values the batch holds; -1 for a record batch. On failure
 * *out is NULL. GR_ERR_FORMAT, GR_ERR_LIMIT, GR_ERR_UNSUPPORTED, GR_ERR_IO, GR_ERR_MEM. */
gr_status gr_arrow_batch_open(gr_arrow_batch **out, const gr_arrow_file *file, const gr_arrow_entry *entry,
                              int dictionary_of, gr_error *err);
void gr_arrow_batch_free(gr_arrow_batch *b); /* NULL is fine */

/* The column of field f, ready. The same failures; GR_ERR_UNSUPPORTED also for a type that is not read. */
gr_status gr_arrow_batch_column(gr_arrow_batch *b, int f, gr_arrow_column **out, gr_error *err);

/* Of a ready column: row < length, i <= length. */
bool gr_arrow_column_has(const gr_arrow_column *c, int64_t row); /* not null, as far as its own bits say */
int64_t gr_arrow_column_offset(const gr_arrow_column *c, int64_t i);

/* Bytes [at, at + n) of the data of field f, whose column is ready and holds them. */
gr_status gr_arrow_batch_read(gr_arrow_batch *b, int f, size_t at, void *to, size_t n, gr_error *err);

#endif
