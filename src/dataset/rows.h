/* rows.h - where rows come from: a file, a folder, memory. A source knows how many rows it has and gives any
 * of them, from any thread. */
#ifndef GR_DATASET_ROWS_H
#define GR_DATASET_ROWS_H

#include <stdint.h>
#include "base/hash.h"
#include "dataset/record.h"

#define GR_ROWS_NAME_BYTES 64
#define GR_ROWS_MAX        ((size_t)UINT32_MAX) /* of a source, and of all together: rows are keys of draws */

typedef struct gr_row_source gr_row_source;

/* What a format does. */
typedef struct {
    /* Row i of 0..count-1 into `r`, which is cleared first; from several threads at a time.
     * GR_ERR_FORMAT, GR_ERR_LIMIT, GR_ERR_IO: this row cannot be had; another may. GR_ERR_MEM. Sentences
     * begin with the file and the row. */
    gr_status (*read)(const gr_row_source *s, size_t i, gr_record *r, gr_error *err);
    void (*close)(gr_row_source *s);
} gr_row_format;

/* The head of every source; a format's own struct begins with it. */
struct gr_row_source {
    const gr_row_format *format;
    char name[GR_ROWS_NAME_BYTES]; /* of the data set; begins the keys of rows that have none */
    size_t count;
    gr_hash fingerprint; /* of the content: a run that goes on compares it */
};

/* As the format's read; the row is checked (gr_record_check), and has a key: NAME/I unless it states one. */
gr_status gr_rows_read(const gr_row_source *s, size_t i, gr_record *r, gr_error *err);
void gr_rows_close(gr_row_source *s); /* NULL is fine */

/* Several sources one after the other. */
typedef struct {
    gr_row_source *const *list; /* borrowed */
    size_t n, count;
} gr_row_sources;

/* GR_ERR_ARG: no rows at all. GR_ERR_LIMIT: more than GR_ROWS_MAX. */
gr_status gr_row_sources_init(gr_row_sources *s, gr_row_source *const *list, size_t n, gr_error *err);

typedef struct {
    size_t source, row; /* which of the list, and which of its rows */
} gr_row_place;

/* Where row i of all lies; i < count. */
gr_row_place gr_row_sources_find(const gr_row_sources *s, size_t i);
/* Of all contents and their order. */
gr_hash gr_row_sources_fingerprint(const gr_row_sources *s);

#endif
