/* rle.h - COCO run lengths: masks as counts of 0, 1, 0, 1, ... down the columns.
 * Source: cocodataset/cocoapi, common/maskApi.h; interfaces of annotation files.
 *
 * Pixel (x, y) is number x * height + y. The first run is of zeros and may be 0. Runs sum to height * width.
 */
#ifndef GR_REGION_RLE_H
#define GR_REGION_RLE_H

#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "grasp/region.h"

#define GR_RLE_MAX_RUNS ((size_t)1 << 22)

typedef struct {
    gr_runtime *rt;
    int height, width; /* at most GR_MASK_MAX_PIXELS together */
    size_t n, capacity;
    uint32_t *runs; /* [n] */
} gr_rle;

/* All-zero, or filled by one of the functions below; gr_rle_fini in every case but failure. */
void gr_rle_fini(gr_rle *r);

/* From a list of counts, from the compressed text, from a mask. On failure there is nothing to release.
 * GR_ERR_FORMAT: the runs do not sum to height * width, a count is negative or too large, the text has a
 * character outside '0'..'o' or ends inside a number. GR_ERR_LIMIT: over GR_RLE_MAX_RUNS (not for masks) or
 * too large a mask. GR_ERR_ARG: a side below 1. */
gr_status gr_rle_from_runs(gr_rle *out, gr_runtime *rt, int height, int width, const uint32_t *runs, size_t n,
                           gr_error *err);
gr_status gr_rle_from_text(gr_rle *out, gr_runtime *rt, int height, int width, const char *text, size_t n,
                           gr_error *err);
gr_status gr_rle_from_mask(gr_rle *out, const gr_mask *mask, gr_error *err);

gr_status gr_rle_to_mask(gr_mask **out, const gr_rle *r, gr_error *err);
/* Appends the compressed text. GR_ERR_MEM. */
gr_status gr_rle_to_text(gr_buf *out, const gr_rle *r, gr_error *err);

uint64_t gr_rle_area(const gr_rle *r);
/* As rleToBbox: x, y, width, height of the smallest box; a run that goes over the end of a column makes it
 * span the full height. All zero when there is nothing inside. */
void gr_rle_box(const gr_rle *r, double xywh[4]);

/* Union, or intersection, of two masks of one size (GR_ERR_SHAPE otherwise). */
gr_status gr_rle_merge(gr_rle *out, const gr_rle *a, const gr_rle *b, bool intersect, gr_error *err);

/* Intersection over union; over the detection's own area when the ground truth is a crowd. 0 for two empty
 * masks; -1 when sizes differ, as the original has it. */
double gr_rle_iou(const gr_rle *detection, const gr_rle *truth, bool crowd);

#endif
