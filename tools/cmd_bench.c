/* cmd_bench.c - how fast kernels, stages and training are, beside what the machine can do. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <grasp/image.h>

#include "bench.h"
#include "cmd.h"
#include "signals.h"
#include "slurp.h"

typedef struct {
    const char *preset, *filter, *model, *image, *tiles, *parts, *lora_layers;
    int64_t threads, isa, weights, numerics, repeats, tokens, rows, lora_rank, products;
    double seconds, memory_gb;
    bool list, csv;
} bench_values;

#define AT(field) offsetof(bench_values, field)

static const cli_option rows[] = {
    { "repeats", 0, CLI_INT, AT(repeats), "N", NULL, 0, 512,
      "repeats of everything, at least; 0, the default: 5 of kernels and training, 3 of stages" },
    { "seconds", 0, CLI_NUMBER, AT(seconds), "X", "0.25", 0, 3600,
      "time of everything but whole answers, at least" },
    { "isa", 0, CLI_CHOICE, AT(isa), "auto|avx512|avx2|neon|plain", "auto", 0, 0,
      "the set of kernels; auto is the widest this processor has" },
    { "numerics", 0, CLI_CHOICE, AT(numerics), "exact|released", "exact", 0, 0,
      "exact f32, or rounded to bf16 wherever the published bf16 code rounds" },
    { "threads", 't', CLI_INT, AT(threads), "N", NULL, 0, 1024,
      "threads that compute; 0, the default, is as many as the process may use" },
    { "csv", 0, CLI_FLAG, AT(csv), NULL, NULL, 0, 0, "results as CSV, one line a row" },
};

static const cli_option kernel_rows[] = {
    { "preset", 0, CLI_TEXT, AT(preset), "NAME", "gar-1b", 0, 0,
      "the model whose shapes are run: gar-1b, gar-8b, gar-test or gar-small" },
    { "filter", 0, CLI_TEXT, AT(filter), "TEXT", NULL, 0, 0,
      "the case of exactly this name, else those whose names contain it" },
    { "weights", 0, CLI_CHOICE, AT(weights), "bf16|f32|f16", "bf16", 0, 0,
      "type of the weights of products" },
    { "list", 0, CLI_FLAG, AT(list), NULL, NULL, 0, 0, "what would be run" },
};

static const cli_option stage_rows[] = {
    { "model", 'm', CLI_TEXT, AT(model), "DIR", NULL, 0, 0,
      "the model: a folder as published, or one made by 'grasp new'" },
    { "image", 0, CLI_TEXT, AT(image), "FILE", NULL, 0, 0,
      "the picture that is described; without it one of 1024 x 770 pixels is drawn" },
    { "tiles", 0, CLI_TEXT, AT(tiles), "N,...", NULL, 0, 0,
      "most tiles of whole answers, one after the other, up to 8 numbers (default 1,4,16); of training the "
      "picture's tiles (default 1)" },
    { "tokens", 0, CLI_INT, AT(tokens), "N", "16", 2, 1000000, "tokens of an answer" },
};

static const cli_option train_rows[] = {
    { "parts", 0, CLI_TEXT, AT(parts), "LIST", "all", 0, 0,
      "what is trained as a whole, as the option of 'grasp train'" },
    { "lora-rank", 0, CLI_INT, AT(lora_rank), "N", "0", 0, 1024, "rank of adapters; 0: none" },
    { "lora-layers", 0, CLI_TEXT, AT(lora_layers), "LIST", "q_proj,v_proj", 0, 0, "layers that have one" },
    { "rows", 0, CLI_INT, AT(rows), "N", "0", 0, 1000000,
      "rows of the sequence; 0, the default: picture, region, and 128 of text" },
    { "products", 0, CLI_CHOICE, AT(products), "f32|bf16", "f32", 0, 0,
      "what products multiply, as the option of 'grasp train'" },
    { "memory-gb", 0, CLI_NUMBER, AT(memory_gb), "X", "0", 0, 1e9, "most memory that it may take; 0: any" },
};

static const cli_table tables[] = {
    CLI_TABLE("Measuring", rows, 0),
    CLI_TABLE("Kernels", kernel_rows, 0),
    CLI_TABLE("Stages", stage_rows, 0),
    CLI_TABLE("Training", train_rows, 0),
};

/* One call of the command. */
typedef struct {
    cli *app;
    const bench_values *values;
    gr_runtime *rt;
    bench_sheet sheet;
} bench;

static void on_row(void *user, const gr_bench_row *row)
{
    bench *b = user;
    bench_sheet_row(&b->sheet, row);
}

static bool on_progress(void *user, uint64_t done, uint64_t total)
{
    bench *b = user;
    if (!b->app->progress.task)
        cli_progress_begin(&b->app->progress, "measuring", "row", total);
    cli_progress_set(&b->app->progress, done);
    return !cli_cancelled(NULL);
}

/* --- the machine --------------------------------------------------------------------------------- */

/* In the order of --isa. */
static const struct {
    unsigned mask;
    const char *name; /* as gr_bench_machine calls it; NULL: whatever there is */
} sets[] = {
    { ~0u, NULL },           { GR_CPU_AVX2 | GR_CPU_AVX512, "AVX-512" },
    { GR_CPU_AVX2, "AVX2" }, { GR_CPU_NEON, "NEON" },
    { 0, "plain C" },
};

static cli_exit open_machine(bench *b, gr_bench_machine *machine)
{
    gr_error err = { 0 };
    gr_runtime_options o;
    gr_runtime_options_init(&o);
    o.n_threads = (int)b->values->threads;
    o.cpu_mask = sets[b->values->isa].mask;
    o.log = cli_log;
    o.log_user = &b->app->out;
    if (gr_runtime_new(&b->rt, &o, &err) != GR_OK || gr_bench_describe(b->rt, machine, &err) != GR_OK)
        return cli_fail(&b->app->out, &err, CLI_AT_INPUT);
    const char *wanted = sets[b->values->isa].name;
    if (wanted && strcmp(machine->isa, wanted) != 0) {
        cli_error(&b->app->out, "this processor or this build has no %s kernels; the next are %s", wanted,
                  machine->isa);
        return CLI_EXIT_USAGE;
    }
    return CLI_EXIT_OK;
}

/* --- kernels ------------------------------------------------------------------------------------- */

static bench_format format_of(const bench *b)
{
    return b->app->common.json ? BENCH_JSON : b->values->csv ? BENCH_CSV : BENCH_TEXT;
}

/* Rows that were written, or would have been but for an interrupt, make a whole; an error before the first
 * row stands alone. */
static cli_exit end(bench *b, gr_status st, const gr_error *err, cli_place place)
{
    cli_progress_end(&b->app->progress);
    if (st == GR_OK || st == GR_ERR_CANCELLED || b->sheet.begun)
        bench_sheet_close(&b->sheet);
    return st == GR_OK ? CLI_EXIT_OK : cli_fail(&b->app->out, err, place);
}

static cli_exit run_kernels(bench *b, const gr_bench_machine *machine)
{
    static const gr_dtype types[] = { GR_DTYPE_BF16, GR_DTYPE_F32, GR_DTYPE_F16 };
    const bench_values *v = b->values;
    gr_error err = { 0 };
    gr_bench_options o;
    gr_bench_options_init(&o);
    o.preset = v->preset;
    o.filter = v->filter;
    o.weights = types[v->weights];
    o.numerics = (gr_numerics)v->numerics;
    o.repeats = v->repeats ? (int)v->repeats : o.repeats;
    o.seconds = v->seconds;
    o.watch = (gr_bench_watch){ on_row, on_progress, b };
    bench_sheet_init(&b->sheet, &b->app->out, format_of(b), !v->list, machine, v->preset);
    const gr_status st = v->list ? gr_bench_list(b->rt, &o, &err) : gr_bench_kernels(b->rt, &o, &err);
    return end(b, st, &err, CLI_AT_INPUT);
}

/* --- stages -------------------------------------------------------------------------------------- */

/* "1,4,16" */
static bool read_tiles(int tiles[GR_BENCH_MAX_TILES], const char *text)
{
    memset(tiles, 0, GR_BENCH_MAX_TILES * sizeof *tiles);
    for (int i = 0; i < GR_BENCH_MAX_TILES; i++) {
        char *end;
        const long n = strtol(text, &end, 10);
        if (end == text || n < 1 || n > 64 || (*end && *end != ','))
            return false;
        tiles[i] = (int)n;
        if (!*end)
            return true;
        text = end + 1;
    }
    return false;
}

static gr_status slurp_file(char **bytes, size_t *n, const char *path, gr_error *err)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return gr_fail(err, GR_ERR_IO, "%s", strerror(errno));
    const gr_status st = cli_slurp(bytes, n, fileno(f), (size_t)1 << 30, err);
    fclose(f);
    return st;
}

/* Reads the picture's file, and sees whether it is one; free(*bytes), which is NULL where none was given. */
static cli_exit read_image(bench *b, char **bytes, size_t *n)
{
    const char *path = b->values->image;
    gr_error err = { 0 };
    gr_image *image = NULL;
    *bytes = NULL;
    *n = 0;
    if (!path)
        return CLI_EXIT_OK;
    gr_status st = slurp_file(bytes, n, path, &err);
    if (st == GR_OK)
        st = gr_image_decode(&image, b->rt, *bytes, *n, NULL, &err);
    gr_image_free(image);
    if (st == GR_OK)
        return CLI_EXIT_OK;
    cli_error(&b->app->out, "%s: %s", path, err.msg);
    return cli_exit_of(st, CLI_AT_INPUT);
}

static cli_exit no_model(bench *b)
{
    cli_error(&b->app->out,
              "no model: give --model DIR, a GAR folder as published or one made by 'grasp new'");
    return CLI_EXIT_MODEL;
}

static cli_exit measure_model(bench *b, const gr_bench_machine *machine, const gr_bench_stage_options *o)
{
    gr_error err = { 0 };
    gr_model *model;
    gr_model_options options;
    gr_model_options_init(&options);
    options.numerics = (gr_numerics)b->values->numerics;
    if (gr_model_open(&model, b->rt, b->values->model, &options, &err) != GR_OK)
        return cli_fail(&b->app->out, &err, CLI_AT_MODEL);
    bench_sheet_init(&b->sheet, &b->app->out, format_of(b), true, machine, b->values->model);
    const gr_status st = gr_bench_stages(model, o, &err);
    const cli_exit code = end(b, st, &err, CLI_AT_MODEL);
    gr_model_close(model);
    return code;
}

static cli_exit run_stages(bench *b, const gr_bench_machine *machine)
{
    const bench_values *v = b->values;
    gr_bench_stage_options o;
    char *file;
    gr_bench_stage_options_init(&o);
    if (!v->model)
        return no_model(b);
    if (v->tiles && !read_tiles(o.tiles, v->tiles)) {
        cli_error(&b->app->out, "--tiles %s: expected 1 to %d numbers from 1 to 64 with commas between",
                  v->tiles, GR_BENCH_MAX_TILES);
        return CLI_EXIT_USAGE;
    }
    o.max_tokens = (int)v->tokens;
    o.repeats = v->repeats ? (int)v->repeats : o.repeats;
    o.seconds = v->seconds;
    o.watch = (gr_bench_watch){ on_row, on_progress, b };
    cli_exit code = read_image(b, &file, &o.file_bytes);
    o.file = file;
    if (code == CLI_EXIT_OK)
        code = measure_model(b, machine, &o);
    free(file);
    return code;
}

/* --- training ------------------------------------------------------------------------------------ */

static cli_exit run_train(bench *b, const gr_bench_machine *machine)
{
    const bench_values *v = b->values;
    gr_error err = { 0 };
    int tiles[GR_BENCH_MAX_TILES] = { 1 };
    gr_bench_train_options o;
    gr_bench_train_options_init(&o);
    if (!v->model)
        return no_model(b);
    if (v->tiles && (!read_tiles(tiles, v->tiles) || tiles[1] != 0)) {
        cli_error(&b->app->out, "--tiles %s: expected one number from 1 to 64", v->tiles);
        return CLI_EXIT_USAGE;
    }
    o.parts = v->parts;
    o.lora_rank = (int)v->lora_rank;
    o.lora_layers = v->lora_layers;
    o.tiles = tiles[0];
    o.rows = (int)v->rows;
    o.repeats = v->repeats ? (int)v->repeats : o.repeats;
    o.seconds = v->seconds;
    o.memory_gb = v->memory_gb;
    o.bf16_products = v->products == 1;
    o.watch = (gr_bench_watch){ on_row, on_progress, b };
    bench_sheet_init(&b->sheet, &b->app->out, format_of(b), true, machine, v->model);
    const gr_status st = gr_bench_train(b->rt, v->model, &o, &err);
    return end(b, st, &err, CLI_AT_MODEL);
}

/* --- the command --------------------------------------------------------------------------------- */

static cli_exit measure(bench *b, const char *what)
{
    static const struct {
        const char *what;
        cli_exit (*run)(bench *b, const gr_bench_machine *machine);
    } parts[] = { { "kernels", run_kernels }, { "stages", run_stages }, { "train", run_train } };
    gr_bench_machine machine = { .size = sizeof machine };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strcmp(parts[i].what, what) == 0) {
            const cli_exit code = open_machine(b, &machine);
            return code == CLI_EXIT_OK ? parts[i].run(b, &machine) : code;
        }
    cli_error(&b->app->out, "'%s' cannot be measured, only kernels, stages and train; see 'grasp help bench'",
              what);
    return CLI_EXIT_USAGE;
}

static int run(cli *app, const void *values)
{
    bench b = { .app = app, .values = values };
    if (app->common.json && b.values->csv) {
        cli_error(&app->out, "--json and --csv exclude each other");
        return CLI_EXIT_USAGE;
    }
    const cli_exit code = measure(&b, app->n_args ? app->args[0] : "kernels");
    gr_runtime_free(b.rt);
    return code;
}

const cli_command cmd_bench = {
    .name = "bench",
    .arguments = "[kernels|stages|train] --model DIR",
    .summary = "how fast it is here, beside what the machine can do",
    .about =
        "kernels, the default: the operators of a model at its own shapes, with random weights: products of "
        "tower, projector and decoder, one row of the decoder's, attention, and what only goes over "
        "memory.\n\n"
        "stages: decoding a picture, cutting it into tiles, tower, projector and replay of one tile, then "
        "whole "
        "answers about a box in its middle, with tower, prefill and decode apart; last the memory.\n\n"
        "train: steps of training on one sample that is made up: forward, with gradients, the optimiser, and "
        "samples a second.\n\n"
        "First comes what the machine can do: multiply-adds between registers, and reading memory. Every "
        "repeat "
        "of a case stands beside one of its limit, and 'of limit' is the median of those pairs. An interrupt "
        "ends it with the rows so far.",
    .examples = "  grasp bench\n"
                "  grasp bench kernels --filter prefill --json\n"
                "  grasp bench stages --model GAR-1B --tiles 1,4 --tokens 32\n"
                "  grasp bench train --model GAR-1B --parts mask,projector\n",
    .min_args = 0,
    .max_args = 1,
    .tables = tables,
    .n_tables = sizeof tables / sizeof *tables,
    .values_bytes = sizeof(bench_values),
    .run = run,
};
