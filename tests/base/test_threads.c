/* The pool runs every unit exactly once, whoever is free; run under ThreadSanitizer too. */
#include "test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "base/runtime.h"
#include "base/threads.h"

enum { MAX_UNITS = 5000, MAX_WORKERS = 8 };

typedef struct {
    atomic_int runs[MAX_UNITS], active[MAX_WORKERS];
    int plain[MAX_UNITS]; /* written by units, read by the caller: a missing barrier is a race */
    int n_workers;
    atomic_int bad;
} tally;

static void count_unit(void *user, size_t unit, int worker)
{
    tally *t = user;
    if (worker < 0 || worker >= t->n_workers || atomic_fetch_add(&t->active[worker], 1) != 0)
        atomic_fetch_add(&t->bad, 1); /* two units at a time with one worker's scratch */
    atomic_fetch_add(&t->runs[unit], 1);
    t->plain[unit] += 1 + (int)unit;
    atomic_fetch_sub(&t->active[worker], 1);
}

static void every_unit_runs_exactly_once(void **state)
{
    (void)state;
    static const int threads[] = { 1, 2, 8 };
    static const size_t units[] = { 0, 1, 2, 7, 8, 9, 100, MAX_UNITS };
    static tally t;
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
        gr_runtime *rt = test_runtime_threads(threads[i]);
        assert_int_equal(gr_threads_count(rt->threads), threads[i]);
        for (size_t k = 0; k < sizeof units / sizeof *units; k++) {
            memset(&t, 0, sizeof t);
            t.n_workers = threads[i];
            for (int round = 1; round <= 3; round++) {
                gr_threads_run(rt->threads, units[k], count_unit, &t);
                for (size_t u = 0; u < MAX_UNITS; u++) {
                    assert_int_equal(atomic_load(&t.runs[u]), u < units[k] ? round : 0);
                    assert_int_equal(t.plain[u], u < units[k] ? round * (1 + (int)u) : 0);
                }
            }
            assert_int_equal(atomic_load(&t.bad), 0);
        }
        gr_runtime_free(rt);
    }
}

/* Phases of a node rely on it: what one job wrote, every unit of the next one sees. */
static void chain_unit(void *user, size_t unit, int worker)
{
    int(*rows)[64] = user;
    (void)worker;
    int sum = 0;
    for (int i = 0; i < 64; i++)
        sum += rows[0][i];
    rows[1][unit] = sum;
}

static void a_job_sees_all_of_the_one_before(void **state)
{
    (void)state;
    gr_runtime *rt = test_runtime_threads(8);
    int rows[2][64];
    for (int i = 0; i < 64; i++)
        rows[0][i] = i;
    for (int round = 0; round < 300; round++) {
        gr_threads_run(rt->threads, 64, chain_unit, rows);
        for (int i = 0; i < 64; i++)
            assert_int_equal(rows[1][i], 64 * 63 / 2);
    }
    gr_runtime_free(rt);
}

typedef struct {
    gr_threads *pool;
    tally *t;
} caller;

static void *call_often(void *user)
{
    const caller *c = user;
    for (int i = 0; i < 50; i++)
        gr_threads_run(c->pool, 100, count_unit, c->t);
    return NULL;
}

/* Callers from several threads wait for each other: each job is whole. */
static void several_callers_take_turns(void **state)
{
    (void)state;
    static tally t[3];
    gr_runtime *rt = test_runtime_threads(2);
    pthread_t threads[3];
    caller callers[3];
    memset(t, 0, sizeof t);
    for (int i = 0; i < 3; i++) {
        t[i].n_workers = 2;
        callers[i] = (caller){ rt->threads, &t[i] };
        assert_int_equal(pthread_create(&threads[i], NULL, call_often, &callers[i]), 0);
    }
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (int i = 0; i < 3; i++) {
        for (int u = 0; u < 100; u++)
            assert_int_equal(atomic_load(&t[i].runs[u]), 50);
        assert_int_equal(atomic_load(&t[i].bad), 0);
    }
    gr_runtime_free(rt);
}

/* Workers that went to sleep between two jobs come back for the next. */
static void sleeping_workers_wake_for_a_job(void **state)
{
    (void)state;
    static tally t;
    gr_runtime *rt = test_runtime_threads(gr_threads_available() > 1 ? 2 : 1);
    memset(&t, 0, sizeof t);
    t.n_workers = 2;
    for (int round = 0; round < 20; round++) {
        gr_threads_run(rt->threads, MAX_UNITS, count_unit, &t);
        nanosleep(&(struct timespec){ .tv_nsec = round % 2 ? 2000000 : 50000 }, NULL);
    }
    for (int u = 0; u < MAX_UNITS; u++)
        assert_int_equal(atomic_load(&t.runs[u]), 20);
    assert_int_equal(atomic_load(&t.bad), 0);
    gr_runtime_free(rt);
}

static void a_pool_may_end_without_having_run(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++)
        gr_runtime_free(test_runtime_threads(8));
    assert_true(gr_threads_available() >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_unit_runs_exactly_once),
                                        cmocka_unit_test(a_job_sees_all_of_the_one_before),
                                        cmocka_unit_test(several_callers_take_turns),
                                        cmocka_unit_test(sleeping_workers_wake_for_a_job),
                                        cmocka_unit_test(a_pool_may_end_without_having_run) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
