/* reference.h - published outputs: what was asked about which regions of which picture, and what a model
 * answered.
 *
 * The files are GAR-Bench's model_outputs/gar_*.json: a list of annotations with a "model_output" each. The
 * kind of an item shows in its keys, and the question is put together as the published script of that kind
 * does it (evaluation/GAR-Bench/inference.py):
 *   "choices"       multiple choice: "Question: ...\nOptions:\n...\nAnswer with ..."
 *   "question"      the question as it is
 *   "subject_name"  "Describe <Prompt0> in detail, including the relationship with <Prompt1>."
 *   "truth"         no text: the published instruction that describes one region. What is true is for
 *                   caption.h to read; this file keeps where it stands. */
#ifndef GR_EVAL_REFERENCE_H
#define GR_EVAL_REFERENCE_H

#include "base/buf.h"
#include "grasp/region.h"

#define GR_REFERENCE_MAX_BYTES ((size_t)1 << 30)
#define GR_REFERENCE_MAX_ITEMS 1000000

typedef struct {
    size_t number;       /* its place in the file, from 0 */
    char *image;         /* path as written, usually "images/NAME" beside the annotations */
    char *text;          /* what was asked; <PromptK> is mask K */
    char *output;        /* NULL: it has none */
    char *answer, *type; /* of multiple choice: its letter, its category; NULL where the item states none */
    size_t n_choices;    /* 0: a free question */
    bool failed;         /* it has an "error": it was asked in vain, and its output is none */
    size_t begin, end;   /* bytes of the item in the file */
    size_t truth_begin, truth_end; /* of its "truth"; both 0: it has none, or it was not wanted */
    gr_region_spec **regions;      /* mask K is <PromptK> */
    int n_regions;
} gr_reference_item;

typedef struct {
    gr_runtime *rt;
    gr_reference_item *items;
    size_t n, capacity;
} gr_reference;

/* GR_ERR_IO, GR_ERR_LIMIT, GR_ERR_MEM; GR_ERR_FORMAT: with line and column, or item. On failure there is
 * nothing to release. */
gr_status gr_reference_open(gr_reference *r, gr_runtime *rt, const char *path, gr_error *err);
/* Annotations in memory, with outputs or without. */
gr_status gr_reference_parse_questions(gr_reference *r, gr_runtime *rt, const char *json, size_t n,
                                       const char *name, gr_error *err);
/* Regions to be described, each with a "truth", with outputs or without. */
gr_status gr_reference_parse_truths(gr_reference *r, gr_runtime *rt, const char *json, size_t n,
                                    const char *name, gr_error *err);
/* The same as gr_reference_open from memory, which is not needed afterwards; `name` is for messages. */
gr_status gr_reference_parse(gr_reference *r, gr_runtime *rt, const char *json, size_t n, const char *name,
                             gr_error *err);
void gr_reference_fini(gr_reference *r); /* all-zero is fine */

#endif
