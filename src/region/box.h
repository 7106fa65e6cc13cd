/* box.h - boxes in pixels, and the boxes that GAR's feature replay takes from masks. */
#ifndef GR_REGION_BOX_H
#define GR_REGION_BOX_H

#include "grasp/region.h"

/* The pixels of a width x height picture whose centres lie in [x0, x1) x [y0, y1); x0 < x1 and y0 < y1.
 * GR_ERR_ARG, the sentence beginning with invalid_region (not finite, or corners the wrong way round),
 * region_out_of_image (it does not touch the picture) or empty_region (it touches no pixel's centre). */
gr_status gr_box_to_bounds(gr_bounds *out, const double xyxy[4], int width, int height, gr_error *err);

/* Whether the far edge of a replay box is the last pixel inside (released) or the end of it (paper). */
typedef enum { GR_BOX_INCLUSIVE, GR_BOX_EXCLUSIVE } gr_box_edge;

/* x0, y0, x1, y1 of the mask as parts of its width and height. A single column gives a box of no width under
 * GR_BOX_INCLUSIVE, which is what the published code does. GR_ERR_ARG: empty_region. */
gr_status gr_mask_unit_box(double xyxy[4], const gr_mask *mask, gr_box_edge edge, gr_error *err);

/* Intersection over union of COCO boxes x, y, width, height; over the detection's area when the truth is a
 * crowd. */
double gr_coco_box_iou(const double detection[4], const double truth[4], bool crowd);

#endif
