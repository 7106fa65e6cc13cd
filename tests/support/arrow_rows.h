/* arrow_rows.h - values of Arrow columns as lines of JSON, in the way of tests/golden/arrow/NAME.rows: bytes
 * as text, or "hex:..." where one of them is no printable ASCII. */
#ifndef TEST_ARROW_ROWS_H
#define TEST_ARROW_ROWS_H

#include "dataset/arrow_cursor.h"
#include "io/json.h"

void arrow_put_value(gr_json_writer *w, const gr_arrow_value *v);

/* The columns of row `row` that stand in the line `like`, in its order, as a line. A struct of lists is shown
 * as a list of structs where `lists` says so. Fails the test when they cannot be read. */
void arrow_put_row(gr_buf *out, gr_arrow_cursor *c, const gr_arrow_file *f, uint64_t row, const char *like,
                   bool lists);

/* Checks every row of files that make up a table against the lines of tests/golden/arrow/NAME.rows. */
void arrow_expect_rows(gr_runtime *rt, gr_arrow_cursor *c, const gr_arrow_file *const *files, size_t n,
                       const char *name, bool lists);

#endif
