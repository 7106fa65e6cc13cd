/* json_rows.h - rows from a file of JSON: one object a line (JSONL), or one array of objects.
 *
 * Which of the two it is, its first character says. The file is read once from end to end when it is opened,
 * in pieces, to find where rows begin and to hash what it holds; afterwards a row is read by its position.
 * Memory: 8 bytes a row, and the row that is being read. */
#ifndef GR_DATASET_JSON_ROWS_H
#define GR_DATASET_JSON_ROWS_H

#include "base/source.h"
#include "dataset/rows.h"

#define GR_JSON_ROW_BYTES_MAX ((size_t)256 << 20) /* of one row's text */

/* Makes a record of one row's text: gr_gar_row_parse. `name` is for messages. */
typedef gr_status (*gr_row_parser)(gr_record *r, const char *text, size_t n, const char *name, gr_error *err);

/* `name` is that of the data set; NULL: the file's, without folder and ending. On failure *out is NULL.
 * GR_ERR_FORMAT: neither kind of file; an array that is cut short, or whose members are not objects. Lines
 * are not looked into: a line that is no row is an error of that row, when it is read. GR_ERR_IO, GR_ERR_MEM,
 * GR_ERR_LIMIT. */
gr_status gr_json_rows_open(gr_row_source **out, gr_runtime *rt, const char *path, const char *name,
                            gr_row_parser parse, gr_error *err);

/* The same on memory, which is borrowed until the source is closed; `path` is for messages. */
gr_status gr_json_rows_wrap(gr_row_source **out, gr_runtime *rt, const void *text, size_t n, const char *path,
                            const char *name, gr_row_parser parse, gr_error *err);

#endif
