/* new.h - new checkpoints with random weights, in the layout of the published ones. */
#ifndef GRASP_NEW_H
#define GRASP_NEW_H

#include <stdbool.h>
#include <stdint.h>
#include "grasp/dtype.h"
#include "grasp/runtime.h"

/* Names of the sizes there are: "gar-1b", "gar-8b" (as published), "gar-test" (small enough for tests),
 * "gar-small" (small enough to be trained on one processor). NULL ends them. */
GR_API const char *gr_new_preset(size_t i);

/* Begin with gr_new_options_init; fields are only ever added at the end. */
typedef struct {
    size_t size;           /* sizeof(gr_new_options), set by init */
    uint64_t seed;         /* every weight is a function of seed, tensor name and place */
    gr_dtype dtype;        /* of the stored weights: F32, BF16, F16; default GR_DTYPE_COUNT: the preset's */
    const char *tokenizer; /* tokenizer.json, or its folder, to copy; NULL: 256 bytes and the specials */
    uint64_t shard_bytes;  /* most bytes of weights in one file; default 0: 5 GB */
    /* Bytes of weights written and in all, several times a second; false cancels. May be NULL. */
    bool (*progress)(void *user, uint64_t done, uint64_t total);
    void *progress_user;
    bool for_training; /* weights of the scales that learning begins with; default: such that mistakes of an
                          implementation show */
    bool fit_vocab;    /* size of the vocabulary and special ids are the tokenizer's, not the preset's */
    /* What the folder states, as gr_profile_parse takes it, "paper" or "released,stop=config"; NULL: "paper"
     * with for_training, as the replay of the released code sees a corner of the picture, and else nothing.
     */
    const char *profile;
} gr_new_options;

GR_API void gr_new_options_init(gr_new_options *options);

/* The weights that gr_checkpoint_new would write. */
typedef struct {
    int tensors, files;
    int64_t parameters;
    uint64_t bytes;
    gr_dtype dtype;
} gr_new_size;

/* `options` may be NULL in both. GR_ERR_ARG: no such preset, or a type that weights cannot have. */
GR_API gr_status gr_new_measure(gr_new_size *size, gr_runtime *rt, const char *preset,
                                const gr_new_options *options, gr_error *err);

/* Makes `dir`, which must not exist or be empty; its parent must exist. The folder appears when it is
 * complete; on failure nothing is left behind. GR_ERR_ARG: also when something is in the way, or the
 * tokenizer does not have the ids of the preset. GR_ERR_IO: also when the disk has no room, which is asked
 * first. GR_ERR_CANCELLED. */
GR_API gr_status gr_checkpoint_new(gr_runtime *rt, const char *preset, const char *dir,
                                   const gr_new_options *options, gr_error *err);

/* Makes `dir` a GAR that begins with the Perception-LM in `base`, as the published training does: its weights
 * byte for byte, a mask embedding of zeros, and the tokens <Prompt0> to <Prompt4> and <NO_Prompt>, whose rows
 * are the mean of the others. Of `options`, which may be NULL, shard_bytes and progress count. The folder
 * appears when it is complete. GR_ERR_ARG: `base` is a GAR already, or its vocabulary is none that GAR can be
 * added to; something is in the way. GR_ERR_UNSUPPORTED: weights as Meta's own files have them.
 * GR_ERR_FORMAT, GR_ERR_IO, GR_ERR_MEM, GR_ERR_CANCELLED. */
GR_API gr_status gr_checkpoint_from_base(gr_runtime *rt, const char *base, const char *dir,
                                         const gr_new_options *options, gr_error *err);

#endif
