#define _GNU_SOURCE /* setpriority of one thread */
#include "train/loader.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>

#include "base/alloc.h"
#include "base/runtime.h"
#include "train/damage.h"

#define PRIORITY 10 /* as nice(1) adds */

/* What became of one position. */
typedef struct {
    bool done;
    gr_loaded item;
    int skipped[GR_SKIP_COUNT];
    char why[sizeof((gr_error *)0)->msg]; /* the last row that made no sample */
    gr_error err;                         /* of what no other row can repair */
} slot;

typedef struct {
    gr_loader *loader;
    pthread_t thread;
    gr_record record; /* what it reads rows into */
} worker;

struct gr_loader {
    gr_runtime *rt, *own; /* own: one thread, so that workers do not wait for the caller's pool */
    gr_loader_options o;
    uint64_t (*counts)[GR_SKIP_COUNT]; /* [sets] */
    uint64_t resized;
    gr_damage damage;
    gr_error failure;
    atomic_bool cancelled;

    pthread_mutex_t lock;
    pthread_cond_t ready, room;
    uint64_t take, give; /* the next position to be made, to be given */
    slot *slots;         /* [ahead]; position p is in slot p % ahead */
    bool closing;
    worker *workers; /* [n_threads] */
    int n_started;
    gr_record record; /* of the caller, where there are no threads */
};

void gr_loader_options_init(gr_loader_options *o, const gr_row_sources *sets, const gr_order *order,
                            const gr_gar_sample_rules *rules)
{
    *o = (gr_loader_options){ .sets = sets,
                              .order = order,
                              .rules = rules,
                              .end = gr_order_batches(order) * (uint64_t)order->o.accumulation,
                              .n_threads = 4,
                              .ahead = 8,
                              .most_damaged = GR_LOADER_WINDOW / 100 };
}

/* --- one position -------------------------------------------------------------------------------------- */

static bool is_cancelled(gr_loader *l) { return atomic_load_explicit(&l->cancelled, memory_order_relaxed); }

/* One row, for a position. A row that makes no sample leaves *skip. */
static gr_status try_row(gr_loader *l, gr_record *record, gr_loaded *item, gr_draws *draws, gr_skip *skip,
                         gr_error *err)
{
    const gr_status st = gr_rows_read(l->o.sets->list[item->set], item->row, record, err);
    *skip = st == GR_OK || st == GR_ERR_MEM ? GR_SKIP_NONE : GR_SKIP_UNREADABLE;
    return st != GR_OK ? st : gr_gar_sample_make(&item->sample, l->own, record, l->o.rules, draws, skip, err);
}

static gr_status attempt_all(gr_loader *l, gr_record *record, uint64_t position, slot *s)
{
    const gr_order *order = l->o.order;
    const uint64_t element = gr_order_element(order, position, l->o.rank);
    const gr_row_place first = gr_row_sources_find(l->o.sets, gr_order_row(order, element));
    s->item = (gr_loaded){ .micro_step = position, .set = first.source, .row = first.row };
    for (uint32_t attempt = 0; attempt < GR_LOADER_ATTEMPTS; attempt++) {
        gr_draws draws =
            gr_draws_for(order->o.seed, (uint32_t)first.source, order->epoch, (uint32_t)element, attempt);
        gr_error why = { 0 };
        gr_skip skip;
        if (is_cancelled(l))
            return gr_fail(&s->err, GR_ERR_CANCELLED, "cancelled");
        if (attempt > 0)
            s->item.row = gr_draw_below(&draws, (uint32_t)l->o.sets->list[first.source]->count);
        s->item.attempts = (int)attempt + 1;
        const gr_status st = try_row(l, record, &s->item, &draws, &skip, &why);
        if (st == GR_OK)
            return GR_OK;
        if (skip == GR_SKIP_NONE)
            return gr_fail(&s->err, st, "%s", why.msg);
        s->skipped[skip]++;
        memcpy(s->why, why.msg, sizeof s->why);
    }
    return gr_fail(&s->err, GR_ERR_FORMAT, "%s: none of %d rows makes a sample; the last: %.300s",
                   l->o.sets->list[first.source]->name, GR_LOADER_ATTEMPTS, s->why);
}

/* --- threads ------------------------------------------------------------------------------------------- */

/* Linux has priorities of threads; elsewhere the call would be about the whole process. */
static void step_back(void)
{
#ifdef __linux__
    setpriority(PRIO_PROCESS, 0, PRIORITY);
#endif
}

/* The next position to make, waiting for room; false: there is none. The lock is held. */
static bool take_position(gr_loader *l, uint64_t *position)
{
    while (!l->closing && !is_cancelled(l) && l->take < l->o.end && l->take >= l->give + (uint64_t)l->o.ahead)
        pthread_cond_wait(&l->room, &l->lock);
    if (l->closing || is_cancelled(l) || l->take >= l->o.end)
        return false;
    *position = l->take++;
    return true;
}

static void *worker_main(void *user)
{
    worker *w = user;
    gr_loader *l = w->loader;
    uint64_t position;
    step_back();
    pthread_mutex_lock(&l->lock);
    while (take_position(l, &position)) {
        slot *s = &l->slots[position % (uint64_t)l->o.ahead];
        pthread_mutex_unlock(&l->lock);
        attempt_all(l, &w->record, position, s);
        pthread_mutex_lock(&l->lock);
        s->done = true;
        pthread_cond_broadcast(&l->ready);
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

static gr_status start_threads(gr_loader *l, gr_error *err)
{
    for (int i = 0; i < l->o.n_threads; i++) {
        worker *w = &l->workers[i];
        w->loader = l;
        gr_record_init(&w->record, l->own);
        if (pthread_create(&w->thread, NULL, worker_main, w) != 0)
            return gr_fail(err, GR_ERR_MEM, "cannot start thread %d of %d that make samples", i + 1,
                           l->o.n_threads);
        l->n_started++;
    }
    return GR_OK;
}

/* --- opening ------------------------------------------------------------------------------------------- */

static gr_status check(const gr_loader_options *o, gr_error *err)
{
    const gr_order *order = o->order;
    const uint64_t steps = gr_order_batches(order) * (uint64_t)order->o.accumulation;
    if (order->o.n_rows != o->sets->count)
        return gr_fail(err, GR_ERR_ARG, "the order is of %zu rows, the data sets have %zu", order->o.n_rows,
                       o->sets->count);
    if (o->rank < 0 || o->rank >= order->o.world)
        return gr_fail(err, GR_ERR_ARG, "rank %d of %d", o->rank, order->o.world);
    if (o->begin > o->end || o->end > steps)
        return gr_fail(err, GR_ERR_ARG, "micro-steps %llu to %llu, the epoch has %llu",
                       (unsigned long long)o->begin, (unsigned long long)o->end, (unsigned long long)steps);
    if (o->n_threads < 0 || o->n_threads > GR_LOADER_MAX_THREADS)
        return gr_fail(err, GR_ERR_ARG, "%d threads that make samples, expected 0 to %d", o->n_threads,
                       GR_LOADER_MAX_THREADS);
    if (o->ahead < 1 || o->ahead < o->n_threads || o->ahead > GR_LOADER_MAX_AHEAD)
        return gr_fail(err, GR_ERR_ARG, "%d samples ahead with %d threads, expected one a thread to %d",
                       o->ahead, o->n_threads, GR_LOADER_MAX_AHEAD);
    if (o->most_damaged < 0)
        return gr_fail(err, GR_ERR_ARG, "%d damaged rows allowed", o->most_damaged);
    if (steps * (uint64_t)order->o.world > UINT32_MAX)
        return gr_fail(err, GR_ERR_LIMIT, "%llu positions, at most 2^32 - 1",
                       (unsigned long long)(steps * (uint64_t)order->o.world));
    return GR_OK;
}

static gr_status prepare(gr_loader *l, gr_error *err)
{
    GR_TRY(gr_runtime_single(&l->own, l->rt, err));
    GR_TRY(gr_damage_init(&l->damage, l->rt, GR_LOADER_WINDOW, err));
    l->counts = gr_calloc(l->rt, l->o.sets->n, sizeof *l->counts);
    l->slots = gr_calloc(l->rt, (size_t)l->o.ahead, sizeof *l->slots);
    l->workers = gr_calloc(l->rt, (size_t)l->o.n_threads, sizeof *l->workers);
    if (!l->counts || !l->slots || !l->workers)
        return gr_fail(err, GR_ERR_MEM, "no memory for a loader of %d samples", l->o.ahead);
    gr_record_init(&l->record, l->own);
    return start_threads(l, err);
}

gr_status gr_loader_open(gr_loader **out, gr_runtime *rt, const gr_loader_options *options, gr_error *err)
{
    *out = NULL;
    GR_TRY(check(options, err));
    gr_loader *l = gr_calloc(rt, 1, sizeof *l);
    if (!l)
        return gr_fail(err, GR_ERR_MEM, "no memory for a loader");
    *l = (gr_loader){ .rt = rt, .o = *options, .take = options->begin, .give = options->begin };
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->ready, NULL);
    pthread_cond_init(&l->room, NULL);
    const gr_status st = prepare(l, err);
    if (st != GR_OK)
        gr_loader_close(l);
    else
        *out = l;
    return st;
}

void gr_loader_close(gr_loader *l)
{
    if (!l)
        return;
    pthread_mutex_lock(&l->lock);
    l->closing = true;
    pthread_cond_broadcast(&l->room);
    pthread_mutex_unlock(&l->lock);
    for (int i = 0; i < l->n_started; i++) {
        pthread_join(l->workers[i].thread, NULL);
        gr_record_fini(&l->workers[i].record);
    }
    for (int i = 0; l->slots && i < l->o.ahead; i++)
        gr_gar_sample_free(l->slots[i].item.sample);
    if (l->own)
        gr_record_fini(&l->record);
    gr_runtime_free(l->own);
    pthread_cond_destroy(&l->ready);
    pthread_cond_destroy(&l->room);
    pthread_mutex_destroy(&l->lock);
    gr_free(l->rt, l->counts);
    gr_damage_fini(&l->damage);
    gr_free(l->rt, l->slots);
    gr_free(l->rt, l->workers);
    gr_free(l->rt, l);
}

/* --- giving -------------------------------------------------------------------------------------------- */

void gr_loader_cancel(gr_loader *l)
{
    atomic_store(&l->cancelled, true);
    pthread_mutex_lock(&l->lock);
    pthread_cond_broadcast(&l->room);
    pthread_cond_broadcast(&l->ready);
    pthread_mutex_unlock(&l->lock);
}

/* The slot of the next position, when it is done; NULL: cancelled. */
static slot *wait_for(gr_loader *l)
{
    slot *s = &l->slots[l->give % (uint64_t)l->o.ahead];
    if (l->o.n_threads == 0) {
        attempt_all(l, &l->record, l->give, s);
        return s;
    }
    pthread_mutex_lock(&l->lock);
    while (!s->done && !is_cancelled(l))
        pthread_cond_wait(&l->ready, &l->lock);
    const bool done = s->done;
    pthread_mutex_unlock(&l->lock);
    return done && !is_cancelled(l) ? s : NULL;
}

/* Empties the slot and makes room for the next position. */
static slot take_out(gr_loader *l, slot *s)
{
    const slot taken = *s;
    pthread_mutex_lock(&l->lock);
    *s = (slot){ 0 };
    l->give++;
    pthread_cond_signal(&l->room);
    pthread_mutex_unlock(&l->lock);
    return taken;
}

static gr_status count(gr_loader *l, const slot *s)
{
    uint64_t *counts = l->counts[s->item.set];
    for (int reason = 1; reason < GR_SKIP_COUNT; reason++) {
        counts[reason] += (uint64_t)s->skipped[reason];
        for (int i = 0; i < s->skipped[reason]; i++)
            gr_damage_note(&l->damage, gr_skip_is_damage((gr_skip)reason));
    }
    if (l->damage.damaged > l->o.most_damaged)
        return gr_fail(&l->failure, GR_ERR_FORMAT,
                       "%s: more than %d of the last %d rows are damaged; the last: %.300s",
                       l->o.sets->list[s->item.set]->name, l->o.most_damaged, GR_LOADER_WINDOW, s->why);
    if (!s->item.sample)
        return GR_OK;
    counts[GR_SKIP_NONE]++;
    gr_damage_note(&l->damage, false);
    l->resized += (uint64_t)s->item.sample->n_resized;
    return GR_OK;
}

gr_status gr_loader_next(gr_loader *l, gr_loaded *out, gr_error *err)
{
    *out = (gr_loaded){ 0 };
    if (l->failure.status == GR_OK && is_cancelled(l))
        gr_fail(&l->failure, GR_ERR_CANCELLED, "cancelled");
    if (l->failure.status != GR_OK)
        return gr_fail(err, l->failure.status, "%s", l->failure.msg);
    if (l->give >= l->o.end)
        return GR_OK;
    slot *waited = wait_for(l);
    if (!waited)
        return gr_loader_next(l, out, err); /* cancelled meanwhile */
    const slot s = take_out(l, waited);
    if (count(l, &s) == GR_OK && s.err.status != GR_OK)
        l->failure = s.err;
    if (l->failure.status != GR_OK) {
        gr_gar_sample_free(s.item.sample);
        return gr_fail(err, l->failure.status, "%s", l->failure.msg);
    }
    *out = s.item;
    return GR_OK;
}

const uint64_t *gr_loader_counts(const gr_loader *l, size_t set) { return l->counts[set]; }

uint64_t gr_loader_resized(const gr_loader *l) { return l->resized; }
