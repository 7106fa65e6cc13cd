/* help_json.c - the rows as JSON, for programs that call the command or wrap it. */
#include <string.h>

#include <grasp/version.h>

#include "help.h"
#include "json_out.h"
#include "options.h"
#include "rows.h"

static void put_word(cli_json *j, const char *key, cli_word word) { cli_json_bytes(j, key, word.at, word.n); }

/* The parts of a text as an array. */
static void put_words(cli_json *j, const char *key, const char *text, const char *separators)
{
    cli_word word;
    cli_json_open(j, key, '[');
    while (cli_next_word(&word, &text, separators))
        put_word(j, NULL, word);
    cli_json_close(j, ']');
}

static void put_letter(cli_json *j, char letter)
{
    const char text[2] = { letter, '\0' };
    cli_json_text(j, "letter", letter ? text : NULL);
}

static void put_option(cli_json *j, const cli_table *t, const cli_option *o)
{
    static const char *const types[] = {
        [CLI_FLAG] = "flag",     [CLI_COUNT] = "count", [CLI_INT] = "integer", [CLI_NUMBER] = "number",
        [CLI_CHOICE] = "choice", [CLI_TEXT] = "text",   [CLI_LIST] = "list",
    };
    char env[64];
    cli_option_env(env, o->name);
    cli_json_open(j, NULL, '{');
    cli_json_text(j, "name", o->name);
    put_letter(j, o->letter);
    cli_json_text(j, "group", t->title);
    cli_json_text(j, "type", types[o->kind]);
    if (o->kind == CLI_CHOICE)
        put_words(j, "words", o->value, "|");
    else
        cli_json_text(j, "value", o->value);
    cli_json_text(j, "default", o->preset);
    cli_json_text(j, "env", strcmp(o->name, "help") == 0 ? NULL : env);
    if (o->min != 0 || o->max != 0) {
        cli_json_number(j, "min", o->min);
        cli_json_number(j, "max", o->max);
    }
    cli_json_text(j, "help", o->help);
    cli_json_close(j, '}');
}

static void put_examples(cli_json *j, const char *lines)
{
    cli_word line;
    cli_json_open(j, "examples", '[');
    while (cli_next_word(&line, &lines, "\n")) {
        const size_t indent = strspn(line.at, " ");
        put_word(j, NULL, (cli_word){ line.at + indent, line.n - indent });
    }
    cli_json_close(j, ']');
}

static void put_command(cli_json *j, const cli_command *c)
{
    cli_word argument;
    cli_json_open(j, NULL, '{');
    cli_json_text(j, "name", c->name);
    cli_json_text(j, "usage", c->arguments);
    cli_json_text(j, "summary", c->summary);
    cli_json_text(j, "about", c->about);
    cli_json_open(j, "arguments", '[');
    for (size_t i = 0; cli_argument_at(c, i, &argument); i++) {
        cli_json_open(j, NULL, '{');
        put_word(j, "name", argument);
        cli_json_bool(j, "required", i < (size_t)c->min_args);
        cli_json_close(j, '}');
    }
    cli_json_close(j, ']');
    cli_json_open(j, "options", '[');
    const cli_table *t;
    for (size_t i = 0; (t = cli_table_at(c, i)); i++)
        for (size_t k = 0; k < t->count; k++)
            put_option(j, t, &t->rows[k]);
    cli_json_close(j, ']');
    put_examples(j, c->examples);
    cli_json_close(j, '}');
}

static void put_exit_codes(cli_json *j)
{
    cli_json_open(j, "exit_status", '[');
#define X(name, number, text)           \
    cli_json_open(j, NULL, '{');        \
    cli_json_number(j, "code", number); \
    cli_json_text(j, "meaning", text);  \
    cli_json_close(j, '}');
    CLI_EXIT_TABLE(X)
#undef X
    cli_json_close(j, ']');
}

void cli_help_json(FILE *f, const cli *app, const cli_command *command)
{
    cli_json j;
    cli_json_init(&j, f);
    cli_json_open(&j, NULL, '{');
    cli_json_text(&j, "name", "grasp");
    cli_json_text(&j, "version", gr_version());
    cli_json_text(&j, "about", cli_about);
    cli_json_open(&j, "commands", '[');
    for (const cli_command *const *c = app->commands; *c; c++)
        if (!command || *c == command)
            put_command(&j, *c);
    cli_json_close(&j, ']');
    put_exit_codes(&j);
    cli_json_close(&j, '}');
    fputc('\n', f);
}
