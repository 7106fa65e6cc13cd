/* skip.h - why a row of a data set makes no sample. Another row takes its place, and the reason is counted.
 */
#ifndef GR_TRAIN_SKIP_H
#define GR_TRAIN_SKIP_H

#include <stdbool.h>
#include "grasp/error.h"

/* name, word for tables, what it means; whether it tells of a damaged data set (a run ends when there are too
 * many of these) or of a row that is merely not used. */
#define GR_SKIP_TABLE(X)                                                                                 \
    X(UNREADABLE, "unreadable", "the row cannot be read or is malformed", true)                          \
    X(NO_IMAGE, "no_image", "the row has no picture, or its file is not there", true)                    \
    X(BAD_IMAGE, "bad_image", "the picture cannot be decoded", true)                                     \
    X(SMALL_IMAGE, "small_image", "the picture is less than 10 pixels wide or high", false)              \
    X(BAD_MASK, "bad_mask", "the run lengths of a mask are malformed", true)                             \
    X(MASK_SIZE, "mask_size", "a mask is of another size and shape than the picture", true)              \
    X(EMPTY_MASK, "empty_mask", "a mask has no pixel", true)                                             \
    X(NO_MASK, "no_mask", "the text names a region that has no mask", true)                              \
    X(TOO_MANY_REGIONS, "too_many_regions", "the text names a region beyond the model's prompts", false) \
    X(FEW_CAPTIONS, "few_captions", "fewer captions than regions", true)                                 \
    X(BAD_TURNS, "bad_turns", "the first turn is not a human's, or another one has <image>", true)       \
    X(TOO_LONG, "too_long", "the sample has more rows than the model is trained with", false)            \
    X(NO_LABELS, "no_labels", "nothing of the sample is to be learnt", false)

typedef enum {
    GR_SKIP_NONE,
#define X(name, word, text, damage) GR_SKIP_##name,
    GR_SKIP_TABLE(X)
#undef X
        GR_SKIP_COUNT
} gr_skip;

const char *gr_skip_word(gr_skip reason); /* "none" for GR_SKIP_NONE */
const char *gr_skip_text(gr_skip reason);
bool gr_skip_is_damage(gr_skip reason);

/* Where what is wrong with a row is told: by its key. */
typedef struct {
    const char *key;
    gr_skip *skip; /* GR_SKIP_NONE so far */
    gr_error *err;
} gr_skip_note;

/* The row makes no sample, for this reason and with this sentence; GR_ERR_FORMAT. */
gr_status gr_skip_row(const gr_skip_note *note, gr_skip why, const char *fmt, ...) GR_PRINTF(3, 4);
/* The same because of a failure of another part, unless memory is what is missing, which is no row's fault;
 * the cause's status. */
gr_status gr_skip_because(const gr_skip_note *note, gr_skip why, const gr_error *cause);

#endif
