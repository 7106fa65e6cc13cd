/* completion_fish.c - a line for every command, option and argument. */
#include <string.h>

#include "completion.h"
#include "rows.h"

/* Inside '...'. */
static void put_text(FILE *f, const char *text, int n)
{
    for (int i = 0; i < n; i++) {
        if (text[i] == '\'' || text[i] == '\\')
            fputc('\\', f);
        fputc(text[i], f);
    }
}

static void put_help(FILE *f, const char *text, int n)
{
    fputs(" -d '", f);
    put_text(f, text, n);
    fputs("'\n", f);
}

/* What may follow; -x: an option wants it, and it is no file. */
static void put_value(FILE *f, const cli *app, cli_value value, const char *words, size_t n, bool option)
{
    const char *wants = option ? " -x" : "";
    switch (value) {
    case CLI_VALUE_WORDS:
        fprintf(f, "%s -a '", wants);
        cli_put_words(f, words, n);
        fputc('\'', f);
        break;
    case CLI_VALUE_COMMAND:
        fprintf(f, "%s -a '", wants);
        cli_put_names(f, app);
        fputc('\'', f);
        break;
    case CLI_VALUE_FILE:
        fprintf(f, "%s -F", option ? " -r" : "");
        break;
    case CLI_VALUE_FOLDER:
        fprintf(f, "%s -a '(__fish_complete_directories)'", wants);
        break;
    case CLI_VALUE_ANY:
        fputs(wants, f);
        break;
    case CLI_VALUE_NONE:
        break;
    }
}

static void put_condition(FILE *f, const cli_command *c)
{
    fprintf(f, "complete -c grasp -n '__fish_seen_subcommand_from %s'", c->name);
}

static void put_command(FILE *f, const cli *app, const cli_command *c)
{
    const cli_table *t;
    cli_word word;
    fprintf(f, "\ncomplete -c grasp -n __fish_use_subcommand -a %s", c->name);
    put_help(f, c->summary, (int)strlen(c->summary));
    for (size_t i = 0; (t = cli_table_at(c, i)); i++)
        for (size_t k = 0; k < t->count; k++) {
            const cli_option *o = &t->rows[k];
            put_condition(f, c);
            if (o->letter)
                fprintf(f, " -s %c", o->letter);
            fprintf(f, " -l %s", o->name);
            put_value(f, app, cli_value_of_option(o), o->value, o->value ? strlen(o->value) : 0, true);
            put_help(f, o->help, cli_option_brief(o));
        }
    for (size_t i = 0; cli_argument_at(c, i, &word); i++) {
        const cli_value value = cli_value_of_argument(word);
        if (value == CLI_VALUE_ANY)
            continue;
        put_condition(f, c);
        put_value(f, app, value, word.at, word.n, false);
        fputc('\n', f);
    }
}

void cli_completion_fish(FILE *f, const cli *app)
{
    fputs("# fish completion of grasp, made by 'grasp completion fish'\n\ncomplete -c grasp -f\n", f);
    for (const cli_command *const *c = app->commands; *c; c++)
        put_command(f, app, *c);
}
