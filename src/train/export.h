/* export.h - a model in training as a folder in the published layout, which everything that reads a GAR can
 * open: configuration, tokenizer and the code files of the source, all weights, with adapters merged into
 * those they belong to. */
#ifndef GR_TRAIN_EXPORT_H
#define GR_TRAIN_EXPORT_H

#include "train/trainer.h"

typedef struct {
    gr_dtype dtype;       /* F32, BF16 or F16 */
    uint64_t shard_bytes; /* most bytes of weights in one file; 0: as published, 5 GB */
    bool replaces;        /* what stands at `dir` is replaced once the new folder is complete */
    bool (*progress)(void *user, uint64_t done, uint64_t total); /* bytes; false cancels; may be NULL */
    void *user;
} gr_export_options;

/* Makes `dir`, which must not exist or be empty unless `replaces`; its parent must exist. The folder appears
 * when it is complete; on failure nothing is left behind. GR_ERR_ARG, GR_ERR_IO (the disk has no room),
 * GR_ERR_CANCELLED. */
gr_status gr_export(const gr_trainer *t, const char *dir, const gr_export_options *o, gr_error *err);

#endif
