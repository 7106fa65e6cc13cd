/* completion_zsh.c - a function of the name _grasp, by way of _arguments. */
#include <string.h>

#include "completion.h"
#include "rows.h"

/* Inside '...' of the shell, and inside a specification, where brackets and colons mean something. */
static void put_text(FILE *f, const char *text, int n)
{
    for (int i = 0; i < n; i++)
        if (text[i] == '\'')
            fputs("'\\''", f);
        else {
            if (strchr("[]:\\", text[i]))
                fputc('\\', f);
            fputc(text[i], f);
        }
}

/* ":NAME:ACTION" */
static void put_value(FILE *f, const cli *app, cli_value value, const char *name, size_t n)
{
    const bool words = value == CLI_VALUE_WORDS;
    fputc(':', f);
    put_text(f, words ? "WORD" : name, words ? 4 : (int)n);
    fputc(':', f);
    switch (value) {
    case CLI_VALUE_WORDS:
        fputc('(', f);
        cli_put_words(f, name, n);
        fputc(')', f);
        break;
    case CLI_VALUE_COMMAND:
        fputc('(', f);
        cli_put_names(f, app);
        fputc(')', f);
        break;
    case CLI_VALUE_FILE:
        fputs("_files", f);
        break;
    case CLI_VALUE_FOLDER:
        fputs("_files -/", f);
        break;
    case CLI_VALUE_NONE:
    case CLI_VALUE_ANY:
        break;
    }
}

/* '(-m --model)'{-m+,--model=}'[the model]:DIR:_files -/'; '*' where it may be repeated */
static void put_option(FILE *f, const cli *app, const cli_option *o)
{
    const cli_value value = cli_value_of_option(o);
    const bool repeats = o->kind == CLI_LIST || o->kind == CLI_COUNT, takes = value != CLI_VALUE_NONE;
    const char *equals = takes ? "=" : "", *plus = takes ? "+" : "";
    fputs(" \\\n            ", f);
    if (o->letter && !repeats)
        fprintf(f, "'(-%c --%s)'{-%c%s,--%s%s}'[", o->letter, o->name, o->letter, plus, o->name, equals);
    else if (o->letter)
        fprintf(f, "'*'{-%c%s,--%s%s}'[", o->letter, plus, o->name, equals);
    else
        fprintf(f, "'%s--%s%s[", repeats ? "*" : "", o->name, equals);
    put_text(f, o->help, cli_option_brief(o));
    fputc(']', f);
    if (takes)
        put_value(f, app, value, o->value, strlen(o->value));
    fputc('\'', f);
}

static void put_command(FILE *f, const cli *app, const cli_command *c)
{
    const cli_table *t;
    cli_word word;
    fprintf(f, "    %s)\n        _arguments -s", c->name);
    for (size_t i = 0; (t = cli_table_at(c, i)); i++)
        for (size_t k = 0; k < t->count; k++)
            put_option(f, app, &t->rows[k]);
    for (size_t i = 0; cli_argument_at(c, i, &word); i++) {
        fprintf(f, " \\\n            '%zu:", i + 1);
        put_value(f, app, cli_value_of_argument(word), word.at, word.n);
        fputc('\'', f);
    }
    fputs(" ;;\n", f);
}

void cli_completion_zsh(FILE *f, const cli *app)
{
    fputs("#compdef grasp\n# made by 'grasp completion zsh'\n\n_grasp()\n{\n    local -a commands\n    "
          "commands=(\n",
          f);
    for (const cli_command *const *c = app->commands; *c; c++) {
        fprintf(f, "        '%s:", (*c)->name);
        put_text(f, (*c)->summary, (int)strlen((*c)->summary));
        fputs("'\n", f);
    }
    fputs("    )\n    if ((CURRENT == 2)); then\n        _describe command commands\n        return\n    fi\n"
          "    shift words\n    ((CURRENT--))\n    case $words[1] in\n",
          f);
    for (const cli_command *const *c = app->commands; *c; c++)
        put_command(f, app, *c);
    fputs("    esac\n}\n\n# found by its name it is called at once; read by a running shell it is announced\n"
          "if [[ $funcstack[1] == _grasp ]]; then\n    _grasp \"$@\"\nelse\n    compdef _grasp grasp\nfi\n",
          f);
}
