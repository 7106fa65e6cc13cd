/* half.h - bf16 and f16 as bits; rounding is to nearest, ties to even, as PyTorch does. */
#ifndef GR_BASE_HALF_H
#define GR_BASE_HALF_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint32_t gr_f32_bits(float x)
{
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

static inline float gr_f32_from_bits(uint32_t u)
{
    float x;
    memcpy(&x, &u, sizeof x);
    return x;
}

static inline float gr_f32_from_bf16(uint16_t h) { return gr_f32_from_bits((uint32_t)h << 16); }

static inline uint16_t gr_bf16_from_f32(float x)
{
    const uint32_t u = gr_f32_bits(x);
    if ((u & 0x7fffffffu) > 0x7f800000u)
        return (uint16_t)((u >> 16) | 0x40); /* a NaN stays one */
    return (uint16_t)((u + 0x7fffu + ((u >> 16) & 1)) >> 16);
}

/* x rounded to the nearest bf16, kept as f32. */
static inline float gr_round_bf16(float x) { return gr_f32_from_bf16(gr_bf16_from_f32(x)); }

/* n values of type 0 (f32), 1 (bf16) or 2 (f16) as f32. */
void gr_widen(float *to, const void *from, int type, size_t n);

/* The same where the values, 16-bit ones, lie in the last 2 n bytes of the memory of `to`. */
void gr_widen_in_place(float *to, int type, size_t n);

/* Index of the first of n such values that is an infinity or a NaN; n when there is none. */
size_t gr_first_not_finite(const void *from, int type, size_t n);

float gr_f32_from_f16(uint16_t h);
uint16_t gr_f16_from_f32(float x);

#endif
