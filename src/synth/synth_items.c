#include "synth/synth_items.h"

#include "base/alloc.h"
#include "base/failure.h"
#include "base/runtime.h"

enum { PER_THREAD = 8 }; /* items of a block: they wait in memory until their turn */

/* A thread's own world: painters are for one thread, and a runtime of one thread waits for no pool. */
typedef struct {
    gr_runtime *rt;
    gr_synth *y;
} worker;

typedef struct {
    const gr_synth_items_job *job;
    worker *workers;
    int n_workers;
    gr_synth_item *items;
    size_t n_items;
    uint64_t first;
    gr_failure failure;
} running;

static gr_status open_worker(worker *w, gr_runtime *rt, const gr_synth_rules *rules, gr_error *err)
{
    GR_TRY(gr_runtime_single(&w->rt, rt, err));
    return gr_synth_new(&w->y, w->rt, rules, err);
}

static void make_item(void *user, size_t unit, int number)
{
    running *r = user;
    gr_error err = { 0 };
    gr_synth_item *item = &r->items[unit];
    gr_buf_clear(&item->picture);
    gr_buf_clear(&item->text);
    item->good = false;
    const gr_status st = r->job->make(r->job->user, r->workers[number].y, r->first + unit, item, &err);
    if (st != GR_OK)
        gr_failure_note(&r->failure, unit, st, "%s", err.msg);
}

static gr_status run_blocks(running *r, gr_runtime *rt, uint64_t n, gr_error *err)
{
    bool enough = false;
    for (; r->first < n && !enough; r->first += r->n_items) {
        const size_t block = n - r->first < r->n_items ? (size_t)(n - r->first) : r->n_items;
        gr_failure_init(&r->failure);
        gr_threads_run(rt->threads, block, make_item, r);
        GR_TRY(gr_failure_status(&r->failure, err));
        for (size_t k = 0; k < block && !enough; k++)
            GR_TRY(r->job->take(r->job->user, r->first + k, &r->items[k], &enough, err));
    }
    return GR_OK;
}

static gr_status open_all(running *r, gr_runtime *rt, gr_error *err)
{
    r->workers = gr_calloc(rt, (size_t)r->n_workers, sizeof *r->workers);
    r->items = gr_calloc(rt, r->n_items, sizeof *r->items);
    if (!r->workers || !r->items)
        return gr_fail(err, GR_ERR_MEM, "no memory for rows");
    for (size_t k = 0; k < r->n_items; k++) {
        gr_record_init(&r->items[k].record, rt);
        gr_buf_init(&r->items[k].picture, rt, GR_RECORD_BYTES_MAX);
        gr_buf_init(&r->items[k].text, rt, GR_RECORD_BYTES_MAX);
    }
    for (int i = 0; i < r->n_workers; i++)
        GR_TRY(open_worker(&r->workers[i], rt, &r->job->rules, err));
    return GR_OK;
}

static void close_all(running *r, gr_runtime *rt)
{
    for (size_t k = 0; r->items && k < r->n_items; k++) {
        gr_record_fini(&r->items[k].record);
        gr_buf_fini(&r->items[k].picture);
        gr_buf_fini(&r->items[k].text);
    }
    for (int i = 0; r->workers && i < r->n_workers; i++) {
        gr_synth_free(r->workers[i].y);
        gr_runtime_free(r->workers[i].rt);
    }
    gr_free(rt, r->items);
    gr_free(rt, r->workers);
}

gr_status gr_synth_items_run(gr_runtime *rt, const gr_synth_items_job *job, uint64_t n, gr_error *err)
{
    running r = { .job = job, .n_workers = gr_threads_count(rt->threads) };
    r.n_items = (size_t)r.n_workers * PER_THREAD;
    gr_status st = open_all(&r, rt, err);
    if (st == GR_OK)
        st = run_blocks(&r, rt, n, err);
    close_all(&r, rt);
    return st;
}
