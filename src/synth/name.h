/* name.h - what an object is called: "a small red star with white stripes", "the reflection of a dog in a
 * mirror". Says only what can be told (seen.h), however much is asked for. */
#ifndef GR_SYNTH_NAME_H
#define GR_SYNTH_NAME_H

#include "synth/phrase.h"
#include "synth/scene.h"

enum {
    GR_NAME_SIZE = 1,
    GR_NAME_COLOUR = 2, /* both colours of a pattern; of a figure, that of its clothes */
    GR_NAME_PATTERN = 4,
    GR_NAME_MATERIAL = 8,
    GR_NAME_LOOK = 14, /* these three */
    GR_NAME_ENTITY = 16
};

/* Adds the name with its article. */
void gr_name_add(gr_phrase *p, const gr_scene *s, int i, unsigned say, gr_draws *d);

/* "striped", "stripes"; of plain "plain", "no pattern". */
typedef struct {
    const char *adjective, *noun;
} gr_pattern_words;
const gr_pattern_words *gr_pattern_phrase(gr_pattern pattern);

/* "red", or "red and white" in the stored order, or in the other one. */
void gr_name_colours(gr_phrase *p, const gr_object *o, bool swapped);

#endif
