/* dataset_state.h - what the JSON files of a data set folder say: the shards in state.json, the splits in
 * dataset_dict.json. */
#ifndef GR_DATASET_DATASET_STATE_H
#define GR_DATASET_DATASET_STATE_H

#include <stddef.h>
#include "grasp/error.h"
#include "grasp/runtime.h"

#define GR_DATASET_NAMES_MAX       16384
#define GR_DATASET_FINGERPRINT_MAX 64
#define GR_DATASET_PATH_MAX        4096

typedef struct {
    gr_runtime *rt;
    char **names; /* of shards, below the folder, or of splits; in order */
    size_t n_names, cap;
    char fingerprint[GR_DATASET_FINGERPRINT_MAX + 1]; /* of the shards, or "" */
} gr_dataset_state;

/* {"_data_files": [{"filename": "..."}, ...], "_fingerprint": "..."}: other keys are ignored. Names are
 * relative and without "..". `file` is for messages. On failure nothing is left to free. GR_ERR_FORMAT,
 * GR_ERR_LIMIT, GR_ERR_MEM.
 */
gr_status gr_dataset_state_parse(gr_dataset_state *s, gr_runtime *rt, const char *text, size_t n,
                                 const char *file, gr_error *err);
/* {"splits": ["train", ...]}, names of folders. */
gr_status gr_dataset_splits_parse(gr_dataset_state *s, gr_runtime *rt, const char *text, size_t n,
                                  const char *file, gr_error *err);
/* From an all-zero state on whose rt is set. GR_ERR_LIMIT, GR_ERR_MEM; the sentence leaves the file to the
 * caller. */
gr_status gr_dataset_state_add(gr_dataset_state *s, const char *name, gr_error *err);
void gr_dataset_state_fini(gr_dataset_state *s); /* an all-zero state is fine */

#endif
