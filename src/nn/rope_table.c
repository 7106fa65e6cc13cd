#include "nn/rope_table.h"

#include <math.h>

#include "base/half.h"
#include "base/mathx.h"

/* base^e in double by our own logarithm, rounded once: the same bits on every machine. */
static float power(double base, double e) { return (float)gr_exp(gr_ln(base) * e); }

static void put_angle(float *row, int head_dim, int pair, float angle)
{
    row[pair] = (float)gr_cos((double)angle);
    row[head_dim / 2 + pair] = (float)gr_sin((double)angle);
}

void gr_rope_table_2d(float *table, int grid, int head_dim, int offset, bool class_token)
{
    const int bands = head_dim / 4;
    if (class_token) {
        for (int i = 0; i < head_dim / 2; i++)
            put_angle(table, head_dim, i, 0.0f);
        table += head_dim;
    }
    for (int y = 0; y < grid; y++)
        for (int x = 0; x < grid; x++, table += head_dim)
            for (int i = 0; i < bands; i++) {
                const float f = 1.0f / power(10000.0, (double)((float)i / (float)bands));
                put_angle(table, head_dim, i, (float)(x + offset) * f);
                put_angle(table, head_dim, bands + i, (float)(y + offset) * f);
            }
}

void gr_rope_inverse_frequencies(float *inverse, int head_dim, const gr_rope_scaling *s)
{
    const float pi2 = 6.2831853f;
    for (int i = 0; i < head_dim / 2; i++) {
        const float plain = 1.0f / power(s->theta, (double)((float)(2 * i) / (float)head_dim));
        inverse[i] = plain;
        if (!s->llama3)
            continue;
        const float wavelength = pi2 / plain, original = (float)s->original;
        if (wavelength > original / (float)s->low)
            inverse[i] = plain / (float)s->factor;
        else if (!(wavelength < original / (float)s->high)) {
            const float smooth = (original / wavelength - (float)s->low) / (float)(s->high - s->low);
            inverse[i] = (1.0f - smooth) * plain / (float)s->factor + smooth * plain;
        }
    }
}

void gr_rope_table_llama(float *table, size_t n_positions, int head_dim, const gr_rope_scaling *s,
                         bool round_bf16)
{
    /* Position by position from the last, so that the frequencies can wait in row 0, which is written at the
     * end: cosines stand where the frequencies stood, each read before it is overwritten. No memory of our
     * own. */
    float *inverse = table;
    gr_rope_inverse_frequencies(inverse, head_dim, s);
    for (size_t p = n_positions; p-- > 0;) {
        float *row = table + p * (size_t)head_dim;
        for (int i = 0; i < head_dim / 2; i++)
            put_angle(row, head_dim, i, (float)p * inverse[i]);
        for (int i = 0; round_bf16 && i < head_dim; i++)
            row[i] = gr_round_bf16(row[i]);
    }
}
