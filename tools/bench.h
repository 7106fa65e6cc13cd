/* bench.h - how rows of `grasp bench` are written: a table, one JSON object, or CSV. */
#ifndef GRASP_CLI_BENCH_H
#define GRASP_CLI_BENCH_H

#include <grasp/bench.h>

#include "json_out.h"
#include "output.h"

typedef enum { BENCH_TEXT, BENCH_JSON, BENCH_CSV } bench_format;

/* Begin with bench_sheet_init; rows of kind "limit" come first. Nothing is written before the first row. */
typedef struct {
    cli_output *out;
    bench_format format;
    bool measured; /* false: a list of cases */
    const gr_bench_machine *machine;
    const char *subject; /* the preset or the model that the rows are about */
    cli_json json;
    bool begun;
    int n_rows; /* that are no limits */
} bench_sheet;

/* `machine` and `subject` are borrowed. */
void bench_sheet_init(bench_sheet *s, cli_output *out, bench_format format, bool measured,
                      const gr_bench_machine *machine, const char *subject);
void bench_sheet_row(bench_sheet *s, const gr_bench_row *row);
/* Ends what was begun, and what was not, where there was no row. */
void bench_sheet_close(bench_sheet *s);

#endif
