/* synth_scene.h - the scenes behind rows (synth.h), for benchmarks and tests. */
#ifndef GR_SYNTH_SYNTH_SCENE_H
#define GR_SYNTH_SYNTH_SCENE_H

#include "base/buf.h"
#include "synth/compose.h"
#include "synth/question.h"
#include "synth/synth.h"

/* Composes and paints scene `index`; `options` as of gr_scene_compose_as. */
gr_status gr_synth_paint(gr_synth *y, uint64_t index, const gr_compose_options *options, gr_error *err);
/* Of the last row or scene; valid until the next. */
const gr_scene *gr_synth_scene(const gr_synth *y);
/* Objects of the regions of the last row, which were `n`. */
const int *gr_synth_shown(const gr_synth *y, int *n);
/* The draws of what is said about scene `index`; `use` tells several things about it apart. */
gr_draws gr_synth_draws(const gr_synth *y, uint64_t index, uint32_t use);
/* Appends the compressed run lengths of an object's mask. */
gr_status gr_synth_mask(gr_synth *y, int object, gr_buf *out, gr_error *err);
/* Appends the picture as a PNG or PPM file. */
gr_status gr_synth_encode(gr_synth *y, gr_synth_picture_form form, gr_buf *out, gr_error *err);

#endif
