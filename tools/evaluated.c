#include "evaluated.h"

#include <math.h>

#include "json_out.h"

/* Whether items were described; then *all has all kinds together. */
static bool overall_statements(const gr_evaluation *e, gr_eval_statements *all)
{
    size_t n = 0;
    all->size = sizeof *all;
    while (gr_evaluation_statements(e, n, all))
        n++;
    return n > 0;
}

/* --- JSON ---------------------------------------------------------------------------------------------- */

static void put_choice_rows(cli_json *j, const gr_evaluation *e)
{
    gr_eval_row row;
    for (size_t i = 0; gr_evaluation_row(e, i, &row); i++) {
        cli_json_open(j, NULL, '{');
        cli_json_text(j, "name", row.name);
        cli_json_number(j, "items", (double)row.items);
        cli_json_number(j, "answered", (double)row.answered);
        cli_json_number(j, "correct", (double)row.correct);
        cli_json_number(j, "accuracy", row.accuracy);
        cli_json_number(j, "low", row.low);
        cli_json_number(j, "high", row.high);
        cli_json_number(j, "chance", row.chance);
        if (!isnan(row.probability))
            cli_json_number(j, "probability", row.probability);
        cli_json_close(j, '}');
    }
}

static void put_statement_rows(cli_json *j, const gr_evaluation *e)
{
    gr_eval_statements row = { .size = sizeof row };
    for (size_t i = 0; gr_evaluation_statements(e, i, &row); i++) {
        cli_json_open(j, NULL, '{');
        cli_json_text(j, "name", row.name);
        cli_json_number(j, "items", (double)row.items);
        cli_json_number(j, "answered", (double)row.answered);
        cli_json_number(j, "stated", (double)row.stated);
        cli_json_number(j, "stated_true", (double)row.stated_true);
        cli_json_number(j, "precision", row.precision);
        cli_json_number(j, "precision_low", row.precision_low);
        cli_json_number(j, "precision_high", row.precision_high);
        cli_json_number(j, "known", (double)row.known);
        cli_json_number(j, "known_stated", (double)row.known_stated);
        cli_json_number(j, "recall", row.recall);
        cli_json_number(j, "recall_low", row.recall_low);
        cli_json_number(j, "recall_high", row.recall_high);
        cli_json_close(j, '}');
    }
}

static void put_json(cli *app, const gr_evaluation *e, bool whole)
{
    cli_json j;
    gr_eval_row any;
    cli_json_init(&j, app->out.results);
    cli_json_open(&j, NULL, '{');
    cli_json_text(&j, "benchmark", app->args[0]);
    cli_json_text(&j, "file", app->args[1]);
    cli_json_text(&j, "model", app->common.model);
    cli_json_bool(&j, "complete", whole);
    cli_json_open(&j, "rows", '[');
    if (gr_evaluation_row(e, 0, &any))
        put_choice_rows(&j, e);
    else
        put_statement_rows(&j, e);
    cli_json_close(&j, ']');
    cli_json_close(&j, '}');
    cli_print(&app->out, "\n");
}

/* --- tables -------------------------------------------------------------------------------------------- */

static void put_choice_table(cli_output *out, const gr_evaluation *e)
{
    gr_eval_row row;
    cli_print(out, "%-16s  %13s  %8s  %13s  %6s\n", "", "right of items", "accuracy", "95 % interval",
              "chance");
    for (size_t i = 0; gr_evaluation_row(e, i, &row); i++)
        cli_print(out, "%-16s  %6zu /%6zu  %7.1f%%  %5.1f to %4.1f%%  %5.1f%%\n", row.name, row.correct,
                  row.items, 100 * row.accuracy, 100 * row.low, 100 * row.high, 100 * row.chance);
    if (row.answered < row.items)
        cli_print(out,
                  "%zu items have no answer and count as wrong; of the %zu others %zu are right, %.1f%%\n",
                  row.items - row.answered, row.answered, row.correct,
                  row.answered ? 100 * (double)row.correct / (double)row.answered : 0);
}

/* A part and its interval, or that there is nothing to take a part of: 38 columns. */
static void put_part(cli_output *out, size_t part, size_t n, double low, double high)
{
    if (n > 0)
        cli_print(out, "  %6zu /%6zu  %5.1f%%  %5.1f to %5.1f%%", part, n, 100 * (double)part / (double)n,
                  100 * low, 100 * high);
    else
        cli_print(out, "  %14s  %6s  %15s", "0 /     0", "-", "-");
}

static void put_statement_table(cli_output *out, const gr_evaluation *e, const gr_eval_statements *all)
{
    gr_eval_statements row = { .size = sizeof row };
    cli_print(out, "%-13s  %14s  %6s  %15s  %14s  %6s  %15s\n", "", "true of stated", "", "95 % interval",
              "stated of true", "", "95 % interval");
    for (size_t i = 0; gr_evaluation_statements(e, i, &row); i++) {
        cli_print(out, "%-13s", row.name);
        put_part(out, row.stated_true, row.stated, row.precision_low, row.precision_high);
        put_part(out, row.known_stated, row.known, row.recall_low, row.recall_high);
        cli_print(out, "\n");
    }
    cli_print(out, "%zu descriptions\n", all->answered);
    if (all->answered < all->items)
        cli_print(out, "%zu items have no description: they state nothing and miss all\n",
                  all->items - all->answered);
}

void evaluated_put(cli *app, const gr_evaluation *e, bool whole)
{
    gr_eval_statements all;
    if (app->common.json)
        put_json(app, e, whole);
    else if (overall_statements(e, &all))
        put_statement_table(&app->out, e, &all);
    else
        put_choice_table(&app->out, e);
    cli_flush(&app->out);
}
