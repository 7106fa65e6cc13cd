/* train_run.h - a whole training run: steps over the epochs, validation, a log, checkpoints, going on.
 *
 * A run is a folder (train_config.h, output): log.jsonl, a line for every record, and checkpoints
 * (snapshot.h). A file STOP in it, or the caller's `stop`, ends the run before its next sample (the step is
 * given up), with a checkpoint. What it computes depends on model, options and data alone, not on threads,
 * nor on where it was stopped and went on. Of several ranks (ranks.h) the first writes the log and the
 * checkpoints, which the others read when they go on, so the folder has to be one for all. */
#ifndef GR_TRAIN_TRAIN_RUN_H
#define GR_TRAIN_TRAIN_RUN_H

#include "grasp/train.h"
#include "train/train_config.h"
#include "train/trainer.h"

typedef struct {
    const gr_train_source *data, *validation; /* validation: NULL: none */
    gr_ranks ranks;           /* all zero: one process; else `data` has this rank's elements alone */
    bool resume;              /* go on from the newest checkpoint; begin where there is none */
    bool (*stop)(void *user); /* polled after each step; true: save and end */
    /* Before memory is taken; false cancels. */
    bool (*announce)(void *user, const gr_trainer_memory *memory);
    bool (*loading)(void *user, size_t done, size_t total); /* as gr_trainer_load */
    void (*record)(void *user, const gr_train_record *record);
    void (*validated)(void *user, int64_t step, double loss);
    void *user; /* any of the functions may be NULL */
} gr_train_job;

/* GR_ERR_ARG: options that do not go together; a folder that holds a run already, unless `resume`; a run that
 * was begun with other options or other data. GR_ERR_LIMIT: more memory than allowed; a loss or norm that is
 * not finite: the last checkpoint stays. GR_ERR_IO: the disk is full, ... GR_ERR_CANCELLED: while loading.
 * Others as gr_trainer_open and the source have. */
gr_status gr_train_run(gr_runtime *rt, const gr_train_config *config, const gr_train_job *job,
                       gr_train_outcome *outcome, gr_error *err);

#endif
