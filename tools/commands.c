/* commands.c - the list of the subcommands, and how one is found in it. */
#include <string.h>

#include "cmd.h"
#include "suggest.h"

/* In the order of the overview. */
const cli_command *const cli_commands[] = {
    &cmd_describe, &cmd_ask,   &cmd_inspect, &cmd_verify, &cmd_bench,   &cmd_tokenize,   &cmd_tokenizer,
    &cmd_new,      &cmd_train, &cmd_data,    &cmd_help,   &cmd_version, &cmd_completion, NULL,
};

const cli_command *cli_find(const cli *app, const char *name)
{
    for (const cli_command *const *c = app->commands; *c; c++)
        if (strcmp((*c)->name, name) == 0)
            return *c;
    return NULL;
}

int cli_unknown(cli *app, const char *name)
{
    cli_suggest s;
    cli_suggest_init(&s, name, strlen(name));
    for (const cli_command *const *c = app->commands; *c; c++)
        cli_suggest_offer(&s, (*c)->name);
    const char *best = cli_suggest_best(&s);
    if (best)
        cli_error(&app->out, "there is no command '%s'; did you mean '%s'?", name, best);
    else
        cli_error(&app->out, "there is no command '%s'; 'grasp help' lists them", name);
    return CLI_EXIT_USAGE;
}
