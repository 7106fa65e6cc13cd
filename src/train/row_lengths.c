#include "train/row_lengths.h"

#include "base/alloc.h"
#include "base/runtime.h"

enum { PIECE = 64 }; /* rows of a unit of work */

typedef struct {
    gr_runtime *rt, *one; /* one: of one thread, as a unit must not use the pool that runs it */
    const gr_row_sources *sets;
    const gr_gar_sample_rules *rules;
    uint64_t seed;
    int32_t *lengths;
    gr_record *records; /* of each worker */
    gr_error *why;      /* of each worker: no memory */
} job;

static gr_status measure(const job *j, size_t i, gr_record *record, gr_error *err)
{
    const gr_row_place at = gr_row_sources_find(j->sets, i);
    gr_draws draws = gr_draws_for(j->seed, (uint32_t)at.source, 0, (uint32_t)i, 0);
    gr_skip skip = GR_SKIP_UNREADABLE;
    size_t n = 0;
    gr_status st = gr_rows_read(j->sets->list[at.source], at.row, record, err);
    if (st == GR_OK)
        st = gr_gar_sample_measure(&n, j->one, record, j->rules, &draws, &skip, err);
    if (st == GR_ERR_MEM)
        return st;
    const int32_t length = st == GR_OK && n > 0 ? (int32_t)n : 1;
    j->lengths[i] = st == GR_OK && record->form == GR_PICTURE_NONE ? -length : length;
    return GR_OK;
}

static void measure_piece(void *user, size_t piece, int worker)
{
    job *j = user;
    const size_t first = piece * PIECE, end = first + PIECE < j->sets->count ? first + PIECE : j->sets->count;
    for (size_t i = first; i < end && j->why[worker].status == GR_OK; i++) {
        gr_error why = { 0 };
        if (measure(j, i, &j->records[worker], &why) != GR_OK)
            j->why[worker] = why;
    }
}

static gr_status run(job *j, gr_error *err)
{
    const int n = gr_threads_count(j->rt->threads);
    j->lengths = gr_calloc(j->rt, j->sets->count, sizeof *j->lengths);
    j->records = gr_calloc(j->rt, (size_t)n, sizeof *j->records);
    j->why = gr_calloc(j->rt, (size_t)n, sizeof *j->why);
    if (!j->lengths || !j->records || !j->why)
        return gr_fail(err, GR_ERR_MEM, "no memory for the lengths of %zu rows", j->sets->count);
    for (int i = 0; i < n; i++)
        gr_record_init(&j->records[i], j->rt);
    gr_threads_run(j->rt->threads, (j->sets->count + PIECE - 1) / PIECE, measure_piece, j);
    for (int i = 0; i < n; i++)
        gr_record_fini(&j->records[i]);
    for (int i = 0; i < n; i++)
        if (j->why[i].status != GR_OK)
            return gr_fail(err, j->why[i].status, "%s", j->why[i].msg);
    return GR_OK;
}

gr_status gr_row_lengths(int32_t **lengths, gr_runtime *rt, const gr_row_sources *sets,
                         const gr_gar_sample_rules *rules, uint64_t seed, gr_error *err)
{
    job j = { .rt = rt, .sets = sets, .rules = rules, .seed = seed };
    GR_TRY(gr_runtime_single(&j.one, rt, err));
    const gr_status st = run(&j, err);
    gr_runtime_free(j.one);
    gr_free(rt, j.records);
    gr_free(rt, j.why);
    if (st != GR_OK)
        gr_free(rt, j.lengths);
    *lengths = st == GR_OK ? j.lengths : NULL;
    return st;
}
