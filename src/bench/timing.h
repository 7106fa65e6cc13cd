/* timing.h - the one loop that times everything: warm up, then repeat until there are enough repeats and
 * enough time has passed. Every repeat of the work follows one of what it is held against, so that both meet
 * the same machine. */
#ifndef GR_BENCH_TIMING_H
#define GR_BENCH_TIMING_H

#include <stdbool.h>
#include "grasp/error.h"

#define GR_TIMING_MAX    512  /* repeats */
#define GR_TIMING_BESIDE 0.25 /* share of the work's time that is spent beside it, or one call */
#define GR_TIMING_CALLS  100  /* at most beside one repeat */

/* What is timed, one repeat a call. */
typedef struct {
    gr_status (*run)(void *user, gr_error *err);
    void *user;
} gr_work;

typedef struct {
    int repeats;               /* at least; 1..GR_TIMING_MAX */
    double seconds;            /* of the work, at least, unless it was repeated GR_TIMING_MAX times */
    bool cold;                 /* no call before the first that counts */
    double (*now)(void *user); /* seconds that only grow; NULL: gr_timing_now */
    bool (*go_on)(void *user); /* polled before every repeat; false: GR_ERR_CANCELLED; may be NULL */
    void *user;
} gr_timing;

typedef struct {
    double median, min, max;
} gr_spread;

typedef struct {
    int n;
    /* [n] seconds of a call, for every repeat in order; beside the work it is the mean of several. */
    double work[GR_TIMING_MAX], beside[GR_TIMING_MAX];
} gr_timed;

/* GR_ERR_ARG: repeats outside 1..GR_TIMING_MAX, seconds outside 0..3600. */
gr_status gr_timing_check(int repeats, double seconds, gr_error *err);

/* Seconds of a clock that nobody sets. */
double gr_timing_now(void);

/* Times `work`, each repeat after some calls of `beside` (NULL: alone, and nothing is written there): as the
 * warm-up says, or one where it is cold. What either reports ends the loop and is returned, and so is
 * GR_ERR_CANCELLED. */
gr_status gr_timing_run(gr_timed *out, const gr_timing *t, const gr_work *work, const gr_work *beside,
                        gr_error *err);

/* Of n >= 1 numbers, which are sorted: the middle one, or the mean of the two in the middle. */
gr_spread gr_spread_of(double *numbers, int n);

/* Of beside[i] / work[i], the median: what share of the limit the work reached, when both are equally large.
 */
double gr_timed_ratio(const gr_timed *t);

#endif
