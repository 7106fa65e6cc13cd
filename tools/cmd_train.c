/* cmd_train.c - a training run: options from a file and the command line, a live line, an end that can be
 * gone on from; and a picture of what runs have logged. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <grasp/train.h>

#include "cmd.h"
#include "json_out.h"
#include "signals.h"
#include "units.h"

typedef struct {
    cli_list set, plot;
    const char *out;
    bool resume, print_config;
    int64_t threads;
} train_values;

#define AT(field) offsetof(train_values, field)

static const cli_option rows[] = {
    { "set", 's', CLI_LIST, AT(set), "NAME=VALUE", NULL, 0, 0,
      "one option of the run, over what CONFIG says" },
    { "resume", 0, CLI_FLAG, AT(resume), NULL, NULL, 0, 0,
      "go on from the newest checkpoint of the run's output; begin where there is none" },
    { "print-config", 0, CLI_FLAG, AT(print_config), NULL, NULL, 0, 0,
      "print every option with its value, where that is from, and where its default comes from, and end; "
      "with "
      "--json as a file to begin with" },
    { "threads", 't', CLI_INT, AT(threads), "N", NULL, 0, 1024,
      "threads that compute; 0, the default, is as many as the process may use. Results do not depend on "
      "it" },
};
static const cli_option plot_rows[] = {
    { "plot", 0, CLI_LIST, AT(plot), "RUN", NULL, 0, 0,
      "train nothing; draw the curves of this run's output folder, finished or not. Arguments are then "
      "further "
      "runs, up to 8 in one picture" },
    { "out", 'o', CLI_TEXT, AT(out), "OUT.png", NULL, 0, 0,
      "the picture of --plot: a .png, .svg or .pdf; of one run its default is plot.png in the folder" },
};
static const cli_table tables[] = { CLI_TABLE("Training", rows, 0),
                                    CLI_TABLE("A picture of runs", plot_rows, 0) };

/* One call of the command. */
typedef struct {
    cli *app;
    char task[160]; /* what stands before the bar */
} training;

static bool on_announce(void *user, const gr_trainer_memory *m)
{
    training *t = user;
    char total[32], flat[32], frozen[32], passes[32];
    cli_bytes_text(total, (double)m->total);
    cli_bytes_text(flat, (double)m->flat);
    cli_bytes_text(frozen, (double)m->frozen);
    cli_bytes_text(passes, (double)m->passes);
    if (!t->app->common.quiet)
        fprintf(t->app->out.log, "memory: %s: %s for trained weights, %s for frozen ones, %s for a sample\n",
                total, flat, frozen, passes);
    return !cli_cancelled(NULL);
}

static bool on_loading(void *user, size_t done, size_t total)
{
    training *t = user;
    if (!t->app->progress.task)
        cli_progress_begin(&t->app->progress, "loading", "part", total);
    cli_progress_set(&t->app->progress, done);
    if (done == total) /* of the trained weights, then of the frozen ones */
        cli_progress_end(&t->app->progress);
    return !cli_cancelled(NULL);
}

static void on_record(void *user, const gr_train_record *r)
{
    training *t = user;
    char peak[32];
    cli_bytes_text(peak, (double)r->peak_bytes);
    snprintf(t->task, sizeof t->task, "loss %.3g lr %.1e %.3g/s %s", r->loss, r->lr, r->samples_per_s, peak);
    if (t->app->progress.task != t->task) {
        cli_progress_end(&t->app->progress);
        cli_progress_begin(&t->app->progress, t->task, "step", (uint64_t)r->steps);
    }
    cli_progress_set(&t->app->progress, (uint64_t)r->step);
}

static void on_validated(void *user, int64_t step, double loss)
{
    training *t = user;
    cli_inform(&t->app->out, "step %lld: validation loss %.6g", (long long)step, loss);
}

static void print_outcome(cli *app, const gr_train_outcome *o)
{
    if (!app->common.json) {
        cli_print(&app->out, "%lld of %lld steps%s\n", (long long)o->step, (long long)o->steps,
                  o->stopped ? "; --resume goes on" : "");
        return;
    }
    cli_json j;
    cli_json_init(&j, app->out.results);
    cli_json_open(&j, NULL, '{');
    cli_json_number(&j, "step", (double)o->step);
    cli_json_number(&j, "steps", (double)o->steps);
    cli_json_number(&j, "loss", o->loss);
    cli_json_bool(&j, "stopped", o->stopped);
    cli_json_close(&j, '}');
    cli_print(&app->out, "\n");
}

static int go(cli *app, const gr_training *options, bool resume)
{
    gr_error err = { 0 };
    gr_train_outcome outcome = { .size = sizeof outcome };
    training t = { .app = app };
    const gr_train_watch watch = { sizeof watch, cli_cancelled, on_announce, on_loading,
                                   on_record,    on_validated,  &t };
    const gr_status st = gr_training_run(options, resume, &watch, &outcome, &err);
    cli_progress_end(&app->progress);
    if (st != GR_OK)
        return cli_fail(&app->out, &err, CLI_AT_INPUT);
    print_outcome(app, &outcome);
    return outcome.stopped ? (int)cli_signals_exit() : CLI_EXIT_OK; /* a STOP file is no signal: success */
}

static int show(cli *app, gr_training *options)
{
    gr_error err = { 0 };
    const char *text;
    if (gr_training_show(options, !app->common.json, &text, &err) != GR_OK)
        return cli_fail(&app->out, &err, CLI_AT_INPUT);
    cli_print(&app->out, "%s%s", text, app->common.json ? "\n" : "");
    return CLI_EXIT_OK;
}

static int with_options(cli *app, const train_values *v, gr_training *options)
{
    gr_error err = { 0 };
    if (app->n_args == 1 && gr_training_read(options, app->args[0], &err) != GR_OK)
        return cli_fail(&app->out, &err, CLI_AT_INPUT);
    for (size_t i = 0; i < v->set.count; i++)
        if (gr_training_set(options, v->set.items[i], &err) != GR_OK)
            return cli_fail(&app->out, &err, CLI_AT_INPUT);
    return v->print_config ? show(app, options) : go(app, options, v->resume);
}

/* --- the picture ------------------------------------------------------------------------------- */

/* RUN/plot.png, or beside a log that is named itself. */
static bool default_out(char *out, size_t n, const char *of)
{
    struct stat s;
    const bool is_dir = stat(of, &s) != 0 || S_ISDIR(s.st_mode);
    const char *slash = strrchr(of, '/');
    const size_t folder = is_dir ? strlen(of) : slash ? (size_t)(slash - of) + 1 : 0;
    const bool joined = folder == 0 || of[folder - 1] == '/';
    const int length = snprintf(out, n, "%.*s%splot.png", (int)folder, of, joined ? "" : "/");
    return length >= 0 && (size_t)length < n;
}

static void print_plot(cli *app, const char *out, const char *const *runs, size_t n)
{
    if (!app->common.json) {
        cli_print(&app->out, "%s\n", out);
        return;
    }
    cli_json j;
    cli_json_init(&j, app->out.results);
    cli_json_open(&j, NULL, '{');
    cli_json_text(&j, "plot", out);
    cli_json_open(&j, "runs", '[');
    for (size_t i = 0; i < n; i++)
        cli_json_text(&j, NULL, runs[i]);
    cli_json_close(&j, ']');
    cli_json_close(&j, '}');
    cli_print(&app->out, "\n");
}

static int draw(cli *app, gr_runtime *rt, const char *const *runs, size_t n, const char *out)
{
    gr_error err = { 0 };
    char beside[4096];
    if (!out && (n > 1 || !default_out(beside, sizeof beside, runs[0]))) {
        cli_error(&app->out, "a picture of %zu runs needs a name: --out OUT.png", n);
        return CLI_EXIT_USAGE;
    }
    out = out ? out : beside;
    if (gr_training_plot(rt, runs, n, out, &err) != GR_OK)
        return cli_fail(&app->out, &err, CLI_AT_INPUT);
    print_plot(app, out, runs, n);
    return CLI_EXIT_OK;
}

static int plot(cli *app, gr_runtime *rt, const train_values *v)
{
    const char *runs[GR_TRAINING_PLOT_RUNS];
    const size_t n = v->plot.count + app->n_args;
    if (v->set.count > 0 || v->resume || v->print_config) {
        cli_error(&app->out, "--plot trains nothing: --set, --resume and --print-config do not go with it");
        return CLI_EXIT_USAGE;
    }
    if (n > GR_TRAINING_PLOT_RUNS) {
        cli_error(&app->out, "--plot shows up to %d runs in one picture, not %zu", GR_TRAINING_PLOT_RUNS, n);
        return CLI_EXIT_USAGE;
    }
    for (size_t i = 0; i < n; i++)
        runs[i] = i < v->plot.count ? v->plot.items[i] : app->args[i - v->plot.count];
    return draw(app, rt, runs, n, v->out);
}

/* --- the subcommand ---------------------------------------------------------------------------- */

static int train(cli *app, gr_runtime *rt, const train_values *v)
{
    gr_error err = { 0 };
    gr_training *options;
    const int code = gr_training_new(&options, rt, &err) == GR_OK
                         ? with_options(app, v, options)
                         : (int)cli_fail(&app->out, &err, CLI_AT_INPUT);
    gr_training_free(options);
    return code;
}

static int run(cli *app, const void *values)
{
    const train_values *v = values;
    const bool plots = v->plot.count > 0;
    gr_error err = { 0 };
    gr_runtime *rt;
    if (!plots && app->n_args > 1) {
        cli_error(&app->out, "'%s' is one argument too many; usage: grasp train [CONFIG]", app->args[1]);
        return CLI_EXIT_USAGE;
    }
    if (!plots && v->out) /* perhaps from the environment, for another subcommand */
        cli_warn(&app->out,
                 "--out is the picture of --plot and not used here; a run's folder is --set output=DIR");
    app->common.threads = v->threads;
    if (cli_runtime_new(&rt, app, &err) != GR_OK)
        return cli_fail(&app->out, &err, CLI_AT_INPUT);
    const int code = plots ? plot(app, rt, v) : train(app, rt, v);
    gr_runtime_free(rt);
    return code;
}

const cli_command cmd_train = {
    .name = "train",
    .arguments = "[CONFIG]",
    .summary = "trains a model on rows of pictures, regions and conversations",
    .about = "Trains the model folder that the options name, whole or in part, by the published recipe. "
             "CONFIG is a "
             "JSON object of options; --print-config lists them all. Before memory is taken the run says how "
             "much.\n\n"
             "The output folder gets log.jsonl, a line for every record, and checkpoints that --resume goes "
             "on from, "
             "to the same bits as if the run had never stopped. Ctrl-C, SIGTERM or a file STOP in the output "
             "folder "
             "end the run before the next sample, with a checkpoint; --resume makes the step again.\n\n"
             "--plot draws what a run has logged so far: loss as logged and smoothed, validation loss, "
             "learning rate and norm of the gradient over the steps; of several runs, in one picture.",
    .examples = "  grasp train --print-config --json > train.json\n"
                "  grasp train train.json --set model=GAR-1B --set data=rows.jsonl --set output=run\n"
                "  grasp train train.json --set parts=projector,mask --set memory_gb=20\n"
                "  grasp train train.json --resume\n"
                "  grasp train --plot run\n"
                "  grasp train --plot run-a run-b run-c --out compared.svg\n",
    .min_args = 0,
    .max_args = -1, /* of runs to plot; of a run that is trained one */
    .tables = tables,
    .n_tables = 2,
    .values_bytes = sizeof(train_values),
    .run = run,
};
