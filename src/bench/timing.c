#include "bench/timing.h"

#include <stdlib.h>
#include <time.h>

gr_status gr_timing_check(int repeats, double seconds, gr_error *err)
{
    if (repeats < 1 || repeats > GR_TIMING_MAX)
        return gr_fail(err, GR_ERR_ARG, "repeats are %d, expected 1 to %d", repeats, GR_TIMING_MAX);
    if (!(seconds >= 0 && seconds <= 3600))
        return gr_fail(err, GR_ERR_ARG, "seconds are %g, expected 0 to 3600", seconds);
    return GR_OK;
}

double gr_timing_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double now(const gr_timing *t) { return t->now ? t->now(t->user) : gr_timing_now(); }

/* Seconds of one of `calls` calls. */
static gr_status time_calls(double *seconds, const gr_timing *t, const gr_work *work, int calls,
                            gr_error *err)
{
    const double began = now(t);
    for (int i = 0; i < calls; i++)
        GR_TRY(work->run(work->user, err));
    *seconds = (now(t) - began) / calls;
    return GR_OK;
}

/* Long work meets more of what other programs do than a few milliseconds beside it would show. */
static int calls_beside(double work, double beside)
{
    const double calls = work * GR_TIMING_BESIDE / beside;
    return calls >= GR_TIMING_CALLS ? GR_TIMING_CALLS : calls > 1 ? (int)calls : 1;
}

static gr_status warm_up(int *calls, const gr_timing *t, const gr_work *work, const gr_work *beside,
                         gr_error *err)
{
    double of_work, of_beside = 0;
    *calls = 1;
    if (t->cold)
        return GR_OK;
    if (beside)
        GR_TRY(time_calls(&of_beside, t, beside, 1, err));
    GR_TRY(time_calls(&of_work, t, work, 1, err));
    *calls = calls_beside(of_work, of_beside);
    return GR_OK;
}

gr_status gr_timing_run(gr_timed *out, const gr_timing *t, const gr_work *work, const gr_work *beside,
                        gr_error *err)
{
    double spent = 0;
    int calls;
    out->n = 0;
    GR_TRY(warm_up(&calls, t, work, beside, err));
    while (out->n < GR_TIMING_MAX && (out->n < t->repeats || spent < t->seconds)) {
        if (t->go_on && !t->go_on(t->user))
            return gr_fail(err, GR_ERR_CANCELLED, "cancelled");
        if (beside)
            GR_TRY(time_calls(&out->beside[out->n], t, beside, calls, err));
        GR_TRY(time_calls(&out->work[out->n], t, work, 1, err));
        spent += out->work[out->n++];
    }
    return GR_OK;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

gr_spread gr_spread_of(double *numbers, int n)
{
    qsort(numbers, (size_t)n, sizeof *numbers, ascending);
    return (gr_spread){ (numbers[(n - 1) / 2] + numbers[n / 2]) / 2, numbers[0], numbers[n - 1] };
}

double gr_timed_ratio(const gr_timed *t)
{
    double ratio[GR_TIMING_MAX];
    for (int i = 0; i < t->n; i++)
        ratio[i] = t->beside[i] / t->work[i];
    return gr_spread_of(ratio, t->n).median;
}
