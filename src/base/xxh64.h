/* xxh64.h - XXH64, a checksum of 64 bits of files; not for use against an adversary.
 * Source: github.com/Cyan4973/xxHash, doc/xxhash_spec.md. */
#ifndef GR_BASE_XXH64_H
#define GR_BASE_XXH64_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint64_t lanes[4], seed, n_bytes;
    uint8_t held[32]; /* the last n_bytes % 32 bytes */
} gr_xxh64;

void gr_xxh64_init(gr_xxh64 *x, uint64_t seed);
/* Bytes may come in any portions. */
void gr_xxh64_add(gr_xxh64 *x, const void *bytes, size_t n);
/* Of all bytes so far; more may follow. */
uint64_t gr_xxh64_value(const gr_xxh64 *x);

#endif
