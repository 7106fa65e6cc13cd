/* arrow_stream.h - Arrow streams made message by message, right or wrong as a test asks. */
#ifndef TEST_ARROW_STREAM_H
#define TEST_ARROW_STREAM_H

#include "base/buf.h"
#include "dataset/arrow_file.h"
#include "dataset/arrow_message.h"

/* Fields of Message that a test may want otherwise. */
typedef struct {
    int version, kind; /* 4 */
    int64_t body_bytes;
} arrow_message_head;

/* A (record or dictionary) batch; pairs are (length, nulls) and (offset, bytes). */
typedef struct {
    int64_t length;
    const int64_t (*nodes)[2];
    size_t n_nodes;
    const int64_t (*buffers)[2];
    size_t n_buffers;
    const void *body; /* a multiple of 8 bytes */
    size_t body_bytes;
    int codec; /* GR_ARROW_RAW: not compressed. GR_ARROW_LZ4 is the default and is not written */
    bool is_dictionary, is_delta;
    int64_t id;
} arrow_batch_spec;

#define ARROW_PAIRS(x) (const int64_t(*)[2])(x), sizeof(x) / sizeof(*(x))

/* All append to `out`. */
void arrow_stream_schema(gr_buf *out, const gr_arrow_field *fields, int n);
/* n columns of text, all of that name, whose rows are i32 indices into dictionary `id`. */
void arrow_stream_dictionary_schema(gr_buf *out, const char *name, int64_t id, size_t n);
void arrow_stream_batch(gr_buf *out, const arrow_batch_spec *batch);
/* A message of that head, with an empty table as its header and a body of zeros. */
void arrow_stream_odd(gr_buf *out, const arrow_message_head *head);
void arrow_stream_end(gr_buf *out);

#endif
