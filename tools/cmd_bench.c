/* cmd_bench.c - how fast kernels and stages are, beside what the machine can do. */
#include <string.h>

#include "bench.h"
#include "cmd.h"
#include "signals.h"

typedef struct {
    const char *preset, *filter;
    int64_t threads, isa, weights, repeats;
    double seconds;
    bool list, csv;
} bench_values;

#define AT(field) offsetof(bench_values, field)

static const cli_option rows[] = {
    { "preset", 0, CLI_TEXT, AT(preset), "NAME", "gar-1b", 0, 0,
      "kernels: the model whose shapes are run: gar-1b, gar-8b or gar-test" },
    { "filter", 0, CLI_TEXT, AT(filter), "TEXT", NULL, 0, 0,
      "kernels: the case of exactly this name, else those whose names contain it" },
    { "weights", 0, CLI_CHOICE, AT(weights), "bf16|f32|f16", "bf16", 0, 0,
      "kernels: type of the weights of products" },
    { "isa", 0, CLI_CHOICE, AT(isa), "auto|avx512|avx2|neon|plain", "auto", 0, 0,
      "the set of kernels; auto is the widest this processor has" },
    { "repeats", 0, CLI_INT, AT(repeats), "N", "5", 1, 512, "repeats of everything, at least" },
    { "seconds", 0, CLI_NUMBER, AT(seconds), "X", "0.25", 0, 3600, "time of every case, at least" },
    { "list", 0, CLI_FLAG, AT(list), NULL, NULL, 0, 0, "kernels: what would be run" },
    { "csv", 0, CLI_FLAG, AT(csv), NULL, NULL, 0, 0, "results as CSV, one line a row" },
    { "threads", 't', CLI_INT, AT(threads), "N", NULL, 0, 1024,
      "threads that compute; 0, the default, is as many as the process may use" },
};

static const cli_table tables[] = { CLI_TABLE("Measuring", rows, 0) };

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

/* In the order of --isa. What is not x86's own is asked for by leaving those out. */
static const struct {
    unsigned mask;
    const char *name; /* as gr_bench_machine calls it; NULL: whatever there is */
} sets[] = {
    { ~0u, NULL },           { GR_CPU_AVX2 | GR_CPU_AVX512, "AVX-512" },
    { GR_CPU_AVX2, "AVX2" }, { ~(unsigned)(GR_CPU_AVX2 | GR_CPU_AVX512), "NEON" },
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
    o.repeats = (int)v->repeats;
    o.seconds = v->seconds;
    gr_status st = gr_bench_list(b->rt, &o, &err); /* what is wrong is said before anything is written */
    if (st != GR_OK)
        return cli_fail(&b->app->out, &err, CLI_AT_INPUT);
    o.watch = (gr_bench_watch){ on_row, on_progress, b };
    bench_sheet_open(&b->sheet, &b->app->out,
                     b->app->common.json ? BENCH_JSON
                     : v->csv            ? BENCH_CSV
                                         : BENCH_TEXT,
                     !v->list, machine, v->preset);
    st = v->list ? gr_bench_list(b->rt, &o, &err) : gr_bench_kernels(b->rt, &o, &err);
    cli_progress_end(&b->app->progress);
    bench_sheet_close(&b->sheet);
    return st == GR_OK ? CLI_EXIT_OK : cli_fail(&b->app->out, &err, CLI_AT_INPUT);
}

/* --- the command --------------------------------------------------------------------------------- */

static cli_exit measure(bench *b, const char *what)
{
    gr_bench_machine machine = { .size = sizeof machine };
    if (strcmp(what, "kernels") != 0) {
        cli_error(&b->app->out, "'%s' cannot be measured; usage: grasp bench [kernels]", what);
        return CLI_EXIT_USAGE;
    }
    const cli_exit code = open_machine(b, &machine);
    return code == CLI_EXIT_OK ? run_kernels(b, &machine) : code;
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
    .arguments = "[kernels]",
    .summary = "how fast it is here, beside what the machine can do",
    .about =
        "Times the operators of a model at its own shapes, with random weights: products of tower, projector "
        "and "
        "decoder, one row of the decoder's, attention, and what only goes over memory. First comes what the "
        "machine can do: multiply-adds between registers, and reading memory. Every repeat of a case stands "
        "beside one of its limit, and 'of limit' is the median of those pairs; docs/bench.md says how to "
        "read it. An interrupt ends it with the rows so far.",
    .examples = "  grasp bench\n"
                "  grasp bench kernels --filter prefill --json\n",
    .min_args = 0,
    .max_args = 1,
    .tables = tables,
    .n_tables = 1,
    .values_bytes = sizeof(bench_values),
    .run = run,
};
