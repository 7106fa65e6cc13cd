/* score.h - how many of a description's statements are true of the region, and what it leaves out.
 *
 * Read by words alone. What stands after a relation's words ("next to", "held by") is about another object,
 * as is a sentence that begins with the background or with what is elsewhere. */
#ifndef GR_SYNTH_SCORE_H
#define GR_SYNTH_SCORE_H

#include "synth/truth.h"

typedef struct {
    int n_true, n_false; /* statements: noun, colours, pattern, material, entity, relations */
    int n_missing; /* of what is true and was not stated; that it is no picture of something need not be */
} gr_score;

gr_score gr_score_description(const char *text, size_t n, const gr_truths *truth);

#endif
