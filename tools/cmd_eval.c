/* cmd_eval.c - benchmarks: a model asked and scored, or outputs scored. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <grasp/eval.h>

#include "cmd.h"
#include "evaluated.h"
#include "signals.h"

typedef struct {
    const char *images, *out;
    int64_t limit, max_tokens, max_tiles, numerics, profile;
    cli_list switches;
    bool score, free_text, resume;
} eval_values;

#define AT(field) offsetof(eval_values, field)

static const cli_option rows[] = {
    { "images", 0, CLI_TEXT, AT(images), "DIR", NULL, 0, 0,
      "the folder that the image paths of the file begin in; without it ../annotations beside the file, or "
      "its own" },
    { "out", 'o', CLI_TEXT, AT(out), "FILE", NULL, 0, 0,
      "write the items with their answers there, as published outputs are; answers so far are kept in "
      "FILE.part" },
    { "resume", 0, CLI_FLAG, AT(resume), NULL, NULL, 0, 0, "go on with the answers of FILE.part" },
    { "score", 0, CLI_FLAG, AT(score), NULL, NULL, 0, 0, "ask nothing: score the outputs that FILE has" },
    { "free", 0, CLI_FLAG, AT(free_text), NULL, NULL, 0, 0,
      "as published: let the model say what it likes, which counts where it is the letter alone; without "
      "this its "
      "answer is one of the letters" },
    { "limit", 0, CLI_INT, AT(limit), "N", "0", 0, 1000000,
      "items to ask, spread evenly over the file; 0: all" },
    { "max-tiles", 0, CLI_INT, AT(max_tiles), "N", "0", 0, 64,
      "tiles a picture may be cut into, besides the thumbnail; 0: as the model says" },
    { "max-tokens", 'n', CLI_INT, AT(max_tokens), "N", "1024", 1, 1000000,
      "longest free answer or description" },
    { "profile", 0, CLI_CHOICE, AT(profile), "checkpoint|released|paper", "checkpoint", 0, 0,
      "what is done where released code and paper differ; docs/profiles.md lists it" },
    { "switch", 0, CLI_LIST, AT(switches), "NAME=VALUE", NULL, 0, 0,
      "one switch of the profile; extra_prompts=replay asks about more regions than the model has prompts" },
    { "numerics", 0, CLI_CHOICE, AT(numerics), "exact|released", "exact", 0, 0,
      "exact f32, or rounded to bf16 wherever the published bf16 code rounds" },
};

static const cli_table tables[] = { CLI_TABLE("Evaluation", rows, 0) };

typedef struct {
    cli *app;
    const eval_values *values;
    size_t failed;
} job;

static bool on_announce(void *user, size_t bytes)
{
    cli_inform(&((job *)user)->app->out, "memory: %.0f MB", (double)bytes * 1e-6);
    return true;
}

static bool on_progress(void *user, uint64_t done, uint64_t total)
{
    job *j = user;
    if (!j->app->progress.task)
        cli_progress_begin(&j->app->progress, "asking", "item", total);
    cli_progress_set(&j->app->progress, done);
    return !cli_cancelled(NULL);
}

static void on_failed(void *user, size_t item, const char *image, const char *why)
{
    job *j = user;
    if (++j->failed <= 10)
        cli_warn(&j->app->out, "item %zu (%s) is not answered: %s", item, image, why);
}

/* --- asking -------------------------------------------------------------------------------------------- */

static gr_status profile_of(const eval_values *v, const gr_model *m, gr_profile *out, gr_error *err)
{
    static const char *const sets[] = { NULL, "released", "paper" };
    if (sets[v->profile])
        GR_TRY(gr_profile_init(out, sets[v->profile], err));
    else
        gr_model_profile(m, out);
    for (size_t i = 0; i < v->switches.count; i++)
        GR_TRY(gr_profile_set(out, v->switches.items[i], err));
    return GR_OK;
}

static char *journal_of(const char *out)
{
    char *path = out ? malloc(strlen(out) + 6) : NULL;
    if (path)
        sprintf(path, "%s.part", out);
    return path;
}

static cli_exit ask_all(job *j, gr_model *m, const char *journal)
{
    const eval_values *v = j->values;
    gr_evaluation *e;
    gr_error err = { 0 };
    gr_eval_options o;
    gr_eval_options_init(&o);
    o.images = v->images;
    o.journal = journal;
    o.resume = v->resume;
    o.limit = (size_t)v->limit;
    o.free_text = v->free_text;
    o.max_tokens = (int)v->max_tokens;
    o.max_tiles = (int)v->max_tiles;
    o.has_profile = true;
    o.watch = (gr_eval_watch){ on_announce, on_progress, on_failed, j };
    if (profile_of(v, m, &o.profile, &err) != GR_OK) {
        cli_error(&j->app->out, "%s", err.msg);
        return CLI_EXIT_USAGE;
    }
    const gr_status st = gr_eval_vqa(&e, m, j->app->args[0], j->app->args[1], &o, &err);
    cli_progress_end(&j->app->progress);
    if (j->failed > 10)
        cli_warn(&j->app->out, "and %zu more are not answered", j->failed - 10);
    if (!e)
        return cli_fail(&j->app->out, &err, CLI_AT_INPUT);
    cli_exit code = st == GR_ERR_CANCELLED ? cli_signals_exit() : j->failed ? CLI_EXIT_PARTIAL : CLI_EXIT_OK;
    if (st == GR_OK) {
        evaluated_put(j->app, e, true);
        if (v->out && gr_evaluation_write(e, v->out, &err) != GR_OK)
            code = cli_fail(&j->app->out, &err, CLI_AT_INPUT);
        else if (journal)
            unlink(journal);
    } else {
        evaluated_put(j->app, e, false);
        if (journal)
            cli_warn(&j->app->out, "stopped; --resume goes on with the answers in %s", journal);
    }
    gr_evaluation_free(e);
    return code;
}

static cli_exit ask(job *j, gr_runtime *rt)
{
    gr_model *m;
    gr_error err = { 0 };
    gr_model_options o;
    if (!cli_model(j->app))
        return CLI_EXIT_MODEL;
    gr_model_options_init(&o);
    o.numerics = (gr_numerics)j->values->numerics;
    if (gr_model_open(&m, rt, j->app->common.model, &o, &err) != GR_OK)
        return cli_fail(&j->app->out, &err, CLI_AT_MODEL);
    char *journal = journal_of(j->values->out);
    const cli_exit code = ask_all(j, m, journal);
    free(journal);
    gr_model_close(m);
    return code;
}

static cli_exit score(job *j, gr_runtime *rt)
{
    gr_evaluation *e;
    gr_error err = { 0 };
    if (gr_eval_vqa_score(&e, rt, j->app->args[0], j->app->args[1], &err) != GR_OK)
        return cli_fail(&j->app->out, &err, CLI_AT_INPUT);
    evaluated_put(j->app, e, true);
    gr_evaluation_free(e);
    return CLI_EXIT_OK;
}

static int run(cli *app, const void *values)
{
    job j = { .app = app, .values = values };
    gr_error err = { 0 };
    gr_runtime *rt;
    bool known = false;
    for (size_t i = 0; gr_eval_benchmark(i); i++)
        known |= strcmp(gr_eval_benchmark(i), app->args[0]) == 0;
    if (!known) {
        cli_error(&app->out,
                  "there is no benchmark '%s'; there are gar-bench-vqa, synth-bench and synth-bench-cap",
                  app->args[0]);
        return CLI_EXIT_USAGE;
    }
    if (j.values->resume && !j.values->out) {
        cli_error(&app->out, "--resume goes on with the answers beside --out FILE, which is not given");
        return CLI_EXIT_USAGE;
    }
    if (j.values->free_text && strcmp(app->args[0], "synth-bench-cap") == 0) {
        cli_error(&app->out, "--free is about answers that are letters; a description is free in any case");
        return CLI_EXIT_USAGE;
    }
    if (cli_runtime_new(&rt, app, &err) != GR_OK)
        return cli_fail(&app->out, &err, CLI_AT_MODEL);
    const cli_exit code = j.values->score ? score(&j, rt) : ask(&j, rt);
    gr_runtime_free(rt);
    return code;
}

const cli_command cmd_eval = {
    .name = "eval",
    .arguments = "BENCHMARK FILE|DIR",
    .summary = "a benchmark: the model's answers, scored",
    .about = "Asks the model every item of a file, and prints how many answers are right, by category, with "
             "a 95 % "
             "confidence interval and what guessing would give.\n\n"
             "BENCHMARK is gar-bench-vqa (GAR-Bench-VQA.json, or a folder with it), synth-bench "
             "(synth-bench.json of 'grasp data synth --bench') or synth-bench-cap (synth-bench-cap.json "
             "beside it). In the first two an answer is one of the letters, each with its probability; "
             "--free asks as published. Items that cannot be asked are named and count as wrong; the exit "
             "code is then 1.\n\n"
             "In synth-bench-cap regions are described, with the instruction of 'grasp describe' and always "
             "by the likeliest token. It prints how many of the stated attributes are true and how many of "
             "the true ones are stated, by kind, with 95 % intervals. It is a benchmark of its own because "
             "one folder holds both files, and a folder may be given for either.",
    .examples = "  grasp eval gar-bench-vqa GAR-Bench-VQA.json --images . --model GAR-1B --out answers.json\n"
                "  grasp eval gar-bench-vqa GAR-Bench-VQA.json --model GAR-1B --out answers.json --resume\n"
                "  grasp eval synth-bench DIR --model models/synth --limit 100 --json\n"
                "  grasp eval synth-bench-cap DIR --model models/synth --out described.json\n"
                "  grasp eval gar-bench-vqa --score gar_1b_vqa.json\n",
    .min_args = 2,
    .max_args = 2,
    .runs_model = true,
    .tables = tables,
    .n_tables = 1,
    .values_bytes = sizeof(eval_values),
    .run = run,
};
