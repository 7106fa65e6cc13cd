/* counting.h - an allocator that knows how much is out, how much was at most, and how often it was asked. */
#ifndef TEST_COUNTING_H
#define TEST_COUNTING_H

#include <stdatomic.h>

#include "grasp/runtime.h"

typedef struct {
    atomic_size_t now, peak, calls;
} counting;

/* A runtime whose memory is counted; `c` must outlive it. */
gr_runtime *counting_runtime(counting *c, int n_threads);

#endif
