/* bench_kernels.c - the operators of a model, one after the other, beside the limits. */
#include <math.h>

#include "base/alloc.h"
#include "base/runtime.h"
#include "bench/limits.h"
#include "bench/operator.h"
#include "bench/row.h"

#define REPEAT_SECONDS \
    0.005 /* of one repeat, at least: as long as one of a limit, and far over the clock's grain */
#define MAX_CALLS 10000 /* of one repeat */

void gr_bench_options_init(gr_bench_options *options)
{
    *options = (gr_bench_options){
        .size = sizeof *options, .preset = "gar-1b", .weights = GR_DTYPE_BF16, .repeats = 5, .seconds = 0.25
    };
}

/* One benchmark of kernels. */
typedef struct {
    const gr_bench_options *options;
    gr_backend *backend;
    gr_limits limits;
    gr_bench_cases cases;
    uint64_t done; /* rows, of all cases and limits */
} kernels;

static gr_status check_options(const gr_bench_options *o, gr_error *err)
{
    if (o->size != sizeof *o)
        return gr_fail(err, GR_ERR_ARG,
                       "gr_bench_options.size is %zu, this library expects %zu: call gr_bench_options_init",
                       o->size, sizeof *o);
    return gr_timing_check(o->repeats, o->seconds, err);
}

static bool go_on(void *user)
{
    const kernels *k = user;
    const gr_bench_watch *w = &k->options->watch;
    return !w->progress || w->progress(w->user, k->done, (uint64_t)k->cases.n + GR_N_LIMITS);
}

static gr_timing timing_of(kernels *k)
{
    return (gr_timing){
        .repeats = k->options->repeats, .seconds = k->options->seconds, .go_on = go_on, .user = k
    };
}

static void tell(kernels *k, const gr_bench_row *row)
{
    k->done++;
    if (k->options->watch.row)
        k->options->watch.row(k->options->watch.user, row);
}

/* --- a case -------------------------------------------------------------------------------------- */

typedef struct {
    gr_operator op;
    int calls; /* of one repeat */
} repeated;

static gr_status run_calls(void *user, gr_error *err)
{
    repeated *r = user;
    for (int i = 0; i < r->calls; i++)
        GR_TRY(gr_operator_call(&r->op, err));
    return GR_OK;
}

/* The second call is the first that finds its memory where it will be. */
static gr_status choose_calls(repeated *r, gr_error *err)
{
    GR_TRY(gr_operator_call(&r->op, err));
    const double began = gr_timing_now();
    GR_TRY(gr_operator_call(&r->op, err));
    const double calls = ceil(REPEAT_SECONDS / fmax(gr_timing_now() - began, 1e-9));
    r->calls = calls < MAX_CALLS ? (int)calls : MAX_CALLS;
    return GR_OK;
}

static gr_status measure_operator(gr_bench_row *row, kernels *k, const gr_bench_case *c, repeated *r,
                                  gr_error *err)
{
    const bool reads = gr_bench_case_reads(c);
    const gr_limit limit = reads ? GR_LIMIT_READ : GR_LIMIT_FMA;
    const gr_work work = { run_calls, r }, beside = gr_limits_work(&k->limits, limit);
    const gr_timing timing = timing_of(k);
    gr_timed timed;
    GR_TRY(choose_calls(r, err));
    GR_TRY(gr_timing_run(&timed, &timing, &work, &beside, err));
    *row = gr_bench_case_row(c, k->options->weights, k->backend->n_workers);
    row->fraction = gr_timed_ratio(&timed) * (reads ? c->bytes : c->flop) * r->calls /
                    gr_limits_amount(&k->limits, limit);
    for (int i = 0; i < timed.n; i++)
        timed.work[i] /= r->calls;
    gr_row_measured(row, row->unit, timed.work, timed.n);
    return GR_OK;
}

static gr_status measure_case(kernels *k, gr_bench_case *c, gr_error *err)
{
    repeated r = { .calls = 1 };
    gr_bench_row row;
    const gr_rounding round = k->options->numerics == GR_NUMERICS_RELEASED ? GR_ROUND_BF16 : GR_ROUND_NONE;
    GR_TRY(gr_operator_open(&r.op, k->backend, &k->cases.config, c, k->options->weights, round, err));
    const gr_status st = measure_operator(&row, k, c, &r, err);
    gr_operator_close(&r.op);
    if (st == GR_OK)
        tell(k, &row);
    return st;
}

/* --- all of them --------------------------------------------------------------------------------- */

static gr_status measure_all(kernels *k, gr_error *err)
{
    for (gr_limit limit = 0; limit < GR_N_LIMITS; limit++) {
        const gr_timing timing = timing_of(k);
        gr_bench_row row;
        GR_TRY(gr_limits_measure(&row, &k->limits, limit, &timing, err));
        tell(k, &row);
    }
    for (int i = 0; i < k->cases.n; i++)
        GR_TRY(measure_case(k, &k->cases.at[i], err));
    go_on(k); /* all is done, and said so */
    return GR_OK;
}

static gr_status open_and_measure(kernels *k, gr_runtime *rt, gr_error *err)
{
    const gr_bench_options *o = k->options;
    GR_TRY(gr_bench_cases_make(&k->cases, o->preset, o->filter, o->weights, err));
    GR_TRY(gr_limits_init(&k->limits, rt, err));
    gr_status st = gr_backend_cpu_new(&k->backend, rt, err);
    if (st == GR_OK)
        st = measure_all(k, err);
    gr_backend_free(k->backend);
    gr_limits_fini(&k->limits);
    return st;
}

gr_status gr_bench_kernels(gr_runtime *rt, const gr_bench_options *options, gr_error *err)
{
    GR_TRY(check_options(options, err));
    kernels *k = gr_calloc(rt, 1, sizeof *k);
    if (!k)
        return gr_fail(err, GR_ERR_MEM, "no memory for the list of cases");
    k->options = options;
    const gr_status st = open_and_measure(k, rt, err);
    gr_free(rt, k);
    return st;
}

gr_status gr_bench_list(gr_runtime *rt, const gr_bench_options *options, gr_error *err)
{
    GR_TRY(check_options(options, err));
    gr_bench_cases *cases = gr_calloc(rt, 1, sizeof *cases);
    if (!cases)
        return gr_fail(err, GR_ERR_MEM, "no memory for the list of cases");
    const gr_status st = gr_bench_cases_make(cases, options->preset, options->filter, options->weights, err);
    for (int i = 0; i < cases->n && st == GR_OK && options->watch.row; i++) {
        const gr_bench_row row =
            gr_bench_case_row(&cases->at[i], options->weights, gr_threads_count(rt->threads));
        options->watch.row(options->watch.user, &row);
    }
    gr_free(rt, cases);
    return st;
}
