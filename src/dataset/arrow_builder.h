/* arrow_builder.h - the columns of one record batch while rows are added to them: validity bits, offsets and
 * data as they will lie in the file. */
#ifndef GR_DATASET_ARROW_BUILDER_H
#define GR_DATASET_ARROW_BUILDER_H

#include "base/buf.h"
#include "dataset/arrow_schema.h"
#include "dataset/arrow_value.h"

/* A batch, and so a column of it, holds fewer bytes than 32-bit offsets reach. */
#define GR_ARROW_BATCH_MAX ((size_t)INT32_MAX)

typedef struct {
    int64_t length, n_null;
    gr_buf validity, offsets, data; /* validity counts only where n_null > 0 */
    int64_t end;                    /* the last offset */
} gr_arrow_building;

typedef struct {
    gr_runtime *rt;
    const gr_arrow_schema *schema; /* borrowed */
    gr_arrow_building *columns;    /* one a field */
    size_t n_rows, bytes;          /* bytes: about what the rows take in the file, 8 and more a value */
} gr_arrow_builder;

/* GR_ERR_ARG: a type that is not written; the sentence names the column. GR_ERR_MEM. */
gr_status gr_arrow_builder_init(gr_arrow_builder *b, gr_runtime *rt, const gr_arrow_schema *schema,
                                gr_error *err);
void gr_arrow_builder_fini(gr_arrow_builder *b);  /* an all-zero builder is fine */
void gr_arrow_builder_clear(gr_arrow_builder *b); /* no rows; keeps its memory */

/* Whether a row - a value for each column, in order - fits the schema, and about how many bytes it takes.
 * GR_ERR_ARG: another kind of value, a number out of range, text that is no UTF-8, a null where none may be;
 * GR_ERR_LIMIT: GR_ARROW_BATCH_MAX. Sentences name the column. */
gr_status gr_arrow_builder_check(const gr_arrow_builder *b, const gr_arrow_value *row, size_t *bytes,
                                 gr_error *err);
/* Adds a row that was checked to take `bytes`. GR_ERR_MEM: the builder is of no use any more. */
gr_status gr_arrow_builder_add(gr_arrow_builder *b, const gr_arrow_value *row, size_t bytes, gr_error *err);

#endif
