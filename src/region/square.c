#include "region/square.h"

/* One axis: from a box [*from, *to) to `side` of `size` pixels. */
static void place(int *from, int *to, int side, int size)
{
    int first = *from - (side - (*to - *from)) / 2;
    if (first > size - side)
        first = size - side;
    if (first < 0)
        first = 0;
    *from = first;
    *to = first + (side < size ? side : size);
}

gr_bounds gr_square_around(gr_bounds box, int side, int width, int height)
{
    place(&box.x0, &box.x1, side, width);
    place(&box.y0, &box.y1, side, height);
    return box;
}
