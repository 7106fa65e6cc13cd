/* train_log.h - the log of a run (docs/training-runs.md), read back: what was measured at which step.
 *
 * Lines are JSON objects with a `step`; those with a `loss` are records, with a `validation_loss`
 * validations, with an `event` events; others, and members that are not named here, are passed over. Steps
 * ascend: a line that says a step was made again, or that a run goes on from an earlier one, takes the place
 * of what the log had of it and of later ones. A value that is no number there (null) is a NaN.
 *
 * A log may be read while it is written: a last line without its end counts where it is whole. Where a run
 * was killed in the middle of a line and went on, its first event stands behind that half line; the event is
 * taken, the half line not. */
#ifndef GR_TRAIN_TRAIN_LOG_H
#define GR_TRAIN_TRAIN_LOG_H

#include "base/source.h"

#define GR_TRAIN_LOG_NAME       "log.jsonl" /* in the folder of the run */
#define GR_TRAIN_LOG_LINE_MAX   ((size_t)128 << 10)
#define GR_TRAIN_LOG_POINTS_MAX ((size_t)4 << 20) /* records, and validations */

typedef struct {
    double step, loss, lr, norm;
} gr_log_record;

typedef struct {
    double step, loss;
} gr_log_validation;

typedef struct {
    gr_log_record *at;
    size_t n, capacity;
} gr_log_records;

typedef struct {
    gr_log_validation *at;
    size_t n, capacity;
} gr_log_validations;

typedef struct {
    double *at;
    size_t n, capacity;
} gr_log_steps;

typedef enum {
    GR_LOG_NO_EVENT,
    GR_LOG_BEGUN,
    GR_LOG_RESUMED,
    GR_LOG_STOPPED,
    GR_LOG_FINISHED,
    GR_LOG_FAILED
} gr_log_event;

typedef struct {
    gr_runtime *rt;
    gr_log_records records;
    gr_log_validations validations;
    gr_log_steps resumed; /* where the run went on; ascending, each once */
    gr_log_event event;   /* the last one */
    double step;          /* of the last line that counts */
    char says[256];       /* of a run that failed: why, perhaps cut; else empty */
} gr_train_log;

/* Reads all of the source; `name` is for messages. On failure there is nothing to free. GR_ERR_FORMAT: a line
 * is no JSON object, or lacks its step, or has one member twice; with the line's number. GR_ERR_LIMIT: a line
 * or the log is too long. GR_ERR_IO, GR_ERR_MEM. */
gr_status gr_train_log_read(gr_train_log *log, gr_runtime *rt, const gr_source *from, const char *name,
                            gr_error *err);
void gr_train_log_free(gr_train_log *log); /* an all-zero one is fine */

#endif
