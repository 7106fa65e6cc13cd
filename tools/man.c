#include "man.h"

#include <string.h>

#include <grasp/version.h>

#include "help.h"
#include "options.h"
#include "roff.h"
#include "rows.h"

/* The day of the page, in place of the day of the build: the same sources make the same page. */
#define PAGE_DATE "2026-11-27"

typedef struct {
    const char *name, *text;
} entry;

static void put_entries(FILE *f, const entry *entries, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        fputs(".TP\n.I ", f);
        cli_roff_word(f, entries[i].name, strlen(entries[i].name));
        fputc('\n', f);
        cli_roff_text(f, entries[i].text);
    }
}

#define PUT_ENTRIES(f, entries) put_entries(f, entries, sizeof(entries) / sizeof *(entries))

/* Text after a heading; empty lines part its paragraphs. */
static void put_paragraphs(FILE *f, const char *text)
{
    for (bool first = true; *text; first = false) {
        const char *end = strstr(text, "\n\n");
        const size_t n = end ? (size_t)(end - text) : strlen(text);
        char paragraph[2048];
        snprintf(paragraph, sizeof paragraph, "%.*s", (int)n, text);
        fputs(first ? "" : ".PP\n", f);
        cli_roff_text(f, paragraph);
        text += n + (end ? 2 : 0);
    }
}

/* --- options ------------------------------------------------------------------------------------ */

/* "-m, --model DIR": names bold, values italic. */
static void put_option_head(FILE *f, const cli_option *o)
{
    if (o->letter)
        fprintf(f, "\\fB\\-%c\\fR, ", o->letter);
    fputs("\\fB\\-\\-", f);
    cli_roff_word(f, o->name, strlen(o->name));
    fputs("\\fR", f);
    if (o->value) {
        fputs(" \\fI", f);
        cli_roff_word(f, o->value, strlen(o->value));
        fputs("\\fR", f);
    }
    fputc('\n', f);
}

static void put_option(FILE *f, const cli_option *o)
{
    char text[CLI_SAYS_MAX + 64];
    cli_option_says(text, o);
    const size_t n = strlen(text);
    if (o->preset)
        snprintf(text + n, sizeof text - n, ". Default: %s.", o->preset);
    else
        snprintf(text + n, sizeof text - n, ".");
    fputs(".TP\n", f);
    put_option_head(f, o);
    cli_roff_text(f, text);
}

static void put_table(FILE *f, const cli_table *t)
{
    for (size_t i = 0; i < t->count; i++)
        put_option(f, &t->rows[i]);
}

/* --- commands ----------------------------------------------------------------------------------- */

static void put_command(FILE *f, const cli_command *c)
{
    char usage[256];
    snprintf(usage, sizeof usage, "grasp %s%s%s", c->name, c->arguments[0] ? " " : "", c->arguments);
    fputs(".SS \"", f);
    cli_roff_word(f, usage, strlen(usage));
    fputs("\"\n", f);
    put_paragraphs(f, c->about);
    for (size_t i = 0; i < c->n_tables; i++)
        put_table(f, &c->tables[i]);
}

static void put_commands(FILE *f, const cli *app)
{
    fputs(".SH COMMANDS\n", f);
    for (const cli_command *const *c = app->commands; *c; c++)
        put_command(f, *c);
}

static void put_shared_options(FILE *f, const cli *app)
{
    fputs(".SH OPTIONS\nUnderstood by", f);
    for (const cli_command *const *c = app->commands; *c; c++)
        if ((*c)->runs_model)
            fprintf(f, " %s,", (*c)->name);
    fputs(" which run a model:\n", f);
    put_table(f, &cli_model_table);
    fputs(".PP\nUnderstood by every command:\n", f);
    put_table(f, &cli_output_table);
}

static void put_examples(FILE *f, const cli *app)
{
    fputs(".SH EXAMPLES\n.EX\n", f);
    for (const cli_command *const *c = app->commands; *c; c++) {
        cli_word line;
        for (const char *rest = (*c)->examples; cli_next_word(&line, &rest, "\n");) {
            const size_t indent = strspn(line.at, " ");
            cli_roff_line(f, line.at + indent, line.n - indent);
        }
    }
    fputs(".EE\n", f);
}

/* --- environment -------------------------------------------------------------------------------- */

static const cli_option *find_option(const cli_command *c, const char *name)
{
    const cli_table *t;
    for (size_t i = 0; (t = cli_table_at(c, i)); i++)
        for (size_t k = 0; k < t->count; k++)
            if (strcmp(t->rows[k].name, name) == 0)
                return &t->rows[k];
    return NULL;
}

/* "--limit of verify": an option's variable, where its first command is met. */
static void put_variable(FILE *f, const cli *app, const cli_command *first, const cli_option *o)
{
    for (const cli_command *const *c = app->commands; *c != first; c++)
        if (find_option(*c, o->name))
            return;
    if (strcmp(o->name, "help") == 0)
        return;
    char env[64], text[512];
    size_t n = 0, users = 0, all = 0;
    cli_option_env(env, o->name);
    n = (size_t)snprintf(text, sizeof text, "--%s of", o->name);
    for (const cli_command *const *c = app->commands; *c; c++, all++)
        if (find_option(*c, o->name))
            n += (size_t)snprintf(text + n, sizeof text - n, "%s %s", users++ ? "," : "", (*c)->name);
    if (users == all)
        snprintf(text, sizeof text, "--%s of every command", o->name);
    put_entries(f, &(entry){ env, text }, 1);
}

static void put_environment(FILE *f, const cli *app)
{
    static const entry variables[] = {
        { "NO_COLOR", "messages without colour, unless --color says otherwise" },
        { "CLICOLOR_FORCE", "colour even where stderr is no terminal; 0 counts as absent" },
        { "TERM", "no colour where it is absent or dumb" },
        { "COLUMNS", "the width of the progress bar, where the terminal does not tell" },
    };
    fputs(".SH ENVIRONMENT\n", f);
    cli_roff_text(
        f, "What the command line does not say comes from the environment variable of the option, then "
           "from its default. An empty variable counts as absent.");
    const cli_table *t;
    for (const cli_command *const *c = app->commands; *c; c++)
        for (size_t i = 0; (t = cli_table_at(*c, i)); i++)
            for (size_t k = 0; k < t->count; k++)
                put_variable(f, app, *c, &t->rows[k]);
    PUT_ENTRIES(f, variables);
}

/* --- the page ----------------------------------------------------------------------------------- */

static void put_files(FILE *f)
{
    static const entry files[] = {
        { "DIR/config.json", "the configuration of a model, as published" },
        { "DIR/model.safetensors", "its weights in one file" },
        { "DIR/model.safetensors.index.json", "the list of files where its weights lie in several" },
        { "DIR/tokenizer.json", "its tokens; without it a model can be inspected and not asked" },
        { "NAME.tmp-PID", "the file NAME while it is written; it gets its name when it is whole" },
    };
    fputs(".SH FILES\n", f);
    PUT_ENTRIES(f, files);
}

static void put_exit_status(FILE *f)
{
    fputs(".SH \"EXIT STATUS\"\n", f);
#define X(name, number, text)           \
    fprintf(f, ".TP\n.B %d\n", number); \
    cli_roff_text(f, text);
    CLI_EXIT_TABLE(X)
#undef X
}

void cli_man(FILE *f, const cli *app)
{
    fprintf(f,
            ".\\\" Made by 'grasp help \\-\\-man' from the tables of the command.\n"
            ".TH GRASP 1 " PAGE_DATE " \"grasp %s\" \"User Commands\"\n",
            gr_version());
    fputs(".SH NAME\ngrasp \\- describe and relate regions of images\n"
          ".SH SYNOPSIS\n.B grasp\n.I COMMAND\n[arguments] [options]\n.SH DESCRIPTION\n",
          f);
    cli_roff_text(f, cli_about);
    for (const cli_command *const *c = app->commands; *c; c++)
        put_entries(f, &(entry){ (*c)->name, (*c)->summary }, 1);
    fputs(".PP\n", f);
    cli_roff_text(f, "A value follows its option, --model DIR, or is joined to it, --model=DIR. -- ends the "
                     "options. Results go to stdout, everything else to stderr.");
    put_commands(f, app);
    put_shared_options(f, app);
    put_environment(f, app);
    put_files(f);
    put_exit_status(f);
    put_examples(f, app);
}
