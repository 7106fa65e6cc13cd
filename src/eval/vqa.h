/* vqa.h - benchmarks: items, answers, scores of multiple choice. What a model says comes from vqa_run.c; how
 * descriptions are scored, which share all the rest, is in caption.h. */
#ifndef GR_EVAL_VQA_H
#define GR_EVAL_VQA_H

#include "eval/reference.h"
#include "grasp/eval.h"
#include "io/json.h"

#define GR_VQA_LETTERS 26

typedef struct {
    char *output;                       /* NULL: it was not answered */
    char *why;                          /* it could not be; NULL: it was, or was not tried */
    double probability[GR_VQA_LETTERS]; /* of each choice, where answers are letters */
    bool chosen;                        /* is part of the run: see gr_eval_options.limit */
} gr_vqa_answer;

struct gr_evaluation {
    gr_runtime *rt;
    const char *benchmark;
    char *path; /* of the file; NULL: it came from memory */
    char *
        run; /* what else decides the answers, in words: journals of another run are refused; NULL: nothing */
    char *text; /* of the file */
    size_t n_text;
    gr_reference items;
    gr_vqa_answer *answers; /* [items.n] */
    bool has_probabilities;
    bool describes;     /* items have a "truth" and no choices */
    const char **types; /* in the order of the rows */
    size_t n_types;
};

/* Reads the items, of a file or of a folder that has the benchmark's own. GR_ERR_ARG: no such benchmark.
 * GR_ERR_FORMAT: an item without choices or answer, or with an answer that is none of the letters; of
 * descriptions, what gr_caption_check refuses. */
gr_status gr_vqa_open(gr_evaluation **out, gr_runtime *rt, const char *benchmark, const char *path,
                      gr_error *err);
/* The same from memory, which is copied; `name` is for messages. */
gr_status gr_vqa_parse(gr_evaluation **out, gr_runtime *rt, const char *benchmark, const char *json, size_t n,
                       const char *name, gr_error *err);

/* Whether an answer is right: equal but for the case of letters, and nothing else is
 * (evaluation/GAR-Bench/eval.py). */
bool gr_vqa_right(const char *output, const char *answer);

/* "model_output" and, where there are, "probabilities", as members of an object. */
void gr_vqa_put_answer(gr_json_writer *w, const gr_evaluation *e, size_t i);

/* --- the journal: a line that says of what run, then one for each answer -------------------------------- */

/* Appends the first line. */
gr_status gr_vqa_journal_begin(const gr_evaluation *e, gr_buf *out, gr_error *err);

/* Appends the line of item i. GR_ERR_MEM: the buffer. */
gr_status gr_vqa_journal_line(const gr_evaluation *e, size_t i, gr_buf *out, gr_error *err);
/* Takes the answers of a journal over; a last line that was cut is passed over. GR_ERR_FORMAT: it is none, or
 * of other items. */
gr_status gr_vqa_journal_parse(gr_evaluation *e, const char *text, size_t n, const char *name, gr_error *err);

#endif
