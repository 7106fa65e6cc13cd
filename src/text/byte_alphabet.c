#include "text/byte_alphabet.h"

#include <stdbool.h>

#include "text/unicode.h"

/* The bytes that are not spelled as themselves: three runs, numbered through. */
static const struct {
    uint8_t first, last, number;
} runs[] = { { 0, 32, 0 }, { 127, 160, 33 }, { 173, 173, 67 } };

enum { N_RUNS = sizeof runs / sizeof *runs };

uint32_t gr_byte_to_char(uint8_t byte)
{
    for (int r = 0; r < N_RUNS; r++)
        if (byte >= runs[r].first && byte <= runs[r].last)
            return 0x100u + runs[r].number + byte - runs[r].first;
    return byte;
}

/* The byte of a character, or -1. */
static int byte_of(uint32_t cp)
{
    for (int r = 0; r < N_RUNS; r++) {
        if (cp >= runs[r].first && cp <= runs[r].last)
            return -1;
        const uint32_t number = cp - 0x100 - runs[r].number;
        if (cp >= 0x100 && cp - 0x100 >= runs[r].number && number <= (uint32_t)(runs[r].last - runs[r].first))
            return (int)(runs[r].first + number);
    }
    return cp < 0x100 ? (int)cp : -1;
}

ptrdiff_t gr_byte_unspell(uint8_t *out, const uint8_t *spelled, size_t n)
{
    for (size_t at = 0; at < n;) {
        const gr_utf8 c = gr_utf8_decode(spelled + at, n - at);
        if (c.state != GR_UTF8_OK || byte_of(c.cp) < 0)
            return -1;
        at += (size_t)c.bytes;
    }
    ptrdiff_t count = 0;
    for (size_t at = 0; at < n;) { /* writes never overtake reads: a character has at least one byte */
        const gr_utf8 c = gr_utf8_decode(spelled + at, n - at);
        at += (size_t)c.bytes;
        out[count++] = (uint8_t)byte_of(c.cp);
    }
    return count;
}
