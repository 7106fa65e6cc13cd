/* limits.h - what the machine can do at most, with the threads and the kernels of a runtime: multiply-adds
 * between registers, and reading memory. Nothing can be faster for longer, but for what caches hold. */
#ifndef GR_BENCH_LIMITS_H
#define GR_BENCH_LIMITS_H

#include <stdint.h>
#include "backend/cpu/kernels.h"
#include "bench/timing.h"
#include "grasp/bench.h"

typedef enum { GR_LIMIT_FMA, GR_LIMIT_READ, GR_N_LIMITS } gr_limit;

typedef struct {
    gr_runtime *rt; /* borrowed */
    gr_kernels kernels;
    size_t n_units;  /* of multiply-adds */
    size_t n_blocks; /* of memory */
    uint64_t *memory;
    uint64_t *sums;    /* [n_blocks]: what was read is used */
    double flop;       /* of one repeat of GR_LIMIT_FMA */
    double *unit_flop; /* [n_units] */
} gr_limits;

/* Takes memory of eight times the last cache, 64 MB to 512 MB. GR_ERR_MEM: nothing is left. */
gr_status gr_limits_init(gr_limits *l, gr_runtime *rt, gr_error *err);
void gr_limits_fini(gr_limits *l);

/* One repeat takes some milliseconds. */
gr_work gr_limits_work(gr_limits *l, gr_limit limit);
/* FLOP or bytes of one repeat; of GR_LIMIT_FMA after the first. */
double gr_limits_amount(const gr_limits *l, gr_limit limit);

/* A limit as a row, measured alone. */
gr_status gr_limits_measure(gr_bench_row *row, gr_limits *l, gr_limit limit, const gr_timing *t,
                            gr_error *err);

#endif
