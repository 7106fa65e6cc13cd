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
