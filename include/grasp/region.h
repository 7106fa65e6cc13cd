/* region.h - regions of a picture: how they are written, and the masks they stand for.
 *
 * Geometry: pixel (x, y) covers [x, x+1) x [y, y+1); boxes are half open and a pixel belongs to one when its
 * centre does. All coordinates are those of the picture as it is used: upright unless its EXIF orientation is
 * ignored. Sentences about regions begin with one of the words invalid_region, empty_region,
 * region_out_of_image, mask_size_mismatch, unknown_region, too_many_regions, not_built. */
#ifndef GRASP_REGION_H
#define GRASP_REGION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "grasp/image.h"

/* --- masks --------------------------------------------------------------------------------------- */

/* One byte a pixel, 0 outside and 1 inside. Made by functions of the library; the bytes are free to be
 * changed. */
typedef struct {
    gr_runtime *rt;
    int width, height; /* >= 1; at most GR_MASK_MAX_PIXELS pixels */
    uint8_t *data;     /* [height][width] */
} gr_mask;

#define GR_MASK_MAX_PIXELS 178956970

/* The smallest box around a mask, half open. */
typedef struct {
    int x0, y0, x1, y1;
} gr_bounds;

/* An empty mask. GR_ERR_ARG: a side below 1. GR_ERR_LIMIT, GR_ERR_MEM. */
GR_API gr_status gr_mask_new(gr_mask **out, gr_runtime *rt, int width, int height, gr_error *err);
GR_API void gr_mask_free(gr_mask *mask); /* NULL is fine */
GR_API int64_t gr_mask_area(const gr_mask *mask);
/* False, and all zero, when the mask is empty. */
GR_API bool gr_mask_bounds(const gr_mask *mask, gr_bounds *out);
/* Inside is what is not black: luma > 0, alpha ignored. JPEG noise and soft edges therefore grow a mask. */
GR_API gr_status gr_mask_from_image(gr_mask **out, const gr_image *image, gr_error *err);
/* A grey picture of 0 and 255, for gr_image_write. */
GR_API gr_status gr_mask_to_image(gr_image **out, const gr_mask *mask, gr_error *err);
/* Draws the mask onto an RGB picture of its size: tint, outline, and a label with the index (0..9999).
 * GR_ERR_SHAPE: sizes differ. GR_ERR_ARG: not RGB. */
GR_API gr_status gr_mask_overlay(const gr_mask *mask, gr_image *picture, int index, gr_error *err);

/* --- regions as they are written ----------------------------------------------------------------- */

/* One region, parsed and not yet bound to a picture. */
typedef struct gr_region_spec gr_region_spec;

/* Parses one of
 *   mask:FILE                     a picture file; what is not black is inside
 *   box:x1,y1,x2,y2[@norm]
 *   point:x,y[,0|1][@norm]        points:x,y[,0|1];x,y[,0|1];...[@norm]   1 (default) inside, 0 outside
 *   scribble:x,y;x,y;...[@norm]   a line drawn with a round pen
 *   polygon:x,y,x,y,x,y,...[@norm]  rings (or points) separated by ';'
 *   rle:{"size":[h,w],"counts":...}  COCO run lengths
 *   {...}                         a region object (docs/regions.md)
 * @norm: coordinates are 0..1 of width and height. `text` need not live on. GR_ERR_FORMAT with a sentence
 * that says what was found and what is expected; GR_ERR_LIMIT: over 100,000 vertices or 2^22 runs. */
GR_API gr_status gr_region_spec_parse(gr_region_spec **out, gr_runtime *rt, const char *text, size_t n,
                                      gr_error *err);
GR_API void gr_region_spec_free(gr_region_spec *spec); /* NULL is fine */
/* The name it was given; NULL when it has none. */
GR_API const char *gr_region_spec_name(const gr_region_spec *spec);
/* The name of an earlier region that this one repeats ("ref"); NULL when it is a region of its own. */
GR_API const char *gr_region_spec_ref(const gr_region_spec *spec);

/* --- regions of a picture ------------------------------------------------------------------------ */

#define GR_REGION_MAX_WARNINGS 4

/* For reading. */
typedef struct {
    gr_mask *mask;    /* owned; of the picture's size, not empty */
    gr_bounds bounds; /* tight, half open */
    int64_t area;     /* pixels */
    /* What the mask came from: "mask", "rle", "alpha", "box", "polygon", "scribble" or "rect". */
    const char *source;
    char name[64]; /* "" when it has none */
    int n_warnings;
    char warnings[GR_REGION_MAX_WARNINGS][192];
} gr_region;

/* Loads the picture file of a mask:FILE region; the default is gr_image_open without EXIF rotation. */
typedef gr_status (*gr_region_loader)(void *user, gr_runtime *rt, const char *path, gr_image **out,
                                      gr_error *err);

/* The picture that regions refer to. Begin with gr_region_frame_init; fields are only ever added at the end.
 */
typedef struct {
    size_t size;           /* sizeof(gr_region_frame), set by init */
    int width, height;     /* of the pixels that are used */
    int orientation;       /* the EXIF orientation that was applied to them, 1 when none was */
    const gr_image *image; /* for "alpha" regions; may be NULL */
    gr_region_loader load; /* NULL: files are opened by path */
    void *load_user;
    /* The regions of the same conversation so far, of this picture: what "ref" repeats, and whose names are
     * taken. Borrowed; may be NULL where n_earlier is 0. */
    const gr_region *const *earlier;
    size_t n_earlier;
} gr_region_frame;

/* Fills the frame from a decoded picture; no region is earlier. */
GR_API void gr_region_frame_init(gr_region_frame *frame, const gr_image *image);

/* Turns a written region into a mask of the picture's size.
 *
 * Masks: the picture's size is taken as it is; the size before the EXIF rotation is turned along; a size
 * whose ratio is within 1 % is resized (nearest) with a warning; any other is mask_size_mismatch. Boxes,
 * polygons and scribbles are clipped; wholly outside is region_out_of_image, nothing left inside is
 * empty_region. Points and "sam" need a segmentation model, which this build does not have: not_built
 * (GR_ERR_UNSUPPORTED); so do phrases. A "ref" is the mask of the earlier region of that name, a copy;
 * region i without a name is "r<i>". unknown_region (GR_ERR_ARG): there is none; GR_ERR_SHAPE: it is of
 * another picture's size. A name that an earlier region has is invalid_region (GR_ERR_ARG). */
GR_API gr_status gr_region_resolve(gr_region **out, gr_runtime *rt, const gr_region_spec *spec,
                                   const gr_region_frame *frame, gr_error *err);
GR_API void gr_region_free(gr_region *region); /* NULL is fine */

#endif
