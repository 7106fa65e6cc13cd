/* ticks.h - where an axis is labelled, and how: pure arithmetic, the same whatever the locale.
 *
 * Values stand at 1, 2 or 5 times a power of ten. A tick is kept as whole number times power of ten, so that
 * its label has the digits it needs and no more. */
#ifndef GR_MEDIA_TICKS_H
#define GR_MEDIA_TICKS_H

#include <stdbool.h>
#include <stdint.h>

#define GR_TICKS_MAX      16
#define GR_TICK_LABEL_MAX 48
#define GR_AXIS_LARGEST   1e300 /* of a value on an axis: differences stay finite */

typedef struct {
    double value; /* factor * 10 ^ power */
    int64_t factor;
    int power;
} gr_tick;

typedef struct {
    bool log; /* equal factors are equally far from each other */
    int n;
    gr_tick at[GR_TICKS_MAX]; /* ascending */
} gr_ticks;

/* Ticks in lo..hi, at most `most` (2 to 12) of them give or take one; none is closer to the next than
 * `least` (0: any; 1: whole numbers). lo < hi, both within GR_AXIS_LARGEST; gr_axis_fit sees to it. */
void gr_ticks_linear(gr_ticks *t, double lo, double hi, int most, double least);
/* The same for 0 < lo < hi of a logarithmic axis: decades, or between them where there are few. */
void gr_ticks_log(gr_ticks *t, double lo, double hi, int most);

/* "0.25", "20k", "1.5M", "2e-5" of tick i. */
void gr_ticks_label(char out[GR_TICK_LABEL_MAX], const gr_ticks *t, int i);

/* Widens lo..hi, which holds all values, to an axis: some room at both ends, beginning at zero where the
 * values nearly do, and a range where they are all the same. `is_log` needs 0 < lo. */
void gr_axis_fit(double *lo, double *hi, bool is_log);

#endif
