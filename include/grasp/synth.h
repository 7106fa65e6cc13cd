/* synth.h - synthetic pictures of which everything is known, with descriptions of regions, questions and
 * answers: as training rows, and as a benchmark. What there is to see is told in docs/synth.md. */
#ifndef GRASP_SYNTH_H
#define GRASP_SYNTH_H

#include <stdbool.h>
#include <stdint.h>
#include "grasp/runtime.h"

typedef enum {
    GR_SYNTH_ARROW, /* a data set as huggingface/datasets saves it */
    GR_SYNTH_JSONL, /* rows.jsonl, and a folder of pictures beside it */
    GR_SYNTH_BENCH, /* synth-bench.json and synth-bench-cap.json in the shape of GAR-Bench, and pictures */
    GR_SYNTH_TEXTS  /* texts.txt: all that a model reads and says of the rows, to learn a vocabulary from */
} gr_synth_form;

/* Begin with gr_synth_options_init; fields are only ever added at the end. */
typedef struct {
    size_t size; /* sizeof(gr_synth_options), set by init */
    uint64_t seed;
    uint64_t count; /* rows; of a benchmark, items of each category and descriptions; 1..2^32, default 1000 */
    const char *split;  /* "train", "validation", "test"; default NULL: "train", of a benchmark "test" */
    gr_synth_form form; /* default GR_SYNTH_ARROW */
    const char *font;   /* the font of things; NULL: where the system keeps it */
    const char *sheet;  /* a PNG of the first scenes to look at; NULL: none */
    bool nothing_else;  /* the sheet alone: `out` is not used */
    double captions;    /* part of the rows that are descriptions; 0..1, default 0.4 */
    /* Rows or items done and in all, from the calling thread; false cancels. May be NULL. */
    bool (*progress)(void *user, uint64_t done, uint64_t total);
    void *progress_user;
    /* Part of the rows that do not describe: those that say of many regions what they look like; 0..1,
     * default 0.15. */
    double looking;
    /* Part of all rows that show one object large, and name it; 0..1, default 0. */
    double closeups;
} gr_synth_options;

GR_API void gr_synth_options_init(gr_synth_options *options);

typedef struct {
    size_t size;                             /* sizeof(gr_synth_written), set by the caller */
    uint64_t rows, captions, turns, regions; /* of a benchmark, rows are items and `captions` descriptions */
} gr_synth_written;

/* Makes the folder `out`, which must not exist or be empty; it appears when it is complete, and on failure
 * nothing is left behind. Equal options give equal files, whatever the number of threads. `written` may be
 * NULL.
 * GR_ERR_ARG: an option out of range, something in the way. GR_ERR_UNSUPPORTED: this build cannot paint.
 * GR_ERR_LIMIT: the scenes give too few items of a category. GR_ERR_IO: also when there is no font.
 * GR_ERR_MEM, GR_ERR_CANCELLED. */
GR_API gr_status gr_synth_write(gr_runtime *rt, const char *out, const gr_synth_options *options,
                                gr_synth_written *written, gr_error *err);

#endif
