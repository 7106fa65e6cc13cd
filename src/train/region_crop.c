#include "train/region_crop.h"

#include <string.h>

#include "region/square.h"

gr_bounds gr_region_crop_place(gr_bounds box, int width, int height)
{
    const int w = box.x1 - box.x0, h = box.y1 - box.y0, longer = w > h ? w : h,
              side = longer + (longer + 1) / 2;
    return gr_square_around(box, side, width, height);
}

/* Rows of `bytes` a pixel. */
static void copy(uint8_t *to, const uint8_t *from, int width, gr_bounds where, int bytes)
{
    const size_t row = (size_t)(where.x1 - where.x0) * (size_t)bytes;
    for (int y = where.y0; y < where.y1; y++, to += row)
        memcpy(to, from + ((size_t)y * (size_t)width + (size_t)where.x0) * (size_t)bytes, row);
}

static const gr_canvas one_tile = { .cols = 1, .rows = 1 };

gr_status gr_region_crop_pixels(gr_tiles **out, const gr_image *image, gr_bounds where, int tile_px,
                                gr_error *err)
{
    gr_image *cut, *rgb = NULL;
    *out = NULL;
    GR_TRY(gr_image_new(&cut, image->rt, where.x1 - where.x0, where.y1 - where.y0, image->channels, err));
    copy(cut->pixels, image->pixels, image->width, where, image->channels);
    gr_status st = image->channels == 3 ? GR_OK : gr_image_to_rgb(&rgb, cut, err);
    if (st == GR_OK)
        st = gr_tiles_of_image(out, rgb ? rgb : cut, one_tile, tile_px, err);
    gr_image_free(rgb);
    gr_image_free(cut);
    return st;
}

gr_status gr_region_crop_mask(gr_tiles **out, const gr_mask *mask, gr_bounds where, int tile_px,
                              gr_error *err)
{
    gr_mask *cut;
    gr_prompt_plane *plane = NULL;
    *out = NULL;
    GR_TRY(gr_mask_new(&cut, mask->rt, where.x1 - where.x0, where.y1 - where.y0, err));
    copy(cut->data, mask->data, mask->width, where, 1);
    gr_status st = gr_plane_new(&plane, mask->rt, cut->width, cut->height, 1, err);
    if (st == GR_OK)
        st = gr_plane_paint(plane, cut, 0, GR_EXTRA_REFUSE, err);
    if (st == GR_OK) {
        gr_plane_finish(plane);
        st = gr_tiles_of_plane(out, plane, one_tile, tile_px, GR_MASK_NEAREST, err);
    }
    gr_plane_free(plane);
    gr_mask_free(cut);
    return st;
}
