#include "base/rng.h"

#include <stddef.h>

gr_philox_block gr_philox(const uint32_t counter[4], const uint32_t key[2])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; round++) {
        const uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
        const uint32_t n0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0, n2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c0 = n0, c1 = (uint32_t)p1, c2 = n2, c3 = (uint32_t)p0;
        k0 += 0x9E3779B9u, k1 += 0xBB67AE85u;
    }
    return (gr_philox_block){ { c0, c1, c2, c3 } };
}

double gr_uniform(uint64_t seed, uint64_t stream, uint64_t draw)
{
    const uint32_t counter[4] = { (uint32_t)draw, (uint32_t)(draw >> 32), (uint32_t)stream,
                                  (uint32_t)(stream >> 32) };
    const uint32_t key[2] = { (uint32_t)seed, (uint32_t)(seed >> 32) };
    const gr_philox_block r = gr_philox(counter, key);
    const uint64_t bits = ((uint64_t)r.v[0] << 32 | r.v[1]) >> 11;
    return (double)bits * 0x1p-53;
}

uint32_t gr_fnv1a32(const char *text)
{
    uint32_t h = 2166136261u;
    for (; *text; text++)
        h = (h ^ (uint8_t)*text) * 16777619u;
    return h;
}

uint64_t gr_fnv1a64(const void *data, uint64_t n_bytes, uint64_t seed)
{
    const uint8_t *p = data;
    uint64_t h = 14695981039346656037u ^ seed;
    for (uint64_t i = 0; i < n_bytes; i++)
        h = (h ^ p[i]) * 1099511628211u;
    return h;
}
