/* arrow_message.h - the metadata before a body of an Arrow stream: what kind it is, and for batches where in
 * the body the buffers lie. Source: apache/arrow, format/Message.fbs. */
#ifndef GR_DATASET_ARROW_MESSAGE_H
#define GR_DATASET_ARROW_MESSAGE_H

#include "base/source.h"
#include "dataset/flatbuffer.h"
#include "grasp/error.h"
#include "grasp/runtime.h"

#define GR_ARROW_META_MAX   ((size_t)64 << 20) /* bytes of the metadata of one message */
#define GR_ARROW_LENGTH_MAX ((int64_t)1 << 40) /* rows of a column in a batch */

/* Where a message is. */
typedef struct {
    size_t meta_at, meta_bytes, body_at;
} gr_arrow_frame;

/* Finds the message at `at`; *ended: there is none, but the end of the stream. Sentences leave the name to
 * the caller. GR_ERR_FORMAT: the file is cut off. GR_ERR_LIMIT, GR_ERR_IO. */
gr_status gr_arrow_frame_find(gr_arrow_frame *frame, bool *ended, const gr_source *source, size_t at,
                              gr_error *err);

typedef enum { GR_ARROW_SCHEMA = 1, GR_ARROW_DICTIONARY_BATCH, GR_ARROW_RECORD_BATCH } gr_arrow_message_kind;

typedef struct {
    gr_arrow_message_kind kind;
    gr_fb_table header;
    int64_t body_bytes;
} gr_arrow_message;

/* Reads the head of a message; all of it lies in fb's data. GR_ERR_FORMAT, GR_ERR_UNSUPPORTED: another
 * version or kind. */
gr_status gr_arrow_message_parse(gr_arrow_message *m, gr_fb *fb, gr_error *err);

typedef enum { GR_ARROW_RAW = -1, GR_ARROW_LZ4, GR_ARROW_ZSTD } gr_arrow_codec;

/* A record batch, and the values of a dictionary. */
typedef struct {
    int64_t length;                        /* rows */
    gr_fb_vector nodes, buffers, variadic; /* elements of 16, 16 and 8 bytes */
    gr_arrow_codec codec;                  /* of all buffers */
    int64_t id;                            /* of a dictionary: */
    bool is_delta;
} gr_arrow_record;

/* GR_ERR_FORMAT: a negative length; GR_ERR_UNSUPPORTED: an unknown compression. */
gr_status gr_arrow_record_parse(gr_arrow_record *r, const gr_arrow_message *m, gr_error *err);

#endif
