/* cmd_ask.c - a question about regions of a picture, or about the picture. */
#include "cmd.h"
#include "question.h"

static cli_exit ask(question *q, const char *image, const char *text)
{
    gr_request r;
    question_request(q, &r);
    r.regions = (const gr_region *const *)q->regions.at;
    r.n_regions = q->regions.count;
    r.question = text;
    cli_exit code = question_ready(q, &r, 1);
    if (code == CLI_EXIT_OK)
        code = question_ask(q, &r);
    if (q->session && q->app->common.json && gr_session_finish(q->session) != GR_FINISH_NONE) {
        cli_json j;
        cli_json_init(&j, q->app->out.results);
        cli_json_open(&j, NULL, '{');
        question_put_frame(q, &j, image);
        cli_json_text(&j, "question", text);
        question_put_answer(q, &j);
        question_put_memory(q, &j);
        cli_json_close(&j, '}');
        cli_print(&q->app->out, "\n");
        cli_flush(&q->app->out);
    }
    return code;
}

static int run(cli *app, const void *values)
{
    const question_values *v = values;
    question q;
    if (app->args[1][0] == '\0') {
        cli_error(&app->out, "the question is empty; 'grasp describe' describes a region without one");
        return CLI_EXIT_USAGE;
    }
    cli_exit code = question_open(&q, app, v, app->args[0]);
    if (code == CLI_EXIT_OK)
        code = ask(&q, app->args[0], app->args[1]);
    return question_close(&q, code);
}

const cli_command cmd_ask = {
    .name = "ask",
    .arguments = "IMAGE --region SPEC [...] QUESTION",
    .summary = "a question that relates regions to each other",
    .about = "Asks about regions of a picture. <Prompt0>, <Prompt1>, ... in the question name the regions in "
             "the order of the command line, "
             "as do <region:0>, <region:1>, ... and <region:NAME> for regions that were given a name. "
             "Without regions the question is "
             "about the whole picture. Anything else in the question is plain text, whatever it looks like.",
    .examples =
        "  grasp ask photo.jpg --mask a.png --mask b.png 'What is <Prompt0> doing to <Prompt1>?' -m GAR-8B\n"
        "  grasp ask photo.jpg --box 10,10,200,150 'Is <Prompt0> made of wood?' --json --model GAR-1B\n"
        "  grasp ask photo.jpg --mask a.png 'What is it made of?' --choice wood --choice metal\n",
    .min_args = 2,
    .max_args = 2,
    .runs_model = true,
    .tables = question_tables,
    .n_tables = QUESTION_TABLES,
    .values_bytes = sizeof(question_values),
    .run = run,
};
