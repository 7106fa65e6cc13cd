/* mask.h - what the library itself does with masks, beyond grasp/region.h. */
#ifndef GR_REGION_MASK_H
#define GR_REGION_MASK_H

#include "grasp/region.h"

/* Refuses sizes below 1 (GR_ERR_ARG) and over GR_MASK_MAX_PIXELS (GR_ERR_LIMIT). `what` is for the sentence.
 */
gr_status gr_mask_check_size(const char *what, int64_t width, int64_t height, gr_error *err);

/* into |= from. GR_ERR_SHAPE: sizes differ. */
gr_status gr_mask_unite(gr_mask *into, const gr_mask *from, gr_error *err);

/* A mask of another size; every pixel takes the one its centre falls into. */
gr_status gr_mask_resize(gr_mask **out, const gr_mask *mask, int width, int height, gr_error *err);

/* In place, as EXIF orientation 1..8 asks. */
gr_status gr_mask_turn(gr_mask *mask, int orientation, gr_error *err);

/* Sets the pixels [x0, x1) x [y0, y1), clipped. */
void gr_mask_fill(gr_mask *mask, gr_bounds box);

#endif
