/* hash.h - what tells two blocks of bytes apart: 128 bits, not for use against an adversary who chooses them.
 */
#ifndef GR_BASE_HASH_H
#define GR_BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint64_t low, high;
} gr_hash;

/* Of n bytes, continuing `from`: a sequence of blocks is hashed by passing on what the last call gave; begin
 * with { 0 }. The cut into blocks counts, so that ("ab", "c") and ("a", "bc") differ. */
gr_hash gr_hash_bytes(gr_hash from, const void *bytes, size_t n);

static inline bool gr_hash_same(gr_hash a, gr_hash b) { return a.low == b.low && a.high == b.high; }

#endif
