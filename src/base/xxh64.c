#include "base/xxh64.h"

#include <string.h>

#define P1 0x9E3779B185EBCA87u
#define P2 0xC2B2AE3D27D4EB4Fu
#define P3 0x165667B19E3779F9u
#define P4 0x85EBCA77C2B2AE63u
#define P5 0x27D4EB2F165667C5u

static uint64_t rotate(uint64_t x, int by) { return x << by | x >> (64 - by); }

static uint64_t little(const uint8_t *at, int n)
{
    uint64_t x = 0;
    while (n-- > 0)
        x = x << 8 | at[n];
    return x;
}

static uint64_t turn(uint64_t lane, uint64_t input) { return rotate(lane + input * P2, 31) * P1; }

static uint64_t merge(uint64_t sum, uint64_t lane) { return (sum ^ turn(0, lane)) * P1 + P4; }

static void stripe(gr_xxh64 *x, const uint8_t *at)
{
    for (int i = 0; i < 4; i++)
        x->lanes[i] = turn(x->lanes[i], little(at + 8 * i, 8));
}

void gr_xxh64_init(gr_xxh64 *x, uint64_t seed)
{
    *x = (gr_xxh64){ .lanes = { seed + P1 + P2, seed + P2, seed, seed - P1 }, .seed = seed };
}

void gr_xxh64_add(gr_xxh64 *x, const void *bytes, size_t n)
{
    const uint8_t *at = bytes;
    const size_t held = x->n_bytes % 32;
    x->n_bytes += n;
    if (held) {
        const size_t fits = n < 32 - held ? n : 32 - held;
        memcpy(x->held + held, at, fits);
        if (held + fits < 32)
            return;
        stripe(x, x->held);
        at += fits;
        n -= fits;
    }
    for (; n >= 32; at += 32, n -= 32)
        stripe(x, at);
    if (n)
        memcpy(x->held, at, n);
}

uint64_t gr_xxh64_value(const gr_xxh64 *x)
{
    const uint64_t *l = x->lanes;
    uint64_t sum = x->seed + P5;
    if (x->n_bytes >= 32) {
        sum = rotate(l[0], 1) + rotate(l[1], 7) + rotate(l[2], 12) + rotate(l[3], 18);
        for (int i = 0; i < 4; i++)
            sum = merge(sum, l[i]);
    }
    sum += x->n_bytes;
    const uint8_t *at = x->held;
    size_t n = x->n_bytes % 32;
    for (; n >= 8; at += 8, n -= 8)
        sum = rotate(sum ^ turn(0, little(at, 8)), 27) * P1 + P4;
    for (; n >= 4; at += 4, n -= 4)
        sum = rotate(sum ^ little(at, 4) * P1, 23) * P2 + P3;
    for (; n > 0; at++, n--)
        sum = rotate(sum ^ *at * P5, 11) * P1;
    sum = (sum ^ sum >> 33) * P2;
    sum = (sum ^ sum >> 29) * P3;
    return sum ^ sum >> 32;
}
