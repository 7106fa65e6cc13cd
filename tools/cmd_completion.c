/* cmd_completion.c - completion scripts for shells. */
#include <string.h>

#include "cmd.h"
#include "completion.h"
#include "rows.h"

static const struct {
    const char *name;
    void (*put)(FILE *f, const cli *app);
} shells[] = {
    { "bash", cli_completion_bash },
    { "zsh", cli_completion_zsh },
    { "fish", cli_completion_fish },
};

void cli_put_words(FILE *f, const char *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        fputc(words[i] == '|' ? ' ' : words[i], f);
}

void cli_put_names(FILE *f, const cli *app)
{
    for (const cli_command *const *c = app->commands; *c; c++)
        fprintf(f, "%s%s", c == app->commands ? "" : " ", (*c)->name);
}

static int run(cli *app, const void *values)
{
    (void)values;
    for (size_t i = 0; i < sizeof shells / sizeof *shells; i++)
        if (strcmp(shells[i].name, app->args[0]) == 0) {
            shells[i].put(app->out.results, app);
            return CLI_EXIT_OK;
        }
    cli_error(&app->out, "there is no completion for '%s'; it is made for %s", app->args[0],
              app->command->arguments);
    return CLI_EXIT_USAGE;
}

const cli_command cmd_completion = {
    .name = "completion",
    .arguments = "bash|zsh|fish",
    .summary = "a script that completes the command line in a shell",
    .about =
        "Prints a script for the shell: commands, options, words that an option takes, files and folders. "
        "An installed grasp has brought it to where bash-completion, zsh and fish look; a shell that is "
        "running reads it as the examples show.",
    .examples = "  eval \"$(grasp completion bash)\"\n"
                "  grasp completion zsh >~/.zfunc/_grasp\n"
                "  grasp completion fish >~/.config/fish/completions/grasp.fish\n",
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
