/* rows.h - what the rows of cli.h say, for those that read them: the parser, the help texts, the man page,
 * JSON and the completions. Everything here is borrowed from the rows. */
#ifndef GRASP_CLI_ROWS_H
#define GRASP_CLI_ROWS_H

#include "cli.h"

/* Table i of a subcommand, its own first, then the shared ones; NULL: there are no more. */
const cli_table *cli_table_at(const cli_command *c, size_t i);

/* A word inside a longer text. */
typedef struct {
    const char *at;
    size_t n;
} cli_word;

/* The next word of `text` up to one of `separators`; false: there is none. `*text` moves behind it. */
bool cli_next_word(cli_word *word, const char **text, const char *separators);
/* Argument i of a subcommand, without the brackets of an optional one: "IMAGE"; false: there is none. */
bool cli_argument_at(const cli_command *c, size_t i, cli_word *word);

/* What a value is, as far as a shell can complete it. */
typedef enum {
    CLI_VALUE_NONE, /* a flag or a count: nothing follows */
    CLI_VALUE_ANY,
    CLI_VALUE_WORDS, /* one of those that '|' separates */
    CLI_VALUE_FILE,
    CLI_VALUE_FOLDER,
    CLI_VALUE_COMMAND
} cli_value;

/* The names decide: "DIR", "IMAGE", "OUT.png", "FILE|DIR", "bash|zsh|fish"; a table in rows.c. */
cli_value cli_value_of_argument(cli_word name);
cli_value cli_value_of_option(const cli_option *o);

#define CLI_SAYS_MAX 1024
/* The help of an option as a sentence, with the words or the range of its values. */
void cli_option_says(char out[CLI_SAYS_MAX], const cli_option *o);
/* The beginning of the help, for the one line that a shell shows; returns its length. */
int cli_option_brief(const cli_option *o);

#endif
