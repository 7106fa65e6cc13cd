/* main.c - finds the row of a subcommand, reads its options and calls it. */
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "help.h"
#include "options.h"
#include "signals.h"
#include "suggest.h"

/* In the order of the overview. */
static const cli_command *const commands[] = {
    &cmd_describe,  &cmd_ask, &cmd_inspect, &cmd_verify,  &cmd_tokenize,
    &cmd_tokenizer, &cmd_new, &cmd_help,    &cmd_version, NULL,
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

/* How messages and progress appear, once the options are known. */
static void set_output(cli *app)
{
    const cli_common *c = &app->common;
    app->out.quiet = c->quiet;
    app->out.verbose = (int)c->verbose;
    app->out.color = cli_color_wanted((cli_color)c->color, stderr);
    cli_progress_init(&app->progress, stderr, c->quiet ? CLI_PROGRESS_NONE : (cli_progress_mode)c->progress);
    app->out.progress = &app->progress;
}

static int check_arguments(cli *app)
{
    const cli_command *c = app->command;
    const char *space = c->arguments[0] ? " " : "";
    if (c->max_args >= 0 && app->n_args > (size_t)c->max_args)
        cli_error(&app->out, "'%s' is one argument too many; usage: grasp %s%s%s", app->args[c->max_args],
                  c->name, space, c->arguments);
    else if (app->n_args < (size_t)c->min_args)
        cli_error(&app->out, "an argument is missing; usage: grasp %s%s%s", c->name, space, c->arguments);
    else
        return CLI_EXIT_OK;
    return CLI_EXIT_USAGE;
}

static int read_and_run(cli *app, const cli_binding *bindings, size_t n, int argc, const char *const *argv,
                        const void *values)
{
    gr_error err = { 0 };
    if (cli_options_read(bindings, n, argc, argv, app->args, &app->n_args, &err) != GR_OK) {
        cli_error(&app->out, "%s; see 'grasp help %s'", err.msg, app->command->name);
        return cli_exit_of(err.status, CLI_AT_INPUT);
    }
    if (app->common.help) {
        cli_help_command(app->out.results, app->command);
        return CLI_EXIT_OK;
    }
    set_output(app);
    const int wrong = check_arguments(app);
    return wrong ? wrong : app->command->run(app, values);
}

static int run_command(cli *app, int argc, const char *const *argv)
{
    const cli_command *c = app->command;
    snprintf(app->title, sizeof app->title, "grasp %s", c->name);
    app->out.name = app->title;

    char *values = calloc(1, c->values_bytes + 1);
    app->args = calloc((size_t)argc + 1, sizeof *app->args);
    if (!values || !app->args) {
        cli_error(&app->out, "no memory for the command line");
        free(values);
        free(app->args);
        return CLI_EXIT_LIMIT;
    }
    cli_binding bindings[CLI_MAX_BINDINGS];
    size_t n = 0;
    for (size_t i = 0; i < c->n_tables; i++)
        bindings[n++] = (cli_binding){ &c->tables[i], values + c->tables[i].base };
    if (c->runs_model)
        bindings[n++] = (cli_binding){ &cli_model_table, &app->common };
    bindings[n++] = (cli_binding){ &cli_output_table, &app->common };

    const int code = read_and_run(app, bindings, n, argc, argv, values);
    cli_progress_end(&app->progress);
    cli_options_free(bindings, n);
    free(values);
    free(app->args);
    return code;
}

int main(int argc, char **argv)
{
    cli app = { .commands = commands, .out = { .results = stdout, .log = stderr, .name = "grasp" } };
    app.out.color = cli_color_wanted(CLI_COLOR_AUTO, stderr);
    cli_signals_install();

    if (argc < 2) {
        cli_help_overview(stderr, &app);
        return CLI_EXIT_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--version") == 0)
        name = "version";
    else if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        name = "help";
    else if (name[0] == '-') {
        cli_error(&app.out,
                  "a command comes before its options: grasp COMMAND %s; 'grasp help' lists the commands",
                  name);
        return CLI_EXIT_USAGE;
    }
    app.command = cli_find(&app, name);
    if (!app.command)
        return cli_unknown(&app, name);
    const int code = run_command(&app, argc - 2, (const char *const *)argv + 2);
    if (!cli_flush(&app.out) && code == CLI_EXIT_OK)
        return cli_cancelled(NULL) ? cli_signals_exit() : CLI_EXIT_PARTIAL;
    return code;
}
