#include "help.h"

#include <string.h>

#include "options.h"
#include "rows.h"

const char cli_about[] =
    "Describes and relates regions of images with multimodal language models that run from their published "
    "checkpoints.";

#define WIDTH  80
#define INDENT 26 /* where the help of an option begins */

/* Writes words, breaking lines before WIDTH; the first line has `used` columns already, the others are
 * indented. */
static void wrap(FILE *f, const char *text, int used, int indent)
{
    if (used > indent - 2 && indent > 0) {
        fputc('\n', f);
        used = 0;
    }
    fprintf(f, "%*s", indent - used, "");
    int column = indent;
    while (*text) {
        const int n = (int)strcspn(text, " \n");
        if (column > indent && column + 1 + n > WIDTH) {
            fprintf(f, "\n%*s", indent, "");
            column = indent;
        } else if (column > indent) {
            fputc(' ', f);
            column++;
        }
        fwrite(text, 1, (size_t)n, f);
        column += n;
        text += n + (text[n] != '\0');
    }
    fputc('\n', f);
}

/* "-m, --model DIR|FILE" */
static int head_text(char *out, size_t n, const cli_option *o)
{
    const char letter[5] = { o->letter ? '-' : ' ', o->letter ? o->letter : ' ', o->letter ? ',' : ' ', ' ',
                             0 };
    const char *value = o->kind == CLI_CHOICE ? "WORD" : o->value;
    return snprintf(out, n, "  %s--%s%s%s", letter, o->name, value ? " " : "", value ? value : "");
}

static void option_help(FILE *f, const cli_option *o)
{
    char head[160], text[CLI_SAYS_MAX], env[64];
    const int used = head_text(head, sizeof head, o);
    cli_option_says(text, o);
    const size_t n = strlen(text);
    cli_option_env(env, o->name);
    if (o->preset)
        snprintf(text + n, sizeof text - n, " [%s; %s]", o->preset, env);
    else if (strcmp(o->name, "help") != 0)
        snprintf(text + n, sizeof text - n, " [%s]", env);
    fputs(head, f);
    wrap(f, text, used, INDENT);
}

static void table_help(FILE *f, const cli_table *t)
{
    fprintf(f, "\n%s:\n", t->title);
    for (size_t i = 0; i < t->count; i++)
        option_help(f, &t->rows[i]);
}

static void paragraphs(FILE *f, const char *text)
{
    while (*text) {
        const char *end = strstr(text, "\n\n");
        char paragraph[2048];
        const size_t n = end ? (size_t)(end - text) : strlen(text);
        snprintf(paragraph, sizeof paragraph, "%.*s", (int)n, text);
        fputc('\n', f);
        wrap(f, paragraph, 0, 0);
        text += n + (end ? 2 : 0);
    }
}

static void exit_help(FILE *f)
{
    static const struct {
        int code;
        const char *text;
    } codes[] = {
#define X(name, code, text) { code, text },
        CLI_EXIT_TABLE(X)
#undef X
    };
    fputs("\nExit status:\n", f);
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        fprintf(f, "  %3d  %s\n", codes[i].code, codes[i].text);
}

void cli_help_command(FILE *f, const cli_command *c)
{
    fprintf(f, "Usage: grasp %s%s%s [options]\n", c->name, c->arguments[0] ? " " : "", c->arguments);
    paragraphs(f, c->about);
    const cli_table *t;
    for (size_t i = 0; (t = cli_table_at(c, i)); i++)
        table_help(f, t);
    fputs("\nWhat the command line does not say comes from the environment variable in\n"
          "brackets, then from the default before it.\n",
          f);
    fprintf(f, "\nExamples:\n%s", c->examples);
    exit_help(f);
}

void cli_help_overview(FILE *f, const cli *app)
{
    fputs("Usage: grasp COMMAND [arguments] [options]\n", f);
    paragraphs(f, cli_about);
    fputs("\nCommands:\n", f);
    for (const cli_command *const *c = app->commands; *c; c++)
        fprintf(f, "  %-12s %s\n", (*c)->name, (*c)->summary);
    fputs("\n'grasp help COMMAND' tells more about one; 'grasp --version' says which grasp this is.\n", f);
}
