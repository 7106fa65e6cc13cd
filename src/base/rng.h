/* rng.h - counter-based random numbers: Philox4x32-10.
 * Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
 *
 * A number depends on (key, counter) alone, so it is the same whatever thread, batch or restart asks for it.
 */
#ifndef GR_BASE_RNG_H
#define GR_BASE_RNG_H

#include <stdint.h>

typedef struct {
    uint32_t v[4];
} gr_philox_block;

gr_philox_block gr_philox(const uint32_t counter[4], const uint32_t key[2]);

/* A double in [0, 1) with 53 random bits, for draw number `draw` of `stream` under `seed`. */
double gr_uniform(uint64_t seed, uint64_t stream, uint64_t draw);

/* FNV-1a of a zero-terminated text, 32 and 64 bits: names to streams, bytes to identities. */
uint32_t gr_fnv1a32(const char *text);
uint64_t gr_fnv1a64(const void *data, uint64_t n_bytes, uint64_t seed);

#endif
