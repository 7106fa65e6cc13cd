/* train_run.h - a whole training run: steps over the epochs, validation, a log, checkpoints, going on.
 *
 * A run is a folder (train_config.h, output): log.jsonl, a line for every record, and checkpoints
 * (snapshot.h). A file STOP in it, or the caller's `stop`, ends the run after the step that is being made,
 * with a checkpoint. What it computes depends on model, options and data alone, not on threads, nor on where
 * it was stopped and went on. */
#ifndef GR_TRAIN_TRAIN_RUN_H
#define GR_TRAIN_TRAIN_RUN_H

#include "train/train_config.h"
#include "train/trainer.h"

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
    const gr_train_source *data, *validation; /* validation: NULL: none */
    bool resume;              /* go on from the newest checkpoint; begin where there is none */
    bool (*stop)(void *user); /* polled after each step; true: save and end */
    /* Before memory is taken; false cancels. */
    bool (*announce)(void *user, const gr_trainer_memory *memory);
    bool (*loading)(void *user, size_t done, size_t total); /* as gr_trainer_load */
    void (*record)(void *user, const gr_train_record *record);
    void (*validated)(void *user, int64_t step, double loss);
    void *user; /* any of the functions may be NULL */
} gr_train_job;

typedef struct {
    int64_t step, steps;
    double loss;  /* of the last step; NaN: none was made */
    bool stopped; /* before the last step */
} gr_train_outcome;

/* GR_ERR_ARG: options that do not go together; a folder that holds a run already, unless `resume`; a run that
 * was begun with other options or other data. GR_ERR_LIMIT: more memory than allowed; a loss or norm that is
 * not finite: the last checkpoint stays. GR_ERR_IO: the disk is full, ... GR_ERR_CANCELLED: while loading.
 * Others as gr_trainer_open and the source have. */
gr_status gr_train_run(gr_runtime *rt, const gr_train_config *config, const gr_train_job *job,
                       gr_train_outcome *outcome, gr_error *err);

#endif
