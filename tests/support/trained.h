/* trained.h - a gar-test model in a folder of a test's own, opened for training. */
#ifndef TEST_TRAINED_H
#define TEST_TRAINED_H

#include "support/lesson.h"
#include "support/tempdir.h"
#include "train/trainer.h"

/* Makes DIR/m, a new gar-test. */
void trained_make(gr_runtime *rt, const test_dir *dir);
/* Opens and loads it for samples of a lesson. */
gr_trainer *trained_open(gr_runtime *rt, const test_dir *dir, unsigned parts);
/* The same of DIR/model, with adapters. */
gr_trainer *trained_open_adapted(gr_runtime *rt, const test_dir *dir, const char *model, unsigned parts,
                                 const gr_lora *lora);
/* Steps `first` (from 0) to end - 1 of two samples each of a lesson with pictures, at 1e-3. */
void trained_steps(gr_trainer *t, int first, int end);
/* Fails unless weights and moments are the same to the bit, and the steps. */
void trained_same(const gr_trainer *a, const gr_trainer *b);

#endif
