/* The timing loop on a clock that the work itself moves. */
#include "test.h"

#include "bench/row.h"
#include "bench/timing.h"

/* Work and what stands beside it: each call takes the next of the seconds listed (the last again and again).
 */
typedef struct {
    double clock;
    double work[8], beside[8];
    int n_work, n_beside; /* listed */
    int calls_w, calls_b; /* so far */
    char order[64];       /* "bwbw" */
    int allowed;          /* polls until go_on says no; -1: never */
    int fails_at;         /* call of the work that fails; -1: none */
} scene;

static void step(scene *s, const double *seconds, int n, int *calls, char letter)
{
    const size_t at = strlen(s->order);
    s->clock += seconds[*calls < n ? *calls : n - 1];
    ++*calls;
    if (at + 1 < sizeof s->order)
        s->order[at] = letter;
}

static gr_status work(void *user, gr_error *err)
{
    scene *s = user;
    if (s->calls_w == s->fails_at)
        return gr_fail(err, GR_ERR_IO, "the work failed");
    step(s, s->work, s->n_work, &s->calls_w, 'w');
    return GR_OK;
}

static gr_status beside(void *user, gr_error *err)
{
    (void)err;
    scene *s = user;
    step(s, s->beside, s->n_beside, &s->calls_b, 'b');
    return GR_OK;
}

static double now(void *user) { return ((scene *)user)->clock; }
static bool go_on(void *user) { return ((scene *)user)->allowed-- != 0; }

static gr_status run(gr_timed *t, scene *s, int repeats, double seconds, bool cold, gr_error *err)
{
    const gr_timing timing = { repeats, seconds, cold, now, go_on, s };
    const gr_work w = { work, s }, b = { beside, s };
    return gr_timing_run(t, &timing, &w, s->n_beside ? &b : NULL, err);
}

static scene one_second(void) { return (scene){ .work = { 1 }, .n_work = 1, .allowed = -1, .fails_at = -1 }; }

static void it_repeats_until_there_is_enough_of_both(void **state)
{
    (void)state;
    static const struct {
        int repeats;
        double seconds;
        int want;
    } cases[] = { { 1, 0, 1 },
                  { 3, 0, 3 },
                  { 3, 2.5, 3 },
                  { 3, 5, 5 },
                  { 1, 4.5, 5 },
                  { 512, 1, 512 },
                  { 1, 1000, GR_TIMING_MAX } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gr_error err = { 0 };
        gr_timed t;
        scene s = one_second();
        MUST(run(&t, &s, cases[i].repeats, cases[i].seconds, false, &err));
        assert_int_equal(t.n, cases[i].want);
    }
}

static void the_first_call_warms_up_unless_it_is_cold(void **state)
{
    (void)state;
    gr_error err = { 0 };
    gr_timed t;
    scene s = one_second();
    s.work[0] = 100, s.work[1] = 1, s.n_work = 2;
    MUST(run(&t, &s, 2, 0, false, &err));
    assert_true(t.work[0] == 1 && t.work[1] == 1 && s.calls_w == 3);
    s = one_second();
    s.work[0] = 100, s.work[1] = 1, s.n_work = 2;
    MUST(run(&t, &s, 2, 0, true, &err));
    assert_true(t.work[0] == 100 && t.work[1] == 1 && s.calls_w == 2);
}

/* The median of the pairs is 1/2; the medians, of 3 and of 2 seconds, would say 3/2. */
static void every_repeat_is_compared_with_the_one_beside_it(void **state)
{
    (void)state;
    gr_error err = { 0 };
    gr_timed t;
    scene s = { .work = { 9, 8, 2, 1 },
                .n_work = 4,
                .beside = { 7, 4, 1, 3 },
                .n_beside = 4,
                .allowed = -1,
                .fails_at = -1 };
    MUST(run(&t, &s, 3, 0, false, &err));
    assert_string_equal(s.order, "bwbwbwbw");
    assert_true(gr_timed_ratio(&t) == 0.5);
}

/* Work of 8 seconds wants 2 beside it. */
static void long_work_has_more_beside_it(void **state)
{
    (void)state;
    gr_error err = { 0 };
    gr_timed t;
    scene s = {
        .work = { 8 }, .n_work = 1, .beside = { 1, 1, 2, 3, 5 }, .n_beside = 5, .allowed = -1, .fails_at = -1
    };
    MUST(run(&t, &s, 2, 0, false, &err));
    assert_string_equal(s.order, "bwbbwbbw");
    assert_true(t.beside[0] == 1.5 && t.beside[1] == 4 && t.work[1] == 8);
    s.work[0] = 1e9;
    s.calls_w = s.calls_b = 0;
    MUST(run(&t, &s, 1, 0, false, &err));
    assert_int_equal(s.calls_b, 1 + GR_TIMING_CALLS);
}

static void a_spread_is_median_least_and_most(void **state)
{
    (void)state;
    double odd[] = { 5, 1, 4 }, even[] = { 8, 2, 4, 1 }, one[] = { 3 };
    gr_spread s = gr_spread_of(odd, 3);
    assert_true(s.median == 4 && s.min == 1 && s.max == 5);
    s = gr_spread_of(even, 4);
    assert_true(s.median == 3 && s.min == 1 && s.max == 8);
    s = gr_spread_of(one, 1);
    assert_true(s.median == 3 && s.min == 3 && s.max == 3);
}

static void the_slowest_repeat_is_the_lowest_rate(void **state)
{
    (void)state;
    double seconds[] = { 4, 1, 2 };
    gr_bench_row row = { .flop = 8e9, .bytes = 4e9 };
    gr_row_measured(&row, GR_UNIT_FLOP, seconds, 3);
    assert_true(row.median == 4 && row.min == 2 && row.max == 8 && row.repeats == 3);
    assert_true(row.seconds_median == 2 && row.seconds_min == 1 && row.seconds_max == 4);
    gr_row_measured(&row, GR_UNIT_READ, seconds, 3);
    assert_true(row.median == 2 && row.min == 1 && row.max == 4);
}

static void it_stops_between_repeats_and_where_the_work_fails(void **state)
{
    (void)state;
    gr_error err = { 0 };
    gr_timed t;
    scene s = one_second();
    s.allowed = 2;
    MUST_FAIL(run(&t, &s, 5, 0, false, &err), GR_ERR_CANCELLED, "cancelled");
    assert_int_equal(t.n, 2);
    s = one_second();
    s.fails_at = 1;
    MUST_FAIL(run(&t, &s, 5, 0, false, &err), GR_ERR_IO, "the work failed");
}

static void numbers_out_of_range_are_refused(void **state)
{
    (void)state;
    gr_error err = { 0 };
    MUST(gr_timing_check(1, 0, &err));
    MUST(gr_timing_check(GR_TIMING_MAX, 3600, &err));
    MUST_FAIL(gr_timing_check(0, 1, &err), GR_ERR_ARG, "repeats are 0, expected 1 to 512");
    MUST_FAIL(gr_timing_check(513, 1, &err), GR_ERR_ARG, "repeats are 513");
    MUST_FAIL(gr_timing_check(1, -1, &err), GR_ERR_ARG, "seconds are -1, expected 0 to 3600");
    MUST_FAIL(gr_timing_check(1, (double)NAN, &err), GR_ERR_ARG, "seconds are nan");
}

static void the_clock_only_grows(void **state)
{
    (void)state;
    const double before = gr_timing_now();
    assert_true(before > 0 && gr_timing_now() >= before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_repeats_until_there_is_enough_of_both),
        cmocka_unit_test(the_first_call_warms_up_unless_it_is_cold),
        cmocka_unit_test(every_repeat_is_compared_with_the_one_beside_it),
        cmocka_unit_test(long_work_has_more_beside_it),
        cmocka_unit_test(a_spread_is_median_least_and_most),
        cmocka_unit_test(the_slowest_repeat_is_the_lowest_rate),
        cmocka_unit_test(it_stops_between_repeats_and_where_the_work_fails),
        cmocka_unit_test(numbers_out_of_range_are_refused),
        cmocka_unit_test(the_clock_only_grows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
