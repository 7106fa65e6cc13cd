#include "rows.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

const cli_table *cli_table_at(const cli_command *c, size_t i)
{
    if (i < c->n_tables)
        return &c->tables[i];
    i -= c->n_tables;
    if (c->runs_model && i-- == 0)
        return &cli_model_table;
    return i == 0 ? &cli_output_table : NULL;
}

bool cli_next_word(cli_word *word, const char **text, const char *separators)
{
    *text += strspn(*text, separators);
    *word = (cli_word){ *text, strcspn(*text, separators) };
    *text += word->n;
    return word->n > 0;
}

static bool is(cli_word word, const char *text)
{
    return strlen(text) == word.n && memcmp(word.at, text, word.n) == 0;
}

bool cli_argument_at(const cli_command *c, size_t i, cli_word *word)
{
    const char *text = c->arguments;
    while (cli_next_word(word, &text, " ")) {
        if (word->n > 2 && memcmp(word->at, "--", 2) == 0) { /* an option, and its value */
            cli_next_word(word, &text, " ");
            continue;
        }
        if (is(*word, "[...]") || i-- > 0)
            continue;
        const size_t bracket = word->at[0] == '[';
        *word = (cli_word){ word->at + bracket, word->n - 2 * bracket };
        return true;
    }
    return false;
}

/* --- values ------------------------------------------------------------------------------------- */

/* What stands before a '.' in the name of a value, so that OUT.png is an OUT. */
static const struct {
    const char *name;
    cli_value value;
} names[] = {
    { "FILE", CLI_VALUE_FILE },    { "IMAGE", CLI_VALUE_FILE },      { "OUT", CLI_VALUE_FILE },
    { "OUTPUTS", CLI_VALUE_FILE }, { "COMMAND", CLI_VALUE_COMMAND }, { "DIR", CLI_VALUE_FOLDER },
    { "RUN", CLI_VALUE_FOLDER },
};

static bool all_lower(cli_word word)
{
    for (size_t i = 0; i < word.n; i++)
        if (!islower((unsigned char)word.at[i]) && !isdigit((unsigned char)word.at[i]))
            return false;
    return true;
}

/* Of several alternatives the one that most is known of: where a file may stand, a folder may, too. */
cli_value cli_value_of_argument(cli_word name)
{
    char text[64];
    snprintf(text, sizeof text, "%.*s", (int)name.n, name.at);
    cli_value found = CLI_VALUE_ANY;
    bool words = strchr(text, '|') != NULL;
    cli_word word;
    for (const char *rest = text; cli_next_word(&word, &rest, "|");) {
        words &= all_lower(word);
        const char *dot = memchr(word.at, '.', word.n);
        word.n = dot ? (size_t)(dot - word.at) : word.n;
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            if (is(word, names[i].name) && found != CLI_VALUE_FILE)
                found = names[i].value;
    }
    return words ? CLI_VALUE_WORDS : found;
}

cli_value cli_value_of_option(const cli_option *o)
{
    switch (o->kind) {
    case CLI_FLAG:
    case CLI_COUNT:
        return CLI_VALUE_NONE;
    case CLI_CHOICE:
        return CLI_VALUE_WORDS;
    case CLI_INT:
    case CLI_NUMBER:
        return CLI_VALUE_ANY;
    case CLI_TEXT:
    case CLI_LIST:
        break;
    }
    return cli_value_of_argument((cli_word){ o->value, strlen(o->value) });
}

/* --- sentences ---------------------------------------------------------------------------------- */

void cli_option_says(char out[CLI_SAYS_MAX], const cli_option *o)
{
    const size_t size = CLI_SAYS_MAX;
    size_t n = (size_t)snprintf(out, size, "%s", o->help);
    if (o->kind == CLI_CHOICE)
        n += (size_t)snprintf(out + n, size - n, "; one of %s", o->value);
    if (o->kind == CLI_INT && (o->min != 0 || o->max != 0))
        n += (size_t)snprintf(out + n, size - n, "; %.0f to %.0f", o->min, o->max);
    if (o->kind == CLI_NUMBER && (o->min != 0 || o->max != 0))
        n += (size_t)snprintf(out + n, size - n, "; %g to %g", o->min, o->max);
    if (o->kind == CLI_LIST)
        snprintf(out + n, size - n, "; may be repeated");
}

int cli_option_brief(const cli_option *o)
{
    enum { SHORTEST = 4 }; /* "0: the likeliest token" goes on behind its colon */
    size_t n = strlen(o->help);
    static const char *const ends[] = { "; ", ". ", ": " };
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        const char *end = strstr(o->help, ends[i]);
        if (end && (size_t)(end - o->help) >= SHORTEST && (size_t)(end - o->help) < n)
            n = (size_t)(end - o->help);
    }
    return (int)n;
}
