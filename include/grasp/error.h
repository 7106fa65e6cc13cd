/* error.h - a status to act on and a sentence to read.
 *
 * Every function that can fail returns a gr_status and takes a gr_error, which may be NULL. The first failure
 * is kept: later ones are its consequences. On success the gr_error is not touched. A message is complete
 * enough to be shown as it is: it names the file, tensor or field, what was found, what was expected and why.
 */
#ifndef GRASP_ERROR_H
#define GRASP_ERROR_H

#include "grasp/api.h"

#define GR_STATUS_TABLE(X)              \
    X(OK, "success")                    \
    X(ERR_ARG, "bad argument")          \
    X(ERR_IO, "cannot read or write")   \
    X(ERR_FORMAT, "malformed file")     \
    X(ERR_SHAPE, "wrong shape")         \
    X(ERR_MEM, "out of memory")         \
    X(ERR_LIMIT, "over a limit")        \
    X(ERR_UNSUPPORTED, "not supported") \
    X(ERR_CANCELLED, "cancelled")

typedef enum {
#define X(name, text) GR_##name,
    GR_STATUS_TABLE(X)
#undef X
        GR_STATUS_COUNT
} gr_status;

/* Caller's storage; zero it before the first use. */
typedef struct {
    gr_status status;
    char msg[512];
} gr_error;

/* Records the first failure, formatted as by printf, and returns `status`. `err` may be NULL. */
GR_API gr_status gr_fail(gr_error *err, gr_status status, const char *fmt, ...) GR_PRINTF(3, 4);

/* Puts "prefix: " before a recorded message, for callers that know the file or the field better. Returns
 * err's status. */
GR_API gr_status gr_error_prefix(gr_error *err, const char *fmt, ...) GR_PRINTF(2, 3);

/* A short English text for a status; never NULL. */
GR_API const char *gr_status_text(gr_status status);

/* For places that hold nothing to release. */
#define GR_TRY(call)                   \
    do {                               \
        const gr_status try_ = (call); \
        if (try_ != GR_OK)             \
            return try_;               \
    } while (0)

#endif
