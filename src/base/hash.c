#include "base/hash.h"

#include <string.h>

/* Odd, half of the bits set: the fractional parts of the square roots of 2 and 3. */
#define FACTOR_LOW  UINT64_C(0x6a09e667f3bcc909)
#define FACTOR_HIGH UINT64_C(0xbb67ae8584caa73b)

static uint64_t turn(uint64_t x, int by) { return x << by | x >> (64 - by); }

/* A product carries differences upwards only; turning brings them down again. Both steps can be undone, so
 * two sequences meet only where their differences happen to cancel. */
static gr_hash take(gr_hash h, uint64_t word)
{
    return (gr_hash){ turn(h.low ^ word, 29) * FACTOR_LOW, turn(h.high ^ word, 37) * FACTOR_HIGH };
}

static uint64_t spread(uint64_t x)
{
    x = (x ^ x >> 32) * FACTOR_HIGH;
    x = (x ^ x >> 29) * FACTOR_LOW;
    return x ^ x >> 32;
}

gr_hash gr_hash_bytes(gr_hash from, const void *bytes, size_t n)
{
    const char *at = bytes;
    gr_hash h = take(from, n + 1);
    size_t left = n;
    uint64_t word;
    for (; left >= sizeof word; left -= sizeof word, at += sizeof word) {
        memcpy(&word, at, sizeof word);
        h = take(h, word);
    }
    word = 0;
    if (left)
        memcpy(&word, at, left);
    h = take(h, word);
    return (gr_hash){ spread(h.low), spread(h.high) };
}
