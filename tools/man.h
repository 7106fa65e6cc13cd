/* man.h - the manual page, made from the rows of cli.h. */
#ifndef GRASP_CLI_MAN_H
#define GRASP_CLI_MAN_H

#include <stdio.h>

#include "cli.h"

/* grasp(1) in man(7) macros, with every subcommand. */
void cli_man(FILE *f, const cli *app);

#endif
