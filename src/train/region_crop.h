/* region_crop.h - a region as a picture of its own: the square around it, resized to one tile.
 * For the ablation of the GAR paper, Table 9: the local crop that feature replay is compared with. */
#ifndef GR_TRAIN_REGION_CROP_H
#define GR_TRAIN_REGION_CROP_H

#include "grasp/region.h"
#include "region/tiles.h"

/* The square that is cut out (gr_square_around): its side is 1.5 times the longer side of the region's box,
 * rounded up. `box` lies in the picture and is not empty. */
gr_bounds gr_region_crop_place(gr_bounds box, int width, int height);

/* The pixels and the mask of that place, as tile 0 of a canvas of 1 x 1: the thumbnail of what is cut out.
 * `image` is anything that converts to RGB, `where` lies in it. Masks are resized to the nearest pixel.
 * *out is the caller's. GR_ERR_MEM; GR_ERR_ARG: tile_px outside 1..4096. */
gr_status gr_region_crop_pixels(gr_tiles **out, const gr_image *image, gr_bounds where, int tile_px,
                                gr_error *err);
gr_status gr_region_crop_mask(gr_tiles **out, const gr_mask *mask, gr_bounds where, int tile_px,
                              gr_error *err);

#endif
