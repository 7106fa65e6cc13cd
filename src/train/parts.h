/* parts.h - the parts of a GAR that are trained or frozen, each as a whole. */
#ifndef GR_TRAIN_PARTS_H
#define GR_TRAIN_PARTS_H

#include "model/gar_tensors.h"

/* X(name, word, what belongs to it) */
#define GR_TRAIN_PART_TABLE(X)                                                          \
    X(TOWER, "tower", "the vision tower")                                               \
    X(MASK, "mask", "the mask patch embedding")                                         \
    X(PROJECTOR, "projector", "the projector")                                          \
    X(EMBED, "embed", "the token embedding, which is the head too where they are tied") \
    X(DECODER, "decoder", "the decoder's blocks and its last norm")                     \
    X(HEAD, "head", "the head, where it is not tied")

typedef enum {
#define X(name, word, what) GR_TRAIN_##name,
    GR_TRAIN_PART_TABLE(X)
#undef X
        GR_TRAIN_PART_COUNT
} gr_train_part;

#define GR_TRAIN_ALL ((1u << GR_TRAIN_PART_COUNT) - 1)

const char *gr_train_part_name(gr_train_part part); /* "tower", ... */
gr_train_part gr_train_part_of(gr_gar_tensor_id id);

/* "all", "none" (0: for adapters alone), or words of the table joined by commas, as bits 1 << part.
 * GR_ERR_ARG: another word, or an empty one. */
gr_status gr_train_parts_parse(unsigned *parts, const char *text, gr_error *err);

static inline bool gr_trains(unsigned parts, gr_train_part part) { return parts >> part & 1; }

#endif
