/* threads.h - one pool of workers that run numbered units of work.
 *
 * A job is cut into units by its shape alone. Workers help as far as the system lets them run: a job does not
 * wait for one that it does not run at the moment. Between jobs they look for the next one for some tens of
 * microseconds, then sleep (at once, where there are more threads than processors).
 *
 * Units are claimed in ascending order by whoever is free, so results must not depend on who runs a unit: no
 * unit may write what another reads or writes. Sums over units are the caller's, in unit order. */
#ifndef GR_BASE_THREADS_H
#define GR_BASE_THREADS_H

#include "grasp/runtime.h"

#define GR_THREADS_MAX 1024

typedef struct gr_threads gr_threads;

/* Processors this process may use; at least 1. */
int gr_threads_available(void);

/* A pool of n threads, the caller of gr_threads_run being one of them (n = 1 starts none). */
gr_status gr_threads_new(gr_threads **out, const gr_allocator *alloc, int n, gr_error *err);
void gr_threads_free(gr_threads *pool); /* NULL is fine */
int gr_threads_count(const gr_threads *pool);

/* Runs work(user, unit, worker) for unit = 0..n_units-1 and returns when all are done; what they wrote is
 * then visible to the caller and to the units of its next job. `worker` is 0..count-1, different for units of
 * this job that run at the same time: an index of private scratch memory. One caller at a time; others wait.
 * A unit must not call this on its own pool: the inner job would wait for the outer one for ever (jobs of one
 * unit and pools of one thread run in place and hide the mistake). */
void gr_threads_run(gr_threads *pool, size_t n_units, void (*work)(void *user, size_t unit, int worker),
                    void *user);

#endif
