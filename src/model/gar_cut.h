/* gar_cut.h - a picture and its regions as the model sees them: pixel tiles, mask tiles, boxes of the replay.
 * Asking and training cut alike. Spec: gar.md sections 3 and 5. */
#ifndef GR_MODEL_GAR_CUT_H
#define GR_MODEL_GAR_CUT_H

#include "grasp/profile.h"
#include "model/gar_config.h"
#include "region/tiles.h"

/* What steers the cut; all borrowed. */
typedef struct {
    gr_runtime *rt; /* whose memory and threads */
    const gr_gar_config *config;
    const gr_profile *profile;
    gr_canvas canvas;
} gr_gar_cut;

/* A region of the picture, which has the mask's size. */
typedef struct {
    const gr_mask *mask;
    int prompt; /* K of <PromptK> */
} gr_gar_marked;

/* What becomes of regions beyond the model's prompts. */
gr_extra_prompts gr_gar_extra_prompts(const gr_profile *profile);

/* Anything that converts to RGB. *out is the caller's. GR_ERR_MEM. */
gr_status gr_gar_cut_pixels(gr_tiles **out, const gr_gar_cut *cut, const gr_image *image, gr_error *err);

/* The mask tiles of n >= 1 regions, painted in the order order[0..n), so that an earlier one keeps a pixel.
 * GR_ERR_SHAPE, GR_ERR_ARG, GR_ERR_LIMIT, GR_ERR_MEM as gr_plane_paint. */
gr_status gr_gar_cut_masks(gr_tiles **out, const gr_gar_cut *cut, const gr_gar_marked *regions,
                           const int *order, int n, gr_error *err);
/* The mask tiles of a picture that belongs to one prompt as a whole. */
gr_status gr_gar_cut_whole(gr_tiles **out, const gr_gar_cut *cut, int width, int height, int prompt,
                           gr_error *err);

/* The boxes that replay pools, of the regions that are replayed, in the order of `regions`; *n_boxes of them.
 * With multi_bbox=last each has that of the last in painting order. GR_ERR_ARG: an empty mask. */
gr_status gr_gar_cut_boxes(float boxes[GR_MAX_PROMPTS][4], int *n_boxes, const gr_gar_cut *cut,
                           const gr_gar_marked *regions, const int *order, int n, gr_error *err);

#endif
