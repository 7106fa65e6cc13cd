/* train.h - training runs: options, and the run itself. What a run writes and how it goes on is told in
 * docs/training.md. */
#ifndef GRASP_TRAIN_H
#define GRASP_TRAIN_H

#include <stdbool.h>
#include <stdint.h>
#include "grasp/runtime.h"

/* --- options ------------------------------------------------------------------------------------- */

typedef struct gr_training gr_training;

/* Every option has its default. Borrows the runtime. GR_ERR_MEM. */
GR_API gr_status gr_training_new(gr_training **out, gr_runtime *rt, gr_error *err);
GR_API void gr_training_free(gr_training *t); /* NULL is fine */

/* Takes the options of a JSON file over. GR_ERR_FORMAT: no JSON object; an option that there is not, is there
 * twice, or has a value of another kind or range. GR_ERR_IO, GR_ERR_MEM. */
GR_API gr_status gr_training_read(gr_training *t, const char *path, gr_error *err);
/* NAME=VALUE. GR_ERR_ARG, as above. */
GR_API gr_status gr_training_set(gr_training *t, const char *assignment, gr_error *err);
/* All options as a file that gr_training_read takes; with `table`, one line each, with where the value and
 * its default come from. Zero-terminated, valid until the next call. GR_ERR_MEM. */
GR_API gr_status gr_training_show(gr_training *t, bool table, const char **text, gr_error *err);

/* --- the run ------------------------------------------------------------------------------------- */

/* Bytes. */
typedef struct {
    size_t flat;    /* weights, gradients and two moments of what is trained */
    size_t frozen;  /* the other weights, prepared, and tables */
    size_t passes;  /* what one sample takes */
    size_t reading; /* buffers while weights are read; given back before those of `passes` are taken */
    size_t total;   /* at the most */
} gr_trainer_memory;

/* What a line of the log says; means since the line before. */
typedef struct {
    int64_t step, steps; /* done, and in all */
    uint32_t epoch;      /* of the last step, from 0 */
    double loss, lr, norm;
    double samples_per_s, tokens_per_s; /* tokens: rows of sequences */
    double wait_s;                      /* of a step, for samples */
    double eta_s;                       /* until the last step, at this pace */
    size_t peak_bytes;                  /* of the process */
} gr_train_record;

typedef struct {
    size_t size; /* sizeof(gr_train_outcome), set by the caller */
    int64_t step, steps;
    double loss;  /* of the last step; NaN: none was made */
    bool stopped; /* before the last step */
} gr_train_outcome;

/* What follows the work; every function may be NULL. */
typedef struct {
    size_t size;              /* sizeof(gr_train_watch), set by the caller */
    bool (*stop)(void *user); /* polled before each sample; true: the step is given up, save and end */
    /* Before memory is taken; false cancels. */
    bool (*announce)(void *user, const gr_trainer_memory *memory);
    /* What is loaded and all of it, in some unit; false cancels. */
    bool (*loading)(void *user, size_t done, size_t total);
    void (*record)(void *user, const gr_train_record *record);
    void (*validated)(void *user, int64_t step, double loss);
    void *user;
} gr_train_watch;

/* Runs to the end, or until it is stopped. `resume`: goes on from the newest checkpoint, and begins where
 * there is none. `watch` may be NULL.
 * GR_ERR_ARG: a size that this library does not know; options that do not go together; a folder that holds a
 * run already, unless `resume`; a run that was begun with other options or data. GR_ERR_LIMIT: more memory
 * than allowed; a loss or norm that is not finite: the last checkpoint stays. GR_ERR_FORMAT, GR_ERR_IO:
 * model, data, a full disk. GR_ERR_CANCELLED: while loading. */
GR_API gr_status gr_training_run(const gr_training *t, bool resume, const gr_train_watch *watch,
                                 gr_train_outcome *outcome, gr_error *err);

/* --- a picture of runs ---------------------------------------------------------------------------- */

#define GR_TRAINING_PLOT_RUNS 8

/* Draws loss, validation, learning rate and norm over the steps of 1 to GR_TRAINING_PLOT_RUNS runs, finished
 * or not: folders, or their logs. `out` ends in .svg, or, where this build has cairo, in .png or .pdf, and
 * appears when it is whole. GR_ERR_ARG: another ending, another number of runs. GR_ERR_UNSUPPORTED: no such
 * format in this build. GR_ERR_FORMAT: a log that is damaged, or has no loss yet. GR_ERR_IO, GR_ERR_LIMIT,
 * GR_ERR_MEM. */
GR_API gr_status gr_training_plot(gr_runtime *rt, const char *const *runs, size_t n_runs, const char *out,
                                  gr_error *err);

#endif
