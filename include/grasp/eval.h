/* eval.h - benchmarks: a model asked, its answers scored as published.
 *
 * Multiple choice in GAR-Bench-VQA's form: a list of {image, mask_rles, question, choices, answer, type}.
 * Descriptions of regions of which everything is known: {image, mask_rles, truth}, docs/synth.md. */
#ifndef GRASP_EVAL_H
#define GRASP_EVAL_H

#include "grasp/model.h"

/* Names of the benchmarks there are: "gar-bench-vqa", "synth-bench", "synth-bench-cap", whose items are
 * described. NULL ends them. */
GR_API const char *gr_eval_benchmark(size_t i);

/* What follows the work; every member may be NULL. */
typedef struct {
    /* Before memory of its size is taken; false cancels. */
    bool (*announce)(void *user, size_t bytes);
    /* Items done and in all; often, also within one; false cancels. */
    bool (*progress)(void *user, uint64_t done, uint64_t total);
    /* An item that could not be asked, and why. It counts as wrong. */
    void (*failed)(void *user, size_t item, const char *image, const char *why);
    void *user;
} gr_eval_watch;

/* Begin with gr_eval_options_init; fields are only ever added at the end. */
typedef struct {
    size_t size; /* sizeof(gr_eval_options), set by init */
    const char *
        images; /* the folder that image paths begin in; NULL: "../annotations" beside the file, or its own */
    const char *journal; /* a file that gets every answer as it is given, so that a run that was stopped can
                            go on; NULL: none */
    bool resume;         /* answers of the journal are taken over */
    size_t limit;        /* items, spread evenly over the file; 0: all */
    bool free_text;     /* as published: the model says what it likes, and it counts where that is the letter;
                           else     its answer is one of the letters, and has a probability; descriptions are
                           free in any case */
    int max_tokens;     /* of a free answer; default 1024, as published, and as 'grasp describe' has it */
    int max_tiles;      /* 0: the model's */
    gr_profile profile; /* of the model, where has_profile */
    bool has_profile;
    gr_eval_watch watch;
} gr_eval_options;

GR_API void gr_eval_options_init(gr_eval_options *options);

typedef struct gr_evaluation gr_evaluation;

/* A category, or all together. */
typedef struct {
    const char *name; /* as the file's "type"; "overall" */
    size_t items;     /* that were to be asked */
    size_t answered;  /* the others count as wrong */
    size_t correct;
    double accuracy;  /* correct / items */
    double low, high; /* 95 % confidence interval (Wilson, 1927) */
    double chance;    /* what guessing gives */
    double
        probability; /* mean over answered items of that of the right answer; NaN where answers were free */
} gr_eval_row;

/* A kind of attribute, or all together: what descriptions state of it, and what they leave out. A relation
 * that is true and need not be stated makes a statement right, and is not missed where it is not stated. */
typedef struct {
    size_t size;      /* sizeof(gr_eval_statements), set by the caller */
    const char *name; /* "noun", "colour" (a second one is stated here, too), "second colour", "pattern",
                         "material", "entity", "relation", "overall" */
    size_t items;     /* that were to be described */
    size_t answered;  /* the others state nothing */
    size_t stated, stated_true;
    double precision;                     /* stated_true / stated; NaN: nothing is stated */
    double precision_low, precision_high; /* 95 % confidence intervals (Wilson, 1927) */
    size_t known, known_stated;           /* what is true and to be stated, and what of it is */
    double recall;                        /* known_stated / known; NaN: nothing is to be stated */
    double recall_low, recall_high;
} gr_eval_statements;

/* Asks all items of a file. `path` may be a folder that has the benchmark's file, under its own name.
 * `benchmark` is one of gr_eval_benchmark; where items are described, the model is asked as without a
 * question (session.h), always by the likeliest token, and gr_evaluation_statements has the rows. When
 * cancelled, *out holds what was answered so far, to be freed; after any other failure it is NULL. GR_ERR_IO,
 * GR_ERR_FORMAT: the file, or a journal of another run. GR_ERR_ARG, GR_ERR_LIMIT, GR_ERR_MEM,
 * GR_ERR_CANCELLED. */
GR_API gr_status gr_eval_vqa(gr_evaluation **out, gr_model *model, const char *benchmark, const char *path,
                             const gr_eval_options *options, gr_error *err);
/* Scores a file whose items have a "model_output". */
GR_API gr_status gr_eval_vqa_score(gr_evaluation **out, gr_runtime *rt, const char *benchmark,
                                   const char *path, gr_error *err);
GR_API void gr_evaluation_free(gr_evaluation *e); /* NULL is fine */

/* Row i: categories in the benchmark's order, those without items left out, "overall" last; false after it.
 */
GR_API bool gr_evaluation_row(const gr_evaluation *e, size_t i, gr_eval_row *row);
/* The same of descriptions: a row of every kind, "overall" last. Either function knows no row of the other's
 * benchmarks. */
GR_API bool gr_evaluation_statements(const gr_evaluation *e, size_t i, gr_eval_statements *row);
/* Writes the items of the run as the file has them, with "model_output" and, where there are,
 * "probabilities", or "statements" (how many of the description are true and false, how many were to be
 * stated and are missing). An item that could not be asked has an empty output and an "error" that says why,
 * so that scoring the file gives the same numbers. The file appears when it is whole. GR_ERR_IO. */
GR_API gr_status gr_evaluation_write(const gr_evaluation *e, const char *path, gr_error *err);

#endif
