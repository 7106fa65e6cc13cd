/* base64.h - RFC 4648, both alphabets; white space is passed over, padding may be missing. */
#ifndef GR_BASE_BASE64_H
#define GR_BASE_BASE64_H

#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "grasp/runtime.h"

/* *bytes is the caller's (gr_free) and not NULL, even when nothing is encoded. GR_ERR_FORMAT: another
 * character, data after the padding, or a last group of one character. GR_ERR_MEM. */
gr_status gr_base64_decode(uint8_t **bytes, size_t *n_bytes, gr_runtime *rt, const char *text, size_t n,
                           gr_error *err);

/* Appends the text, standard alphabet, padded, without new lines. False: the buffer failed. */
bool gr_base64_encode(gr_buf *out, const void *bytes, size_t n);

#endif
