/* gar_prompt.h - GAR's published prompts, built from pieces.
 *
 * Sources: chat_template.jinja of Perception-LM; evaluation and demo scripts of Grasp-Any-Region (commit
 * e479816): demo/gar_*.py, evaluation/GAR-Bench. In a text, `<PromptK>` and `<region:NAME>` (or the region's
 * number, `<region:0>`) mean a region of the dialog; everything else, whatever it looks like, is characters.
 */
#ifndef GR_MODEL_GAR_PROMPT_H
#define GR_MODEL_GAR_PROMPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "grasp/error.h"
#include "model/gar_markers.h"
#include "region/paint.h"
#include "text/prompt.h"
#include "text/tokenizer.h"

extern const char gr_gar_system_text[]; /* the published system message */

typedef struct {
    const char *name; /* for <region:NAME>; may be NULL */
    int prompt;       /* K of <PromptK>, no two alike; -1: gr_gar_assign_prompts chooses */
} gr_gar_region;

typedef enum { GR_GAR_USER, GR_GAR_ASSISTANT } gr_gar_role;

/* How a user turn shows its regions. Of a dialog's turns, only the first with regions has the list; later
 * ones have "<P>: [rows]TEXT", as the training conversations do. */
typedef enum {
    GR_GAR_AUTO,     /* DESCRIBE for one region that the text does not mention, else ASK */
    GR_GAR_DESCRIBE, /* "There are ...: <P>;\n<P>: [rows]TEXT", for one region; TEXT may be empty */
    GR_GAR_ASK,      /* "There are ...: <Pa>; <Pb>; \n<Pa>: [rows]\n<Pb>: [rows]\n\nTEXT", ascending */
    GR_GAR_LIST /* captions in training: "There are ...: <Pa>; <Pb>; \n<Pa>: [rows]TEXT": lists all regions of
                 * the dialog, in their order, and shows one */
} gr_gar_style;

typedef struct {
    gr_gar_role role;
    const char *text;
    size_t bytes;
    int n_regions; /* shown here for the first time: the next ones of gr_gar_dialog.regions */
    gr_gar_style style;
    const int32_t *ids; /* ASSISTANT: the answer as it was generated, used in place of text; or NULL */
    size_t n_ids;
} gr_gar_turn;

/* Everything is borrowed. Begin with zeros. */
typedef struct {
    const char *system; /* NULL: the published sentence */
    const gr_gar_turn *turns;
    int n_turns;
    gr_gar_region *regions;
    int n_regions;
    size_t image_rows;  /* of the one picture, before the text of the first user turn; 0: no picture */
    size_t region_rows; /* of each region */
    bool fewer_rows;    /* image_rows or region_rows may be 0 with regions: training's ablations */
    bool double_bos;    /* as released inference has it; training has one */
    bool all_markers;   /* <PromptK> without such a region is a marker too: published, and for training */
    bool prompts_only;  /* <region:...> is characters: texts of published rows do not know it */
    bool paper_wording; /* "the masked region" where the released scripts say "this" */
    bool single_is_0;   /* a single region that no text mentions is <Prompt0>; published: <Prompt1> */
    /* Regions of prompts the model does not have: GR_EXTRA_RELEASED gives them rows that are embeddings of
     * their crop token, GR_EXTRA_REUSE rows of features; "<PromptK>" is text for either. */
    gr_extra_prompts extra;
    bool open_answer; /* ends with the header of the answer to be generated */
} gr_gar_dialog;

/* Gives every region without a prompt index one: a single region that no text mentions gets 1, as in the
 * released scripts, or 0; others the indices that texts mention, then the free ones, in ascending order.
 * Where extra regions are allowed and there are some, indices go up to their number. */
void gr_gar_assign_prompts(gr_gar_dialog *d, int n_prompts);

/* Appends the dialog to `p`, with the rows of region i of the dialog as region i.
 * GR_ERR_ARG: regions without a picture or without a turn, prompt indices out of range or used twice, several
 * regions without a question, <region:...> in a user's text that means no region so far.
 * GR_ERR_LIMIT: more regions than prompts. GR_ERR_UNSUPPORTED: regions for a base model; an extra region for
 * which the tokenizer has no crop token. */
gr_status gr_gar_prompt_build(gr_prompt *p, const gr_gar_markers *m, const gr_gar_dialog *d, gr_error *err);

/* The question of GAR-Bench-VQA: "Question: ...\nOptions:\n...\nAnswer with the correct option's letter
 * directly.". Options are put as they are ("A. red"). False: no memory. */
bool gr_gar_choice_question(gr_buf *out, const char *question, const char *const *options, size_t n_options);

#endif
