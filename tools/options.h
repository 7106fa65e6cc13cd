/* options.h - a command line, read by tables.
 *
 * --name=value, --name value, -n value, -nvalue, -vv; underscores may stand for dashes; `--` ends the
 * options, `-` is an argument; abbreviations are refused. What the command line does not give comes from
 * GRASP_NAME in the environment (an empty variable counts as absent), then from the preset. */
#ifndef GRASP_CLI_OPTIONS_H
#define GRASP_CLI_OPTIONS_H

#include <grasp/error.h>

#include "cli.h"

/* A table and the struct that its fields lie in. */
typedef struct {
    const cli_table *table;
    void *values;
} cli_binding;

#define CLI_MAX_BINDINGS 8
#define CLI_MAX_OPTIONS  128

/* Reads argv[0..argc) (without the names of program and subcommand) into the bound structs, which must be
 * zeroed. Arguments that are no options go to args, which holds argc pointers. Lists allocate:
 * cli_options_free in every case. When the CLI_FLAG named "help" is met, reading ends successfully there:
 * what else is wrong does not matter. GR_ERR_ARG: a sentence that names the option or the variable, and a
 * similar option where there is one. */
gr_status cli_options_read(const cli_binding *bindings, size_t n_bindings, int argc, const char *const *argv,
                           const char **args, size_t *n_args, gr_error *err);
void cli_options_free(const cli_binding *bindings, size_t n_bindings);

/* "max-tokens" -> "GRASP_MAX_TOKENS" */
void cli_option_env(char out[64], const char *name);

#endif
