/* polygon.h - outlines to masks: as COCO draws them, and by pixel centres with holes. */
#ifndef GR_REGION_POLYGON_H
#define GR_REGION_POLYGON_H

#include "region/rle.h"

#define GR_POLYGON_MAX_VERTICES 100000

/* One closed ring of n points x, y in pixels, drawn bit for bit as rleFrPoly of cocodataset/cocoapi does: the
 * outline is walked on a grid of fifths of a pixel and the columns are filled between its crossings.
 * GR_ERR_ARG: n < 1, a coordinate that is not finite or beyond +-1,000,000. GR_ERR_LIMIT: an outline of over
 * 2^27 fifths, or too large a mask. */
gr_status gr_polygon_to_rle(gr_rle *out, gr_runtime *rt, int height, int width, const double *xy, size_t n,
                            gr_error *err);

/* The ring of a COCO box, as rleFrBbox. */
gr_status gr_coco_box_to_rle(gr_rle *out, gr_runtime *rt, int height, int width, const double xywh[4],
                             gr_error *err);

/* Rings [first[i], first[i + 1]) of points xy, i < n_rings. Sets, on a mask that is empty, every pixel whose
 * centre lies inside an odd number of rings. A centre on a left or top edge is inside, on a right or bottom
 * edge outside. Same errors but the limit on the outline. */
gr_status gr_polygon_even_odd(gr_mask *mask, const double *xy, const size_t *first, size_t n_rings,
                              gr_error *err);

#endif
