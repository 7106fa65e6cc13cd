/* gar_markers.h - the special ids GAR's prompts are made of, by their names in the vocabulary. */
#ifndef GR_MODEL_GAR_MARKERS_H
#define GR_MODEL_GAR_MARKERS_H

#include <stddef.h>
#include <stdint.h>
#include "grasp/error.h"
#include "model/gar_config.h"
#include "text/tokenizer.h"

/* The ids the templates are made of. */
typedef struct {
    int32_t bos, start_header, end_header, eot, image;
    int n_prompts;
    int32_t prompt[GR_MAX_PROMPTS]; /* <PromptK>; -1 in a base model, which knows no regions */
    /* What the rows of a region of prompt K carry as their id. From n_prompts on these are tokens that the
     * model was not trained with, by the name that continues the published row; -1: no such token. */
    int32_t crop[GR_MAX_PROMPTS];
} gr_gar_markers;

/* GR_ERR_FORMAT: a token is missing, or config and tokenizer give different ids. */
gr_status gr_gar_markers_init(gr_gar_markers *m, const gr_gar_config *c, const gr_tokenizer *t,
                              gr_error *err);

/* Marks the rows a model learns to give: supervised[i] = 1 for the tokens of every answer, its <|eot_id|>
 * included, else 0. An answer without its <|eot_id|> ends the search. ids[0..n) are rows of gr_prompt_rows.
 */
gr_status gr_gar_supervise(const gr_gar_markers *m, const gr_tokenizer *t, const int32_t *ids, size_t n,
                           uint8_t *supervised, gr_error *err);

#endif
