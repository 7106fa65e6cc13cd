#define _GNU_SOURCE
#include "base/threads.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

typedef struct {
    gr_threads *pool;
    pthread_t thread;
    int index;
} worker_state;

struct gr_threads {
    gr_allocator alloc;
    int n;         /* with the caller */
    int n_started; /* worker threads that exist */
    pthread_mutex_t one_caller;
    pthread_mutex_t lock;
    pthread_cond_t start, done;
    unsigned long job; /* number of the current job; guarded by lock, as are busy and quit */
    int busy;          /* workers still in the current job */
    bool quit;
    size_t n_units;
    void (*work)(void *user, size_t unit, int worker);
    void *user;
    atomic_size_t next;
    worker_state workers[];
};

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

static void *worker_main(void *arg)
{
    worker_state *w = arg;
    gr_threads *pool = w->pool;
    unsigned long seen = 0;
    pthread_mutex_lock(&pool->lock);
    for (;;) {
        while (!pool->quit && pool->job == seen)
            pthread_cond_wait(&pool->start, &pool->lock);
        if (pool->quit)
            break;
        seen = pool->job;
        pthread_mutex_unlock(&pool->lock);
        take_units(pool, w->index);
        pthread_mutex_lock(&pool->lock);
        if (--pool->busy == 0)
            pthread_cond_signal(&pool->done);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

gr_status gr_threads_new(gr_threads **out, const gr_allocator *alloc, int n, gr_error *err)
{
    *out = NULL;
    gr_threads *pool = alloc->alloc(alloc->user, sizeof *pool + (size_t)n * sizeof *pool->workers, 64);
    if (!pool)
        return gr_fail(err, GR_ERR_MEM, "no memory for a pool of %d threads", n);
    *pool = (gr_threads){ .alloc = *alloc, .n = n };
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
    pthread_mutex_lock(&pool->lock);
    pool->quit = true;
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
    pthread_mutex_lock(&pool->lock);
    pool->n_units = n_units;
    pool->work = work;
    pool->user = user;
    atomic_store_explicit(&pool->next, 0, memory_order_relaxed);
    pool->busy = pool->n - 1;
    pool->job++;
    pthread_cond_broadcast(&pool->start);
    pthread_mutex_unlock(&pool->lock);

    take_units(pool, 0);

    pthread_mutex_lock(&pool->lock);
    while (pool->busy > 0)
        pthread_cond_wait(&pool->done, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
    pthread_mutex_unlock(&pool->one_caller);
}
