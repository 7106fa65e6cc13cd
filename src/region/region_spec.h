/* region_spec.h - the inside of a written region: what the text said, in the units it said it in. */
#ifndef GR_REGION_REGION_SPEC_H
#define GR_REGION_REGION_SPEC_H

#include "region/rle.h"

#define GR_REGION_MAX_VERTICES 100000
#define GR_REGION_NAME_BYTES   64

typedef enum {
    GR_REGION_NONE,
    GR_REGION_FILE,    /* text: a path */
    GR_REGION_PICTURE, /* text: an encoded picture */
    GR_REGION_ALPHA,
    GR_REGION_RLE,
    GR_REGION_BOX, /* points may go with it */
    GR_REGION_POINTS,
    GR_REGION_POLYGON,
    GR_REGION_SCRIBBLE,
    GR_REGION_TEXT, /* text: a phrase */
    GR_REGION_REF   /* text: a name */
} gr_region_kind;

typedef enum { GR_COORDS_PIXEL, GR_COORDS_NORMALIZED, GR_COORDS_PERCENT, GR_COORDS_MILLI } gr_region_coords;
typedef enum { GR_BOX_XYXY, GR_BOX_XYWH, GR_BOX_CXCYWH } gr_box_format;
typedef enum { GR_CONVERT_AUTO, GR_CONVERT_NONE, GR_CONVERT_SAM, GR_CONVERT_RECT } gr_region_convert;

struct gr_region_spec {
    gr_runtime *rt;
    gr_region_kind kind;
    gr_region_coords coords;
    gr_region_convert convert;
    char name[GR_REGION_NAME_BYTES];

    char *text; /* [n_text], zero-terminated; NULL unless the kind says so */
    size_t n_text;
    bool has_box;
    double box[4]; /* x0, y0, x1, y1 */

    /* Points, or the rings of a polygon, or the strokes of a scribble. */
    double *xy;      /* [n_points][2] */
    uint8_t *labels; /* [n_points], 1 inside, 0 outside; points only */
    size_t n_points, points_capacity, labels_capacity;
    size_t *first; /* [n_parts + 1], where parts begin */
    size_t n_parts, parts_capacity;
    bool even_odd;
    double width_px; /* of a scribble */

    gr_rle rle;
    bool row_major; /* the rle is of the transposed mask */

    /* For a segmentation model, when there is one. */
    bool sam_multimask;
    int sam_select; /* -1 best, -2 largest, -3 smallest, or 0..2 */
    double sam_threshold;

    /* Shown to the user, or to say where the region is in a video. */
    char *label, *track; /* may be NULL */
    int frame;           /* -1: not said */
    double score;        /* NaN: not said */
};

/* GR_ERR_LIMIT over GR_REGION_MAX_VERTICES, GR_ERR_MEM. */
gr_status gr_region_spec_add_point(gr_region_spec *s, double x, double y, int label, gr_error *err);
/* Closes the ring or stroke of the points that were added since the last one. */
gr_status gr_region_spec_end_part(gr_region_spec *s, gr_error *err);

/* The region object, text[0] being '{'; and the run lengths {"size", "counts"}, compressed or a list. */
gr_status gr_region_spec_from_json(gr_region_spec *s, const char *text, size_t n, gr_error *err);
gr_status gr_region_spec_rle_from_json(gr_region_spec *s, const char *text, size_t n, gr_error *err);

#endif
