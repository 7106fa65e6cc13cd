/* tiles.h - a picture, or its prompt plane, cut into what the vision tower sees: the thumbnail, then the
 * tiles.
 *
 * T = cols * rows tiles of S x S pixels, row by row; index 0 is the thumbnail (the whole picture stretched to
 * one tile), 1 + row * cols + col a tile of the whole picture stretched to the canvas. What is kept is bytes,
 * once; a tile's floats are made when it is asked for. */
#ifndef GR_REGION_TILES_H
#define GR_REGION_TILES_H

#include "grasp/image.h"
#include "region/canvas.h"
#include "region/paint.h"

/* channels is 3 for pictures and 1 for planes. */
typedef struct {
    gr_runtime *rt;
    gr_canvas canvas;
    int tile_px, channels;
    int n;          /* 1 + cols * rows */
    uint8_t *thumb; /* [S][S][channels] */
    uint8_t *whole; /* [rows * S][cols * S][channels] */
} gr_tiles;

/* Pictures: bicubic, see media/resize.h. GR_ERR_ARG: the picture is not RGB, tile_px outside 1..4096.
 * GR_ERR_MEM. */
gr_status gr_tiles_of_image(gr_tiles **out, const gr_image *rgb, gr_canvas canvas, int tile_px,
                            gr_error *err);

/* How the prompt plane is resized: the released inference code is read as nearest, the released training code
 * blends ids with the bicubic kernel, which grows regions of low ids. */
typedef enum { GR_MASK_NEAREST, GR_MASK_BICUBIC } gr_mask_resample;

/* A finished plane: bytes are 1 where some prompt was painted, else 0. */
gr_status gr_tiles_of_plane(gr_tiles **out, const gr_prompt_plane *plane, gr_canvas canvas, int tile_px,
                            gr_mask_resample resample, gr_error *err);
void gr_tiles_free(gr_tiles *tiles); /* NULL is fine */

/* Tile i as planes [channels][S][S]. */
void gr_tiles_bytes(const gr_tiles *tiles, int i, uint8_t *out);

/* The same as float32: pictures (v - 255 mean) / (255 std) per channel, as one subtraction and one division.
 */
void gr_tiles_floats(const gr_tiles *tiles, int i, const float mean[3], const float std[3], float *out);

/* Whether no byte of tile i is set: its features do not depend on any region. */
bool gr_tiles_empty(const gr_tiles *tiles, int i);

#endif
