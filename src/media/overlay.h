/* overlay.h - regions drawn onto a picture: a tint inside, a solid outline, a small label with the index. */
#ifndef GR_MEDIA_OVERLAY_H
#define GR_MEDIA_OVERLAY_H

#include "grasp/image.h"

/* Draws region number `index` (0..9999; its colour repeats after eight) on an RGB picture. `mask` is
 * [height][width] bytes, nonzero inside. An empty mask draws nothing. Lines and digits grow with the picture.
 * GR_ERR_ARG: the picture is not RGB. GR_ERR_MEM. */
gr_status gr_overlay_mask(gr_image *picture, const uint8_t *mask, int index, gr_error *err);

#endif
