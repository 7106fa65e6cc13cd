/* common.c - the options that every subcommand shares, and what follows from them. */
#include "cli.h"

static const cli_option model_rows[] = {
    { "model", 'm', CLI_TEXT, offsetof(cli_common, model), "DIR", NULL, 0, 0,
      "the model: a folder as published; without it the small one in the box, where there is one" },
    { "threads", 't', CLI_INT, offsetof(cli_common, threads), "N", NULL, 0, 1024,
      "threads that compute; 0, the default, is as many as the process may use. Results do not depend on "
      "it" },
    { "seed", 0, CLI_INT, offsetof(cli_common, seed), "N", "0", 0, 9007199254740992.0,
      "seed of everything random" },
};

static const cli_option output_rows[] = {
    { "json", 0, CLI_FLAG, offsetof(cli_common, json), NULL, NULL, 0, 0, "results as one JSON object" },
    { "quiet", 'q', CLI_FLAG, offsetof(cli_common, quiet), NULL, NULL, 0, 0,
      "nothing but results and errors" },
    { "verbose", 'v', CLI_COUNT, offsetof(cli_common, verbose), NULL, NULL, 0, 0,
      "say what is being done; twice: in detail" },
    { "progress", 0, CLI_CHOICE, offsetof(cli_common, progress), CLI_PROGRESS_WORDS, "auto", 0, 0,
      "how progress is shown on stderr; auto is a bar on a terminal and a line every 10 s elsewhere" },
    { "color", 0, CLI_CHOICE, offsetof(cli_common, color), "auto|always|never", "auto", 0, 0,
      "colour of messages; auto heeds NO_COLOR, CLICOLOR_FORCE and TERM" },
    { "help", 'h', CLI_FLAG, offsetof(cli_common, help), NULL, NULL, 0, 0, "this text" },
};

const cli_table cli_model_table = CLI_TABLE("Model options", model_rows, 0);
const cli_table cli_output_table = CLI_TABLE("Output options", output_rows, 0);

gr_status cli_runtime_new(gr_runtime **out, cli *app, gr_error *err)
{
    gr_runtime_options o;
    gr_runtime_options_init(&o);
    o.n_threads = (int)app->common.threads;
    o.log = cli_log;
    o.log_user = &app->out;
    return gr_runtime_new(out, &o, err);
}
