/* cmd.h - the subcommands, one file cmd_NAME.c each. */
#ifndef GRASP_CLI_CMD_H
#define GRASP_CLI_CMD_H

#include "cli.h"

extern const cli_command cmd_describe, cmd_ask, cmd_inspect, cmd_verify, cmd_tokenize, cmd_tokenizer, cmd_new,
    cmd_help, cmd_version;

#endif
