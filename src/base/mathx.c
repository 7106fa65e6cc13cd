#include "base/mathx.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/half.h"

/* exp(x) = 2^n exp(r), r in [-ln2/2, ln2/2]; the polynomial is Taylor's, whose first missing term is below
 * 6e-9 there. */
float gr_expf(float x)
{
    if (!(x < 88.7228394f))
        return x >= 88.7228394f ? INFINITY : x; /* NaN stays NaN */
    if (x < -103.9720840f)
        return 0.0f;
    const float shifted = x * 1.44269504f + 12582912.0f; /* adding 1.5 * 2^23 rounds to an integer */
    const float n = shifted - 12582912.0f;
    const float r = (x - n * 0x1.62e4p-1f) - n * 0x1.7f7d1cp-20f;
    float p = 1.0f / 5040;
    p = p * r + 1.0f / 720;
    p = p * r + 1.0f / 120;
    p = p * r + 1.0f / 24;
    p = p * r + 1.0f / 6;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    /* Two factors, so that results below the smallest normal number come out rounded and not as zero. */
    const int e = (int)n, half = e / 2;
    const float a = gr_f32_from_bits((uint32_t)(half + 127) << 23),
                b = gr_f32_from_bits((uint32_t)(e - half + 127) << 23);
    return p * a * b;
}

/* Below 1: x times a polynomial in x^2. From 1 to 4: 1 - exp(-q(x - 2.5)), q fitted to -log(erfc). Fits:
 * Chebyshev nodes, least squares, remaining error 1.3e-9. */
static float erfc_tail(float a) /* 1 <= a < 4 */
{
    const float u = a - 2.5f;
    float q = -1.6140616025950294e-06f;
    q = q * u + 1.3309389942151029e-05f;
    q = q * u - 7.739442662568763e-05f;
    q = q * u + 0.0004201445553917438f;
    q = q * u - 0.0021651603747159243f;
    q = q * u + 0.01085851714015007f;
    q = q * u + 0.9438936114311218f;
    q = q * u + 5.352680683135986f;
    q = q * u + 7.806815147399902f;
    return gr_expf(-q);
}

float gr_erff(float x)
{
    const float a = fabsf(x);
    if (!(a < 4.0f))
        return a >= 4.0f ? copysignf(1.0f, x) : x;
    if (a < 1.0f) {
        const float t = x * x;
        float p = 7.882497448008507e-05f;
        p = p * t - 0.0008018855005502701f;
        p = p * t + 0.005189312156289816f;
        p = p * t - 0.02685432881116867f;
        p = p * t + 0.11283597350120544f;
        p = p * t - 0.3761262595653534f;
        p = p * t + 1.1283791065216064f;
        return x * p;
    }
    return copysignf(1.0f - erfc_tail(a), x);
}

float gr_erfcf(float x)
{
    const float a = fabsf(x);
    if (a < 1.0f || !(a < INFINITY))
        return 1.0f - gr_erff(x);
    const float tail = a < 4.0f ? erfc_tail(a) : 0.0f;
    return x > 0 ? tail : 2.0f - tail;
}

static double power_of_two(int n) /* -1022 <= n <= 1023 */
{
    const uint64_t bits = (uint64_t)(n + 1023) << 52;
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* As gr_expf, with Taylor's polynomial of degree 14. */
double gr_exp(double x)
{
    static const double factor[] = {
        /* 1 / k!, k descending */
        1.0 / 87178291200,
        1.0 / 6227020800,
        1.0 / 479001600,
        1.0 / 39916800,
        1.0 / 3628800,
        1.0 / 362880,
        1.0 / 40320,
        1.0 / 5040,
        1.0 / 720,
        1.0 / 120,
        1.0 / 24,
        1.0 / 6,
        0.5,
        1.0,
        1.0,
    };
    if (!(x < 709.78))
        return x >= 709.78 ? INFINITY : x;
    if (x < -745.2)
        return 0.0;
    const double shifted = x * 1.4426950408889634 + 0x1.8p52, n = shifted - 0x1.8p52;
    const double r = (x - n * 0x1.62e42feep-1) - n * 0x1.a39ef35793c76p-33;
    double p = factor[0];
    for (size_t i = 1; i < sizeof factor / sizeof *factor; i++)
        p = p * r + factor[i];
    const int e = (int)n, half = e / 2;
    return p * power_of_two(half) * power_of_two(e - half);
}

/* log(m 2^e) with m in [sqrt(1/2), sqrt(2)): 2 atanh(s), s = (m - 1) / (m + 1), |s| < 0.172. */
double gr_ln(double x)
{
    int e;
    double m = frexp(x, &e);
    if (m < 0.70710678118654752) {
        m *= 2;
        e--;
    }
    const double s = (m - 1) / (m + 1), t = s * s;
    double sum = 0;
    for (int k = 23; k >= 1; k -= 2)
        sum = sum * t + 1.0 / k;
    return e * 0x1.62e42feep-1 + (e * 0x1.a39ef35793c76p-33 + 2 * s * sum);
}

/* x = n pi/2 + r with pi/2 in three parts: exact products for |n| < 2^22. */
static double reduce(double x, int *quarter)
{
    const double n = floor(x * 0.63661977236758134 + 0.5);
    *quarter = (int)((int64_t)n & 3);
    return ((x - n * 0x1.921fb544p+0) - n * 0x1.0b46118p-34) - n * 0x1.313198a2e0370p-61;
}

static double sin_small(double r)
{
    double sum = 0;
    for (int k = 19; k >= 3; k -= 2)
        sum = (sum + 1) * -(r * r) / (k * (k - 1));
    return r * (sum + 1);
}

static double cos_small(double r)
{
    double sum = 0;
    for (int k = 20; k >= 2; k -= 2)
        sum = (sum + 1) * -(r * r) / (k * (k - 1));
    return sum + 1;
}

double gr_sin(double x)
{
    int quarter;
    const double r = reduce(x, &quarter);
    const double s = quarter & 1 ? cos_small(r) : sin_small(r);
    return quarter & 2 ? -s : s;
}

double gr_cos(double x)
{
    int quarter;
    const double r = reduce(x, &quarter);
    const double c = quarter & 1 ? sin_small(r) : cos_small(r);
    return quarter == 1 || quarter == 2 ? -c : c;
}
