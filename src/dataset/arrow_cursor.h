/* arrow_cursor.h - reads values of Arrow files. One cursor a reader (thread): it holds the batches read last
 * and the memory of the values of one row, all of it reused, so that reading on allocates next to nothing.
 *
 * Of a batch that is asked for, the validity bits and offsets of the columns that are asked for are read and
 * checked once; bytes and numbers are read when a row is asked for, in one piece for each column below it.
 * Compressed buffers are unpacked whole, at first use.
 *
 * Memory of a cursor: `cache_bytes` for the batches read last, what the batch in use takes (of one that is
 * not compressed: 4 bytes a row for each column with offsets that is asked for, a bit a row for the others;
 * and of its dictionaries the same), and the largest row so far, at most `row_bytes`. */
#ifndef GR_DATASET_ARROW_CURSOR_H
#define GR_DATASET_ARROW_CURSOR_H

#include "dataset/arrow_file.h"
#include "dataset/arrow_value.h"

typedef struct {
    size_t cache_bytes; /* 0: 16 MiB */
    size_t row_bytes;   /* of the values of one row, 40 bytes for each beside its content; 0: 256 MiB */
} gr_arrow_cursor_options;

typedef struct gr_arrow_cursor gr_arrow_cursor;

/* `options` may be NULL. GR_ERR_MEM. */
gr_status gr_arrow_cursor_new(gr_arrow_cursor **out, gr_runtime *rt, const gr_arrow_cursor_options *options,
                              gr_error *err);
void gr_arrow_cursor_free(gr_arrow_cursor *c); /* NULL is fine */

/* Reads field `field` of row `row` < n_rows: a column, or a member of structs (gr_arrow_find), which is null
 * where one of these structs is. The file must stay open until the cursor is freed or forgets it.
 *
 * *out stays valid until this cursor reads from another row (or file), so several columns of a row can be
 * held at a time. Sentences name file, row, batch and column. GR_ERR_ARG: no such row, or a field within a
 * list. GR_ERR_FORMAT: the batch breaks a rule. GR_ERR_LIMIT: more than row_bytes, a number above 2^63 - 1.
 * GR_ERR_UNSUPPORTED: a type that is not read, a compression that this build lacks. GR_ERR_IO: the file was
 * cut short since it was opened, or the disk failed. GR_ERR_MEM. After a failure the cursor can be used on.
 */
gr_status gr_arrow_cursor_read(gr_arrow_cursor *c, const gr_arrow_file *f, uint64_t row, int field,
                               const gr_arrow_value **out, gr_error *err);

/* A list of structs, however it was stored: *out is `v` itself where that is a list, and where it is a struct
 * of lists of one length (how a "Sequence" of an object is stored), those transposed. Valid as long as v.
 * GR_ERR_FORMAT: neither; the sentence says what it is. GR_ERR_LIMIT, GR_ERR_MEM. */
gr_status gr_arrow_cursor_list(gr_arrow_cursor *c, const gr_arrow_value *v, const gr_arrow_value **out,
                               gr_error *err);

/* Drops what is held of a file, or of all for NULL, and the values of the last row. */
void gr_arrow_cursor_forget(gr_arrow_cursor *c, const gr_arrow_file *f);

#endif
