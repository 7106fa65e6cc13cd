/* lesson.h - a set that a small model can learn: sample i shows a picture of its own noise with a region,
 * asks with token i, and is answered by a line of tokens that i decides. A training source that tests can
 * spoil. */
#ifndef TEST_LESSON_H
#define TEST_LESSON_H

#include "train/train_source.h"

enum { LESSON_ROWS = 64, LESSON_ANSWER = 6 };

typedef struct {
    const gr_gar_config *config;
    bool pictures;
    uint64_t count;
    int64_t spoiled; /* element whose pixels are NaN; -1: none */
    bool refuses;    /* fails instead of giving */
    int n_sets;      /* row i is of set i modulo this; 0: of none */
    uint64_t asked;  /* samples given so far */
    /* Of the last sample. */
    uint64_t row;
    gr_picture picture;
    int32_t ids[LESSON_ROWS], source[LESSON_ROWS], labels[LESSON_ROWS];
    char name[32];
} lesson;

/* `count` samples of a model; `config` is borrowed. */
void lesson_init(lesson *l, const gr_gar_config *config, uint64_t count, bool pictures);
gr_train_source lesson_source(lesson *l);

#endif
