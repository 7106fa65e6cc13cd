/* question.h - the question to a caption: one of thirty templates, often with the length that is wanted.
 * Source: Grasp-Any-Region, projects/grasp_any_region/datasets (the templates verbatim, in their order). */
#ifndef GR_TRAIN_QUESTION_H
#define GR_TRAIN_QUESTION_H

#include <stdbool.h>
#include <stddef.h>
#include "base/buf.h"
#include "dataset/draws.h"

#define GR_QUESTION_TEMPLATES 30
#define GR_QUESTION_SUFFIXED  15 /* the first ones take a suffix, where they say {prompt_suffix} */

const char *gr_question_template(int i);

/* Appends a question to the caption. With r in [0, 1): r < 0.6, any template, "in detail"; up to 0.8, one of
 * the first fifteen, with the caption's number of sentences; else with its number of words, of ten and more
 * rounded to tens, half to even. False: the buffer failed. */
bool gr_question_add(gr_buf *out, const char *caption, size_t n, gr_draws *draws);

/* Words are what white space parts; sentences what . ! and ? part, the blank ones not counted. */
size_t gr_count_words(const char *text, size_t n);
size_t gr_count_sentences(const char *text, size_t n);

#endif
