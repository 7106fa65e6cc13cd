/* reader.h - bytes from outside, little-endian, never past the end.
 * After the first short read every later one yields 0 and `bad` stays set: parse straight through, check
 * once. */
#ifndef GR_BASE_READER_H
#define GR_BASE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    const uint8_t *at, *end;
    bool bad;
} gr_reader;

static inline uint64_t gr_reader_uint(gr_reader *r, int n_bytes)
{
    if (r->bad || r->end - r->at < n_bytes) {
        r->bad = true;
        return 0;
    }
    uint64_t v = 0;
    for (int i = n_bytes - 1; i >= 0; i--)
        v = (v << 8) | r->at[i];
    r->at += n_bytes;
    return v;
}

static inline uint64_t gr_reader_u64(gr_reader *r) { return gr_reader_uint(r, 8); }
static inline uint32_t gr_reader_u32(gr_reader *r) { return (uint32_t)gr_reader_uint(r, 4); }

/* The next n bytes in place, or NULL. */
static inline const uint8_t *gr_reader_bytes(gr_reader *r, size_t n)
{
    if (r->bad || (size_t)(r->end - r->at) < n) {
        r->bad = true;
        return NULL;
    }
    const uint8_t *p = r->at;
    r->at += n;
    return p;
}

#endif
