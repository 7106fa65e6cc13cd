#include "bench/row.h"

#include <string.h>

#include "bench/timing.h"

void gr_row_measured(gr_bench_row *row, const char *unit, double *seconds, int n)
{
    const double giga = (strcmp(unit, GR_UNIT_READ) == 0 ? row->bytes : row->flop) * 1e-9;
    const gr_spread s = gr_spread_of(seconds, n);
    row->unit = unit;
    row->repeats = n;
    row->seconds_median = s.median;
    row->seconds_min = s.min;
    row->seconds_max = s.max;
    row->median = giga / s.median;
    row->min = giga / s.max;
    row->max = giga / s.min;
}
