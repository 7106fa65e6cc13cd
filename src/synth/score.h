/* score.h - how many of a description's statements are true of the region, and what it leaves out.
 *
 * Read by words alone. What stands after a relation's words ("next to", "held by") is about another object,
 * as is a sentence that begins with the background or with what is elsewhere. */
#ifndef GR_SYNTH_SCORE_H
#define GR_SYNTH_SCORE_H

#include "synth/truth.h"

/* What can be stated. A wrong colour is of no rank, so statements of colours, the second one among them, all
 * count under GR_SCORE_COLOUR, and GR_SCORE_SECOND says only whether it was missed. */
typedef enum {
    GR_SCORE_NOUN,
    GR_SCORE_COLOUR,
    GR_SCORE_SECOND,
    GR_SCORE_PATTERN,
    GR_SCORE_MATERIAL,
    GR_SCORE_ENTITY,
    GR_SCORE_RELATION,
    GR_SCORE_KINDS
} gr_score_kind;

typedef struct {
    int n_true, n_false; /* statements; what is neither is none. The same one twice is one */
    int n_known;         /* what is true and to be stated; that it is no picture of something need not be */
    int n_missing;       /* of n_known: was not */
} gr_score_part;

typedef struct {
    int n_true, n_false, n_known, n_missing; /* all kinds together */
    gr_score_part part[GR_SCORE_KINDS];
} gr_score;

/* "noun", "colour", "second colour", "pattern", "material", "entity", "relation". */
const char *gr_score_word(gr_score_kind kind);
/* The first 4095 bytes of a text are read. */
gr_score gr_score_description(const char *text, size_t n, const gr_truths *truth);

#endif
