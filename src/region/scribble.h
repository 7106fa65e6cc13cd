/* scribble.h - lines drawn with a round pen. */
#ifndef GR_REGION_SCRIBBLE_H
#define GR_REGION_SCRIBBLE_H

#include "grasp/region.h"

/* Sets every pixel whose centre lies within width_px / 2 of the line through n >= 1 points xy (in pixels,
 * within
 * +-1,000,000). GR_ERR_LIMIT: more pixels would be touched than 2^33. */
gr_status gr_scribble_draw(gr_mask *mask, const double *xy, size_t n, double width_px, gr_error *err);

#endif
