/* bench.h - how rows of `grasp bench` are written: a table, one JSON object, or CSV. */
#ifndef GRASP_CLI_BENCH_H
#define GRASP_CLI_BENCH_H

#include <grasp/bench.h>

#include "json_out.h"
#include "output.h"

typedef enum { BENCH_TEXT, BENCH_JSON, BENCH_CSV } bench_format;

/* Begin with bench_sheet_open, end with bench_sheet_close; rows of kind "limit" come first. */
typedef struct {
    cli_output *out;
    bench_format format;
    bool measured; /* false: a list of cases */
    cli_json json;
    int n_rows; /* that are no limits */
} bench_sheet;

/* `subject` is the preset or the model that the rows are about. */
void bench_sheet_open(bench_sheet *s, cli_output *out, bench_format format, bool measured,
                      const gr_bench_machine *machine, const char *subject);
void bench_sheet_row(bench_sheet *s, const gr_bench_row *row);
void bench_sheet_close(bench_sheet *s);

#endif
