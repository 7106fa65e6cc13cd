/* arrow_features.h - the types of columns in the words of huggingface/datasets: the "features" of
 * dataset_info.json and of a schema's metadata. Source: huggingface/datasets,
 * src/datasets/features/features.py. */
#ifndef GR_DATASET_ARROW_FEATURES_H
#define GR_DATASET_ARROW_FEATURES_H

#include "dataset/arrow_schema.h"
#include "io/json.h"

/* Writes {"column": feature, ...} for a schema whose types can all be written. Lists are [feature], which
 * every version of that library reads, fixed-size ones a Sequence with its length. GR_ERR_ARG: a type that it
 * has no word for (fixed-size binary, fixed-size lists of structs); the sentence names the column. */
gr_status gr_arrow_features_put(const gr_arrow_schema *s, gr_json_writer *w, gr_error *err);

#endif
