#include "eval/wilson.h"

#include <math.h>

void gr_wilson(size_t correct, size_t n, double *low, double *high)
{
    const double z = 1.959963984540054, total = (double)n, p = n ? (double)correct / total : 0;
    if (n == 0) {
        *low = 0;
        *high = 1;
        return;
    }
    const double scale = 1 + z * z / total, middle = p + z * z / (2 * total),
                 reach = z * sqrt(p * (1 - p) / total + z * z / (4 * total * total));
    *low = fmax(0, (middle - reach) / scale);
    *high = fmin(1, (middle + reach) / scale);
}
