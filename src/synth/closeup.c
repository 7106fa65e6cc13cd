#include "synth/closeup.h"

#include <string.h>

typedef struct {
    int from, n;
} span;

/* `side` pixels around from..to, moved to where there are so many, or all there are. */
static span around(int from, int to, int side, int size)
{
    const int before = (side - (to - from)) / 2, last = size - side;
    const int begin = from < before ? 0 : from - before;
    return side >= size ? (span){ 0, size } : (span){ begin < last ? begin : last, side };
}

gr_status gr_closeup_cut(gr_scene *s, gr_image **picture, uint8_t *map, int i, gr_draws *d, gr_error *err)
{
    const int *box = s->objects[i].box;
    const int wide = box[2] - box[0], high = box[3] - box[1], longer = wide > high ? wide : high;
    const int margin = 2 + (int)(0.4 * longer * gr_draw_unit(d)), side = longer + 2 * margin;
    const span x = around(box[0], box[2], side, s->width), y = around(box[1], box[3], side, s->height);
    gr_image *cut;
    GR_TRY(gr_image_new(&cut, (*picture)->rt, x.n, y.n, (*picture)->channels, err));
    const size_t pixel = (size_t)cut->channels, row = (size_t)x.n;
    for (int r = 0; r < y.n; r++) {
        const size_t at = (size_t)(y.from + r) * (size_t)s->width + (size_t)x.from;
        memcpy(cut->pixels + (size_t)r * row * pixel, (*picture)->pixels + at * pixel, row * pixel);
        memmove(map + (size_t)r * row, map + at, row); /* never before where it is read */
    }
    gr_image_free(*picture);
    *picture = cut;
    s->width = x.n;
    s->height = y.n;
    return GR_OK;
}
