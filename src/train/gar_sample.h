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

/* What stands behind "<PromptK>: " for a region (the ablation of the GAR paper, Table 9). */
typedef enum {
    GR_REGION_REPLAY, /* rows that replay pools of the picture's features: GAR */
    GR_REGION_CROP,   /* rows of one tile more, the square around the region (region_crop.h) */
    GR_REGION_NOTHING /* no row: only the mask tells where it is */
} gr_region_source;

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
    gr_region_source regions;
    bool no_picture; /* with GR_REGION_CROP: no row of the picture; a row without regions is text alone */
} gr_gar_sample_rules;

void gr_gar_sample_rules_init(gr_gar_sample_rules *rules, const gr_gar_config *config,
                              const gr_gar_markers *markers, const gr_tokenizer *tokenizer,
                              const gr_profile *profile);

/* GR_ERR_ARG, GR_ERR_UNSUPPORTED: no sample can be made by such rules. */
gr_status gr_gar_sample_rules_check(const gr_gar_sample_rules *rules, gr_error *err);

/* For reading. */
typedef struct {
    gr_runtime *rt;
    gr_row_class kind;
    gr_ids ids;       /* token id of every row */
    gr_ids source;    /* [ids.n]: -1, or the feature row that stands there (text/prompt.h) */
    int32_t *labels;  /* [ids.n]: the id where the row before it is to give it, else GR_LABEL_NONE */
    size_t n_labels;  /* of them not GR_LABEL_NONE; at least 1 */
    gr_canvas canvas; /* cols x rows tiles, and the thumbnail; without picture 0 x 0 */
    gr_tiles *pixels; /* u8, 3 channels; NULL without picture */
    gr_tiles *mask;   /* u8, 1 where some region is; NULL in a base model and without picture */
    int n_crops;      /* tiles behind the picture's: tile 0 of each */
    gr_tiles *crops[GR_MAX_PROMPTS], *crop_masks[GR_MAX_PROMPTS];
    int n_boxes; /* regions that are replayed */
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

/* How many tiles the sample has, and tile i of them: first the thumbnail and the picture's tiles, then the
 * crops. *mask is NULL where no mask is. The answer is tile *at of *pixels and *mask. */
int gr_gar_sample_tiles(const gr_gar_sample *s);
void gr_gar_sample_tile(const gr_gar_sample *s, int i, const gr_tiles **pixels, const gr_tiles **mask,
                        int *at);

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
