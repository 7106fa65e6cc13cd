/* closeup.h - a scene's picture cut down to one object and what is right around it. */
#ifndef GR_SYNTH_CLOSEUP_H
#define GR_SYNTH_CLOSEUP_H

#include "dataset/draws.h"
#include "grasp/image.h"
#include "synth/scene.h"

/* Cuts picture, map (uint8_t[height][width], in place) and the size in `s` to the visible box of object i and
 * a margin that is drawn, up to 0.4 of its longer side: a square, so that a tile shows a square as a square,
 * as far as the picture goes. Boxes of `s` keep their places in the whole scene. GR_ERR_MEM: nothing changed.
 */
gr_status gr_closeup_cut(gr_scene *s, gr_image **picture, uint8_t *map, int i, gr_draws *d, gr_error *err);

#endif
