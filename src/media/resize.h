/* resize.h - the two ways in which the published models change the size of a picture.
 *
 * Bicubic: torchvision's functional resize of uint8 tensors (antialias on): aten/src/ATen/native/cpu/
 * UpSampleKernel.cpp in float32, then clamped, rounded half to even. Keys' cubic with a = -0.5, widened by
 * the scale when shrinking, also used when enlarging (borders by renormalised weights). Taps are summed in
 * ascending order, horizontal pass first, float32 between the passes. Nearest: torch "nearest", which has no
 * half-pixel centre. It is not Pillow's. */
#ifndef GR_MEDIA_RESIZE_H
#define GR_MEDIA_RESIZE_H

#include <stddef.h>
#include <stdint.h>
#include "grasp/runtime.h"

/* The taps of one axis: output i is the sum over k < count[i] of weight[i * max_taps + k] * input[start[i] +
 * k]. */
typedef struct {
    int n_in, n_out, max_taps;
    int *start, *count; /* [n_out] */
    float *weight;      /* [n_out][max_taps] */
} gr_resize_axis;

/* GR_ERR_ARG: a length below 1. GR_ERR_MEM. */
gr_status gr_resize_axis_init(gr_resize_axis *axis, gr_runtime *rt, int n_in, int n_out, gr_error *err);
void gr_resize_axis_fini(gr_resize_axis *axis, gr_runtime *rt); /* an all-zero axis is fine */

/* out [out_h][out_w][channels] from in [in_h][in_w][channels], channels 1 to 4; they do not overlap. Working
 * memory is a band of rows a thread. The bits do not depend on the number of threads.
 * GR_ERR_ARG: a side below 1 or other channels. GR_ERR_MEM. */
gr_status gr_resize_bicubic(gr_runtime *rt, uint8_t *out, int out_w, int out_h, const uint8_t *in, int in_w,
                            int in_h, int channels, gr_error *err);

/* Bytes of that working memory, at most, for pictures up to seven times as high as the result. (Higher ones:
 * their 12 * in_h / out_h rows, where that is more than 288.) */
size_t gr_resize_bytes(int workers, int out_w, int channels);

/* The input that output i reads: min(floor(float32(i) * (float32(n_in) / float32(n_out))), n_in - 1). */
int gr_nearest_index(int i, int n_in, int n_out);

/* As gr_resize_bicubic, taking the nearest pixel on both axes; sides are at least 1, nothing is allocated. */
void gr_resize_nearest(uint8_t *out, int out_w, int out_h, const uint8_t *in, int in_w, int in_h,
                       int channels);

#endif
