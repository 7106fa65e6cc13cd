/* conversation.h - what is asked and answered about a row of GAR's training data, as turns of a dialog.
 * Source: Grasp-Any-Region, projects/grasp_any_region/datasets/GraspAnyRegion_Dataset.py. Spec:
 * training-and-data.md 1.10.
 *
 *   plain     no masks: the conversation as it is; the whole picture belongs to one prompt, drawn
 *   caption   masks, and no <PromptK> in any text: answer i is the caption of mask i; the questions are made
 *   relation  masks, and texts that name them: the conversation as it is, its regions shown before it */
#ifndef GR_TRAIN_CONVERSATION_H
#define GR_TRAIN_CONVERSATION_H

#include "dataset/draws.h"
#include "dataset/record.h"
#include "model/gar_prompt.h"
#include "train/skip.h"

typedef enum { GR_ROW_PLAIN, GR_ROW_CAPTION, GR_ROW_RELATION } gr_row_class;

/* Decided by the record alone. */
gr_row_class gr_row_class_of(const gr_record *r);

typedef struct {
    int n_prompts; /* K: <Prompt0> to <PromptK-1> are the model's; 0: a base model, plain rows only */
    gr_extra_prompts extra; /* relation rows that name more: dropped, or as the switch says */
    bool augment;           /* questions are drawn (question.h); else one fixed sentence */
    double negative_rate; /* before each caption but the first, once a row: a question about nothing; 0.05 */
} gr_conversation_rules;

/* The rules of both published configurations. */
void gr_conversation_rules_init(gr_conversation_rules *rules, int n_prompts);

/* Texts are the record's, or lie in the arena. */
typedef struct {
    gr_row_class kind;
    gr_gar_turn *turns;
    int n_turns;
    /* In the order in which they are shown and painted; region i is region of[i] of the record. */
    gr_gar_region regions[GR_MAX_PROMPTS];
    int of[GR_MAX_PROMPTS];
    int n_regions;
    int whole; /* the prompt of the whole picture, plain rows only; else -1 */
} gr_conversation;

/* A failure that is the row's own sets *skip; another (GR_ERR_MEM) leaves it GR_SKIP_NONE.
 * A caption row uses its first min(masks, K - 1) masks, in their order, with prompts in an order that is
 * drawn. A relation row's region N is its mask N; regions are shown by ascending N. */
gr_status gr_conversation_make(gr_conversation *c, gr_arena *arena, const gr_record *r,
                               const gr_conversation_rules *rules, gr_draws *draws, gr_skip *skip,
                               gr_error *err);

#endif
