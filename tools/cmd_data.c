/* cmd_data.c - makes data. What is made is the first argument: `synth`. */
#include <string.h>

#include <grasp/synth.h>

#include "cmd.h"
#include "json_out.h"
#include "signals.h"

typedef struct {
    const char *sheet, *font;
    int64_t count, seed, split, format, threads;
    double captions, looking, closeups;
    bool bench;
} values;

#define AT(field) offsetof(values, field)

static const cli_option rows[] = {
    { "count", 0, CLI_INT, AT(count), "N", "1000", 1, 4294967296.0,
      "rows; with --bench, items of each of the seven categories, and descriptions" },
    { "seed", 0, CLI_INT, AT(seed), "N", "0", 0, 9007199254740992.0,
      "every scene and every word follows from this number, the split and the row; not from threads" },
    { "split", 0, CLI_CHOICE, AT(split), "auto|train|validation|test", "auto", 0, 0,
      "which scenes: no two splits share one, and some combinations are in the test split alone; auto is "
      "train, and test for a benchmark" },
    { "format", 0, CLI_CHOICE, AT(format), "arrow|jsonl|texts", "arrow", 0, 0,
      "a data set as huggingface/datasets saves it; rows.jsonl and a folder of pictures; or texts.txt, all "
      "that is said in the rows, to learn a vocabulary from" },
    { "captions", 0, CLI_NUMBER, AT(captions), "PART", "0.4", 0, 1,
      "part of the rows that describe regions; the others ask and answer" },
    { "looking", 0, CLI_NUMBER, AT(looking), "PART", "0.15", 0, 1,
      "part of those others that only say, in a few words each, what many regions are and look like" },
    { "closeups", 0, CLI_NUMBER, AT(closeups), "PART", "0", 0, 1,
      "part of all rows that show one object large, and name it: for a model to begin with" },
    { "bench", 0, CLI_FLAG, AT(bench), NULL, NULL, 0, 0,
      "a benchmark in the shape of GAR-Bench instead of rows" },
    { "sheet", 0, CLI_TEXT, AT(sheet), "FILE.png", NULL, 0, 0,
      "also draws the first scenes side by side, to look at; without OUT, this alone" },
    { "font", 0, CLI_TEXT, AT(font), "FILE", NULL, 0, 0,
      "the colour font that things are drawn from; by default where the system keeps Noto Color Emoji" },
    { "threads", 't', CLI_INT, AT(threads), "N", NULL, 0, 1024,
      "threads that draw; 0, the default, is as many as the process may use" },
};
static const cli_table tables[] = { CLI_TABLE("Scenes", rows, 0) };

static bool progress(void *user, uint64_t done, uint64_t total)
{
    cli *app = user;
    if (!app->progress.task)
        cli_progress_begin(&app->progress, "synth", "row", total);
    cli_progress_set(&app->progress, done);
    return !cli_cancelled(NULL);
}

static gr_status make(cli *app, gr_runtime *rt, const values *v, gr_synth_written *written, gr_error *err)
{
    static const char *const splits[] = { NULL, "train", "validation", "test" };
    static const gr_synth_form forms[] = { GR_SYNTH_ARROW, GR_SYNTH_JSONL, GR_SYNTH_TEXTS };
    gr_synth_options o;
    gr_synth_options_init(&o);
    o.seed = (uint64_t)v->seed;
    o.count = (uint64_t)v->count;
    o.split = splits[v->split];
    o.form = v->bench ? GR_SYNTH_BENCH : forms[v->format];
    o.captions = v->captions;
    o.looking = v->looking;
    o.closeups = v->closeups;
    o.font = v->font;
    o.sheet = v->sheet;
    o.nothing_else = app->n_args < 2;
    o.progress = progress;
    o.progress_user = app;
    const gr_status st = gr_synth_write(rt, o.nothing_else ? NULL : app->args[1], &o, written, err);
    cli_progress_end(&app->progress);
    return st;
}

static void print_json(cli *app, const values *v, const gr_synth_written *w)
{
    cli_json j;
    cli_json_init(&j, app->out.results);
    cli_json_open(&j, NULL, '{');
    cli_json_text(&j, "dir", app->n_args < 2 ? NULL : app->args[1]);
    cli_json_text(&j, "sheet", v->sheet);
    cli_json_number(&j, "seed", (double)v->seed);
    cli_json_number(&j, v->bench ? "items" : "rows", (double)w->rows);
    cli_json_number(&j, "captions", (double)w->captions);
    if (!v->bench) {
        cli_json_number(&j, "turns", (double)w->turns);
        cli_json_number(&j, "regions", (double)w->regions);
    }
    cli_json_close(&j, '}');
    cli_print(&app->out, "\n");
}

static void print_text(cli *app, const values *v, const gr_synth_written *w)
{
    if (app->n_args < 2)
        cli_print(&app->out, "%s: the first scenes of seed %lld\n", v->sheet, (long long)v->seed);
    else if (v->bench)
        cli_print(&app->out, "%s: %llu questions and %llu descriptions, seed %lld\n", app->args[1],
                  (unsigned long long)w->rows, (unsigned long long)w->captions, (long long)v->seed);
    else
        cli_print(&app->out,
                  "%s: %llu rows, %llu of them captions; %llu turns about %llu regions, seed %lld\n",
                  app->args[1], (unsigned long long)w->rows, (unsigned long long)w->captions,
                  (unsigned long long)w->turns, (unsigned long long)w->regions, (long long)v->seed);
}

/* What is missing on the command line; NULL: nothing. */
static const char *missing(const cli *app, const values *v)
{
    if (strcmp(app->args[0], "synth") != 0)
        return "the first argument is 'synth': grasp data synth OUT --count N";
    if (app->n_args < 2 && !v->sheet)
        return "no folder was given: grasp data synth OUT --count N; or --sheet FILE.png to look at scenes";
    return NULL;
}

static int run(cli *app, const void *user)
{
    const values *v = user;
    gr_error err = { 0 };
    gr_runtime *rt;
    gr_synth_written written = { .size = sizeof written };
    const char *wrong = missing(app, v);
    if (wrong) {
        cli_error(&app->out, "%s", wrong);
        return CLI_EXIT_USAGE;
    }
    app->common.threads = v->threads;
    if (cli_runtime_new(&rt, app, &err) != GR_OK)
        return cli_fail(&app->out, &err, CLI_AT_INPUT);
    const gr_status st = make(app, rt, v, &written, &err);
    gr_runtime_free(rt);
    if (st != GR_OK)
        return cli_fail(&app->out, &err, CLI_AT_INPUT);
    if (app->common.json)
        print_json(app, v, &written);
    else
        print_text(app, v, &written);
    return CLI_EXIT_OK;
}

const cli_command cmd_data = {
    .name = "data",
    .arguments = "synth OUT --count N",
    .summary = "synthetic pictures with descriptions, questions and answers",
    .about =
        "Draws scenes of which everything is known - shapes, things, people, mirrors, shadows, screens - "
        "and makes the folder OUT of them: rows of training data with masks, descriptions of regions, "
        "questions and answers; or, with --bench, a benchmark: synth-bench.json in the shape of "
        "GAR-Bench-VQA, and synth-bench-cap.json, which states what a description has to say.\n\n"
        "Rows are made one by one from seed and number, so a longer set begins with a shorter one. OUT "
        "must not exist, or be empty. It appears when it is complete; after an error or Ctrl-C nothing "
        "is left.",
    .examples = "  grasp data synth rows --count 20000 --seed 7\n"
                "  grasp data synth lines --count 100 --format jsonl --split validation\n"
                "  grasp data synth bench --bench --count 100\n"
                "  grasp data synth --count 48 --sheet scenes.png\n",
    .min_args = 1,
    .max_args = 2,
    .tables = tables,
    .n_tables = 1,
    .values_bytes = sizeof(values),
    .run = run,
};
