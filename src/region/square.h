/* square.h - the square around a box, as far as a picture goes. */
#ifndef GR_REGION_SQUARE_H
#define GR_REGION_SQUARE_H

#include "grasp/region.h"

/* The square of `side` pixels whose centre is the box's, moved to lie in the picture; along an axis on which
 * the picture is smaller it is the picture's own extent, and no square then. The box lies in the picture, is
 * not empty, and no side of it is longer than `side`: it lies in the result as a whole. */
gr_bounds gr_square_around(gr_bounds box, int side, int width, int height);

#endif
