/* cmd_describe.c - one detailed description for every region of a picture. */
#include "cmd.h"
#include "question.h"

/* Which region a description is of, where there are several; in text mode a line before it. */
static void put_heading(question *q, size_t i)
{
    if (q->regions.count > 1 && !q->app->common.json)
        cli_print(&q->app->out, "%sregion %zu: ", i ? "\n" : "", i);
}

static cli_exit describe_all(question *q, gr_request *requests, cli_json *j)
{
    for (size_t i = 0; i < q->regions.count; i++) {
        put_heading(q, i);
        const cli_exit code = question_ask(q, &requests[i]);
        if (q->app->common.json && gr_session_finish(q->session) != GR_FINISH_NONE) {
            cli_json_open(j, NULL, '{');
            cli_json_number(j, "region", (double)i);
            question_put_answer(q, j);
            cli_json_close(j, '}');
        }
        if (code != CLI_EXIT_OK)
            return code;
    }
    return CLI_EXIT_OK;
}

static cli_exit describe(question *q, const char *image)
{
    gr_request requests[REGIONS_MAX];
    for (size_t i = 0; i < q->regions.count; i++) {
        question_request(q, &requests[i]);
        requests[i].regions = (const gr_region *const *)&q->regions.at[i];
        requests[i].n_regions = 1;
    }
    cli_exit code = question_ready(q, requests, q->regions.count);
    if (code != CLI_EXIT_OK)
        return code;
    cli_json j;
    cli_json_init(&j, q->app->out.results);
    if (q->app->common.json) {
        cli_json_open(&j, NULL, '{');
        question_put_frame(q, &j, image);
        cli_json_open(&j, "descriptions", '[');
    }
    code = describe_all(q, requests, &j);
    if (q->app->common.json) {
        cli_json_close(&j, ']');
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
    cli_exit code = question_open(&q, app, v, app->args[0]);
    if (code == CLI_EXIT_OK && q.regions.count == 0) {
        cli_error(&app->out, "no region: point at something with --region, --mask, --box, --polygon or --rle "
                             "('grasp help describe')");
        code = CLI_EXIT_USAGE;
    } else if (code == CLI_EXIT_OK && q.dump && q.regions.count > 1) {
        cli_error(&app->out, "--dump holds the values of one description; there are %zu regions",
                  q.regions.count);
        code = CLI_EXIT_USAGE;
    }
    if (code == CLI_EXIT_OK)
        code = describe(&q, app->args[0]);
    return question_close(&q, code);
}

const cli_command cmd_describe = {
    .name = "describe",
    .arguments = "IMAGE --region SPEC [...]",
    .summary = "a detailed description of every region",
    .about = "Describes each region of a picture in detail, one after the other, streamed as it comes. The "
             "picture's format is found by "
             "its content (JPEG, PNG, WebP, PNM).\n\n"
             "Regions are pixels of the upright picture: a mask file (what is not black is inside), a box, a "
             "polygon, COCO run lengths.",
    .examples =
        "  grasp describe photo.jpg --mask mask.png --model GAR-1B\n"
        "  grasp describe photo.jpg --box 800,500,1800,1000 --box 0.1,0.1,0.5,0.5@norm --overlay seen.png\n"
        "  grasp describe photo.jpg --region 'rle:{\"size\":[480,640],\"counts\":\"...\"}' --json\n",
    .min_args = 1,
    .max_args = 1,
    .runs_model = true,
    .tables = question_tables,
    .n_tables = QUESTION_TABLES,
    .values_bytes = sizeof(question_values),
    .run = run,
};
