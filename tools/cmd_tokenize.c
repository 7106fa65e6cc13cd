/* cmd_tokenize.c - text to tokens and back. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <grasp/tokenizer.h>

#include "cmd.h"
#include "json_out.h"
#include "slurp.h"

typedef struct {
    const char *model, *decode;
    bool specials, ids_only;
} values;

#define AT(field) offsetof(values, field)

static const cli_option rows[] = {
    { "model", 'm', CLI_TEXT, AT(model), "DIR|FILE", NULL, 0, 0, "a model's folder, or a tokenizer.json" },
    { "decode", 'd', CLI_TEXT, AT(decode), "IDS", NULL, 0, 0,
      "the other way: the text of these ids, separated by spaces or commas; '-' reads them from stdin" },
    { "specials", 0, CLI_FLAG, AT(specials), NULL, NULL, 0, 0,
      "spellings of special tokens in the text become those tokens, and --decode shows them; by default they "
      "are ordinary characters, as in what a user writes, and are left out" },
    { "ids-only", 0, CLI_FLAG, AT(ids_only), NULL, NULL, 0, 0, "ids in one line instead of a token a line" },
};
static const cli_table tables[] = { CLI_TABLE("Tokens", rows, 0) };

/* What one call works on. */
typedef struct {
    cli *app;
    const values *v;
    gr_runtime *rt;
    gr_tokenizer *t;
    char *input;      /* of stdin, owned */
    const char *text; /* [n] */
    size_t n;
    int32_t *ids;        /* [n_ids], owned */
    size_t *ends, n_ids; /* ends: [n_ids], owned */
} work;

/* --- ids as text ------------------------------------------------------------------------------------------
 */

static cli_exit bad_id(work *w, const char *at, const char *why)
{
    cli_error(&w->app->out, "'%.*s' %s", (int)strcspn(at, " ,\t\r\n[]"), at, why);
    return CLI_EXIT_INPUT;
}

/* "1, 2 [3]" -> ids. */
static cli_exit read_ids(work *w)
{
    static const char separators[] = " ,\t\r\n[]";
    w->ids = calloc(w->n / 2 + 1, sizeof *w->ids);
    if (!w->ids) {
        cli_error(&w->app->out, "no memory for the ids");
        return CLI_EXIT_LIMIT;
    }
    for (const char *at = w->text; *(at += strspn(at, separators));) {
        char *end;
        errno = 0;
        const long id = strtol(at, &end, 10);
        size_t bytes;
        if (!strchr(separators, *end))
            return bad_id(w, at, "is not an id: ids are numbers, separated by spaces or commas");
        if (errno || id < 0 || id >= gr_tokenizer_n_vocab(w->t) ||
            !gr_tokenizer_bytes(w->t, (int32_t)id, &bytes))
            return bad_id(w, at, "is no token's id in this tokenizer");
        w->ids[w->n_ids++] = (int32_t)id;
        at = end;
    }
    return CLI_EXIT_OK;
}

static cli_exit decode(work *w)
{
    gr_error err = { 0 };
    size_t bytes;
    const unsigned flags = w->v->specials ? 0 : GR_DECODE_SKIP_SPECIAL;
    const cli_exit code = read_ids(w);
    if (code != CLI_EXIT_OK)
        return code;
    gr_status st = gr_tokenizer_to_text(w->t, w->ids, w->n_ids, flags, NULL, 0, &bytes, &err);
    char *text = st == GR_OK ? malloc(bytes + 1) : NULL;
    if (st == GR_OK && !text)
        st = gr_fail(&err, GR_ERR_MEM, "no memory for the text");
    if (st == GR_OK)
        st = gr_tokenizer_to_text(w->t, w->ids, w->n_ids, flags, text, bytes + 1, &bytes, &err);
    if (st == GR_OK && w->app->common.json) {
        cli_json j;
        cli_json_init(&j, w->app->out.results);
        cli_json_open(&j, NULL, '{');
        cli_json_bytes(&j, "text", text, bytes);
        cli_json_close(&j, '}');
        cli_print(&w->app->out, "\n");
    } else if (st == GR_OK) {
        fwrite(text, 1, bytes, w->app->out.results);
        cli_print(&w->app->out, "\n");
    }
    free(text);
    return st == GR_OK ? CLI_EXIT_OK : cli_fail(&w->app->out, &err, CLI_AT_INPUT);
}

/* --- text as ids ------------------------------------------------------------------------------------------
 */

static void put_ids(work *w, cli_json *j)
{
    cli_json_open(j, "ids", '[');
    for (size_t i = 0; i < w->n_ids; i++)
        cli_json_number(j, NULL, w->ids[i]);
    cli_json_close(j, ']');
}

static void put_tokens(work *w, cli_json *j)
{
    cli_json_open(j, "tokens", '[');
    for (size_t i = 0; i < w->n_ids; i++) {
        const size_t begin = i ? w->ends[i - 1] : 0;
        cli_json_open(j, NULL, '{');
        cli_json_number(j, "id", w->ids[i]);
        cli_json_bytes(j, "text", w->text + begin, w->ends[i] - begin);
        cli_json_number(j, "begin", (double)begin);
        cli_json_number(j, "end", (double)w->ends[i]);
        cli_json_bool(j, "special", gr_tokenizer_is_special(w->t, w->ids[i]));
        cli_json_close(j, '}');
    }
    cli_json_close(j, ']');
}

static void print_json(work *w)
{
    cli_json j;
    cli_json_init(&j, w->app->out.results);
    cli_json_open(&j, NULL, '{');
    cli_json_number(&j, "bytes", (double)w->n);
    put_ids(w, &j);
    if (!w->v->ids_only)
        put_tokens(w, &j);
    cli_json_close(&j, '}');
    cli_print(&w->app->out, "\n");
}

/* A token a line: id, bytes of the text it covers, the text as JSON would write it. */
static void print_table(work *w)
{
    for (size_t i = 0; i < w->n_ids; i++) {
        const size_t begin = i ? w->ends[i - 1] : 0;
        cli_json j;
        cli_json_init(&j, w->app->out.results);
        cli_print(&w->app->out, "%7d  %zu..%zu  ", w->ids[i], begin, w->ends[i]);
        cli_json_bytes(&j, NULL, w->text + begin, w->ends[i] - begin);
        cli_print(&w->app->out, "\n");
    }
}

static void print_ids(work *w)
{
    for (size_t i = 0; i < w->n_ids; i++)
        cli_print(&w->app->out, "%s%d", i ? " " : "", w->ids[i]);
    cli_print(&w->app->out, "\n");
}

static cli_exit encode(work *w)
{
    gr_error err = { 0 };
    w->ids = malloc((w->n + 1) * sizeof *w->ids);
    w->ends = malloc((w->n + 1) * sizeof *w->ends);
    gr_status st = w->ids && w->ends ? GR_OK : gr_fail(&err, GR_ERR_MEM, "no memory for %zu ids", w->n);
    if (st == GR_OK)
        st = gr_tokenizer_to_ids(w->t, w->text, w->n, w->v->specials, w->ids, w->n + 1, &w->n_ids, &err);
    if (st != GR_OK)
        return cli_fail(&w->app->out, &err, CLI_AT_INPUT);
    gr_tokenizer_ends(w->t, w->ids, w->n_ids, w->ends);
    if (w->app->common.json)
        print_json(w);
    else if (w->v->ids_only)
        print_ids(w);
    else
        print_table(w);
    return CLI_EXIT_OK;
}

/* --- the call ---------------------------------------------------------------------------------------------
 */

static cli_exit open_input(work *w)
{
    gr_error err = { 0 };
    const char *given = w->v->decode ? w->v->decode : w->app->n_args > 0 ? w->app->args[0] : "-";
    if (strcmp(given, "-") == 0) {
        if (cli_slurp(&w->input, &w->n, STDIN_FILENO, GR_TEXT_MAX, &err) != GR_OK)
            return cli_fail(&w->app->out, &err, CLI_AT_INPUT);
        w->text = w->input;
    } else {
        w->text = given;
        w->n = strlen(given);
    }
    return CLI_EXIT_OK;
}

static cli_exit open_tokenizer(work *w)
{
    gr_error err = { 0 };
    if (!w->v->model) {
        cli_error(&w->app->out, "no tokenizer: give --model DIR, a model's folder, or its tokenizer.json");
        return CLI_EXIT_MODEL;
    }
    if (cli_runtime_new(&w->rt, w->app, &err) != GR_OK ||
        gr_tokenizer_open(&w->t, w->rt, w->v->model, &err) != GR_OK)
        return cli_fail(&w->app->out, &err, CLI_AT_MODEL);
    return CLI_EXIT_OK;
}

static int run(cli *app, const void *user)
{
    work w = { .app = app, .v = user };
    if (w.v->decode && app->n_args > 0) {
        cli_error(&app->out, "'%s' is an argument too many: --decode has the ids already", app->args[0]);
        return CLI_EXIT_USAGE;
    }
    app->common.threads = 1;
    cli_exit code = open_tokenizer(&w);
    if (code == CLI_EXIT_OK)
        code = open_input(&w);
    if (code == CLI_EXIT_OK)
        code = w.v->decode ? decode(&w) : encode(&w);
    free(w.input);
    free(w.ids);
    free(w.ends);
    gr_tokenizer_free(w.t);
    gr_runtime_free(w.rt);
    return code;
}

const cli_command cmd_tokenize = {
    .name = "tokenize",
    .arguments = "[TEXT|-]",
    .summary = "text as a model's tokens, and back",
    .about =
        "Prints the tokens of a text, or of stdin: id, the bytes of the text that it covers, and these as a "
        "JSON string. A token may end inside a character; its bytes then show as U+FFFD. No "
        "begin-of-text token is added.",
    .examples = "  grasp tokenize 'a red mug' --model GAR-1B\n"
                "  grasp tokenize --ids-only --model GAR-1B <question.txt\n"
                "  grasp tokenize --decode '64 2579 47204' --model GAR-1B/tokenizer.json\n",
    .max_args = 1,
    .tables = tables,
    .n_tables = 1,
    .values_bytes = sizeof(values),
    .run = run,
};
