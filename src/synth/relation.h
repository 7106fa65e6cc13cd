/* relation.h - what is true between two objects of a scene, by where they are.
 *
 * A relation that people could argue about is unclear: nothing should be said of it, neither that it is so
 * nor that it is not. */
#ifndef GR_SYNTH_RELATION_H
#define GR_SYNTH_RELATION_H

#include "synth/scene.h"

typedef enum { GR_FALSE, GR_TRUE, GR_UNCLEAR } gr_truth;

/* Whether "subject is KIND object" holds. Of what the scene states: GR_TRUE. Left of and next to follow from
 * the bounds alone; inside, on top of, behind, holding, wearing and pointing at are true only where they are
 * stated, unclear where the two touch (pointing: where the subject points at anything), else false. About
 * reflections, shadows and what is on a screen all is unclear that is not stated. */
gr_truth gr_relation_truth(const gr_scene *s, gr_relation kind, int subject, int object);

/* Adds "subject is KIND object"; false where it is there, or no room. */
bool gr_relation_state(gr_scene *s, gr_relation kind, int subject, int object);

#endif
