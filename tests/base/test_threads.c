#include "test.h"

#include <stdatomic.h>

#include "base/threads.h"
#include "base/runtime.h"

typedef struct {
    int *runs;        /* how often each unit ran */
    atomic_int *busy; /* per worker: units it runs now */
    int n_workers;
    atomic_int n_wrong; /* the pool's threads do not leave a unit by a failing assertion */
} work_log;

static void note(void *user, size_t unit, int worker)
{
    work_log *log = user;
    if (worker < 0 || worker >= log->n_workers) {
        atomic_fetch_add(&log->n_wrong, 1);
        return;
    }
    if (atomic_fetch_add(&log->busy[worker], 1) != 0)
        atomic_fetch_add(&log->n_wrong, 1);
    log->runs[unit]++;
    atomic_fetch_sub(&log->busy[worker], 1);
}

static void every_unit_runs_once_and_a_worker_is_never_in_two_units(void **state)
{
    (void)state;
    static const int thread_counts[] = { 1, 2, 3, 8 };
    static const size_t unit_counts[] = { 0, 1, 2, 7, 1000 };
    for (size_t t = 0; t < 4; t++) {
        gr_runtime *rt = test_runtime_threads(thread_counts[t]);
        assert_int_equal(gr_runtime_n_threads(rt), thread_counts[t]);
        for (size_t u = 0; u < 5; u++) {
            int runs[1000] = { 0 };
            atomic_int busy[8] = { 0 };
            work_log log = { runs, busy, thread_counts[t], 0 };
            for (int again = 1; again <= 3; again++) {
                gr_threads_run(rt->threads, unit_counts[u], note, &log);
                for (size_t i = 0; i < 1000; i++)
                    assert_int_equal(runs[i], i < unit_counts[u] ? again : 0); /* all done when run returns */
            }
            assert_int_equal(log.n_wrong, 0);
        }
        gr_runtime_free(rt);
    }
}

static void add_unit(void *user, size_t unit, int worker)
{
    (void)worker;
    ((double *)user)[unit] = 1.0 / (double)(unit + 1);
}

static void sums_in_unit_order_do_not_depend_on_the_number_of_threads(void **state)
{
    (void)state;
    double want = 0;
    for (int n = 1; n <= 4; n++) {
        gr_runtime *rt = test_runtime_threads(n);
        double parts[500], sum = 0;
        gr_threads_run(rt->threads, 500, add_unit, parts);
        for (int i = 0; i < 500; i++)
            sum += parts[i];
        if (n == 1)
            want = sum;
        assert_true(sum == want);
        gr_runtime_free(rt);
    }
}

static void thread_counts_outside_the_limits_are_refused(void **state)
{
    (void)state;
    gr_error err = { 0 };
    gr_runtime *rt = NULL;
    gr_runtime_options o;
    gr_runtime_options_init(&o);
    o.n_threads = -1;
    MUST_FAIL(gr_runtime_new(&rt, &o, &err), GR_ERR_ARG, "n_threads is -1");
    o.n_threads = GR_THREADS_MAX + 1;
    MUST_FAIL(gr_runtime_new(&rt, &o, &err), GR_ERR_ARG, "n_threads is 1025");
    assert_null(rt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_unit_runs_once_and_a_worker_is_never_in_two_units),
        cmocka_unit_test(sums_in_unit_order_do_not_depend_on_the_number_of_threads),
        cmocka_unit_test(thread_counts_outside_the_limits_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
