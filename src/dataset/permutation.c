#include "dataset/permutation.h"

#include "base/rng.h"

#define ROUNDS 8

gr_permutation gr_permutation_of(uint64_t n, uint64_t seed, uint32_t epoch, uint32_t stream)
{
    unsigned half = 1;
    while (half < 31 && ((uint64_t)1 << 2 * half) < n)
        half++;
    return (gr_permutation){ .n = n,
                             .key = { (uint32_t)seed, epoch },
                             .extra = (uint32_t)(seed >> 32),
                             .stream = stream,
                             .half_bits = half };
}

static uint64_t encipher(const gr_permutation *p, uint64_t x)
{
    const uint32_t mask = ((uint32_t)1 << p->half_bits) - 1;
    uint32_t left = (uint32_t)(x >> p->half_bits), right = (uint32_t)x & mask;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        const uint32_t counter[4] = { right, round, p->extra, p->stream };
        const uint32_t next = left ^ (gr_philox(counter, p->key).v[0] & mask);
        left = right;
        right = next;
    }
    return (uint64_t)left << p->half_bits | right;
}

uint64_t gr_permutation_at(const gr_permutation *p, uint64_t i)
{
    do
        i = encipher(p, i);
    while (i >= p->n);
    return i;
}
