/* cmd_new.c - a checkpoint with random weights, in the layout of the published ones. */
#include <grasp/new.h>

#include "cmd.h"
#include "json_out.h"
#include "signals.h"
#include "units.h"

typedef struct {
    const char *preset, *tokenizer, *from;
    int64_t seed, dtype, profile, threads;
    bool fit_vocab, for_training;
} values;

#define AT(field) offsetof(values, field)

static const cli_option rows[] = {
    { "preset", 0, CLI_TEXT, AT(preset), "NAME", NULL, 0, 0,
      "the model's size: gar-1b and gar-8b as published; gar-test, which a test runs in milliseconds; "
      "gar-small, between them" },
    { "from", 0, CLI_TEXT, AT(from), "DIR", NULL, 0, 0,
      "in place of --preset: a Perception-LM, which training begins with; its weights stay as they are, "
      "masks change nothing yet, and the prompts are new tokens" },
    { "seed", 0, CLI_INT, AT(seed), "N", "0", 0, 9007199254740992.0,
      "every weight follows from this number, its tensor's name and its place; not from threads or files" },
    { "dtype", 0, CLI_CHOICE, AT(dtype), "auto|f32|bf16|f16", "auto", 0, 0,
      "type of the stored weights; auto is the preset's: bf16, and f32 for gar-test" },
    { "tokenizer", 0, CLI_TEXT, AT(tokenizer), "FILE|DIR", NULL, 0, 0,
      "tokenizer.json to copy, or its folder; without it every byte is a token" },
    { "for-training", 0, CLI_FLAG, AT(for_training), NULL, NULL, 0, 0,
      "weights of the sizes that learning begins with, instead of those at which mistakes of an "
      "implementation show" },
    { "state-profile", 0, CLI_CHOICE, AT(profile), "auto|released|paper", "auto", 0, 0,
      "what the folder states it wants (docs/profiles.md); auto is paper with --for-training, as the replay "
      "of the released code sees a corner of the picture, and otherwise nothing" },
    { "fit-vocab", 0, CLI_FLAG, AT(fit_vocab), NULL, NULL, 0, 0,
      "size of the vocabulary and special ids are those of --tokenizer, not the preset's" },
    { "threads", 't', CLI_INT, AT(threads), "N", NULL, 0, 1024,
      "threads that draw; 0, the default, is as many as the process may use" },
};
static const cli_table tables[] = { CLI_TABLE("Model", rows, 0) };

/* Says which presets there are. */
static int no_preset(cli *app)
{
    char names[256] = "";
    size_t at = 0;
    for (size_t i = 0; gr_new_preset(i) && at < sizeof names; i++)
        at += (size_t)snprintf(names + at, sizeof names - at, "%s%s", i ? ", " : "", gr_new_preset(i));
    cli_error(&app->out, "no size was given: --preset takes one of %s", names);
    return CLI_EXIT_USAGE;
}

static bool progress(void *user, uint64_t done, uint64_t total)
{
    cli *app = user;
    if (!app->progress.task)
        cli_progress_begin(&app->progress, "new", "B", total);
    cli_progress_set(&app->progress, done);
    return !cli_cancelled(NULL);
}

static void print_json(cli *app, const values *v, const gr_new_size *size)
{
    cli_json j;
    cli_json_init(&j, app->out.results);
    cli_json_open(&j, NULL, '{');
    cli_json_text(&j, "dir", app->args[0]);
    cli_json_text(&j, "preset", v->preset);
    cli_json_number(&j, "seed", (double)v->seed);
    cli_json_text(&j, "weights", "random");
    cli_json_text(&j, "dtype", gr_dtype_name(size->dtype));
    cli_json_number(&j, "tensors", size->tensors);
    cli_json_number(&j, "parameters", (double)size->parameters);
    cli_json_number(&j, "bytes", (double)size->bytes);
    cli_json_number(&j, "files", size->files);
    cli_json_text(&j, "tokenizer", v->tokenizer);
    cli_json_close(&j, '}');
    cli_print(&app->out, "\n");
}

static void print_text(cli *app, const values *v, const gr_new_size *size)
{
    char bytes[32];
    cli_bytes_text(bytes, (double)size->bytes);
    cli_print(&app->out, "%s: %s, seed %lld: %lld parameters in %d tensors, %s of %s in %d %s\n",
              app->args[0], v->preset, (long long)v->seed, (long long)size->parameters, size->tensors, bytes,
              gr_dtype_name(size->dtype), size->files, size->files == 1 ? "file" : "files");
    cli_print(&app->out,
              "The weights are random numbers: it can be run, measured and trained, and what it says "
              "means nothing.\n");
}

static void print_from(cli *app, const values *v)
{
    cli_json j;
    if (!app->common.json) {
        cli_print(
            &app->out,
            "%s: a GAR that begins with %s. Its weights are as they were, masks change nothing yet, and "
            "the prompts are new tokens: it wants training.\n",
            app->args[0], v->from);
        return;
    }
    cli_json_init(&j, app->out.results);
    cli_json_open(&j, NULL, '{');
    cli_json_text(&j, "dir", app->args[0]);
    cli_json_text(&j, "from", v->from);
    cli_json_close(&j, '}');
    cli_print(&app->out, "\n");
}

static gr_status make(cli *app, gr_runtime *rt, const values *v, gr_new_size *size, gr_error *err)
{
    static const gr_dtype types[] = { GR_DTYPE_COUNT, GR_DTYPE_F32, GR_DTYPE_BF16, GR_DTYPE_F16 };
    static const char *const profiles[] = { NULL, "released", "paper" };
    gr_new_options o;
    gr_new_options_init(&o);
    o.seed = (uint64_t)v->seed;
    o.dtype = types[v->dtype];
    o.tokenizer = v->tokenizer;
    o.fit_vocab = v->fit_vocab;
    o.profile = profiles[v->profile];
    o.for_training = v->for_training;
    o.progress = progress;
    o.progress_user = app;
    if (!v->from)
        GR_TRY(gr_new_measure(size, rt, v->preset, &o, err));
    const gr_status st = v->from ? gr_checkpoint_from_base(rt, v->from, app->args[0], &o, err)
                                 : gr_checkpoint_new(rt, v->preset, app->args[0], &o, err);
    cli_progress_end(&app->progress);
    return st;
}

static int run(cli *app, const void *user)
{
    const values *v = user;
    gr_error err = { 0 };
    gr_runtime *rt;
    gr_new_size size;
    if (v->from && v->preset) {
        cli_error(&app->out,
                  "--from DIR is in place of --preset: the model has the sizes of the one it begins with");
        return CLI_EXIT_USAGE;
    }
    if (v->from && (v->dtype || v->tokenizer || v->for_training || v->fit_vocab)) {
        cli_error(
            &app->out,
            "--dtype, --tokenizer, --for-training and --fit-vocab are about random weights; with --from "
            "all that is the base's");
        return CLI_EXIT_USAGE;
    }
    if (!v->preset && !v->from)
        return no_preset(app);
    app->common.threads = v->threads;
    if (cli_runtime_new(&rt, app, &err) != GR_OK)
        return cli_fail(&app->out, &err, CLI_AT_INPUT);
    const gr_status st = make(app, rt, v, &size, &err);
    gr_runtime_free(rt);
    if (st != GR_OK)
        return cli_fail(&app->out, &err, CLI_AT_INPUT);
    if (v->from)
        print_from(app, v);
    else if (app->common.json)
        print_json(app, v, &size);
    else
        print_text(app, v, &size);
    return CLI_EXIT_OK;
}

const cli_command cmd_new = {
    .name = "new",
    .arguments = "OUT --preset NAME|--from=DIR",
    .summary = "a new checkpoint with random weights",
    .about =
        "Makes the folder OUT: configuration, tokenizer and weights in the layout of the published GAR "
        "checkpoints. The weights are random numbers of sensible sizes, so that the model can be run, "
        "measured and trained; what it says means nothing.\n\n"
        "With --from, the GAR that the published training begins with: a Perception-LM, a mask embedding of "
        "zeros, and the prompts as tokens whose rows are the mean of the others.\n\n"
        "OUT must not exist, or be empty. It appears when it is complete; after an error or Ctrl-C "
        "nothing is left.",
    .examples = "  grasp new tiny --preset gar-test\n"
                "  grasp new big --preset gar-1b --seed 7 --tokenizer GAR-1B/tokenizer.json\n"
                "  grasp new begin --from Perception-LM-1B\n"
                "  grasp new mine --preset gar-test --tokenizer my-words --fit-vocab\n",
    .min_args = 1,
    .max_args = 1,
    .tables = tables,
    .n_tables = 1,
    .values_bytes = sizeof(values),
    .run = run,
};
