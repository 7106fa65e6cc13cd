/* paint.h - scenes to pixels: the picture, and which object owns which pixel.
 *
 * Needs cairo, freetype and libjpeg, and for things a colour font of emoji (Debian: fonts-noto-color-emoji).
 * A painter belongs to one thread at a time; the same scene gives the same bytes whichever painter draws it.
 */
#ifndef GR_SYNTH_PAINT_H
#define GR_SYNTH_PAINT_H

#include "grasp/image.h"
#include "synth/scene.h"

typedef struct gr_painter gr_painter;

/* `font` is a file, NULL for the place where Debian keeps it. GR_ERR_UNSUPPORTED: this build cannot paint;
 * the sentence says what is missing. GR_ERR_IO: there is no such font. GR_ERR_MEM. */
gr_status gr_painter_new(gr_painter **out, gr_runtime *rt, const char *font, gr_error *err);
void gr_painter_free(gr_painter *painter); /* NULL is fine */

/* Fills whole, visible and box of every object. `picture` is RGB, `index_map` [height][width] with the number
 * of the object that owns the pixel, plus 1, or 0; both the caller's: gr_image_free, gr_free. GR_ERR_ARG: a
 * size or a number of the scene is out of range. GR_ERR_FORMAT: the font has no drawing of a thing.
 * GR_ERR_MEM. */
gr_status gr_scene_paint(gr_scene *s, gr_runtime *rt, gr_painter *painter, gr_image **picture,
                         uint8_t **index_map, gr_error *err);

#endif
