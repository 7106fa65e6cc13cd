/* failure.h - the failure of a job that many workers share. The one with the smallest order is kept, so that
 * the sentence does not depend on which worker was first. */
#ifndef GR_BASE_FAILURE_H
#define GR_BASE_FAILURE_H

#include <stdatomic.h>
#include <stddef.h>
#include "grasp/error.h"

typedef struct gr_failure {
    atomic_flag lock;
    size_t order;
    gr_error err; /* status GR_OK: nothing failed */
} gr_failure;

void gr_failure_init(gr_failure *f);
/* From any worker: records a failure as gr_fail does. */
void gr_failure_note(gr_failure *f, size_t order, gr_status status, const char *fmt, ...) GR_PRINTF(4, 5);
/* When the job is over: GR_OK, or what was kept. */
gr_status gr_failure_status(const gr_failure *f, gr_error *err);

#endif
