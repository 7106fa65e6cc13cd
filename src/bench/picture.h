/* picture.h - a picture to describe where nobody gave one: always the same, and neither flat nor pure noise,
 * so that decoders have work. */
#ifndef GR_BENCH_PICTURE_H
#define GR_BENCH_PICTURE_H

#include "grasp/image.h"

/* 1024 x 770 pixels, RGB: the size of the published demonstration, cut into all of 16 tiles. GR_ERR_MEM. */
gr_status gr_bench_picture(gr_image **out, gr_runtime *rt, gr_error *err);

#endif
