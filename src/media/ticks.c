#include "media/ticks.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Dividing by a whole power is exact to half a unit, multiplying by 0.1, 0.01, ... is not. */
static double times_power(double x, int power)
{
    return power < 0 ? x / pow(10, -power) : x * pow(10, power);
}

static void add(gr_ticks *t, int64_t factor, int power)
{
    if (t->n < GR_TICKS_MAX)
        t->at[t->n++] = (gr_tick){ times_power((double)factor, power), factor, power };
}

void gr_ticks_linear(gr_ticks *t, double lo, double hi, int most, double least)
{
    static const int steps[] = { 1, 2, 5, 10 };
    const double want = fmax((hi - lo) / most, least);
    int power = (int)floor(log10(want) + 1e-9), k = 0;
    while (k < 3 && times_power(steps[k], power) < want * (1 - 1e-9))
        k++;
    if (k == 3) /* ten, which has a digit less as a one of the next power */
        k = 0, power++;
    const double step = times_power(steps[k], power), slack = 1e-9;
    const int64_t first = (int64_t)ceil(lo / step - slack), last = (int64_t)floor(hi / step + slack);
    *t = (gr_ticks){ 0 };
    for (int64_t i = first; i <= last && t->n < GR_TICKS_MAX; i++)
        add(t, i * steps[k], power);
}

/* The values of a set, ended by 0, in each decade of lo..hi, or in each so many. */
static void add_each_decade(gr_ticks *t, double lo, double hi, const int *set, int every)
{
    const int first = (int)ceil(log10(lo) - 1e-9), last = (int)floor(log10(hi) + 1e-9);
    *t = (gr_ticks){ 0 };
    for (int power = every > 1 ? first : first - 1; power <= last; power += every)
        for (int k = 0; set[k]; k++) {
            const double value = times_power(set[k], power);
            if (value >= lo * (1 - 1e-9) && value <= hi * (1 + 1e-9))
                add(t, set[k], power);
        }
}

void gr_ticks_log(gr_ticks *t, double lo, double hi, int most)
{
    static const int sets[][6] = { { 1, 2, 3, 5, 7 }, { 1, 2, 5 }, { 1, 3 }, { 1 } };
    const size_t n_sets = sizeof sets / sizeof *sets;
    for (size_t i = 0; i < n_sets; i++) {
        add_each_decade(t, lo, hi, sets[i], 1);
        if (t->n <= most)
            break;
    }
    if (t->n > most)
        add_each_decade(t, lo, hi, sets[n_sets - 1], (int)((log10(hi) - log10(lo)) / most) + 1);
    if (t->n < 3 && hi / lo < 10)
        gr_ticks_linear(t, lo, hi, most, 0);
    t->log = true;
}

/* --- labels -------------------------------------------------------------------------------------------- */

/* Power of ten of the first digit. */
static int magnitude(const gr_tick *t)
{
    int m = t->power;
    for (int64_t f = llabs(t->factor); f >= 10; f /= 10)
        m++;
    return m;
}

/* factor * 10 ^ power without exponent; -20 <= power <= 12. */
static void put_plain(char out[GR_TICK_LABEL_MAX], int64_t factor, int power)
{
    char digits[24];
    const int n = snprintf(digits, sizeof digits, "%lld", llabs((long long)factor)), before = n + power;
    char *at = out;
    if (factor < 0)
        *at++ = '-';
    for (int i = before < 1 ? before - 1 : 0; i < n || i < before; i++) { /* below 0: zeros of 0.00x */
        if (i == before && power < 0)
            *at++ = '.';
        *at++ = i < 0 || i >= n ? '0' : digits[i];
    }
    *at = '\0';
}

static void put_scientific(char out[GR_TICK_LABEL_MAX], const gr_tick *t)
{
    char exponent[16];
    int64_t factor = t->factor;
    int power = t->power;
    while (factor % 10 == 0)
        factor /= 10, power++;
    const int top = magnitude(t);
    put_plain(out, factor, power - top);
    snprintf(exponent, sizeof exponent, "e%d", top);
    strcat(out, exponent);
}

void gr_ticks_label(char out[GR_TICK_LABEL_MAX], const gr_ticks *t, int i)
{
    const gr_tick *own = &t->at[i];
    /* Of a linear axis all labels have the unit of the largest. */
    const gr_tick *largest = own;
    for (int k = 0; k < t->n && !t->log; k++)
        if (fabs(t->at[k].value) > fabs(largest->value))
            largest = &t->at[k];
    const int top = magnitude(largest);
    if (own->factor == 0)
        snprintf(out, GR_TICK_LABEL_MAX, "0");
    else if (top >= 10 || top < -3 || own->power < -9)
        put_scientific(out, own);
    else {
        const int unit = top >= 6 ? 6 : top >= 4 ? 3 : 0;
        put_plain(out, own->factor, own->power - unit);
        strcat(out, unit == 6 ? "M" : unit == 3 ? "k" : "");
    }
}

/* --- ranges -------------------------------------------------------------------------------------------- */

void gr_axis_fit(double *lo, double *hi, bool is_log)
{
    const double room = 0.05;
    if (is_log) {
        const double factor = fmax(exp(room * (log(*hi) - log(*lo))), 1.05);
        *lo = fmax(*lo / factor, 1 / GR_AXIS_LARGEST);
        *hi = fmin(*hi * factor, GR_AXIS_LARGEST);
        return;
    }
    const double most = fmax(fabs(*lo), fabs(*hi));
    if (most < 1e-250) { /* as good as zero; what is smaller has no power of ten to count in */
        *lo = 0;
        *hi = 1;
        return;
    }
    if (*hi - *lo <= most * 1e-6) { /* one value, as far as labels can tell */
        *lo = fmax(*lo - most / 2, -GR_AXIS_LARGEST);
        *hi = fmin(*hi + most / 2, GR_AXIS_LARGEST);
        return;
    }
    const double span = *hi - *lo;
    const bool from_zero = *lo >= 0 && *lo < 0.3 * *hi, to_zero = *hi <= 0 && *hi > 0.3 * *lo;
    const double a = from_zero ? 0 : *lo - room * span, b = to_zero ? 0 : *hi + room * span;
    *lo = fmax(a, -GR_AXIS_LARGEST);
    *hi = fmin(b, GR_AXIS_LARGEST);
}
