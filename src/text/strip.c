#include "text/strip.h"

#include <stdbool.h>
#include <stdint.h>

#include "text/unicode.h"

static bool is_stripped(uint32_t cp)
{
    return gr_char_classify(cp) == GR_CHAR_SPACE || (cp >= 0x1c && cp <= 0x1f);
}

void gr_strip(const char **text, size_t *n, gr_strip_sides sides)
{
    size_t first = *n, end = 0;
    for (size_t at = 0; at < *n;) {
        const gr_utf8 c = gr_utf8_decode((const uint8_t *)*text + at, *n - at);
        if (!is_stripped(c.cp)) {
            first = first < at ? first : at;
            end = at + (size_t)c.bytes;
        }
        at += (size_t)c.bytes;
    }
    if (sides == GR_STRIP_RIGHT)
        first = 0;
    *text += first;
    *n = end > first ? end - first : 0;
}
