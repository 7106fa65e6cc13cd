/* snapshot.h - the checkpoints of a run: folders RUN/ckpt-000005000 (training-and-data.md 2.5).
 *
 *   model/   the trained weights as safetensors, published names; adapters, with peft's names
 *   optim/   rank-00000-of-00001.bin: f32 weights and moments (moments_file.h)
 *   state.json  where the run is, and which adapters there are (lora_state.h)
 *   DONE     written last: {"files": {NAME: XXH64 of the file as 16 hex digits}} of every other file
 *
 * A folder is made beside its name, synced, renamed, and then gets its DONE. One that is killed while it is
 * saved is a .tmp, or has no DONE, and is never read. */
#ifndef GR_TRAIN_SNAPSHOT_H
#define GR_TRAIN_SNAPSHOT_H

#include "train/trainer.h"

#define GR_SNAPSHOT_CONFIG_MAX ((size_t)1 << 20)

/* What state.json holds. */
typedef struct {
    int64_t step;      /* of the optimiser; names the folder */
    int64_t iteration; /* samples that were learnt from */
    uint32_t epoch;
    uint64_t cursor; /* groups of `accumulation` samples that the epoch has given */
    uint64_t seed;
    int world, accumulation;
    gr_schedule schedule;
    uint64_t fingerprint; /* of the data */
    char order[32];       /* how they are ordered */
    double wall_s;        /* that the run took so far */
    gr_buf config;        /* JSON: the configuration of the run. Owned: gr_snapshot_state_fini */
} gr_snapshot_state;

void gr_snapshot_state_init(gr_snapshot_state *s, gr_runtime *rt);
void gr_snapshot_state_fini(gr_snapshot_state *s);

/* Saves under `run`, which exists; `dtype` is that of model/. Then removes what is older than the newest
 * `keep` >= 1 complete ones, and what killed saves left. A failure leaves the ones there were.
 * GR_ERR_IO: the disk is full, ... */
gr_status gr_snapshot_save(const char *run, const gr_trainer *t, const gr_snapshot_state *s, gr_dtype dtype,
                           int keep, gr_error *err);

/* Step of the newest folder that says it is complete; -1: there is none. Nothing else is looked at. */
int64_t gr_snapshot_newest(const char *run);

/* Loads the newest one whose files have their checksums; one that has not is named by a warning of the log,
 * and the one before is taken. `t` is loaded (gr_trainer_load). GR_ERR_IO: there is none; with the reason of
 * the newest. GR_ERR_ARG: it is of other adapters than `t` has; nothing is loaded. After a failure the
 * weights of `t` may be anything. */
gr_status gr_snapshot_load(gr_trainer *t, gr_snapshot_state *s, const char *run, gr_error *err);

#endif
