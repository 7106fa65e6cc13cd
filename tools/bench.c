#include "bench.h"

#include <math.h>
#include <string.h>

/* --- what a row says ----------------------------------------------------------------------------- */

/* One column of JSON and CSV. The kind decides which of the functions is there; keys are stable. */
typedef struct {
    const char *key;
    bool measured; /* not in a list of cases */
    const char *(*text)(const gr_bench_row *row);
    double (*number)(const gr_bench_row *row);
} column;

#define TEXT(field) \
    static const char *field##_of(const gr_bench_row *row) { return row->field; }
#define NUMBER(field) \
    static double field##_of(const gr_bench_row *row) { return row->field; }
TEXT(kind)
TEXT(name)
NUMBER(rows)
NUMBER(inputs)
NUMBER(outputs)
NUMBER(heads)
NUMBER(kv_heads)
TEXT(weights)
NUMBER(threads)
TEXT(unit)
NUMBER(flop)
NUMBER(bytes)
NUMBER(repeats)
NUMBER(median)
NUMBER(min)
NUMBER(max)
NUMBER(seconds_median)
NUMBER(seconds_min)
NUMBER(seconds_max)
NUMBER(fraction)

static const column columns[] = {
    { "kind", false, kind_of, NULL },
    { "name", false, name_of, NULL },
    { "rows", false, NULL, rows_of },
    { "inputs", false, NULL, inputs_of },
    { "outputs", false, NULL, outputs_of },
    { "heads", false, NULL, heads_of },
    { "kv_heads", false, NULL, kv_heads_of },
    { "weights", false, weights_of, NULL },
    { "threads", false, NULL, threads_of },
    { "unit", false, unit_of, NULL },
    { "flop", false, NULL, flop_of },
    { "bytes", false, NULL, bytes_of },
    { "repeats", true, NULL, repeats_of },
    { "median", true, NULL, median_of },
    { "min", true, NULL, min_of },
    { "max", true, NULL, max_of },
    { "seconds_median", true, NULL, seconds_median_of },
    { "seconds_min", true, NULL, seconds_min_of },
    { "seconds_max", true, NULL, seconds_max_of },
    { "fraction", true, NULL, fraction_of },
};
#define N_COLUMNS (sizeof columns / sizeof *columns)

/* --- JSON ---------------------------------------------------------------------------------------- */

static void json_open(bench_sheet *s)
{
    const gr_bench_machine *m = s->machine;
    cli_json *j = &s->json;
    cli_json_init(j, s->out->results);
    cli_json_open(j, NULL, '{');
    cli_json_open(j, "machine", '{');
    cli_json_text(j, "processor", m->processor[0] ? m->processor : NULL);
    cli_json_number(j, "processors", m->processors);
    cli_json_number(j, "l3_bytes", m->l3_bytes ? (double)m->l3_bytes : NAN);
    cli_json_close(j, '}');
    cli_json_text(j, "isa", m->isa);
    cli_json_number(j, "threads", m->threads);
    cli_json_text(j, "subject", s->subject);
    if (s->measured)
        cli_json_open(j, "limits", '[');
}

/* After the limits, before the first other row. */
static void json_begin_rows(bench_sheet *s)
{
    if (s->measured)
        cli_json_close(&s->json, ']');
    cli_json_open(&s->json, "rows", '[');
}

static void json_row(bench_sheet *s, const gr_bench_row *row)
{
    cli_json_open(&s->json, NULL, '{');
    for (size_t i = 0; i < N_COLUMNS; i++)
        if (columns[i].measured && !s->measured)
            continue;
        else if (columns[i].text)
            cli_json_text(&s->json, columns[i].key, columns[i].text(row));
        else
            cli_json_number(&s->json, columns[i].key, columns[i].number(row));
    cli_json_close(&s->json, '}');
}

/* --- CSV ----------------------------------------------------------------------------------------- */

static void csv_line(bench_sheet *s, const gr_bench_row *row)
{
    const char *comma = "";
    for (size_t i = 0; i < N_COLUMNS; i++, comma = ",") {
        const column *c = &columns[i];
        if (c->measured && !s->measured)
            break; /* they come last */
        if (!row)
            cli_print(s->out, "%s%s", comma, c->key);
        else if (c->text)
            cli_print(s->out, "%s%s", comma, c->text(row) ? c->text(row) : "");
        else if (isfinite(c->number(row)))
            cli_print(s->out, "%s%.9g", comma, c->number(row));
        else
            cli_print(s->out, "%s", comma);
    }
    cli_print(s->out, "\n");
}

/* --- a table ------------------------------------------------------------------------------------- */

static void text_open(bench_sheet *s)
{
    const gr_bench_machine *m = s->machine;
    cli_print(s->out, "%s: %s%s%s, %d of %d processors\n\n", s->subject, m->isa,
              m->processor[0] ? " on " : "", m->processor, m->threads, m->processors);
    cli_print(s->out, "%-31s %-22s", "name", "shape");
    if (s->measured)
        cli_print(s->out, " %9s %21s %-9s %9s %8s", "median", "min..max", "unit", "time", "of limit");
    cli_print(s->out, "\n");
}

/* Three digits or more: 0.0123, 1.23, 123, 1234. */
static void figure(char *out, size_t n, double x)
{
    snprintf(out, n, "%.*f", x >= 100 ? 0 : x >= 10 ? 1 : x >= 0.1 ? 2 : 4, x);
}

static void time_text(char *out, size_t n, double seconds)
{
    static const struct {
        double from, per_s;
        const char *unit;
    } units[] = { { 1, 1, "s" }, { 1e-3, 1e3, "ms" }, { 0, 1e6, "us" } };
    size_t i = 0;
    char number[32];
    while (seconds < units[i].from)
        i++;
    figure(number, sizeof number, seconds * units[i].per_s);
    snprintf(out, n, "%s %s", number, units[i].unit);
}

static void shape_text(char *out, size_t n, const gr_bench_row *row)
{
    if (row->rows > 0)
        snprintf(out, n, "%dx%dx%d%s%s", row->rows, row->inputs, row->outputs, row->weights ? " " : "",
                 row->weights ? row->weights : "");
    else
        snprintf(out, n, "-");
}

static void text_row(bench_sheet *s, const gr_bench_row *row)
{
    char shape[48], median[32], min[32], max[32], spread[72], seconds[40] = "";
    shape_text(shape, sizeof shape, row);
    if (!s->measured) {
        cli_print(s->out, "%-31s %s\n", row->name, shape);
        return;
    }
    figure(median, sizeof median, row->median);
    figure(min, sizeof min, row->min);
    figure(max, sizeof max, row->max);
    snprintf(spread, sizeof spread, "%s..%s", min, max);
    if (row->seconds_median > 0)
        time_text(seconds, sizeof seconds, row->seconds_median);
    cli_print(s->out, "%-31s %-22s %9s %21s %-9s %9s", row->name, shape, median, spread, row->unit, seconds);
    if (isfinite(row->fraction))
        cli_print(s->out, " %8.2f", row->fraction);
    cli_print(s->out, "\n");
}

/* --- the sheet ----------------------------------------------------------------------------------- */

void bench_sheet_init(bench_sheet *s, cli_output *out, bench_format format, bool measured,
                      const gr_bench_machine *machine, const char *subject)
{
    *s = (bench_sheet){
        .out = out, .format = format, .measured = measured, .machine = machine, .subject = subject
    };
}

static void begin(bench_sheet *s)
{
    if (s->begun)
        return;
    s->begun = true;
    cli_progress_hide(s->out->progress);
    if (s->format == BENCH_JSON)
        json_open(s);
    else if (s->format == BENCH_CSV)
        csv_line(s, NULL);
    else
        text_open(s);
}

void bench_sheet_row(bench_sheet *s, const gr_bench_row *row)
{
    const bool limit = strcmp(row->kind, "limit") == 0;
    begin(s);
    if (s->format == BENCH_JSON && !limit && s->n_rows++ == 0)
        json_begin_rows(s);
    cli_progress_hide(s->out->progress);
    if (s->format == BENCH_JSON)
        json_row(s, row);
    else if (s->format == BENCH_CSV)
        csv_line(s, row);
    else
        text_row(s, row);
    cli_flush(s->out);
}

void bench_sheet_close(bench_sheet *s)
{
    begin(s);
    if (s->format == BENCH_JSON) {
        if (s->n_rows == 0)
            json_begin_rows(s);
        cli_json_close(&s->json, ']');
        cli_json_close(&s->json, '}');
        cli_print(s->out, "\n");
    }
    cli_flush(s->out);
}
