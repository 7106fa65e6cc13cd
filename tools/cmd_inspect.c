/* cmd_inspect.c - what a model folder holds, and the memory that a run of it will take. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <grasp/image.h>

#include "cmd.h"
#include "inspect.h"

typedef struct {
    const char *model, *image;
    int64_t regions, max_tiles, max_tokens, text_tokens, numerics, threads;
} values;

#define AT(field) offsetof(values, field)

static const cli_option rows[] = {
    { "image", 0, CLI_TEXT, AT(image), "WxH|FILE", NULL, 0, 0,
      "the picture: its size in pixels, or a file; without it, one of as many tiles as there may be" },
    { "regions", 0, CLI_INT, AT(regions), "N", "1", 0, 32, "regions in one question" },
    { "max-tiles", 0, CLI_INT, AT(max_tiles), "N", "0", 0, 64,
      "tiles the picture may be cut into, besides the thumbnail; 0: as the model says" },
    { "max-tokens", 'n', CLI_INT, AT(max_tokens), "N", "1024", 1, 1000000, "longest answer" },
    { "text-tokens", 0, CLI_INT, AT(text_tokens), "N", "128", 0, 1000000,
      "what the prompt has besides picture and regions: the question and what stands around it" },
    { "numerics", 0, CLI_CHOICE, AT(numerics), "exact|released", "exact", 0, 0,
      "exact f32, or rounded to bf16 wherever the published bf16 code rounds" },
    { "threads", 't', CLI_INT, AT(threads), "N", NULL, 0, 1024,
      "threads that compute; 0, the default, is as many as the process may use" },
    { "model", 'm', CLI_TEXT, AT(model), "DIR", NULL, 0, 0, "the folder, in place of the argument" },
};
static const cli_table tables[] = { CLI_TABLE("The run that is measured", rows, 0) };

/* "640x480"; false when the text has another form, and is a file's name. */
static bool read_size(const char *text, int *width, int *height)
{
    char *end;
    if (text[strspn(text, "0123456789x")] != '\0' || text[0] == 'x')
        return false;
    const long w = strtol(text, &end, 10);
    if (*end != 'x' || end[1] == '\0' || strchr(end + 1, 'x'))
        return false;
    const long h = strtol(end + 1, NULL, 10);
    *width = w > 1000000000 ? 1000000000 : (int)w;
    *height = h > 1000000000 ? 1000000000 : (int)h;
    return true;
}

static cli_exit find_size(cli *app, gr_runtime *rt, const char *text, inspect_run *r)
{
    gr_error err = { 0 };
    gr_image_options limits;
    gr_image_options_init(&limits);
    if (!read_size(text, &r->width, &r->height)) {
        gr_image *image;
        if (gr_image_open(&image, rt, text, NULL, &err) != GR_OK)
            return cli_fail(&app->out, &err, CLI_AT_INPUT);
        r->width = image->width;
        r->height = image->height;
        gr_image_free(image);
    } else if (r->width < 1 || r->height < 1 || r->width > limits.max_side || r->height > limits.max_side) {
        cli_error(&app->out, "--image: a picture of '%s' pixels, expected sides of 1 to %d", text,
                  limits.max_side);
        return CLI_EXIT_USAGE;
    }
    return CLI_EXIT_OK;
}

/* Fills in what follows from the model and the options, as describe and ask do from a request. */
static gr_status measure(inspect_run *r, const inspect_result *of, int max_tiles, gr_error *err)
{
    const gr_model_info *m = &of->info;
    gr_engine_options o;
    gr_engine_options_init(&o);
    if (r->width)
        GR_TRY(gr_model_tiles(of->model, r->width, r->height, max_tiles, &r->across, &r->down, err));
    r->tiles = r->width ? r->across * r->down : max_tiles ? max_tiles : m->max_tiles;
    r->image_tokens = (1 + r->tiles) * m->tokens_per_tile;
    r->region_tokens = r->regions * m->rows_per_region;
    const int prompt = r->image_tokens + r->region_tokens + r->text_tokens;
    r->context = prompt + r->max_tokens < m->context ? prompt + r->max_tokens : m->context;
    if (prompt >= m->context)
        return gr_fail(
            err, GR_ERR_LIMIT,
            "a prompt of %d tokens (picture %d, regions %d, text %d) and no room for an answer: the "
            "model's context is %d; fewer tiles (--max-tiles) help",
            prompt, r->image_tokens, r->region_tokens, r->text_tokens, m->context);
    o.max_context = r->context;
    o.max_tiles = r->tiles;
    o.max_regions = r->regions > 0 ? r->regions : 1;
    GR_TRY(gr_engine_measure(of->model, &o, &r->memory, err));
    if (r->width) { /* as RGB; what only has a number of tiles is no picture to be held */
        const size_t picture = gr_request_picture_bytes(r->width, r->height, 3, r->regions);
        r->memory.picture += picture;
        r->memory.total += picture;
    }
    return GR_OK;
}

static cli_exit inspect(cli *app, gr_runtime *rt, const values *v, const char *dir, inspect_result *r)
{
    gr_error err = { 0 };
    gr_model_options o;
    gr_model_options_init(&o);
    o.numerics = (gr_numerics)v->numerics;
    r->info.size = sizeof r->info;
    if (gr_model_open(&r->model, rt, dir, &o, &err) != GR_OK ||
        gr_model_describe(r->model, &r->info, &err) != GR_OK)
        return cli_fail(&app->out, &err, CLI_AT_MODEL);
    gr_model_profile(r->model, &r->profile);

    inspect_run *run = &r->run;
    const cli_exit code = v->image ? find_size(app, rt, v->image, run) : CLI_EXIT_OK;
    if (code != CLI_EXIT_OK)
        return code;
    run->regions = r->info.n_prompts > 0 ? (int)v->regions : 0;
    run->text_tokens = (int)v->text_tokens;
    run->max_tokens = (int)v->max_tokens;
    measure(run, r, (int)v->max_tiles, &run->problem);
    if (run->regions > r->info.n_prompts)
        cli_warn(&app->out,
                 "%d regions, and the model has %d prompts: the profile's extra_prompts decides what "
                 "happens to the others",
                 run->regions, r->info.n_prompts);
    if (app->common.json)
        inspect_print_json(app->out.results, r);
    else
        inspect_print_text(app->out.results, r);
    cli_flush(&app->out);
    return run->problem.status == GR_OK ? CLI_EXIT_OK : cli_fail(&app->out, &run->problem, CLI_AT_MODEL);
}

static int run(cli *app, const void *user)
{
    const values *v = user;
    gr_error err = { 0 };
    gr_runtime *rt;
    inspect_result r = { 0 };
    const char *dir = app->n_args > 0 ? app->args[0] : v->model;
    if (!dir) {
        cli_error(&app->out, "an argument is missing; usage: grasp inspect DIR");
        return CLI_EXIT_USAGE;
    }
    app->common.threads = v->threads;
    if (cli_runtime_new(&rt, app, &err) != GR_OK)
        return cli_fail(&app->out, &err, CLI_AT_MODEL);
    const cli_exit code = inspect(app, rt, v, dir, &r);
    gr_model_close(r.model);
    gr_runtime_free(rt);
    return code;
}

const cli_command cmd_inspect = {
    .name = "inspect",
    .arguments = "DIR",
    .summary = "what a model folder holds, and the memory it will take",
    .about =
        "Opens a model folder as it was published, checks every tensor's name, shape and type, and shows "
        "architecture, parts, licences, the profile's switches, what no published file has confirmed yet, "
        "and the memory of a run. Nothing of the size of the weights is read or allocated. A folder "
        "without tokenizer and a PerceptionLM base can be inspected too.\n\n"
        "The memory of a run depends on the picture's size, the number of regions and the lengths of "
        "prompt and answer; peak resident memory is at most the total + 3 % + 64 MB.",
    .examples = "  grasp inspect GAR-1B\n"
                "  grasp inspect GAR-8B --image 1920x1080 --regions 3 --json\n",
    .max_args = 1,
    .tables = tables,
    .n_tables = 1,
    .values_bytes = sizeof(values),
    .run = run,
};
