/* permutation.h - a permutation of 0..n-1 that is computed, not stored: any element at once.
 *
 * A Feistel network on the smallest even number of bits that holds n, its round function Philox under (seed,
 * epoch). What it gives beyond n-1 goes through it again until it is below (cycle walking), at most 4 times
 * on average. Every n has a bijection. Source: Black and Rogaway, "Ciphers with arbitrary finite domains",
 * CT-RSA 2002. */
#ifndef GR_DATASET_PERMUTATION_H
#define GR_DATASET_PERMUTATION_H

#include <stdint.h>

/* Stands in files that tell how rows were ordered: another algorithm gets another name. */
#define GR_PERMUTATION_NAME "feistel8-philox"

typedef struct {
    uint64_t n;
    uint32_t key[2], extra; /* extra: the rest of the seed */
    uint32_t stream;
    unsigned half_bits;
} gr_permutation;

/* n >= 1, below 2^62. Permutations of different `stream` have nothing to do with each other. */
gr_permutation gr_permutation_of(uint64_t n, uint64_t seed, uint32_t epoch, uint32_t stream);

/* Element i; i < n. */
uint64_t gr_permutation_at(const gr_permutation *p, uint64_t i);

#endif
