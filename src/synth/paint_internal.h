/* paint_internal.h - what the files of painting share.
 *
 * Every object is made as a sprite first: colour and coverage of the pixels of its bounds, which may reach
 * beyond the picture; then the sprite is laid onto the picture. Colours are floats, 0..255. */
#ifndef GR_SYNTH_PAINT_INTERNAL_H
#define GR_SYNTH_PAINT_INTERNAL_H

#include <stddef.h>
#include "synth/outline.h"
#include "synth/paint.h"
#include "synth/vocabulary.h"

typedef struct {
    float r, g, b, a; /* a: how much of the background it hides where it covers, 0..1 */
} gr_paint_colour;

typedef struct {
    int x0, y0, w, h;        /* its place in the picture */
    uint8_t *coverage;       /* [h][w] */
    uint8_t *edge;           /* [h][w]: 255 at the outline, 0 within; shapes alone */
    gr_paint_colour *colour; /* [h][w] */
    size_t capacity;         /* pixels */
} gr_paint_sprite;

typedef struct gr_paint_glyphs gr_paint_glyphs;

struct gr_painter {
    gr_runtime *rt;
    gr_paint_sprite sprite;
    void *canvas; /* for cairo: [rows][stride] bytes */
    size_t canvas_bytes;
    float *backdrop; /* scratch of blurring and noise */
    size_t backdrop_floats;
    gr_paint_glyphs *glyphs;
};

/* --- numbers from places (paint_noise.c) ---------------------------------------------------------- */

float gr_paint_hash(uint32_t seed, int x, int y); /* [0, 1) */
/* Smooth noise of lattice constant 1, [0, 1]. */
float gr_paint_noise(uint32_t seed, float x, float y);

/* Makes scratch large enough; NULL: no memory. */
float *gr_paint_floats(gr_painter *p, size_t n);

/* --- parts ---------------------------------------------------------------------------------------- */

void gr_paint_backdrop(const gr_scene *s, gr_image *image, float *scratch); /* width floats */
gr_status gr_paint_shape(gr_painter *p, const gr_object *o, gr_error *err);
gr_status gr_paint_thing(gr_painter *p, const gr_object *o, gr_error *err);
/* Its pose follows from what the scene states of it; a picture of a figure has that of the figure. */
gr_status gr_paint_figure(gr_painter *p, const gr_scene *s, const gr_object *o, gr_error *err);
gr_status gr_paint_panel(gr_painter *p, const gr_object *o, gr_error *err);

/* The colour of a shape at u, v of its own coordinates (outline.h) and x, y pixels from its centre. `edge` as
 * in the sprite. */
typedef struct {
    float first[3], second[3];
    float size_px; /* of the smaller side */
    float period;  /* of the pattern, in pixels */
    float phase;
    float sin, cos;       /* of its turn */
    float flip;           /* -1 where left and right are exchanged */
    float half_w, half_h; /* in pixels */
    uint32_t seed;
    gr_material material;
    gr_pattern pattern;
} gr_paint_stuff;
void gr_paint_stuff_make(gr_paint_stuff *m, const gr_object *o);
gr_paint_colour gr_paint_stuff_at(const gr_paint_stuff *m, float u, float v, float edge);

/* Makes the sprite cover the box of the object, empty; and a cairo canvas of its size. */
gr_status gr_paint_sprite_begin(gr_painter *p, const gr_object *o, gr_error *err);

gr_status gr_paint_glyphs_new(gr_paint_glyphs **out, gr_runtime *rt, const char *font, gr_error *err);
void gr_paint_glyphs_free(gr_paint_glyphs *g);

/* Blur and JPEG, as the scene says. */
gr_status gr_paint_finish(gr_painter *p, const gr_scene *s, gr_image **image, gr_error *err);

gr_status gr_paint_scene(gr_painter *p, gr_runtime *rt, gr_scene *s, gr_image **picture, uint8_t **map,
                         gr_error *err);

#endif
