/* runtime.h - the inside of a gr_runtime. */
#ifndef GR_BASE_RUNTIME_H
#define GR_BASE_RUNTIME_H

#include "grasp/runtime.h"
#include "base/threads.h"

struct gr_runtime {
    gr_allocator alloc;
    void (*log)(void *user, gr_log_level level, const char *line); /* may be NULL */
    void *log_user;
    unsigned cpu_mask;
    gr_threads *threads; /* owned */
};

/* Another one of a single thread, with the memory, log and processor of `like`, for those who must not use or
 * wait for its pool. gr_runtime_free. */
gr_status gr_runtime_single(gr_runtime **out, const gr_runtime *like, gr_error *err);

#endif
