#include "synth/closeup.h"

#include <string.h>

#include "region/square.h"

gr_status gr_closeup_cut(gr_scene *s, gr_image **picture, uint8_t *map, int i, gr_draws *d, gr_error *err)
{
    const int *box = s->objects[i].box;
    const int wide = box[2] - box[0], high = box[3] - box[1], longer = wide > high ? wide : high;
    const int margin = 2 + (int)(0.4 * longer * gr_draw_unit(d)), side = longer + 2 * margin;
    const gr_bounds part =
        gr_square_around((gr_bounds){ box[0], box[1], box[2], box[3] }, side, s->width, s->height);
    const int width = part.x1 - part.x0, height = part.y1 - part.y0;
    gr_image *cut;
    GR_TRY(gr_image_new(&cut, (*picture)->rt, width, height, (*picture)->channels, err));
    const size_t pixel = (size_t)cut->channels, row = (size_t)width;
    for (int r = 0; r < height; r++) {
        const size_t at = (size_t)(part.y0 + r) * (size_t)s->width + (size_t)part.x0;
        memcpy(cut->pixels + (size_t)r * row * pixel, (*picture)->pixels + at * pixel, row * pixel);
        memmove(map + (size_t)r * row, map + at, row); /* never before where it is read */
    }
    gr_image_free(*picture);
    *picture = cut;
    s->width = width;
    s->height = height;
    return GR_OK;
}
