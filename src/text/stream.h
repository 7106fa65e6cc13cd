/* stream.h - text from tokens one by one, equal to decoding them all at once.
 *
 * What is given out is whole characters. Held back are: bytes of a character that is not complete; a space
 * that clean-up may remove; and what may be the beginning of a stop string. */
#ifndef GR_TEXT_STREAM_H
#define GR_TEXT_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "grasp/error.h"
#include "text/cleanup.h"
#include "text/tokenizer.h"

#define GR_STOPS_MAX      4
#define GR_STOP_BYTES_MAX 256

/* A stop string with the table that tells how much of a broken match still counts (Knuth, Morris, Pratt). */
typedef struct {
    uint8_t text[GR_STOP_BYTES_MAX];
    uint16_t border[GR_STOP_BYTES_MAX];
    size_t n, matched;
} gr_stop;

/* Caller's storage; nothing to release. May not be moved once initialised. */
typedef struct {
    const gr_tokenizer *t; /* borrowed */
    unsigned flags;        /* GR_DECODE_* */
    /* Special tokens that GR_DECODE_SKIP_SPECIAL leaves in; borrowed. None, unless set after gr_stream_init.
     */
    const int32_t *shown;
    int n_shown;
    bool begun;         /* a token with bytes was there */
    uint8_t partial[4]; /* of a character */
    size_t n_partial;
    gr_cleanup cleanup;
    gr_stop stops[GR_STOPS_MAX];
    size_t n_stops;
    uint8_t held[GR_STOP_BYTES_MAX]; /* the beginning of a stop string, if that is what it becomes */
    size_t n_held;
    int stopped; /* the stop string that was found, or -1. Its text and what follows are not given out. */
    gr_buf *out; /* of the present call */
} gr_stream;

/* Up to GR_STOPS_MAX zero-terminated stop strings. The one that is complete first counts, the longest if
 * several end at the same byte.
 * GR_ERR_ARG: too many, an empty one, one that is not UTF-8. GR_ERR_LIMIT: one too long. */
gr_status gr_stream_init(gr_stream *s, const gr_tokenizer *t, unsigned flags, const char *const *stops,
                         size_t n_stops, gr_error *err);

/* Append to `out` what is certain now. After a stop string was found they append nothing. Without one, all
 * that was appended after gr_stream_flush is the text gr_tokenizer_decode gives.
 * GR_ERR_LIMIT or GR_ERR_MEM: `out` could not grow. */
gr_status gr_stream_push(gr_stream *s, int32_t id, gr_buf *out, gr_error *err);
gr_status gr_stream_flush(gr_stream *s, gr_buf *out, gr_error *err);

#endif
