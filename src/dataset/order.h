/* order.h - which row a process trains on when.
 *
 * An epoch is cut into global batches of `accumulation` micro-steps on each of `world` ranks, one row each:
 * rank r reads, in micro-step a of batch b, element (b * accumulation + a) * world + r of the epoch's order.
 * So another number of ranks reads the same rows in the same order while world * accumulation is the same.
 * Elements past the last row begin again from the first, up to a whole batch.
 *
 * The order is a permutation of the rows under (seed, epoch), computed. Grouped by length, as xtuner's
 * LengthGroupedSampler has it, it is a list: 4 bytes a row for the epoch and 4 for its lengths. */
#ifndef GR_DATASET_ORDER_H
#define GR_DATASET_ORDER_H

#include "dataset/permutation.h"
#include "dataset/rows.h"

typedef struct {
    size_t n_rows; /* 1..GR_ROWS_MAX */
    int world, accumulation;
    uint64_t seed;
    /* [n_rows], borrowed; NULL: not grouped. Tokens of the row's sample; negative for rows without a picture,
     * which are kept apart. Not 0. */
    const int32_t *lengths;
} gr_order_options;

typedef struct {
    gr_runtime *rt;
    gr_order_options o;
    gr_permutation permutation; /* of the epoch that was chosen */
    uint32_t epoch;
    uint32_t *list; /* [n_rows], grouped only */
} gr_order;

/* For epoch 0. GR_ERR_ARG: no row, world or accumulation outside 1..1,000,000, a length of 0. GR_ERR_LIMIT,
 * GR_ERR_MEM. */
gr_status gr_order_init(gr_order *order, gr_runtime *rt, const gr_order_options *o, gr_error *err);
void gr_order_fini(gr_order *order);
/* Makes it the order of another epoch. Sorting a list of N rows takes N log(batch) steps and 12 bytes a row
 * of memory meanwhile; without grouping it is free. GR_ERR_MEM: the order is as it was. */
gr_status gr_order_choose(gr_order *order, uint32_t epoch, gr_error *err);

/* Global batches of an epoch: as many as use every row. */
uint64_t gr_order_batches(const gr_order *order);
/* The element that a rank reads; micro_step counts from the epoch's first. */
uint64_t gr_order_element(const gr_order *order, uint64_t micro_step, int rank);
/* The row that stands there; element < batches * accumulation * world. From any thread. */
size_t gr_order_row(const gr_order *order, uint64_t element);

#endif
