/* buf.h - a byte buffer that grows up to a limit it has from birth. `data` is zero-terminated whenever it is
 * not NULL. */
#ifndef GR_BASE_BUF_H
#define GR_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include "grasp/runtime.h"

typedef struct {
    gr_runtime *rt;
    char *data; /* NULL until the first byte */
    size_t len, cap, max;
    bool failed; /* sticky: no memory, or over max */
} gr_buf;

void gr_buf_init(gr_buf *b, gr_runtime *rt, size_t max);
void gr_buf_fini(gr_buf *b);
void gr_buf_clear(gr_buf *b); /* keeps memory, forgets content and failure */
/* Room for n more bytes at once, so that adding them allocates nothing; not touched, so it costs no memory
 * until it is used. */
bool gr_buf_reserve(gr_buf *b, size_t n);
bool gr_buf_add(gr_buf *b, const void *bytes, size_t n);
bool gr_buf_text(gr_buf *b, const char *text);
bool gr_buf_printf(gr_buf *b, const char *fmt, ...) GR_PRINTF(2, 3);
/* The content as a zero-terminated text, "" when empty. */
const char *gr_buf_str(const gr_buf *b);

#endif
