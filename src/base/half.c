#include "base/half.h"

float gr_f32_from_f16(uint16_t h)
{
    const uint32_t sign = (uint32_t)(h & 0x8000) << 16;
    const uint32_t mag = h & 0x7fff;
    if (mag >= 0x7c00) /* infinity, NaN */
        return gr_f32_from_bits(sign | 0x7f800000u | (mag & 0x3ff) << 13);
    if (mag >= 0x0400)
        return gr_f32_from_bits(sign | ((mag << 13) + (112u << 23)));
    const float tiny = (float)mag * 0x1p-24f; /* subnormal or zero: exact */
    return sign ? -tiny : tiny;
}

uint16_t gr_f16_from_f32(float x)
{
    const uint32_t u = gr_f32_bits(x);
    const uint16_t sign = (uint16_t)((u >> 16) & 0x8000);
    const uint32_t mag = u & 0x7fffffffu;
    if (mag > 0x7f800000u)
        return (uint16_t)(sign | 0x7e00);
    if (mag >= 0x477ff000u) /* rounds past 65504 */
        return (uint16_t)(sign | 0x7c00);
    if (mag >= 0x38800000u) { /* normal */
        const uint32_t rebased = mag - (112u << 23);
        return (uint16_t)(sign | ((rebased + 0xfffu + ((rebased >> 13) & 1)) >> 13));
    }
    /* Subnormal: adding 0.5 puts the unit in the last place at 2^-24, and the addition rounds to even. */
    const float shifted = gr_f32_from_bits(mag) + 0.5f;
    return (uint16_t)(sign | (gr_f32_bits(shifted) - 0x3f000000u));
}

void gr_widen(float *to, const void *from, int type, size_t n)
{
    const uint16_t *h = from;
    if (type == 0)
        memcpy(to, from, n * sizeof *to);
    else if (type == 1)
        for (size_t i = 0; i < n; i++)
            to[i] = gr_f32_from_bf16(h[i]);
    else
        for (size_t i = 0; i < n; i++)
            to[i] = gr_f32_from_f16(h[i]);
}

void gr_widen_in_place(float *to, int type, size_t n)
{
    const uint8_t *from = (const uint8_t *)(to + n) - 2 * n;
    uint16_t block[256];
    for (size_t at = 0, take; at < n; at += take) { /* a place is read before it is written */
        take = n - at < 256 ? n - at : 256;
        memcpy(block, from + 2 * at, 2 * take);
        gr_widen(to + at, block, type, take);
    }
}

/* The largest magnitude of n values as bits: infinities and NaNs are the largest of all. The sign is masked
 * out; a maximum is what compilers turn into vector code. */
static uint16_t largest_16(const uint16_t *h, size_t n)
{
    int16_t most = 0;
    for (size_t i = 0; i < n; i++) {
        const int16_t x = (int16_t)(h[i] & 0x7fff);
        most = x > most ? x : most;
    }
    return (uint16_t)most;
}

static uint32_t largest_32(const uint32_t *u, size_t n)
{
    int32_t most = 0;
    for (size_t i = 0; i < n; i++) {
        const int32_t x = (int32_t)(u[i] & 0x7fffffff);
        most = x > most ? x : most;
    }
    return (uint32_t)most;
}

size_t gr_first_not_finite(const void *from, int type, size_t n)
{
    static const uint32_t infinity[] = { 0x7f800000, 0x7f80, 0x7c00 };
    const uint32_t *u = from;
    const uint16_t *h = from;
    size_t at = 0, take;
    for (; at < n; at += take) { /* whole blocks until one has something */
        take = n - at < 1024 ? n - at : 1024;
        if ((type == 0 ? largest_32(u + at, take) : largest_16(h + at, take)) >= infinity[type])
            break;
    }
    while (at < n && (type == 0 ? largest_32(u + at, 1) : largest_16(h + at, 1)) < infinity[type])
        at++;
    return at;
}
