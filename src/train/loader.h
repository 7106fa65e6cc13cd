/* loader.h - the samples of one epoch in their order, made ahead by threads of the loader's own.
 *
 * What comes does not depend on how many threads there are or how far they are ahead: the row of a position
 * and all draws about it are functions of seed, epoch and position. Where a row makes no sample, another row
 * of the same data set takes its place, drawn by (position, attempt), up to 1001 attempts in all; reasons are
 * counted in the order of positions. Threads make samples one at a time each, at lower priority than whoever
 * opened the loader, where the system can do that for a thread.
 *
 * Memory: at most `ahead` samples that nobody took yet, those in the making among them (13 MB each of 16
 * tiles of 448 pixels), and a decoded picture and a record for every thread. */
#ifndef GR_TRAIN_LOADER_H
#define GR_TRAIN_LOADER_H

#include "dataset/order.h"
#include "dataset/rows.h"
#include "train/gar_sample.h"

#define GR_LOADER_ATTEMPTS    1001  /* rows that are tried for one position, as in the published code */
#define GR_LOADER_WINDOW      10000 /* rows over which damage is counted */
#define GR_LOADER_MAX_THREADS 64
#define GR_LOADER_MAX_AHEAD   4096

typedef struct gr_loader gr_loader;

/* Everything is borrowed until the loader is closed. Begin with gr_loader_options_init. */
typedef struct {
    const gr_row_sources *sets;
    const gr_order *order; /* of sets->count rows; its epoch must not be changed meanwhile */
    const gr_gar_sample_rules *rules;
    int rank;            /* 0..world-1: which elements of the order */
    uint64_t begin, end; /* micro-steps of the epoch: [begin, end) */
    int n_threads;       /* 0: samples are made when they are asked for, by whoever asks */
    int ahead;           /* samples, at least one a thread */
    int most_damaged;    /* of GR_LOADER_WINDOW rows; more end the run. Default 100: 1 % */
} gr_loader_options;

/* All micro-steps of the order's epoch, 4 threads (as published) and 8 samples. */
void gr_loader_options_init(gr_loader_options *o, const gr_row_sources *sets, const gr_order *order,
                            const gr_gar_sample_rules *rules);

/* GR_ERR_ARG: numbers out of range, or an order of another number of rows. GR_ERR_LIMIT: positions of over 32
 * bits. GR_ERR_MEM: no memory, no threads. */
gr_status gr_loader_open(gr_loader **out, gr_runtime *rt, const gr_loader_options *options, gr_error *err);
/* Waits for the threads. Samples must be freed before. NULL is fine. */
void gr_loader_close(gr_loader *l);

typedef struct {
    gr_gar_sample *sample; /* the caller's, to be freed; NULL: all were given */
    uint64_t micro_step;
    size_t set, row; /* what it was made of */
    int attempts;    /* 1: of the row itself */
} gr_loaded;

/* The next sample; waits for it. One thread at a time.
 * GR_ERR_FORMAT: too many damaged rows, or no attempt gave a sample; the sentence has the last row's.
 * GR_ERR_MEM. GR_ERR_CANCELLED. After a failure every call fails the same way. */
gr_status gr_loader_next(gr_loader *l, gr_loaded *out, gr_error *err);

/* From any thread, at any time: gr_loader_next returns GR_ERR_CANCELLED, now and later. */
void gr_loader_cancel(gr_loader *l);

/* Rows of a data set so far, by what became of them: [GR_SKIP_NONE] made a sample. Of what gr_loader_next
 * gave, so not ahead of it; valid until the next call. */
const uint64_t *gr_loader_counts(const gr_loader *l, size_t set);
uint64_t gr_loader_resized(const gr_loader *l); /* masks that were made to fit their picture */

#endif
