#include "units.h"

#include <stdio.h>

static void scaled(char out[32], double x, const char *unit)
{
    static const char *const prefixes[] = { "", "k", "M", "G", "T", "P" };
    size_t i = 0;
    for (; x >= 999.5 && i + 1 < sizeof prefixes / sizeof *prefixes; i++)
        x /= 1000;
    const char *space = prefixes[i][0] || unit[0] ? " " : "";
    snprintf(out, 32, "%.3g%s%s%s", x, space, prefixes[i], unit);
}

void cli_bytes_text(char out[32], double bytes) { scaled(out, bytes, "B"); }
void cli_count_text(char out[32], double count) { scaled(out, count, ""); }
