/* describe.h - descriptions of a region, from a few words to three sentences. All of it is true of the scene
 * and can be seen in the picture. */
#ifndef GR_SYNTH_DESCRIBE_H
#define GR_SYNTH_DESCRIBE_H

#include "synth/phrase.h"
#include "synth/scene.h"

typedef enum {
    GR_DESCRIBE_BRIEF, /* what it is */
    GR_DESCRIBE_PLAIN, /* one or two sentences: also where it is, or next to what */
    GR_DESCRIBE_FULL,  /* all that truth.h knows, its place and what is around it */
    GR_DESCRIBE_LEVELS
} gr_describe_level;

/* Adds the description of an object that is seen. */
void gr_describe(gr_phrase *p, const gr_scene *s, int i, gr_describe_level level, gr_draws *d);

/* Adds what is behind the objects: "a plain green background". */
void gr_describe_backdrop(gr_phrase *p, const gr_scene *s);

#endif
