/* outputs.h - a folder with a drawn model, pictures, and a file of "published" outputs that this model gave
 * under one combination of switches. */
#ifndef TEST_OUTPUTS_H
#define TEST_OUTPUTS_H

#include "grasp/session.h"
#include "support/tempdir.h"

enum { OUTPUTS_ITEMS = 4, OUTPUTS_TOKENS = 24 };

typedef struct {
    test_dir model; /* the checkpoint */
    test_dir dir;   /* images/ITEM.ppm and outputs.json */
    char reference[512];
} test_outputs;

/* Draws the model and makes the pictures; one item has two regions, the others one. */
void test_outputs_make(gr_runtime *rt, test_outputs *o);
void test_outputs_remove(test_outputs *o);

/* Writes `reference`: what the model answers under these switches ("released,roi_mode=paper") and tiles, with
 * exact numerics and at most OUTPUTS_TOKENS tokens. */
void test_outputs_write(gr_runtime *rt, test_outputs *o, const char *profile, int max_tiles);

#endif
