/* training.h - a golden model in training: its sample, flat buffers and passes, and what PyTorch gave for
 * them (tests/golden/make/make_train.py, make_lora.py). Failures fail the test. */
#ifndef TEST_TRAINING_H
#define TEST_TRAINING_H

#include "support/golden_case.h"
#include "test.h"
#include "train/passes.h"

enum { TRAINING_MAX_IDS = 2048, TRAINING_MAX_ROWS = 200, TRAINING_MAX_RUNS = 512 };

/* A tensor as golden files keep it: length, and product with the drawn direction of its name. */
typedef struct {
    char name[160];
    double norm, probe;
} training_row;

/* Elements of a tensor whose change is not compared: their gradient is below the floor. */
typedef struct {
    int row; /* of `changes` */
    size_t first, count;
} training_run;

/* What rounding alone does in ten steps, as PyTorch in f32 and in double differ: relative, to losses, to
 * norms of gradients, to the change of the worst tensor, to all changes together. */
typedef struct {
    double loss, norm, change, changes;
} training_noise;

/* A file tests/golden/train/FILE.json. */
typedef struct {
    int32_t ids[TRAINING_MAX_IDS], other_ids[TRAINING_MAX_IDS]; /* of the two samples of a step */
    int n_ids, n_other_ids, first_label, n_losses, n_norms, n_rates, n_grads, n_changes, n_below, n_deltas;
    int iterations; /* of the schedule */
    double loss, rate, losses[16], norms[16], rates[16];
    training_noise noise;
    training_row grads[TRAINING_MAX_ROWS];
    training_row changes[TRAINING_MAX_ROWS]; /* what ten steps add to the tensors */
    training_run below[TRAINING_MAX_RUNS];
    training_row deltas[TRAINING_MAX_ROWS]; /* what merged adapters add to the tensors */
    gr_lora lora;
} training_wanted;

typedef struct {
    const char *file; /* of tests/golden/train */
    const char *name; /* of the case in tests/golden/gar */
    unsigned parts;
    const gr_lora *lora; /* NULL: no adapters */
    int threads;
    unsigned cpu;           /* instructions, GR_CPU_* bits */
    golden_backend backend; /* NULL: the processor's */
    bool keeps;             /* gr_passes_limits.keeps */
} training_setup;

typedef struct {
    golden_case c;
    training_wanted want;
    gr_flat flat;
    bool held[1024];
    gr_passes *passes;
    gr_picture picture;
    int32_t source[2][TRAINING_MAX_IDS], labels[2][TRAINING_MAX_IDS];
    gr_train_sample sample, other;
} training;

void training_read_wanted(gr_runtime *rt, const char *file, training_wanted *w);

void training_open(training *t, const training_setup *s);
void training_close(training *t);

/* The loss of the sample; with scale > 0 gradients are added. */
double training_pass(training *t, float scale);

/* Element i of the stream `name` under seed 1 of tests/golden/make/draw.py (draw.unit): variance 1. */
double training_unit(const char *name, size_t i);

const gr_range *training_range(const training *t, const char *name); /* NULL: there is none */

/* Length of n numbers, and product with the direction of a name. */
training_row training_row_of(const char *name, const float *x, size_t n);

/* Fails unless the gradients of the flat buffer are those of the golden file, all of them. */
void training_compare_gradients(const training *t);

/* Loss, gradients, and ten steps of the published recipe against the golden file. */
void training_compare(training *t);

#endif
