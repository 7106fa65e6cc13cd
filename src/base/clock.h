/* clock.h - seconds that only grow, for rates and times that are shown. No result depends on them. */
#ifndef GR_BASE_CLOCK_H
#define GR_BASE_CLOCK_H

#include <time.h>

static inline double gr_now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

#endif
