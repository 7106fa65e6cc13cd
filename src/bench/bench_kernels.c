/* bench_kernels.c - the operators of a model, one after the other, beside the limits. */
#include "bench/cases.h"

#include "base/alloc.h"
#include "base/runtime.h"

void gr_bench_options_init(gr_bench_options *options)
{
    *options = (gr_bench_options){
        .size = sizeof *options, .preset = "gar-1b", .weights = GR_DTYPE_BF16, .repeats = 5, .seconds = 0.25
    };
}

static gr_status make_cases(gr_bench_cases **out, gr_runtime *rt, const gr_bench_options *o, gr_error *err)
{
    *out = NULL;
    if (o->size != sizeof *o)
        return gr_fail(err, GR_ERR_ARG,
                       "gr_bench_options.size is %zu, this library expects %zu: call gr_bench_options_init",
                       o->size, sizeof *o);
    gr_bench_cases *cases = gr_calloc(rt, 1, sizeof *cases);
    if (!cases)
        return gr_fail(err, GR_ERR_MEM, "no memory for the list of cases");
    const gr_status st = gr_bench_cases_make(cases, o->preset, o->filter, o->weights, err);
    if (st == GR_OK)
        *out = cases;
    else
        gr_free(rt, cases);
    return st;
}

gr_status gr_bench_list(gr_runtime *rt, const gr_bench_options *options, gr_error *err)
{
    gr_bench_cases *cases;
    GR_TRY(make_cases(&cases, rt, options, err));
    for (int i = 0; i < cases->n && options->watch.row; i++) {
        const gr_bench_row row =
            gr_bench_case_row(&cases->at[i], options->weights, gr_threads_count(rt->threads));
        options->watch.row(options->watch.user, &row);
    }
    gr_free(rt, cases);
    return GR_OK;
}
