/* train_source.h - where the samples of a run come from. Which row a position is, and what is drawn about it,
 * depends on the position alone, so that a run that goes on needs to know no more than where it was. */
#ifndef GR_TRAIN_TRAIN_SOURCE_H
#define GR_TRAIN_TRAIN_SOURCE_H

#include "train/passes.h"

#define GR_TRAIN_SETS 16 /* that are told apart */

/* Valid until the next one is asked for. */
typedef struct {
    gr_train_sample sample;
    const char *name; /* for messages: what it was made of */
    int set;          /* of the source's, 0 where it tells none apart */
} gr_train_item;

typedef struct {
    /* Sample `element` of an epoch. Elements past the last begin again from the first. They are mostly asked
     * for in ascending order. Errors end the run. */
    gr_status (*give)(void *user, uint32_t epoch, uint64_t element, gr_train_item *out, gr_error *err);
    void *user;
    uint64_t count;       /* samples of an epoch; >= 1 */
    uint64_t fingerprint; /* of their contents */
    const char *order;    /* name of the algorithm that orders them */
    /* Where samples are of several sets - files, folders -, their names; n_sets 0: one, or too many. */
    int n_sets;
    const char *sets[GR_TRAIN_SETS];
} gr_train_source;

#endif
