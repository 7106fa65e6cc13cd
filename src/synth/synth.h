/* synth.h - rows of training data from the synthetic world: a number makes a record, on the fly or for a
 * file.
 *
 * Row `index` of (seed, split) is the scene of that number with a conversation about it: descriptions of up
 * to four regions (what a model of five prompts learns of one picture), or one to four questions about one to
 * five. A scene that has nothing to be asked is replaced by the one 2^48 further on. */
#ifndef GR_SYNTH_SYNTH_H
#define GR_SYNTH_SYNTH_H

#include "dataset/record.h"
#include "grasp/image.h"
#include "synth/compose.h"
#include "synth/paint.h"
#include "synth/question.h"

typedef enum {
    GR_SYNTH_PNG,
    GR_SYNTH_PPM,       /* not compressed: read again in no time */
    GR_SYNTH_NO_PICTURE /* the record has none; gr_synth_picture gives it */
} gr_synth_picture_form;

/* Begin with gr_synth_rules_init. */
typedef struct {
    uint64_t seed;
    gr_split split;
    const char *font; /* NULL: where the system keeps it */
    gr_synth_picture_form picture;
    double captions; /* part of the rows that are descriptions */
} gr_synth_rules;

void gr_synth_rules_init(gr_synth_rules *rules);

typedef struct gr_synth gr_synth;

/* For one thread at a time. Errors are those of gr_painter_new. */
gr_status gr_synth_new(gr_synth **out, gr_runtime *rt, const gr_synth_rules *rules, gr_error *err);
void gr_synth_free(gr_synth *y); /* NULL is fine */

/* Row `index` < 2^48 into a record, which is cleared first. GR_ERR_MEM, and what painting may say. */
gr_status gr_synth_record(gr_synth *y, uint64_t index, gr_record *out, gr_error *err);

/* Of the last record or scene; valid until the next. */
const gr_image *gr_synth_picture(const gr_synth *y);
const gr_scene *gr_synth_scene(const gr_synth *y);
/* Objects of the regions of the last record. */
const int *gr_synth_shown(const gr_synth *y, int *n);

/* --- pieces, for the benchmark and for tests ----------------------------------------------------------- */

/* Composes and paints scene `index`; `options` as of gr_scene_compose_as. */
gr_status gr_synth_paint(gr_synth *y, uint64_t index, const gr_compose_options *options, gr_error *err);
/* The draws of what is said about scene `index`; `use` tells several things about it apart. */
gr_draws gr_synth_draws(const gr_synth *y, uint64_t index, uint32_t use);
/* Appends the compressed run lengths of an object's mask. */
gr_status gr_synth_mask(gr_synth *y, int object, gr_buf *out, gr_error *err);
/* The picture as a PNG or PPM file in memory. */
gr_status gr_synth_encode(gr_synth *y, gr_synth_picture_form form, gr_buf *out, gr_error *err);

#endif
