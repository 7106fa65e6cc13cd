#include "bench/stages.h"

#include <math.h>

#include "base/runtime.h"
#include "bench/row.h"

bool gr_stages_go_on(void *user)
{
    const gr_stages *s = user;
    const gr_bench_watch *w = &s->options->watch;
    return !w->progress || w->progress(w->user, s->done, s->total);
}

void gr_stages_tell(gr_stages *s, gr_bench_row *row, const char *kind)
{
    row->kind = kind;
    row->threads = gr_threads_count(s->rt->threads);
    s->done++;
    if (s->options->watch.row)
        s->options->watch.row(s->options->watch.user, row);
}

gr_status gr_stages_measure(gr_stages *s, gr_bench_row *row, const gr_work *work, gr_limit limit,
                            gr_error *err)
{
    const gr_timing timing = {
        .repeats = s->options->repeats, .seconds = s->options->seconds, .go_on = gr_stages_go_on, .user = s
    };
    const bool limited = limit != GR_N_LIMITS, reads = limit != GR_LIMIT_FMA;
    const gr_work beside = limited ? gr_limits_work(&s->limits, limit) : *work;
    gr_timed timed;
    GR_TRY(gr_timing_run(&timed, &timing, work, limited ? &beside : NULL, err));
    row->fraction = limited ? gr_timed_ratio(&timed) * (reads ? row->bytes : row->flop) /
                                  gr_limits_amount(&s->limits, limit)
                            : NAN;
    gr_row_measured(row, reads ? GR_UNIT_READ : GR_UNIT_FLOP, timed.work, timed.n);
    gr_stages_tell(s, row, "stage");
    return GR_OK;
}

gr_request gr_stages_request(gr_stages *s, int tiles)
{
    gr_request r;
    gr_request_init(&r, s->model);
    r.image = s->image;
    r.regions = (const gr_region *const *)&s->region;
    r.n_regions = 1;
    r.max_tiles = tiles;
    return r;
}
