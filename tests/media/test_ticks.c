#include "test.h"

#include "media/ticks.h"

/* The labels in a row, as on an axis. */
static const char *labels(const gr_ticks *t)
{
    static char row[1024];
    char label[GR_TICK_LABEL_MAX];
    row[0] = '\0';
    for (int i = 0; i < t->n; i++) {
        gr_ticks_label(label, t, i);
        strcat(row, i ? " " : "");
        strcat(row, label);
    }
    return row;
}

static void a_linear_axis_counts_in_one_two_or_five(void **state)
{
    (void)state;
    static const struct {
        double lo, hi;
        int most;
        double least;
        const char *want;
    } cases[] = {
        { 0, 10, 5, 0, "0 2 4 6 8 10" },
        { 0, 5050, 9, 1, "0 1000 2000 3000 4000 5000" },
        { 0.97, 4.03, 9, 1, "1 2 3 4" }, /* no half steps */
        { 1.12, 1.63, 8, 0, "1.2 1.3 1.4 1.5 1.6" },
        { -0.3, 0.3, 6, 0, "-0.3 -0.2 -0.1 0 0.1 0.2 0.3" },
        { 0, 1.05e-5, 3, 0, "0 5e-6 1e-5" },
        { 0, 2.1e-4, 5, 0, "0 5e-5 1e-4 1.5e-4 2e-4" },
        { 0, 0.0021, 5, 0, "0 0.0005 0.0010 0.0015 0.0020" },
        { 0, 60000, 4, 1, "0 20k 40k 60k" },
        { 0, 3e6, 6, 1, "0 0.5M 1.0M 1.5M 2.0M 2.5M 3.0M" },
        { 0, 1e12, 4, 0, "0 5e11 1e12" },
        { 1000000.1, 1000000.5, 4, 0, "1.0000001M 1.0000002M 1.0000003M 1.0000004M 1.0000005M" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gr_ticks t;
        gr_ticks_linear(&t, cases[i].lo, cases[i].hi, cases[i].most, cases[i].least);
        assert_false(t.log);
        assert_string_equal(labels(&t), cases[i].want);
    }
}

static void a_logarithmic_axis_counts_in_decades_or_between(void **state)
{
    (void)state;
    static const struct {
        double lo, hi;
        int most;
        const char *want;
    } cases[] = {
        { 0.5, 2e6, 8, "1 10 100 1000 10k 100k 1M" },
        { 0.7, 12, 8, "0.7 1 2 3 5 7 10" },
        { 0.15, 75, 5, "0.3 1 3 10 30" },
        { 1e-6, 1, 3, "1e-6 0.001 1" },
        { 1e-40, 1e40, 4, "1e-40 1e-19 100 1e23" },
        { 1, 1.3, 5, "1.0 1.1 1.2 1.3" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gr_ticks t;
        gr_ticks_log(&t, cases[i].lo, cases[i].hi, cases[i].most);
        assert_true(t.log);
        assert_string_equal(labels(&t), cases[i].want);
    }
}

static void an_axis_has_room_and_begins_at_zero_where_that_is_near(void **state)
{
    (void)state;
    static const struct {
        double lo, hi, want_lo, want_hi;
        bool log;
    } cases[] = {
        { 1, 10, 0, 10.45, false },
        { 8, 10, 7.9, 10.1, false },
        { -10, -1, -10.45, 0, false },
        { -1, 1, -1.1, 1.1, false },
        { 0, 0, 0, 1, false },
        { 1e-320, 1e-319, 0, 1, false },
        { 4, 4, 2, 6, false },
        { -4, -4, -6, -2, false },
        { 1e-5, 1e-5, 5e-6, 1.5e-5, false },
        { 1, 100, 0.7943, 125.89, true },
        { 3, 3, 2.857, 3.15, true },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double lo = cases[i].lo, hi = cases[i].hi;
        gr_axis_fit(&lo, &hi, cases[i].log);
        assert_true(fabs(lo - cases[i].want_lo) <= 1e-3 * fabs(cases[i].want_lo));
        assert_true(fabs(hi - cases[i].want_hi) <= 1e-3 * fabs(cases[i].want_hi));
    }
}

/* Whatever two values there are: few ticks, ascending, inside. */
static void every_range_gets_ticks(void **state)
{
    (void)state;
    static const double values[] = { 0,     1e-300, 3e-250, 1e-30, 1e-9,  0.3,   1,
                                     1.001, 7,      1e5,    1e15,  1e100, 1e300, 1.0000005 };
    const int n = sizeof values / sizeof *values;
    for (int a = 0; a < n; a++)
        for (int b = 0; b < n; b++)
            for (int kind = 0; kind < 3; kind++) {
                const bool log = kind == 2;
                double lo = kind == 1 ? -values[a] : fmin(values[a], values[b]),
                       hi = kind == 1 ? values[b] : fmax(values[a], values[b]);
                if (log && lo <= 0)
                    continue;
                gr_ticks t;
                gr_axis_fit(&lo, &hi, log);
                assert_true(lo < hi);
                if (log)
                    gr_ticks_log(&t, lo, hi, 5);
                else
                    gr_ticks_linear(&t, lo, hi, 5, 0);
                assert_in_range(t.n, 2, 8);
                for (int i = 0; i < t.n; i++) {
                    assert_true(t.at[i].value >= lo - 1e-6 * (hi - lo));
                    assert_true(t.at[i].value <= hi + 1e-6 * (hi - lo));
                    assert_true(i == 0 || t.at[i].value > t.at[i - 1].value);
                }
                assert_true(strlen(labels(&t)) < 200);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_linear_axis_counts_in_one_two_or_five),
        cmocka_unit_test(a_logarithmic_axis_counts_in_decades_or_between),
        cmocka_unit_test(an_axis_has_room_and_begins_at_zero_where_that_is_near),
        cmocka_unit_test(every_range_gets_ticks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
