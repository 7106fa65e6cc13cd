#define _GNU_SOURCE
#include "base/threads.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

/* How often a waiting thread looks before it sleeps: some tens of microseconds, the time between two nodes of
 * a decoder step. Waking a sleeper takes longer than that. */
#define LOOKS 1000

typedef struct {
    gr_threads *pool;
    pthread_t thread;
    int index;
} worker_state;

/* `state` is a job as one number: how many workers are in it, whether more may enter, and which job it is. A
 * worker that the system does not run just now never enters, and nobody waits for it: under a busy neighbour
 * a job takes as long as those that do run. */
#define INSIDE 0xffffu /* mask: workers in the job */
#define OPEN   0x10000u
#define NEXT   0x20000u /* added: another job */

struct gr_threads {
    gr_allocator alloc;
    int n;         /* with the caller */
    int n_started; /* worker threads that exist */
    int looks;     /* LOOKS, or 0 where there are more threads than processors */
    pthread_mutex_t one_caller;
    /* The job: written while nobody is inside. */
    size_t n_units;
    void (*work)(void *user, size_t unit, int worker);
    void *user;
    atomic_size_t next;
    atomic_ullong state;
    /* Sleeping. Whoever changes `state` or `quit` looks at `sleepers` afterwards, and whoever is about to
     * sleep counts itself and then looks at `state` again: one of the two sees the other. */
    pthread_mutex_t lock;
    pthread_cond_t start, done;
    atomic_int sleepers;
    atomic_bool caller_sleeps;
    atomic_bool quit;
    worker_state workers[];
};

static void relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

int gr_threads_available(void)
{
#ifdef __linux__
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) {
        const int n = CPU_COUNT(&set);
        if (n >= 1)
            return n < GR_THREADS_MAX ? n : GR_THREADS_MAX;
    }
#endif
    const long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > GR_THREADS_MAX ? GR_THREADS_MAX : (int)n;
}

static void take_units(gr_threads *pool, int worker)
{
    for (;;) {
        const size_t unit = atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed);
        if (unit >= pool->n_units)
            return;
        pool->work(pool->user, unit, worker);
    }
}

/* Whether there is a job that is open and was not looked at before; *seen gets its number. */
static bool enter(gr_threads *pool, unsigned long long *seen)
{
    unsigned long long state = atomic_load(&pool->state);
    while ((state & OPEN) && state / NEXT != *seen)
        if (atomic_compare_exchange_weak(&pool->state, &state, state + 1)) {
            *seen = state / NEXT;
            return true;
        }
    return false;
}

static void leave(gr_threads *pool)
{
    const unsigned long long before = atomic_fetch_sub(&pool->state, 1);
    if ((before & INSIDE) == 1 && atomic_load(&pool->caller_sleeps)) {
        pthread_mutex_lock(&pool->lock);
        pthread_cond_signal(&pool->done);
        pthread_mutex_unlock(&pool->lock);
    }
}

/* Returns in a job, or false when the pool ends. */
static bool wait_for_job(gr_threads *pool, unsigned long long *seen)
{
    for (int i = 0; i < pool->looks; i++) {
        if (enter(pool, seen))
            return true;
        relax();
    }
    bool in = false;
    pthread_mutex_lock(&pool->lock);
    atomic_fetch_add(&pool->sleepers, 1);
    while (!atomic_load(&pool->quit) && !(in = enter(pool, seen)))
        pthread_cond_wait(&pool->start, &pool->lock);
    atomic_fetch_sub(&pool->sleepers, 1);
    pthread_mutex_unlock(&pool->lock);
    return in;
}

static void *worker_main(void *arg)
{
    worker_state *w = arg;
    unsigned long long seen = 0;
    while (wait_for_job(w->pool, &seen)) {
        take_units(w->pool, w->index);
        leave(w->pool);
    }
    return NULL;
}

static void wake_sleepers(gr_threads *pool)
{
    if (atomic_load(&pool->sleepers) == 0)
        return;
    pthread_mutex_lock(&pool->lock);
    pthread_cond_broadcast(&pool->start);
    pthread_mutex_unlock(&pool->lock);
}

/* Until every worker that entered has left. */
static void wait_for_workers(gr_threads *pool)
{
    for (int i = 0; i < pool->looks; i++) {
        if (!(atomic_load(&pool->state) & INSIDE))
            return;
        relax();
    }
    pthread_mutex_lock(&pool->lock);
    /* An exchange, as QEMU 7.2 lets the load that follows pass a store of AArch64 (STLR, LDAR). */
    atomic_exchange(&pool->caller_sleeps, true);
    while (atomic_load(&pool->state) & INSIDE)
        pthread_cond_wait(&pool->done, &pool->lock);
    atomic_store(&pool->caller_sleeps, false);
    pthread_mutex_unlock(&pool->lock);
}

gr_status gr_threads_new(gr_threads **out, const gr_allocator *alloc, int n, gr_error *err)
{
    *out = NULL;
    gr_threads *pool = alloc->alloc(alloc->user, sizeof *pool + (size_t)n * sizeof *pool->workers, 64);
    if (!pool)
        return gr_fail(err, GR_ERR_MEM, "no memory for a pool of %d threads", n);
    *pool = (gr_threads){ .alloc = *alloc, .n = n, .looks = n > gr_threads_available() ? 0 : LOOKS };
    pthread_mutex_init(&pool->one_caller, NULL);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->start, NULL);
    pthread_cond_init(&pool->done, NULL);
    for (int i = 1; i < n; i++) {
        worker_state *w = &pool->workers[i];
        *w = (worker_state){ .pool = pool, .index = i };
        if (pthread_create(&w->thread, NULL, worker_main, w) != 0) {
            gr_threads_free(pool);
            return gr_fail(err, GR_ERR_MEM, "cannot start thread %d of %d", i + 1, n);
        }
        pool->n_started = i;
    }
    *out = pool;
    return GR_OK;
}

void gr_threads_free(gr_threads *pool)
{
    if (!pool)
        return;
    atomic_store(&pool->quit, true);
    pthread_mutex_lock(&pool->lock);
    pthread_cond_broadcast(&pool->start);
    pthread_mutex_unlock(&pool->lock);
    for (int i = 1; i <= pool->n_started; i++)
        pthread_join(pool->workers[i].thread, NULL);
    pthread_cond_destroy(&pool->done);
    pthread_cond_destroy(&pool->start);
    pthread_mutex_destroy(&pool->lock);
    pthread_mutex_destroy(&pool->one_caller);
    const gr_allocator a = pool->alloc;
    a.free(a.user, pool);
}

int gr_threads_count(const gr_threads *pool) { return pool->n; }

void gr_threads_run(gr_threads *pool, size_t n_units, void (*work)(void *user, size_t unit, int worker),
                    void *user)
{
    if (pool->n == 1 || n_units == 1) { /* nothing to share: no locks, no waking */
        for (size_t unit = 0; unit < n_units; unit++)
            work(user, unit, 0);
        return;
    }
    if (n_units == 0)
        return;
    pthread_mutex_lock(&pool->one_caller);
    pool->n_units = n_units;
    pool->work = work;
    pool->user = user;
    atomic_store(&pool->next, 0);
    atomic_fetch_add(&pool->state, NEXT + OPEN);
    wake_sleepers(pool);
    take_units(pool, 0);
    atomic_fetch_sub(&pool->state, OPEN);
    wait_for_workers(pool);
    pthread_mutex_unlock(&pool->one_caller);
}
