/* synth.h - rows of training data from the synthetic world: a number makes a record, on the fly or for a
 * file.
 *
 * Row `index` of (seed, split) is the scene of that number with a conversation about it: descriptions of up
 * to four regions (what a model of five prompts learns of one picture), or one to four questions about one to
 * five, or says of as many regions as can be what they
 * are and look like, in a few words, which teaches looking before talking. A scene that has
 * nothing to be asked is replaced by the one 2^48 further on. */
#ifndef GR_SYNTH_SYNTH_H
#define GR_SYNTH_SYNTH_H

#include "dataset/record.h"
#include "grasp/image.h"

typedef enum {
    GR_SYNTH_PNG,
    GR_SYNTH_PPM,       /* not compressed: read again in no time */
    GR_SYNTH_NO_PICTURE /* the record has none; gr_synth_picture gives it */
} gr_synth_picture_form;

/* Begin with gr_synth_rules_init. */
typedef struct {
    uint64_t seed;
    int split;        /* gr_split of compose.h: 0 train, 1 validation, 2 test */
    const char *font; /* NULL: where the system keeps it */
    gr_synth_picture_form picture;
    double captions; /* part of the rows that are descriptions */
    double closeups; /* part of all rows that show one object large, and name it */
    double looking;  /* of the others: those that say in a few words what many regions are and look like */
    bool choices;    /* questions are asked with options, and those that have none are not asked */
} gr_synth_rules;

void gr_synth_rules_init(gr_synth_rules *rules);

typedef struct gr_synth gr_synth;

/* For one thread at a time. Errors are those of gr_painter_new. */
gr_status gr_synth_new(gr_synth **out, gr_runtime *rt, const gr_synth_rules *rules, gr_error *err);
void gr_synth_free(gr_synth *y); /* NULL is fine */

/* Row `index` < 2^48 into a record, which is cleared first. GR_ERR_MEM, and what painting may say. */
gr_status gr_synth_record(gr_synth *y, uint64_t index, gr_record *out, gr_error *err);

/* The picture of the last record, decoded; valid until the next. */
const gr_image *gr_synth_picture(const gr_synth *y);

#endif
