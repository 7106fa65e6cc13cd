#include "synth/phrase.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *gr_wording_draw(gr_wordings w, gr_draws *d) { return w.v[gr_draw_below(d, (uint32_t)w.n)]; }

static void add_bytes(gr_phrase *p, const char *text, size_t n)
{
    if (p->n + n >= sizeof p->text) {
        p->full = true;
        return;
    }
    memcpy(p->text + p->n, text, n);
    p->n += n;
    p->text[p->n] = '\0';
}

void gr_phrase_add(gr_phrase *p, const char *text) { add_bytes(p, text, strlen(text)); }

void gr_phrase_printf(gr_phrase *p, const char *fmt, ...)
{
    char text[GR_PHRASE_BYTES];
    va_list ap;
    va_start(ap, fmt);
    const int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= sizeof text)
        p->full = true;
    else
        add_bytes(p, text, (size_t)n);
}

static const char *slot_text(const gr_slot *slots, int n_slots, const char *name, size_t n)
{
    for (int i = 0; i < n_slots; i++)
        if (strlen(slots[i].name) == n && memcmp(slots[i].name, name, n) == 0)
            return slots[i].text;
    assert(!"a template names what it is not given");
    return "";
}

void gr_phrase_fill(gr_phrase *p, const char *pattern, const gr_slot *slots, int n_slots)
{
    for (const char *at = pattern; *at;) {
        const size_t plain = strcspn(at, "{");
        add_bytes(p, at, plain);
        at += plain;
        if (*at != '{')
            continue;
        const size_t n = strcspn(++at, "}");
        gr_phrase_add(p, slot_text(slots, n_slots, at, n));
        at += n + (at[n] == '}');
    }
}

void gr_phrase_sentence(gr_phrase *p, const char *pattern, const gr_slot *slots, int n_slots)
{
    if (p->n > 0)
        gr_phrase_add(p, " ");
    const size_t at = p->n;
    gr_phrase_fill(p, pattern, slots, n_slots);
    gr_phrase_capital(p, at);
}

void gr_phrase_capital(gr_phrase *p, size_t at)
{
    if (at < p->n && p->text[at] >= 'a' && p->text[at] <= 'z')
        p->text[at] = (char)(p->text[at] - 'a' + 'A');
}
