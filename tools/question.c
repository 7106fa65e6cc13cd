#include "question.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "signals.h"

#define AT(field) offsetof(question_values, field)
#define MAX_BRANCHES \
    15 /* answers of a set beside each other: enough that weights are no longer what takes the time */

static const cli_option answer_rows[] = {
    { "profile", 0, CLI_CHOICE, AT(profile), "checkpoint|released|paper", "checkpoint", 0, 0,
      "what is done where released code and paper differ: as the checkpoint says (released, where it says "
      "nothing), as "
      "published, or as the paper describes; docs/profiles.md lists it" },
    { "switch", 0, CLI_LIST, AT(switches), "NAME=VALUE", NULL, 0, 0, "one switch of the profile" },
    { "numerics", 0, CLI_CHOICE, AT(numerics), "exact|released", "exact", 0, 0,
      "exact f32, or rounded to bf16 wherever the published bf16 code rounds" },
    { "max-tiles", 0, CLI_INT, AT(max_tiles), "N", "0", 0, 64,
      "tiles the picture may be cut into, besides the thumbnail; 0: as the model says. Fewer are faster and "
      "coarser" },
    { "system", 0, CLI_TEXT, AT(system), "TEXT", NULL, 0, 0, "system message in place of the published one" },
    { "max-tokens", 'n', CLI_INT, AT(max_tokens), "N", "1024", 1, 1000000, "longest answer" },
    { "temperature", 0, CLI_NUMBER, AT(temperature), "X", "0", 0, 100,
      "0: always the likeliest token, as published" },
    { "top-p", 0, CLI_NUMBER, AT(top_p), "X", "1", 1e-9, 1,
      "draw from the likeliest tokens that make up this probability" },
    { "top-k", 0, CLI_INT, AT(top_k), "N", "0", 0, 1000000, "draw from the N likeliest tokens; 0: all" },
    { "choice", 0, CLI_LIST, AT(choices), "TEXT", NULL, 0, 0,
      "the answer is this text, or another one that is given so: the most probable of them, or drawn where "
      "there is a "
      "--temperature; --json has the probability of each" },
    { "stop", 0, CLI_LIST, AT(stops), "TEXT", NULL, 0, 0, "end the answer before this text; up to 4" },
};

static const cli_option file_rows[] = {
    { "overlay", 0, CLI_TEXT, AT(overlay), "OUT.png", NULL, 0, 0,
      "write the picture with the regions marked and numbered" },
    { "dump", 0, CLI_TEXT, AT(dump), "FILE.safetensors", NULL, 0, 0,
      "write intermediate values: pixel_values, mask_values, vision_features, image_features, replay_<i>, "
      "input_ids, inputs_embeds, "
      "logits" },
};

const cli_table question_tables[QUESTION_TABLES] = {
    { "Regions", region_rows, N_REGION_ROWS, offsetof(question_values, regions) },
    CLI_TABLE("Answer", answer_rows, 0),
    CLI_TABLE("Files", file_rows, 0),
};

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static cli_exit open_model(question *q)
{
    gr_error err = { 0 };
    gr_model_options o;
    gr_model_options_init(&o);
    o.numerics = (gr_numerics)q->values->numerics;
    if (!cli_model(q->app))
        return CLI_EXIT_MODEL;
    if (gr_model_open(&q->model, q->rt, q->app->common.model, &o, &err) != GR_OK)
        return cli_fail(&q->app->out, &err, CLI_AT_MODEL);
    static const char *const sets[] = { NULL, "released", "paper" };
    gr_status st = GR_OK;
    if (sets[q->values->profile])
        st = gr_profile_init(&q->profile, sets[q->values->profile], &err);
    else
        gr_model_profile(q->model, &q->profile);
    for (size_t i = 0; i < q->values->switches.count && st == GR_OK; i++)
        st = gr_profile_set(&q->profile, q->values->switches.items[i], &err);
    if (st != GR_OK) {
        cli_error(&q->app->out, "%s", err.msg);
        return CLI_EXIT_USAGE;
    }
    return CLI_EXIT_OK;
}

cli_exit question_open(question *q, cli *app, const question_values *v, const char *image)
{
    *q = (question){ .app = app, .values = v };
    gr_error err = { 0 };
    if (cli_runtime_new(&q->rt, app, &err) != GR_OK)
        return cli_fail(&app->out, &err, CLI_AT_MODEL);
    cli_exit code = regions_open(&q->regions, app, q->rt, image, &v->regions);
    if (code == CLI_EXIT_OK)
        code = open_model(q);
    if (code == CLI_EXIT_OK && v->overlay)
        code = regions_overlay(&q->regions, app, v->overlay);
    if (code == CLI_EXIT_OK && v->dump && gr_dump_open(&q->dump, q->rt, v->dump, &err) != GR_OK)
        code = cli_fail(&app->out, &err, CLI_AT_INPUT);
    return code;
}

static bool tile_progress(void *user, int done, int total)
{
    cli *app = user;
    if (done == 0)
        cli_progress_begin(&app->progress, "looking", "tile", (uint64_t)total);
    cli_progress_set(&app->progress, (uint64_t)done);
    if (done == total)
        cli_progress_end(&app->progress);
    return !cli_cancelled(NULL);
}

void question_request(question *q, gr_request *r)
{
    gr_request_init(r, q->model);
    r->image = q->regions.image;
    r->profile = q->profile;
    r->max_tiles = (int)q->values->max_tiles;
    r->system = q->values->system;
    r->progress = tile_progress;
    r->progress_user = q->app;
    r->cancelled = cli_cancelled;
    r->dump = q->dump;
}

static bool load_progress(void *user, size_t done, size_t total)
{
    cli *app = user;
    if (done == 0)
        cli_progress_begin(&app->progress, "loading", "MB", total / 1000000);
    cli_progress_set(&app->progress, done / 1000000);
    if (done == total)
        cli_progress_end(&app->progress);
    return !cli_cancelled(NULL);
}

/* Bytes the system could give without swapping; 0: not known. */
static double available_bytes(void)
{
    char line[256];
    double kb = 0;
    FILE *f = fopen("/proc/meminfo", "r");
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, "MemAvailable:", 13) == 0)
            kb = strtod(line + 13, NULL);
    if (f)
        fclose(f);
    return kb * 1024;
}

cli_exit question_ready(question *q, const gr_request *requests, size_t n)
{
    gr_error err = { 0 };
    gr_engine_options o;
    gr_model_info info = { .size = sizeof info };
    gr_engine_options_init(&o);
    if (gr_model_describe(q->model, &info, &err) != GR_OK)
        return cli_fail(&q->app->out, &err, CLI_AT_MODEL);
    o.max_tiles = o.max_regions = 1;
    for (size_t i = 0; i < n; i++) {
        gr_request_size size;
        if (gr_request_measure(q->model, &requests[i], &size, &err) != GR_OK)
            return cli_fail(&q->app->out, &err, CLI_AT_INPUT);
        const int64_t answer = q->values->choices.count > 0 ? GR_CHOICE_TOKENS_MAX : q->values->max_tokens;
        const int64_t rows = size.prompt_rows + answer;
        const int context = rows < info.context ? (int)rows : info.context;
        o.max_context = context > o.max_context ? context : o.max_context;
        o.max_tiles = size.across * size.down > o.max_tiles ? size.across * size.down : o.max_tiles;
        o.max_regions =
            (int)requests[i].n_regions > o.max_regions ? (int)requests[i].n_regions : o.max_regions;
        if (size.prompt_rows >= info.context) {
            cli_error(&q->app->out,
                      "the prompt has %d tokens (%d of the picture), the model's context is %d; fewer tiles "
                      "(--max-tiles) help",
                      size.prompt_rows, size.image_rows, info.context);
            return CLI_EXIT_LIMIT;
        }
    }
    if (q->values->choices.count > 1)
        o.max_branches =
            q->values->choices.count < MAX_BRANCHES ? (int)q->values->choices.count - 1 : MAX_BRANCHES;
    if (gr_engine_measure(q->model, &o, &q->memory, &err) != GR_OK)
        return cli_fail(&q->app->out, &err, CLI_AT_MODEL);
    const gr_image *image = q->regions.image;
    const size_t picture =
        gr_request_picture_bytes(image->width, image->height, image->channels, (int)q->regions.count);
    /* Overlaying takes a copy in RGB, which is counted, and two bytes a pixel. */
    const size_t overlay = q->values->overlay ? 2 * (size_t)image->width * (size_t)image->height : 0;
    q->memory.picture += picture + overlay;
    q->memory.total += picture + overlay;
    const double available = available_bytes(), total = (double)q->memory.total;
    cli_inform(
        &q->app->out,
        "memory: %.0f MB (weights %.0f, KV %.0f, arena %.0f, features %.0f, buffers %.0f, picture %.0f)",
        total * 1e-6, (double)q->memory.weights * 1e-6, (double)q->memory.kv * 1e-6,
        (double)q->memory.arena * 1e-6, (double)q->memory.features * 1e-6, (double)q->memory.buffers * 1e-6,
        (double)q->memory.picture * 1e-6);
    if (available > 0 && total > available) {
        cli_error(&q->app->out,
                  "this needs %zu bytes (%.1f GB) of memory and %.1f GB are free; fewer tiles (--max-tiles) "
                  "or tokens help a little",
                  q->memory.total, total * 1e-9, available * 1e-9);
        return CLI_EXIT_LIMIT;
    }
    const double began = now_ms();
    o.progress = load_progress;
    o.progress_user = q->app;
    if (gr_engine_open(&q->engine, q->model, &o, &err) != GR_OK ||
        gr_session_open(&q->session, q->engine, &err) != GR_OK)
        return cli_fail(&q->app->out, &err, CLI_AT_MODEL);
    q->load_ms = now_ms() - began;
    return CLI_EXIT_OK;
}

/* The answer is one of a set. */
static cli_exit choose(question *q, const gr_request *r)
{
    gr_error err = { 0 };
    gr_choice_options o;
    if (q->values->stops.count > 0 || q->values->top_p < 1 || q->values->top_k > 0) {
        cli_error(&q->app->out,
                  "--stop, --top-p and --top-k are about answers in the model's own words; with --choice "
                  "only --temperature counts");
        return CLI_EXIT_USAGE;
    }
    gr_choice_options_init(&o);
    o.texts = q->values->choices.items;
    o.n = q->values->choices.count;
    o.temperature = q->values->temperature;
    o.seed = (uint64_t)q->app->common.seed;
    o.cancelled = cli_cancelled;
    free(q->choices);
    q->choices = calloc(o.n, sizeof *q->choices);
    if (!q->choices) {
        cli_error(&q->app->out, "no memory for %zu answers", o.n);
        return CLI_EXIT_LIMIT;
    }
    const gr_status st = gr_session_choose(q->session, r, &o, q->choices, &q->chosen, &err);
    if (st == GR_ERR_CANCELLED)
        return cli_signals_exit();
    if (st != GR_OK)
        return cli_fail(&q->app->out, &err, CLI_AT_INPUT);
    if (!q->app->common.json) {
        cli_print(&q->app->out, "%s\n", o.texts[q->chosen]);
        cli_inform(&q->app->out, "probability %.3f among %zu", q->choices[q->chosen].probability, o.n);
    }
    cli_flush(&q->app->out);
    return CLI_EXIT_OK;
}

static void put_choices(question *q, cli_json *j)
{
    cli_json_open(j, "choices", '[');
    for (size_t i = 0; i < q->values->choices.count; i++) {
        cli_json_open(j, NULL, '{');
        cli_json_text(j, "text", q->values->choices.items[i]);
        cli_json_number(j, "logprob", q->choices[i].logprob);
        cli_json_number(j, "probability", q->choices[i].probability);
        cli_json_close(j, '}');
    }
    cli_json_close(j, ']');
}

cli_exit question_ask(question *q, const gr_request *r)
{
    if (q->values->choices.count > 0)
        return choose(q, r);
    gr_error err = { 0 };
    gr_answer_options o;
    gr_answer_options_init(&o);
    o.max_tokens = (int)q->values->max_tokens;
    o.temperature = q->values->temperature;
    o.top_p = q->values->top_p;
    o.top_k = (int)q->values->top_k;
    o.seed = (uint64_t)q->app->common.seed;
    o.stops = q->values->stops.items;
    o.n_stops = q->values->stops.count;
    if (gr_session_ask(q->session, r, &o, &err) != GR_OK)
        return cli_fail(&q->app->out, &err, CLI_AT_INPUT);
    size_t shown = 0;
    while (gr_session_busy(q->session)) {
        if (cli_cancelled(NULL))
            gr_session_cancel(q->session);
        if (gr_engine_step(q->engine, &err) != GR_OK)
            return cli_fail(&q->app->out, &err, CLI_AT_MODEL);
        size_t n;
        const char *text = gr_session_text(q->session, &n);
        if (!q->app->common.json && n > shown) {
            cli_print_bytes(&q->app->out, text + shown, n - shown);
            cli_flush(&q->app->out);
            shown = n;
        }
    }
    if (!q->app->common.json) {
        cli_print(&q->app->out, "\n");
        cli_flush(&q->app->out);
    }
    if (gr_session_finish(q->session) == GR_FINISH_LENGTH)
        cli_inform(&q->app->out, "the answer was cut at %zu tokens", gr_session_n_tokens(q->session));
    return gr_session_finish(q->session) == GR_FINISH_CANCELLED ? cli_signals_exit() : CLI_EXIT_OK;
}

void question_put_answer(question *q, cli_json *j)
{
    static const char *const finishes[] = { "none", "stop", "length", "cancelled" };
    gr_session_stats stats = { .size = sizeof stats };
    gr_session_statistics(q->session, &stats, NULL);
    size_t n;
    const char *text = gr_session_text(q->session, &n);
    cli_json_bytes(j, "text", text, n);
    cli_json_text(j, "finish_reason", finishes[gr_session_finish(q->session)]);
    cli_json_open(j, "tokens", '[');
    for (size_t i = 0; i < gr_session_n_tokens(q->session); i++) {
        const gr_token t = gr_session_token(q->session, i);
        cli_json_open(j, NULL, '{');
        cli_json_number(j, "id", t.id);
        cli_json_bytes(j, "text", t.bytes ? t.bytes : "", t.bytes ? t.n_bytes : 0);
        cli_json_number(j, "logprob", t.logprob);
        cli_json_close(j, '}');
    }
    cli_json_close(j, ']');
    if (q->choices)
        put_choices(q, j);
    cli_json_open(j, "usage", '{');
    cli_json_number(j, "prompt_tokens", stats.prompt_rows);
    cli_json_number(j, "image_tokens", stats.image_rows);
    cli_json_number(j, "region_tokens", stats.region_rows);
    cli_json_number(j, "completion_tokens", (double)gr_session_n_tokens(q->session));
    cli_json_close(j, '}');
    cli_json_open(j, "timings", '{');
    cli_json_number(j, "picture_ms", stats.picture_ms);
    cli_json_number(j, "encode_ms", stats.encode_ms);
    cli_json_number(j, "tiles_kept", stats.tiles_kept);
    cli_json_number(j, "prefill_ms", stats.prefill_ms);
    cli_json_number(j, "decode_ms", stats.decode_ms);
    cli_json_close(j, '}');
    cli_json_open(j, "canvas", '[');
    cli_json_number(j, NULL, stats.across);
    cli_json_number(j, NULL, stats.down);
    cli_json_close(j, ']');
}

/* The most this process has held; Linux counts in KiB. */
static double peak_resident_bytes(void)
{
    struct rusage u;
    return getrusage(RUSAGE_SELF, &u) == 0 ? (double)u.ru_maxrss * 1024 : 0;
}

static void put_regions(const region_set *set, cli_json *j)
{
    cli_json_open(j, "regions", '[');
    for (size_t i = 0; i < set->count; i++) {
        const gr_region *r = set->at[i];
        const int box[4] = { r->bounds.x0, r->bounds.y0, r->bounds.x1, r->bounds.y1 };
        char name[80];
        if (r->name[0])
            snprintf(name, sizeof name, "%s", r->name);
        else
            snprintf(name, sizeof name, "r%zu", i);
        cli_json_open(j, NULL, '{');
        cli_json_text(j, "name", name);
        cli_json_open(j, "bbox", '[');
        for (int k = 0; k < 4; k++)
            cli_json_number(j, NULL, box[k]);
        cli_json_close(j, ']');
        cli_json_number(j, "area", (double)r->area);
        cli_json_text(j, "source", r->source);
        cli_json_close(j, '}');
    }
    cli_json_close(j, ']');
}

void question_put_frame(question *q, cli_json *j, const char *image)
{
    cli_json_text(j, "image", image);
    cli_json_open(j, "size", '[');
    cli_json_number(j, NULL, q->regions.image->width);
    cli_json_number(j, NULL, q->regions.image->height);
    cli_json_close(j, ']');
    put_regions(&q->regions, j);
    cli_json_text(j, "model", q->app->common.model);
    cli_json_open(j, "profile", '{');
    for (size_t i = 0; gr_profile_switch_at(i); i++)
        cli_json_text(j, gr_profile_switch_at(i)->name, gr_profile_value(&q->profile, i));
    cli_json_close(j, '}');
    cli_json_text(j, "numerics", q->values->numerics ? "released" : "exact");
}

void question_put_memory(question *q, cli_json *j)
{
    cli_json_number(j, "load_ms", q->load_ms);
    cli_json_open(j, "memory_bytes", '{');
    cli_json_number(j, "weights", (double)q->memory.weights);
    cli_json_number(j, "kv", (double)q->memory.kv);
    cli_json_number(j, "arena", (double)q->memory.arena);
    cli_json_number(j, "features", (double)q->memory.features);
    cli_json_number(j, "buffers", (double)q->memory.buffers);
    cli_json_number(j, "picture", (double)q->memory.picture);
    cli_json_number(j, "total", (double)q->memory.total);
    cli_json_number(j, "peak_resident", peak_resident_bytes());
    cli_json_close(j, '}');
}

cli_exit question_close(question *q, cli_exit code)
{
    gr_error err = { 0 };
    cli_progress_end(&q->app->progress);
    free(q->choices);
    gr_session_close(q->session);
    if (code != CLI_EXIT_OK)
        gr_dump_abort(q->dump);
    else if (gr_dump_close(q->dump, &err) != GR_OK)
        code = cli_fail(&q->app->out, &err, CLI_AT_INPUT);
    gr_engine_close(q->engine);
    gr_model_close(q->model);
    regions_close(&q->regions);
    gr_runtime_free(q->rt);
    return code;
}
