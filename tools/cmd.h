/* cmd.h - the subcommands, one file cmd_NAME.c each, and their list, commands.c. */
#ifndef GRASP_CLI_CMD_H
#define GRASP_CLI_CMD_H

#include "cli.h"

extern const cli_command cmd_describe, cmd_ask, cmd_inspect, cmd_verify, cmd_bench, cmd_tokenize,
    cmd_tokenizer, cmd_new, cmd_train, cmd_data, cmd_eval, cmd_help, cmd_version, cmd_completion;

/* All of them, NULL-terminated. */
extern const cli_command *const cli_commands[];

#endif
