/* phrase.h - text put together from templates. A template holds names in braces, "It is {np}."; what they
 * stand for is given beside it. Nothing is allocated. */
#ifndef GR_SYNTH_PHRASE_H
#define GR_SYNTH_PHRASE_H

#include <stdbool.h>
#include <stddef.h>
#include "base/failure.h"
#include "dataset/draws.h"

enum { GR_PHRASE_BYTES = 2048 };

/* Always zero-terminated; begin with zeros. */
typedef struct {
    char text[GR_PHRASE_BYTES];
    size_t n;
    bool full; /* something did not fit: a mistake of ours, which a test would see */
} gr_phrase;

typedef struct {
    const char *name, *text;
} gr_slot;

/* Wordings that say the same. */
typedef struct {
    const char *const *v;
    int n;
} gr_wordings;

#define GR_WORDINGS(array) \
    (gr_wordings) { (array), (int)(sizeof(array) / sizeof *(array)) }

const char *gr_wording_draw(gr_wordings w, gr_draws *d);

void gr_phrase_add(gr_phrase *p, const char *text);
void gr_phrase_printf(gr_phrase *p, const char *fmt, ...) GR_PRINTF(2, 3);
/* Adds a template with its names filled in. {name} without a slot is an error that an assertion finds. */
void gr_phrase_fill(gr_phrase *p, const char *pattern, const gr_slot *slots, int n_slots);
/* The same as a sentence: after a blank where there is text already, and with a capital letter. */
void gr_phrase_sentence(gr_phrase *p, const char *pattern, const gr_slot *slots, int n_slots);
/* Makes the letter at `at` a capital. */
void gr_phrase_capital(gr_phrase *p, size_t at);

#endif
