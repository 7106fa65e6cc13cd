/* canvas.h - the arrangement of tiles that a picture is stretched to.
 * Source: transformers, perception_lm/image_processing_perception_lm_fast.py; GAR's copy of it. Spec:
 * gar.md 3.2. */
#ifndef GR_REGION_CANVAS_H
#define GR_REGION_CANVAS_H

#include "grasp/error.h"

#define GR_CANVAS_MAX_TILES 64

typedef struct {
    int cols, rows; /* tiles; cols * rows <= max_tiles */
} gr_canvas;

/* The arrangement for a width x height picture: of those it fits into without shrinking, the one that shows
 * it largest (the later, usually smaller, on ties); otherwise the one nearest in shape. GR_ERR_ARG: a side
 * below 1, tile_px below 1, max_tiles outside 1..GR_CANVAS_MAX_TILES. */
gr_status gr_canvas_choose(gr_canvas *out, int width, int height, int max_tiles, int tile_px, gr_error *err);

#endif
