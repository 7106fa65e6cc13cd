/* cmd_tokenizer.c - makes tokenizers. What is done is the first argument: `train`. */
#include <string.h>

#include <grasp/tokenizer_train.h>

#include "cmd.h"
#include "json_out.h"
#include "signals.h"
#include "units.h"

typedef struct {
    const char *out, *field, *bos, *eos;
    int64_t vocab_size, min_frequency, max_words, threads;
    bool whole_files;
    cli_list specials;
} values;

#define AT(field) offsetof(values, field)

static const cli_option rows[] = {
    { "out", 'o', CLI_TEXT, AT(out), "DIR", NULL, 0, 0,
      "the folder to make; it must not exist, or be empty" },
    { "vocab-size", 0, CLI_INT, AT(vocab_size), "N", NULL, 0, 1048576,
      "ids in all: the 256 bytes, the special tokens, and what is learned; GAR has 128262" },
    { "min-frequency", 0, CLI_INT, AT(min_frequency), "N", "2", 1, 2147483647,
      "pairs of tokens that occur less often in the texts are not joined" },
    { "field", 0, CLI_TEXT, AT(field), "NAME", NULL, 0, 0,
      "the files are JSON Lines: each line is an object, and its member NAME a text" },
    { "whole-files", 0, CLI_FLAG, AT(whole_files), NULL, NULL, 0, 0,
      "a file is one text, so that words may go over its line ends; by default every line is a text, its "
      "line end with it" },
    { "special", 0, CLI_LIST, AT(specials), "TOKEN", NULL, 0, 0,
      "a special token, in the order of their ids; without any, GAR's 262" },
    { "bos", 0, CLI_TEXT, AT(bos), "TOKEN", "<|begin_of_text|>", 0, 0,
      "the special token that a text begins with" },
    { "eos", 0, CLI_TEXT, AT(eos), "TOKEN", "<|eot_id|>", 0, 0,
      "the special token that an answer ends with" },
    { "max-words", 0, CLI_INT, AT(max_words), "N", "8388608", 1, 2147483647.0,
      "distinct words that there may be, which is what takes memory: about 0.5 GB a million" },
    { "threads", 't', CLI_INT, AT(threads), "N", NULL, 0, 1024,
      "threads that read; 0, the default, is as many as the process may use. Results do not depend on it" },
};
static const cli_table tables[] = { CLI_TABLE("Training", rows, 0) };

/* What the progress shows of each phase. */
static const struct {
    const char *task, *unit;
} phases[] = { [GR_TRAIN_READ] = { "read", "B" }, [GR_TRAIN_JOIN] = { "learn", "token" } };

static bool progress(void *user, gr_train_phase phase, uint64_t done, uint64_t total)
{
    cli *app = user;
    if (app->progress.task != phases[phase].task) {
        cli_progress_end(&app->progress);
        cli_progress_begin(&app->progress, phases[phase].task, phases[phase].unit, total);
    }
    cli_progress_set(&app->progress, done);
    return !cli_cancelled(NULL);
}

static void print_json(cli *app, const values *v, const gr_tokenizer_training *t)
{
    cli_json j;
    cli_json_init(&j, app->out.results);
    cli_json_open(&j, NULL, '{');
    cli_json_text(&j, "dir", v->out);
    cli_json_number(&j, "vocab_size", t->vocab_size);
    cli_json_number(&j, "learned", t->n_learned);
    cli_json_number(&j, "specials", t->n_specials);
    cli_json_number(&j, "min_frequency", (double)v->min_frequency);
    cli_json_number(&j, "files", (double)(app->n_args - 1));
    cli_json_number(&j, "bytes", (double)t->bytes);
    cli_json_number(&j, "texts", (double)t->texts);
    cli_json_number(&j, "words", (double)t->words);
    cli_json_number(&j, "distinct_words", (double)t->distinct);
    cli_json_close(&j, '}');
    cli_print(&app->out, "\n");
}

static void print_text(cli *app, const values *v, const gr_tokenizer_training *t)
{
    char bytes[32];
    cli_bytes_text(bytes, (double)t->bytes);
    cli_print(&app->out,
              "%s: %d ids: 256 bytes, %d tokens learned from %s (%llu texts, %llu words, %llu different), %d "
              "special tokens\n",
              v->out, t->vocab_size, t->n_learned, bytes, (unsigned long long)t->texts,
              (unsigned long long)t->words, (unsigned long long)t->distinct, t->n_specials);
}

static gr_status train(cli *app, gr_runtime *rt, const values *v, gr_tokenizer_training *t, gr_error *err)
{
    gr_tokenizer_train_options o;
    gr_tokenizer_train_options_init(&o);
    o.vocab_size = (int32_t)v->vocab_size;
    o.min_frequency = (int32_t)v->min_frequency;
    o.field = v->field;
    o.whole_files = v->whole_files;
    if (v->specials.count > 0)
        o.specials = v->specials.items;
    o.n_specials = v->specials.count;
    o.bos = v->bos;
    o.eos = v->eos;
    o.max_words = (uint64_t)v->max_words;
    o.progress = progress;
    o.progress_user = app;
    const gr_status st = gr_tokenizer_train(rt, app->args + 1, app->n_args - 1, v->out, &o, t, err);
    cli_progress_end(&app->progress);
    return st;
}

/* What is missing on the command line; NULL: nothing. */
static const char *missing(const cli *app, const values *v)
{
    if (strcmp(app->args[0], "train") != 0)
        return "the first argument is 'train': grasp tokenizer train FILE... --out DIR --vocab-size N";
    if (app->n_args < 2)
        return "no text was given: grasp tokenizer train FILE... --out DIR --vocab-size N";
    if (!v->out)
        return "no folder was given: --out DIR is made, with the tokenizer in it";
    if (v->vocab_size == 0)
        return "no size was given: --vocab-size N is how many ids there will be; GAR has 128262";
    return NULL;
}

static int run(cli *app, const void *user)
{
    const values *v = user;
    gr_error err = { 0 };
    gr_runtime *rt;
    gr_tokenizer_training t = { .size = sizeof t };
    const char *wrong = missing(app, v);
    if (wrong) {
        cli_error(&app->out, "%s", wrong);
        return CLI_EXIT_USAGE;
    }
    app->common.threads = v->threads;
    if (cli_runtime_new(&rt, app, &err) != GR_OK)
        return cli_fail(&app->out, &err, CLI_AT_INPUT);
    const gr_status st = train(app, rt, v, &t, &err);
    gr_runtime_free(rt);
    if (st != GR_OK)
        return cli_fail(&app->out, &err, CLI_AT_INPUT);
    if (t.vocab_size < v->vocab_size)
        cli_warn(
            &app->out,
            "the texts gave %d ids of %lld: no pair is left that occurs %lld times. A model that is to use "
            "this tokenizer needs its vocab_size",
            t.vocab_size, (long long)v->vocab_size, (long long)v->min_frequency);
    if (app->common.json)
        print_json(app, v, &t);
    else
        print_text(app, v, &t);
    return CLI_EXIT_OK;
}

const cli_command cmd_tokenizer = {
    .name = "tokenizer",
    .arguments = "train FILE... --out DIR --vocab-size N",
    .summary = "a new tokenizer, learned from text",
    .about =
        "Learns a byte-level vocabulary from the text of the files, and makes the folder DIR with it: "
        "tokenizer.json in the layout of the published GAR tokenizer, and what belongs to it. Ids begin with "
        "the 256 bytes and end with the special tokens.\n\n"
        "What is learned follows from the texts alone, not from threads or the order of files, and is what "
        "the tokenizers library learns. DIR appears when it is complete; after an error or Ctrl-C nothing is "
        "left.",
    .examples =
        "  grasp tokenizer train corpus/*.txt --out tok --vocab-size 32000\n"
        "  grasp tokenizer train captions.jsonl --field caption --out tok --vocab-size 8000\n"
        "  grasp tokenizer train a.txt --out tok --vocab-size 1000 --special '<s>' --bos '<s>' --eos '<s>'\n",
    .min_args = 1,
    .max_args = -1,
    .tables = tables,
    .n_tables = 1,
    .values_bytes = sizeof(values),
    .run = run,
};
