#include "dataset/draws.h"

#include "base/rng.h"

gr_draws gr_draws_for(uint64_t seed, uint32_t set, uint32_t epoch, uint32_t position, uint32_t attempt)
{
    const uint32_t high = (uint32_t)(seed >> 32);
    return (gr_draws){ { (uint32_t)seed ^ (high << 16 | high >> 16), set }, { epoch, position, attempt, 0 } };
}

double gr_draw_unit(gr_draws *d)
{
    const gr_philox_block b = gr_philox(d->counter, d->key);
    d->counter[3]++;
    return (double)(((uint64_t)b.v[0] << 32 | b.v[1]) >> 11) * 0x1p-53;
}

uint32_t gr_draw_below(gr_draws *d, uint32_t n)
{
    const uint32_t k = (uint32_t)(gr_draw_unit(d) * n);
    return k < n ? k : n - 1; /* the product may round up */
}

void gr_draw_order(gr_draws *d, int *order, int n)
{
    for (int i = 0; i < n; i++)
        order[i] = i;
    for (int i = n - 1; i > 0; i--) {
        const int k = (int)gr_draw_below(d, (uint32_t)i + 1), kept = order[i];
        order[i] = order[k];
        order[k] = kept;
    }
}
