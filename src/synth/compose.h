/* compose.h - makes up scenes: which objects, how they look, where they are, what is between them.
 *
 * Everything follows from (seed, split, index). What compose guarantees, of every scene:
 *   - a stated relation holds by geometry: see the table in compose_related.c;
 *   - bounds of entities do not overlap but where a relation or a stated "behind" says so; of what is partly
 *     hidden 20 to 60 % are, as gr_object_hidden counts;
 *   - colours of shapes and of the backdrop are well apart;
 *   - tiny objects (below GR_COMPOSE_PLAIN_BELOW pixels) are plain and of plastic;
 *   - in a grid, columns of a row go from left to right and rows from top to bottom, without overlap;
 *   - a mirror, a screen comes before all that is seen in it, a shadow before what casts it. */
#ifndef GR_SYNTH_COMPOSE_H
#define GR_SYNTH_COMPOSE_H

#include "synth/scene.h"

typedef enum { GR_SPLIT_TRAIN, GR_SPLIT_VALIDATION, GR_SPLIT_TEST } gr_split;

/* Pixels of the smaller side from which on an object has a pattern and a material. */
#define GR_COMPOSE_PLAIN_BELOW 22

/* Begin with gr_compose_options_init. */
typedef struct {
    gr_scene_kind kind;    /* default GR_SCENE_KINDS: drawn */
    int least_px, most_px; /* of the longer side; 96..1024, default 112 to 448 */
    bool clean;            /* neither blur nor JPEG */
} gr_compose_options;

void gr_compose_options_init(gr_compose_options *options);

/* Writes the whole scene but for what painting fills. */
void gr_scene_compose(gr_scene *s, uint64_t seed, gr_split split, uint64_t index);
/* `options` may be NULL. Limits outside their range are brought into it. */
void gr_scene_compose_as(gr_scene *s, uint64_t seed, gr_split split, uint64_t index,
                         const gr_compose_options *options);

/* One in twenty combinations is: it appears in the test split alone. Of glass, white, grey and black things
 * there are none in any. */
bool gr_combination_is_held_out(gr_shape_kind shape, gr_colour colour, gr_material material,
                                gr_pattern pattern);

/* The colour of backdrop_colours[i] as it is painted. */
void gr_backdrop_rgb(const gr_scene *s, int i, float rgb[3]);

#endif
