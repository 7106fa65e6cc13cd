#include "cmd.h"
#include "help.h"
#include "man.h"

typedef struct {
    bool man;
} values;

static const cli_option rows[] = {
    { "man", 0, CLI_FLAG, offsetof(values, man), NULL, NULL, 0, 0,
      "the manual page of all commands, as roff text" },
};
static const cli_table tables[] = { CLI_TABLE("Form", rows, 0) };

static int run(cli *app, const void *user)
{
    const values *v = user;
    const bool json = app->common.json;
    const char *name = app->n_args > 0 ? app->args[0] : NULL;
    const cli_command *c = name ? cli_find(app, name) : NULL;
    if (name && !c)
        return cli_unknown(app, name);
    if (v->man && (c || json)) {
        cli_error(&app->out, "--man is one page of all commands, as roff text: it takes no %s",
                  c ? "COMMAND" : "--json");
        return CLI_EXIT_USAGE;
    }
    if (v->man)
        cli_man(app->out.results, app);
    else if (json)
        cli_help_json(app->out.results, app, c);
    else if (c)
        cli_help_command(app->out.results, c);
    else
        cli_help_overview(app->out.results, app);
    return CLI_EXIT_OK;
}

const cli_command cmd_help = {
    .name = "help",
    .arguments = "[COMMAND]",
    .summary = "what the commands do, and the options of one",
    .about =
        "Lists the commands, or describes one of them with all its options. With --json the same comes as "
        "an object that programs read: arguments, options with their types, defaults and environment "
        "variables, examples, exit status.",
    .examples = "  grasp help describe\n"
                "  grasp help --json\n"
                "  grasp help --man >grasp.1\n",
    .max_args = 1,
    .tables = tables,
    .n_tables = 1,
    .values_bytes = sizeof(values),
    .run = run,
};
