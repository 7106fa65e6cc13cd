/* help.h - the help texts, made from the rows of cli.h. */
#ifndef GRASP_CLI_HELP_H
#define GRASP_CLI_HELP_H

#include <stdio.h>

#include "cli.h"

/* What grasp is, in a sentence or two. */
extern const char cli_about[];

/* All subcommands, a line each. */
void cli_help_overview(FILE *f, const cli *app);
/* Usage, description, options by table, examples, exit status. */
void cli_help_command(FILE *f, const cli_command *command);
/* The same as one JSON object: of one subcommand, or of all where `command` is NULL. */
void cli_help_json(FILE *f, const cli *app, const cli_command *command);

#endif
