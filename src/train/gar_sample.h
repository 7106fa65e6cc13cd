/* gar_sample.h - a row of a data set becomes what a training step takes: rows of tokens and features, labels,
 * tiles, masks, boxes. What a request of the engine comes to, made by the same code, and the labels.
 *
 * A sample depends on the record, the rules and the draws alone. */
#ifndef GR_TRAIN_GAR_SAMPLE_H
#define GR_TRAIN_GAR_SAMPLE_H

#include "grasp/profile.h"
#include "model/gar_markers.h"
#include "region/tiles.h"
#include "text/ids.h"
#include "train/conversation.h"
#include "train/row_picture.h"

#define GR_LABEL_NONE (-100) /* of rows that are not learnt, as in the published code */

/* Everything is borrowed. Begin with gr_gar_sample_rules_init. */
typedef struct {
    const gr_gar_config *config;
    const gr_gar_markers *markers;
    const gr_tokenizer *tokenizer;
    gr_profile profile; /* training has one begin-of-text token and a region's own box, whatever it says */
    gr_conversation_rules conversation;
    const char *system; /* NULL: the published sentence */
    int max_tiles;      /* 0: the configuration's */
    size_t max_rows;    /* of a sample; published (and not applied there): 16384 */
    gr_row_picture_rules picture;
} gr_gar_sample_rules;

void gr_gar_sample_rules_init(gr_gar_sample_rules *rules, const gr_gar_config *config,
                              const gr_gar_markers *markers, const gr_tokenizer *tokenizer,
                              const gr_profile *profile);

/* For reading. */
typedef struct {
    gr_runtime *rt;
    gr_row_class kind;
    gr_ids ids;       /* token id of every row */
    gr_ids source;    /* [ids.n]: -1, or the feature row that stands there (text/prompt.h) */
    int32_t *labels;  /* [ids.n]: the id where the row before it is to give it, else GR_LABEL_NONE */
    size_t n_labels;  /* of them not GR_LABEL_NONE; at least 1 */
    gr_canvas canvas; /* cols x rows tiles, and the thumbnail */
    gr_tiles *pixels; /* u8, 3 channels */
    gr_tiles *mask;   /* u8, 1 where some region is; NULL in a base model */
    int n_boxes;      /* regions that are replayed */
    float boxes[GR_MAX_PROMPTS][4];
    int n_regions;
    int prompts[GR_MAX_PROMPTS]; /* K of <PromptK> of region i */
    int n_resized;               /* masks that were made to fit, their shape being within 1 % */
} gr_gar_sample;

/* Makes the sample of a record; memory and threads are those of `rt`. *out is the caller's.
 * A failure that is the row's own sets *skip, with a sentence that begins with the row's key; another
 * (GR_ERR_MEM) leaves it GR_SKIP_NONE. On failure *out is NULL. */
gr_status gr_gar_sample_make(gr_gar_sample **out, gr_runtime *rt, const gr_record *record,
                             const gr_gar_sample_rules *rules, gr_draws *draws, gr_skip *skip, gr_error *err);
void gr_gar_sample_free(gr_gar_sample *s); /* NULL is fine */

/* How many rows the sample of a record has, for an order by length (order.h): no tile is cut, and the picture
 * is opened only where the record does not state its size. The draws are those of the sample, or the
 * questions are others and the number a few rows off. Fails as gr_gar_sample_make, as far as it looks. */
gr_status gr_gar_sample_measure(size_t *n_rows, gr_runtime *rt, const gr_record *record,
                                const gr_gar_sample_rules *rules, gr_draws *draws, gr_skip *skip,
                                gr_error *err);

/* Labels of rows of gr_prompt_rows: *labels [n] is the caller's (gr_free). GR_ERR_MEM. */
gr_status gr_gar_sample_labels(int32_t **labels, size_t *n_labels, gr_runtime *rt,
                               const gr_gar_markers *markers, const gr_tokenizer *tokenizer,
                               const int32_t *ids, size_t n, gr_error *err);

#endif
