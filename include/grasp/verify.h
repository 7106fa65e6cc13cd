/* verify.h - whether a model folder is what it should be: by itself, and against published outputs.
 *
 * What no file states (which of two behaviours the weights were trained for) is found by running both and
 * comparing with texts that were published together with the code. */
#ifndef GRASP_VERIFY_H
#define GRASP_VERIFY_H

#include "grasp/model.h"

/* --- a folder by itself -------------------------------------------------------------------------- */

/* One thing that was checked. Texts are valid during the call. */
typedef struct {
    const char *name; /* "tensors", "values", "tokens", "clean-up", "canvas", "prompt" */
    bool good;
    const char *says; /* a sentence: what was found, or what is wrong */
} gr_check;

/* What follows the work; every member may be NULL. */
typedef struct {
    void (*check)(void *user, const gr_check *check);
    /* Parts done and in all, often; false cancels. */
    bool (*progress)(void *user, uint64_t done, uint64_t total);
    /* An item that was left out, and why. */
    void (*skipped)(void *user, const char *item, const char *why);
    void *user;
} gr_verify_watch;

/* Checks what needs no outputs: tensors (names and shapes were checked by gr_model_open), every stored value,
 * special tokens, tokenizer settings, worked examples of the canvas and of a prompt. Goes through the whole
 * file once. GR_OK when all is good. GR_ERR_FORMAT: something is not; the first sentence. GR_ERR_CANCELLED.
 */
GR_API gr_status gr_verify_model(const gr_model *model, const gr_verify_watch *watch, gr_error *err);

/* --- against published outputs ------------------------------------------------------------------- */

/* Begin with gr_verify_options_init; fields are only ever added at the end. */
typedef struct {
    size_t size;        /* sizeof(gr_verify_options), set by init */
    const char *images; /* the folder that the items' image paths begin in; NULL: "../annotations" beside the
                           file when it is there, else the file's own */
    /* "all", or NAME=VALUE,...: a switch of the profile or max_tiles (1..64, or config), which then takes
     * only the values that are listed. Where nothing is listed, roi_mode, double_bos and mask_resample take
     * both values, max_tiles the model's and 16, and the others what is published (extra_prompts: released).
     */
    const char *grid;
    size_t limit;   /* items; those with fewest regions come first. 0: all */
    int max_tokens; /* of an answer; default 1024, as published */
    gr_verify_watch watch;
} gr_verify_options;

GR_API void gr_verify_options_init(gr_verify_options *options);

typedef struct gr_verification gr_verification;

/* One combination of the grid. */
typedef struct {
    const char *name; /* "roi_mode=paper double_bos=on ...": what differs between combinations */
    gr_profile profile;
    int max_tiles;
    size_t identical; /* texts that are the published ones, byte for byte */
    double prefix;    /* mean share of a published text that the answer begins with, 0..1 */
    bool best;        /* no other has more identical texts, or as many and a larger share; none is where
                       * nothing was reproduced */
} gr_verify_row;

typedef struct {
    size_t size;     /* sizeof(gr_verify_summary), set by the caller */
    size_t items;    /* chosen from the file */
    size_t compared; /* run under every combination */
    size_t skipped;  /* left out: pictures that are missing, regions that cannot be used */
    size_t rows;     /* combinations */
    size_t answers;  /* that were generated; combinations that come to the same prompt and masks share one */
} gr_verify_summary;

/* Runs the items of `path`, a published file (GAR-Bench's model_outputs/gar_*.json), under every combination.
 * An answer is given up where it has left the published text for good. When cancelled, *out holds what was
 * compared so far, to be freed; after any other failure it is NULL.
 * GR_ERR_IO, GR_ERR_FORMAT: the file; GR_ERR_IO: no item could be run, with the first reason. GR_ERR_ARG: the
 * grid. GR_ERR_LIMIT, GR_ERR_MEM, GR_ERR_CANCELLED. */
GR_API gr_status gr_verify_outputs(gr_verification **out, gr_model *model, const char *path,
                                   const gr_verify_options *options, gr_error *err);
GR_API void gr_verification_free(gr_verification *v); /* NULL is fine */

GR_API const gr_verify_row *gr_verification_row(const gr_verification *v, size_t i); /* NULL after the last */
GR_API gr_status gr_verification_summary(const gr_verification *v, gr_verify_summary *out, gr_error *err);

#endif
