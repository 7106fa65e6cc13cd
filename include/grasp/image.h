/* image.h - pictures: decoded from bytes, turned upright, converted, written.
 *
 * Geometry: origin top left, x right, y down; pixel (x, y) covers [x, x+1) x [y, y+1). What a file is, its
 * first bytes say, never its name. Conversions are those of Pillow, which the published models were fed by:
 * alpha is dropped (not composited), palettes are expanded, grey is replicated; 16-bit grey is clamped to
 * 255, 16-bit colour keeps its high byte; CMYK is taken as Adobe writes it, inverted. */
#ifndef GRASP_IMAGE_H
#define GRASP_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "grasp/runtime.h"

/* Made by the functions below only; the fields are for reading. */
typedef struct {
    gr_runtime *rt;    /* whose memory it is */
    int width, height; /* >= 1 */
    int channels;      /* 1 grey, 3 RGB, 4 RGBA with straight alpha */
    uint8_t *pixels;   /* [height][width][channels], no padding */
    int orientation;   /* what the file's EXIF states, 1..8; 1 when it states nothing */
    bool upright;      /* the orientation was applied to the pixels */
} gr_image;

/* Whether the EXIF orientation turns the pixels. The published GAR scripts ignore it. */
typedef enum { GR_EXIF_APPLY, GR_EXIF_IGNORE } gr_exif;

/* Begin with gr_image_options_init; fields are only ever added at the end. */
typedef struct {
    size_t size;        /* sizeof(gr_image_options), set by init */
    int64_t max_pixels; /* width * height; default 178,956,970, where Pillow refuses too */
    int max_side;       /* default 65,535 */
    gr_exif exif;       /* default GR_EXIF_APPLY */
    bool lenient; /* data that end early give the rows there are, the rest black; default false: an error */
} gr_image_options;

GR_API void gr_image_options_init(gr_image_options *options);

/* "JPEG, PNG, WebP, PNM": what this build decodes. PNM (P2, P3, P5, P6) is always there. */
GR_API const char *gr_image_formats(void);

/* Decodes the first picture in bytes[0..n). `options` may be NULL. Sizes are checked against the limits
 * before anything of their order is allocated; the peak is the picture itself plus, for PNG with a palette,
 * 16 bits or transparency, the stored samples, plus, for progressive JPEG, 2 bytes a coefficient in the
 * decoder's memory. GR_ERR_FORMAT       not a picture, damaged, or (unless lenient) cut short.
 * GR_ERR_UNSUPPORTED  a known format that this build or this version does not read; the sentence names it.
 * GR_ERR_LIMIT        larger than the options allow. GR_ERR_MEM. */
GR_API gr_status gr_image_decode(gr_image **out, gr_runtime *rt, const void *bytes, size_t n,
                                 const gr_image_options *options, gr_error *err);

/* The same from a file; sentences begin with its path. The file is read whole first, when its beginning is
 * that of a picture: GR_ERR_LIMIT is also one of more than 20 bytes a pixel of max_pixels and 64 MB.
 * GR_ERR_IO too. */
GR_API gr_status gr_image_open(gr_image **out, gr_runtime *rt, const char *path,
                               const gr_image_options *options, gr_error *err);

/* A black picture. GR_ERR_ARG: a side below 1 or channels other than 1, 3, 4. */
GR_API gr_status gr_image_new(gr_image **out, gr_runtime *rt, int width, int height, int channels,
                              gr_error *err);
GR_API void gr_image_free(gr_image *image); /* NULL is fine */

/* New pictures of 3 and of 1 channel, the caller's. GR_ERR_MEM. Luma is (19595 R + 38470 G + 7471 B + 32768)
 * >> 16. */
GR_API gr_status gr_image_to_rgb(gr_image **out, const gr_image *image, gr_error *err);
GR_API gr_status gr_image_to_luma(gr_image **out, const gr_image *image, gr_error *err);

/* Turns the pixels in place as EXIF orientation 1..8 asks: 1 leaves, 2 mirrors, 3 turns by 180 degrees, 4
 * flips, 5 transposes, 6 turns by 90 degrees clockwise, 7 transposes over the other diagonal, 8 turns by 90
 * degrees counter-clockwise. GR_ERR_ARG: another number. */
GR_API gr_status gr_image_turn(gr_image *image, int orientation, gr_error *err);

/* Writes a PNG, or, when the name ends in .ppm, .pgm or .pnm, a PNM without alpha. The file appears when it
 * is whole, at a name that is free or a regular file's: no device and no pipe is replaced.
 * GR_ERR_UNSUPPORTED: a PNG is asked for and this build has no PNG writer. GR_ERR_IO, GR_ERR_MEM.
 */
GR_API gr_status gr_image_write(const gr_image *image, const char *path, gr_error *err);

#endif
