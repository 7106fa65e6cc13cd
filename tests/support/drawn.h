/* drawn.h - a checkpoint folder of a golden model: its config.json, and weights drawn by the rule of
 * tests/golden/make/draw.py. The rule is written out here once more, apart from the library's, so that the
 * two can disagree. */
#ifndef TEST_DRAWN_H
#define TEST_DRAWN_H

#include "grasp/dtype.h"
#include "grasp/runtime.h"
#include "support/tempdir.h"

/* Makes `dir` and fills it: config.json of golden model `model` ("l-tied"), model.safetensors of its tensors
 * under `seed` as `dtype`, and the byte tokenizer. Ends the test with a sentence when something fails. */
void test_drawn_checkpoint(gr_runtime *rt, test_dir *dir, const char *model, uint64_t seed, gr_dtype dtype);

/* Element i of a tensor. */
float test_drawn_value(const char *name, uint64_t seed, size_t fan_in, uint64_t i);

#endif
