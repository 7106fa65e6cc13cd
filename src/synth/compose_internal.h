/* compose_internal.h - what the files of compose share. */
#ifndef GR_SYNTH_COMPOSE_INTERNAL_H
#define GR_SYNTH_COMPOSE_INTERNAL_H

#include "dataset/draws.h"
#include "synth/compose.h"
#include "synth/outline.h"
#include "synth/relation.h"
#include "synth/vocabulary.h"

typedef struct {
    gr_scene *s;
    gr_split split;
    gr_draws d;
    /* Bounds that are taken, with their margins. */
    float taken[GR_SCENE_OBJECTS_MAX * 2][4];
    int n_taken;
} composer;

/* --- draws ---------------------------------------------------------------------------------------- */

static inline int below(composer *c, int n) { return (int)gr_draw_below(&c->d, (uint32_t)n); }
static inline bool chance(composer *c, double p) { return gr_draw_unit(&c->d) < p; }
static inline float between(composer *c, float a, float b)
{
    return a + (b - a) * (float)gr_draw_unit(&c->d);
}
static inline float smaller(float a, float b) { return a < b ? a : b; }
static inline float larger(float a, float b) { return a > b ? a : b; }

/* --- objects (compose_object.c) ------------------------------------------------------------------- */

gr_object gr_compose_blank(composer *c, gr_object_kind kind);
/* A shape of any looks that the split allows and that stands out from the backdrop, of that size: the longer
 * side; turned at most by what leaves its name true. It is centred on 0, 0. */
gr_object gr_compose_shape(composer *c, float size);
gr_object gr_compose_shape_of(composer *c, gr_shape_kind shape, float size);
/* A thing that can do all of `can`. */
gr_object gr_compose_thing(composer *c, unsigned can, float size);
gr_object gr_compose_figure(composer *c, float height, bool arms_out);
/* A shape two times in three, else a thing. */
gr_object gr_compose_any(composer *c, float size);
/* The same but for one of its attributes: what makes a question about the others hard. */
gr_object gr_compose_twin(composer *c, const gr_object *o);
/* Draws colour, second, material and pattern anew. */
void gr_compose_looks(composer *c, gr_object *o);
void gr_compose_resize(gr_object *o, float size); /* of the longer side */

/* --- places (compose_place.c) --------------------------------------------------------------------- */

/* Appends; the number of the object, or -1 when the scene is full. */
int gr_compose_add(composer *c, const gr_object *o);
/* Looks for a free place of w x h in area (x0, y0, x1, y1) with a margin around, and takes it: its middle. */
bool gr_compose_find(composer *c, const float area[4], float w, float h, float margin, float *x, float *y);
void gr_compose_take(composer *c, const float box[4], float margin);
/* Moves the object so that its bounds are centred on x, y. */
void gr_compose_centre(gr_object *o, float x, float y);
/* Places an object of such a size wherever there is room and adds it; -1: there is none. */
int gr_compose_put(composer *c, gr_object *o, const float area[4], float margin);
void gr_compose_whole(const composer *c, float area[4]);
/* States some of the plain relations that follow from bounds: left of, next to. */
void gr_compose_state_plain(composer *c, int most);

/* --- groups: objects that stand to each other in a way, placed as one ------------------------------- */

enum { GROUP_MAX = 4 };

typedef struct {
    gr_object at[GROUP_MAX]; /* around 0, 0; painted in this order */
    int n;
    gr_scene_relation relations[GROUP_MAX]; /* between numbers of the group */
    int n_relations;
} group;

/* The number of its first object; -1: no room, nothing is added. */
int gr_compose_put_group(composer *c, const group *g, const float area[4], float margin);
/* A rear object and, before it, one that hides 22 to 58 % of it; false: none was found. */
bool gr_compose_behind(composer *c, group *g, float size);

/* --- kinds of scenes ------------------------------------------------------------------------------ */

void gr_compose_backdrop(composer *c, bool calm);
void gr_compose_free(composer *c);
void gr_compose_grid(composer *c);
void gr_compose_related(composer *c);
void gr_compose_mirror(composer *c);
void gr_compose_shadows(composer *c);
void gr_compose_screen(composer *c);

#endif
