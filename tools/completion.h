/* completion.h - scripts that complete the command line in a shell, made from the rows of cli.h. One shell a
 * file; a shell is a row in cmd_completion.c. */
#ifndef GRASP_CLI_COMPLETION_H
#define GRASP_CLI_COMPLETION_H

#include <stdio.h>

#include "cli.h"

void cli_completion_bash(FILE *f, const cli *app);
void cli_completion_zsh(FILE *f, const cli *app);
void cli_completion_fish(FILE *f, const cli *app);

/* The words that '|' separates, or the names of all subcommands, with a space between. */
void cli_put_words(FILE *f, const char *words, size_t n);
void cli_put_names(FILE *f, const cli *app);

#endif
