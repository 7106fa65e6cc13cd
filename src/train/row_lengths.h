/* row_lengths.h - how long each row's sample will be, for an order that groups rows of a length. */
#ifndef GR_TRAIN_ROW_LENGTHS_H
#define GR_TRAIN_ROW_LENGTHS_H

#include "dataset/rows.h"
#include "train/gar_sample.h"

/* Reads every row once, on all threads: *lengths [sets->count] is the caller's (gr_free), rows of the sample,
 * negative for a row without a picture. A row that makes no sample has length 1; another will take its place.
 * What a later epoch draws about a row may make it some rows longer or shorter. GR_ERR_MEM. */
gr_status gr_row_lengths(int32_t **lengths, gr_runtime *rt, const gr_row_sources *sets,
                         const gr_gar_sample_rules *rules, uint64_t seed, gr_error *err);

#endif
