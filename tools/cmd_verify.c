/* cmd_verify.c - whether a model folder is what it should be, and which behaviour its weights expect. */
#include <string.h>

#include <grasp/verify.h>

#include "cmd.h"
#include "json_out.h"
#include "signals.h"

typedef struct {
    const char *reference, *images, *grid;
    int64_t limit, max_tokens, numerics;
    double threshold;
} verify_values;

#define AT(field) offsetof(verify_values, field)

static const cli_option rows[] = {
    { "reference", 0, CLI_TEXT, AT(reference), "OUTPUTS", NULL, 0, 0,
      "published answers to compare with: a file gar_{1b,8b}_{vqa,simple,detailed}.json of GAR-Bench" },
    { "images", 0, CLI_TEXT, AT(images), "DIR", NULL, 0, 0,
      "the folder that the image paths of the file begin in; without it ../annotations beside the file, or "
      "its own" },
    { "limit", 0, CLI_INT, AT(limit), "N", "0", 0, 1000000,
      "items to compare, those with fewest regions first; 0: all" },
    { "grid", 0, CLI_TEXT, AT(grid), "all|NAME=VALUE,...", "all", 0, 0,
      "combinations to run: all of roi_mode, double_bos, mask_resample and max_tiles (the model's and 16); a "
      "switch or "
      "max_tiles that is listed takes the listed values only" },
    { "threshold", 0, CLI_NUMBER, AT(threshold), "X", "0.9", 0, 1,
      "share of texts that the best combination must reproduce" },
    { "max-tokens", 0, CLI_INT, AT(max_tokens), "N", "1024", 1, 1000000, "longest answer" },
    { "numerics", 0, CLI_CHOICE, AT(numerics), "exact|released", "released", 0, 0,
      "exact f32, or rounded to bf16 wherever the published bf16 code rounds" },
};

static const cli_table tables[] = { CLI_TABLE("Verification", rows, 0) };

/* One call of the command. */
typedef struct {
    cli *app;
    const verify_values *values;
    gr_model *model;
    cli_json json;
    const char *task;
    bool bad; /* some check failed */
} verify;

static bool on_progress(void *user, uint64_t done, uint64_t total)
{
    verify *v = user;
    if (!v->app->progress.task)
        cli_progress_begin(&v->app->progress, v->task, v->values->reference ? "answer" : "byte", total);
    cli_progress_set(&v->app->progress, done);
    return !cli_cancelled(NULL);
}

static void on_check(void *user, const gr_check *check)
{
    verify *v = user;
    v->bad |= !check->good;
    if (v->app->common.json) {
        cli_json_open(&v->json, NULL, '{');
        cli_json_text(&v->json, "name", check->name);
        cli_json_bool(&v->json, "good", check->good);
        cli_json_text(&v->json, "says", check->says);
        cli_json_close(&v->json, '}');
        return;
    }
    cli_progress_hide(&v->app->progress);
    cli_print(&v->app->out, "%-8s  %-4s  %s\n", check->name, check->good ? "good" : "BAD", check->says);
    cli_flush(&v->app->out);
}

static void on_skipped(void *user, const char *item, const char *why)
{
    verify *v = user;
    cli_warn(&v->app->out, "%s is left out: %s", item, why);
}

/* The object that --json writes, once there are results to put into it. */
static void json_open(verify *v)
{
    if (!v->app->common.json)
        return;
    cli_json_init(&v->json, v->app->out.results);
    cli_json_open(&v->json, NULL, '{');
    cli_json_text(&v->json, "model", v->app->common.model);
    cli_json_text(&v->json, "reference", v->values->reference);
    cli_json_text(&v->json, "numerics", v->values->numerics ? "released" : "exact");
}

static void json_close(verify *v)
{
    if (!v->app->common.json)
        return;
    cli_json_close(&v->json, '}');
    cli_print(&v->app->out, "\n");
}

/* --- without outputs ----------------------------------------------------------------------------- */

static void put_unverified(verify *v)
{
    if (v->app->common.json)
        cli_json_open(&v->json, "unverified", '[');
    else if (gr_model_unverified(v->model, 0))
        cli_print(&v->app->out, "\nUnverified, as no file states it:\n");
    for (size_t i = 0; gr_model_unverified(v->model, i); i++)
        if (v->app->common.json)
            cli_json_text(&v->json, NULL, gr_model_unverified(v->model, i));
        else
            cli_print(&v->app->out, "  %s\n", gr_model_unverified(v->model, i));
    if (v->app->common.json)
        cli_json_close(&v->json, ']');
}

static cli_exit check_folder(verify *v)
{
    gr_error err = { 0 };
    const gr_verify_watch watch = { on_check, on_progress, on_skipped, v };
    v->task = "reading";
    json_open(v);
    if (v->app->common.json)
        cli_json_open(&v->json, "checks", '[');
    const gr_status st = gr_verify_model(v->model, &watch, &err);
    cli_progress_end(&v->app->progress);
    if (v->app->common.json)
        cli_json_close(&v->json, ']');
    put_unverified(v);
    json_close(v);
    if (st == GR_OK)
        return CLI_EXIT_OK;
    const cli_exit code = cli_fail(&v->app->out, &err, CLI_AT_MODEL);
    return st == GR_ERR_FORMAT && v->bad ? CLI_EXIT_BELOW : code;
}

/* --- against outputs ----------------------------------------------------------------------------- */

static void put_row_json(cli_json *j, const gr_verify_row *row, size_t compared)
{
    cli_json_open(j, NULL, '{');
    cli_json_text(j, "combination", row->name);
    cli_json_open(j, "profile", '{');
    for (size_t i = 0; gr_profile_switch_at(i); i++)
        cli_json_text(j, gr_profile_switch_at(i)->name, gr_profile_value(&row->profile, i));
    cli_json_close(j, '}');
    cli_json_number(j, "max_tiles", row->max_tiles);
    cli_json_number(j, "identical", (double)row->identical);
    cli_json_number(j, "share", compared ? (double)row->identical / (double)compared : 0);
    cli_json_number(j, "prefix", row->prefix);
    cli_json_bool(j, "best", row->best);
    cli_json_close(j, '}');
}

static void put_json(verify *v, const gr_verification *found, const gr_verify_summary *s)
{
    cli_json_number(&v->json, "items", (double)s->items);
    cli_json_number(&v->json, "compared", (double)s->compared);
    cli_json_number(&v->json, "skipped", (double)s->skipped);
    cli_json_number(&v->json, "answers", (double)s->answers);
    cli_json_open(&v->json, "rows", '[');
    for (size_t i = 0; gr_verification_row(found, i); i++)
        put_row_json(&v->json, gr_verification_row(found, i), s->compared);
    cli_json_close(&v->json, ']');
}

static void put_table(verify *v, const gr_verification *found, const gr_verify_summary *s)
{
    cli_output *out = &v->app->out;
    cli_print(out, "%9s  %6s  %s\n", "identical", "prefix", "combination");
    for (size_t i = 0; gr_verification_row(found, i); i++) {
        const gr_verify_row *row = gr_verification_row(found, i);
        cli_print(out, "%4zu %3.0f%%  %5.1f%%  %s%s\n", row->identical,
                  s->compared ? 100.0 * (double)row->identical / (double)s->compared : 0.0, 100 * row->prefix,
                  row->name[0] ? row->name : "released", row->best ? "  *" : "");
    }
    cli_print(out, "\n%zu of %zu items compared, %zu left out, %zu answers generated\n", s->compared,
              s->items, s->skipped, s->answers);
}

/* Says who won; true when the best reaches the threshold. */
static bool judge(verify *v, const gr_verification *found, const gr_verify_summary *s)
{
    const gr_verify_row *best = NULL;
    size_t n = 0;
    for (size_t i = 0; gr_verification_row(found, i); i++)
        if (gr_verification_row(found, i)->best) {
            best = best ? best : gr_verification_row(found, i);
            n++;
        }
    const double share = best ? (double)best->identical / (double)s->compared : 0;
    const bool reached = best && share >= v->values->threshold;
    if (v->app->common.json) {
        cli_json_number(&v->json, "threshold", v->values->threshold);
        cli_json_bool(&v->json, "reproduced", reached);
        cli_json_text(&v->json, "winner", n == 1 && reached ? best->name : NULL);
        return reached;
    }
    if (!reached)
        cli_print(&v->app->out, "no combination reproduces %g of the texts\n", v->values->threshold);
    else if (n == 1)
        cli_print(&v->app->out, "the published texts were made with: %s\n",
                  best->name[0] ? best->name : "released");
    else
        cli_print(&v->app->out,
                  "%zu combinations (*) reproduce the texts equally well; these items do not tell them "
                  "apart\n",
                  n);
    return reached;
}

static cli_exit compare(verify *v)
{
    gr_error err = { 0 };
    gr_verification *found;
    gr_verify_options o;
    gr_verify_summary s = { .size = sizeof s };
    gr_verify_options_init(&o);
    o.images = v->values->images;
    o.grid = v->values->grid;
    o.limit = (size_t)v->values->limit;
    o.max_tokens = (int)v->values->max_tokens;
    o.watch = (gr_verify_watch){ NULL, on_progress, on_skipped, v };
    v->task = "verifying";
    const gr_status st = gr_verify_outputs(&found, v->model, v->values->reference, &o, &err);
    cli_progress_end(&v->app->progress);
    if (!found)
        return cli_fail(&v->app->out, &err, CLI_AT_INPUT);
    gr_verification_summary(found, &s, NULL);
    json_open(v);
    if (v->app->common.json)
        put_json(v, found, &s);
    else
        put_table(v, found, &s);
    cli_exit code = CLI_EXIT_OK;
    if (st == GR_ERR_CANCELLED)
        code = cli_signals_exit();
    else if (!judge(v, found, &s))
        code = CLI_EXIT_BELOW;
    json_close(v);
    gr_verification_free(found);
    return code;
}

/* --- the command --------------------------------------------------------------------------------- */

static cli_exit open_and_verify(cli *app, const verify_values *values, gr_runtime *rt)
{
    verify v = { .app = app, .values = values };
    gr_error err = { 0 };
    gr_model_options o;
    gr_model_options_init(&o);
    o.numerics = (gr_numerics)values->numerics;
    if (gr_model_open(&v.model, rt, app->common.model, &o, &err) != GR_OK)
        return cli_fail(&app->out, &err, CLI_AT_MODEL);
    const cli_exit code = values->reference ? compare(&v) : check_folder(&v);
    cli_flush(&app->out);
    gr_model_close(v.model);
    return code;
}

static int run(cli *app, const void *values)
{
    gr_error err = { 0 };
    gr_runtime *rt;
    if (app->n_args == 1)
        app->common.model = app->args[0];
    if (!app->common.model) {
        cli_error(&app->out, "no model; usage: grasp verify DIR");
        return CLI_EXIT_USAGE;
    }
    if (cli_runtime_new(&rt, app, &err) != GR_OK)
        return cli_fail(&app->out, &err, CLI_AT_MODEL);
    const cli_exit code = open_and_verify(app, values, rt);
    gr_runtime_free(rt);
    return code;
}

const cli_command cmd_verify = {
    .name = "verify",
    .arguments = "DIR",
    .summary = "whether a model folder is whole, and which behaviour its weights expect",
    .about =
        "Checks a model folder: every tensor's name, shape and values, special tokens, tokenizer settings, "
        "and worked "
        "examples of tiles and prompt. Lists what no file can tell.\n\n"
        "With --reference, asks the questions of a published file under every combination of what is not "
        "settled "
        "(docs/profiles.md), counts the answers that are the published ones byte for byte, and names the "
        "combination that reproduces most. Items whose picture is missing are named and left out. Exit code "
        "7: "
        "a check failed, or no combination reaches the threshold. An interrupt prints the table so far.",
    .examples =
        "  grasp verify GAR-1B\n"
        "  grasp verify GAR-1B --reference GAR-Bench/model_outputs/gar_1b_vqa.json --limit 40\n"
        "  grasp verify GAR-8B --reference gar_8b_vqa.json --images annotations --grid roi_mode=paper\n",
    .min_args = 0,
    .max_args = 1,
    .runs_model = true,
    .tables = tables,
    .n_tables = 1,
    .values_bytes = sizeof(verify_values),
    .run = run,
};
