#include "test.h"

#include "base/mathx.h"

static double ulp_error_f32(float got, long double want)
{
    int e;
    frexpl(want, &e);
    const long double ulp = ldexpl(1, e - 24 < -149 ? -149 : e - 24);
    return (double)(fabsl(got - want) / ulp);
}

static void expf_is_within_two_ulp_everywhere(void **state)
{
    (void)state;
    double worst = 0;
    for (float x = -103.5f; x < 88.7f; x += 0.00137f) {
        const double e = ulp_error_f32(gr_expf(x), expl((long double)x));
        worst = e > worst ? e : worst;
    }
    print_message("gr_expf: worst error %.3f ulp\n", worst);
    assert_true(worst < 2.0);
    assert_true(gr_expf(0.0f) == 1.0f && isinf(gr_expf(89.0f)) && gr_expf(-104.0f) == 0.0f &&
                isnan(gr_expf(NAN)));
    assert_true(gr_expf(-INFINITY) == 0.0f && isinf(gr_expf(INFINITY)));
}

static void erff_is_within_2e7_and_odd(void **state)
{
    (void)state;
    double worst = 0;
    for (float x = -6.0f; x < 6.0f; x += 0.00037f) {
        const double e = fabs((double)gr_erff(x) - erf((double)x));
        worst = e > worst ? e : worst;
        assert_true(gr_erff(-x) == -gr_erff(x));
    }
    print_message("gr_erff: worst error %.3g\n", worst);
    assert_true(worst < 2e-7);
    assert_true(isnan(gr_erff(NAN)) && gr_erff(INFINITY) == 1.0f && gr_erff(0.0f) == 0.0f);
}

static void erfcf_keeps_its_relative_error_in_the_tail(void **state)
{
    (void)state;
    double worst = 0;
    for (float x = -6.0f; x < 3.999f; x += 0.00037f) {
        const double e = fabs((double)gr_erfcf(x) / erfc((double)x) - 1);
        worst = e > worst ? e : worst;
    }
    print_message("gr_erfcf: worst relative error %.3g\n", worst);
    assert_true(worst < 2e-6);
    assert_true(gr_erfcf(0.0f) == 1.0f && gr_erfcf(9.0f) == 0.0f && gr_erfcf(-9.0f) == 2.0f);
    assert_true(isnan(gr_erfcf(NAN)) && gr_erfcf(INFINITY) == 0.0f && gr_erfcf(-INFINITY) == 2.0f);
}

static void doubles_agree_with_long_double(void **state)
{
    (void)state;
    for (double x = -700; x < 700; x += 0.737)
        assert_true(fabsl(gr_exp(x) / expl(x) - 1) < 1e-15);
    for (double x = 1e-300; x < 1e300; x *= 1.37)
        assert_true(fabsl(gr_ln(x) - logl(x)) <= 1e-15 * fabsl(logl(x)) + 1e-16);
    for (double x = -999999; x < 999999; x += 1.00317 * 37) {
        assert_true(fabsl(gr_sin(x) - sinl(x)) < 1e-15);
        assert_true(fabsl(gr_cos(x) - cosl(x)) < 1e-15);
    }
    assert_true(gr_sin(0) == 0 && gr_cos(0) == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(expf_is_within_two_ulp_everywhere),
                                        cmocka_unit_test(erff_is_within_2e7_and_odd),
                                        cmocka_unit_test(erfcf_keeps_its_relative_error_in_the_tail),
                                        cmocka_unit_test(doubles_agree_with_long_double) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
