/* row.h - times become rates. */
#ifndef GR_BENCH_ROW_H
#define GR_BENCH_ROW_H

#include "grasp/bench.h"

#define GR_UNIT_FLOP "GFLOP/s"
#define GR_UNIT_READ "GB/s"

/* Fills what was measured from the seconds of n >= 1 repeats, which are sorted. `unit` is one of the above,
 * and row->flop or row->bytes what one repeat did. */
void gr_row_measured(gr_bench_row *row, const char *unit, double *seconds, int n);

#endif
