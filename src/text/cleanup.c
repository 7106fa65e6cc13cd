#include "text/cleanup.h"

#include <string.h>

static const struct {
    const char *pattern, *replacement;
} steps[GR_CLEANUP_STEPS] = { { " .", "." },     { " ?", "?" },     { " !", "!" },   { " ,", "," },
                              { " ' ", "'" },    { " n't", "n't" }, { " 'm", "'m" }, { " 's", "'s" },
                              { " 've", "'ve" }, { " 're", "'re" } };

void gr_cleanup_init(gr_cleanup *c, void (*put)(void *user, uint8_t byte), void *user)
{
    *c = (gr_cleanup){ .put = put, .user = user };
}

/* Hands a byte to a step, which holds it back while it may belong to the step's pattern. */
static void feed(gr_cleanup *c, int step, uint8_t byte)
{
    if (step == GR_CLEANUP_STEPS) {
        c->put(c->user, byte);
        return;
    }
    const char *pattern = steps[step].pattern;
    char held[8];
    size_t n = c->matched[step];
    memcpy(held, pattern, n);
    held[n++] = (char)byte;
    size_t out = 0; /* bytes that can no longer begin the pattern */
    while (memcmp(held + out, pattern, n - out) != 0)
        feed(c, step + 1, (uint8_t)held[out++]);
    c->matched[step] = (uint8_t)(n - out);
    if (pattern[n - out] != '\0')
        return;
    c->matched[step] = 0;
    for (const char *p = steps[step].replacement; *p; p++)
        feed(c, step + 1, (uint8_t)*p);
}

void gr_cleanup_push(gr_cleanup *c, uint8_t byte) { feed(c, 0, byte); }

void gr_cleanup_flush(gr_cleanup *c)
{
    for (int step = 0; step < GR_CLEANUP_STEPS; step++) {
        for (int i = 0; i < c->matched[step]; i++)
            feed(c, step + 1, (uint8_t)steps[step].pattern[i]);
        c->matched[step] = 0;
    }
}
