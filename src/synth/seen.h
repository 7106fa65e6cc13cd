/* seen.h - what may be said of a painted scene: what is large and free enough to be told, where it is, and
 * how it stands to the rest.
 *
 * A relation is true, false or neither. Texts state true ones, wrong options are false ones; what is neither
 * (almost beside, a little to the left) is not spoken of. Sides are those of the picture. */
#ifndef GR_SYNTH_SEEN_H
#define GR_SYNTH_SEEN_H

#include "synth/relation.h"

/* Whether a region of the object may be asked about: 150 pixels and half of it are seen. */
bool gr_seen(const gr_scene *s, int i);
/* Objects that are seen, in their order, into out[GR_SCENE_OBJECTS_MAX]; returns how many. */
int gr_seen_list(const gr_scene *s, int *out);

/* What can be told of an object that is seen. The colour of a shadow is nobody's, a thing has its own. */
bool gr_seen_colour(const gr_scene *s, int i);
/* Pattern and material: also wants 600 pixels. */
bool gr_seen_surface(const gr_scene *s, int i);

/* "subject is KIND object" of two objects that are seen (else unclear): as relation.h has it, next to being
 * the same in both directions; and false as well where the other direction is stated, or what can be seen
 * rules it out. */
gr_truth gr_seen_relation(const gr_scene *s, gr_relation kind, int subject, int object);

/* "in the upper left" ...; NULL: too near to the border of two such fields. */
const char *gr_seen_place(const gr_scene *s, int i);
/* "tiny", "small", "medium-sized", "large"; NULL: between two of them. */
const char *gr_seen_size(const gr_scene *s, int i);

#endif
