#include "cmd.h"
#include "help.h"

static int run(cli *app, const void *values)
{
    (void)values;
    if (app->n_args == 0) {
        cli_help_overview(app->out.results, app);
        return CLI_EXIT_OK;
    }
    const cli_command *c = cli_find(app, app->args[0]);
    if (!c)
        return cli_unknown(app, app->args[0]);
    cli_help_command(app->out.results, c);
    return CLI_EXIT_OK;
}

const cli_command cmd_help = {
    .name = "help",
    .arguments = "[COMMAND]",
    .summary = "what the commands do, and the options of one",
    .about = "Lists the commands, or describes one of them with all its options.",
    .examples = "  grasp help version\n",
    .max_args = 1,
    .run = run,
};
