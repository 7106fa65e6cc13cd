/* counting.h - an allocator that knows how much is out, how much was at most, and how often it was asked; and
 * that fails when it is told to. */
#ifndef TEST_COUNTING_H
#define TEST_COUNTING_H

#include <stdatomic.h>
#include <stdbool.h>

#include "grasp/runtime.h"

typedef struct {
    atomic_size_t now, peak, calls;
    atomic_size_t fail_at; /* the call of this number, from 1, gets nothing; 0: none */
    bool for_good;         /* and so do all calls after it */
} counting;

gr_allocator counting_allocator(counting *c);

/* A runtime whose memory is counted; `c` must outlive it. */
gr_runtime *counting_runtime(counting *c, int n_threads);
/* cpu_mask: GR_CPU_* bits that may be used. */
gr_runtime *counting_runtime_cpu(counting *c, int n_threads, unsigned cpu_mask);

#endif
