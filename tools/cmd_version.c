#include <string.h>

#include <grasp/version.h>

#include "cmd.h"
#include "json_out.h"

#if defined(__clang__)
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

/* The words of a text as an array of strings. */
static void put_words(cli_json *j, const char *key, const char *words)
{
    cli_json_open(j, key, '[');
    while (*words) {
        char word[64];
        const size_t n = strcspn(words, " ");
        snprintf(word, sizeof word, "%.*s", (int)n, words);
        cli_json_text(j, NULL, word);
        words += n + (words[n] != '\0');
    }
    cli_json_close(j, ']');
}

static void print_json(FILE *f)
{
    cli_json j;
    cli_json_init(&j, f);
    cli_json_open(&j, NULL, '{');
    cli_json_text(&j, "name", "grasp");
    cli_json_text(&j, "version", gr_version());
    cli_json_open(&j, "build", '{');
    cli_json_text(&j, "compiler", COMPILER);
    cli_json_text(&j, "type", CLI_BUILD_TYPE);
    cli_json_text(&j, "sanitize", CLI_SANITIZE);
    cli_json_bool(&j, "core_only", CLI_CORE_ONLY);
    put_words(&j, "libraries", CLI_LIBRARIES);
    cli_json_close(&j, '}');
    cli_json_close(&j, '}');
    fputc('\n', f);
}

static int run(cli *app, const void *values)
{
    (void)values;
    if (app->common.json)
        print_json(app->out.results);
    else
        cli_print(&app->out, "grasp %s\n", gr_version());
    return CLI_EXIT_OK;
}

const cli_command cmd_version = {
    .name = "version",
    .arguments = "",
    .summary = "which grasp this is and how it was built",
    .about = "Prints the version of the library. With --json also the compiler, the kind of build and the "
             "optional libraries that are part of it.",
    .examples = "  grasp version --json\n",
    .run = run,
};
