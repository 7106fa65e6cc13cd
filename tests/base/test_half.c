#include "test.h"

#include "base/half.h"

static void every_f16_survives_a_round_trip(void **state)
{
    (void)state;
    for (uint32_t h = 0; h < 0x10000; h++) {
        const float x = gr_f32_from_f16((uint16_t)h);
        if (isnan(x))
            assert_true(isnan(gr_f32_from_f16(gr_f16_from_f32(x))));
        else
            assert_int_equal(gr_f16_from_f32(x), h);
    }
}

static void halves_round_to_nearest_and_ties_to_even(void **state)
{
    (void)state;
    assert_int_equal(gr_f16_from_f32(1.0f + 0x1p-11f), 0x3c00);     /* tie: down to even */
    assert_int_equal(gr_f16_from_f32(1.0f + 3 * 0x1p-11f), 0x3c02); /* tie: up to even */
    assert_int_equal(gr_f16_from_f32(65504.0f), 0x7bff);
    assert_int_equal(gr_f16_from_f32(65520.0f), 0x7c00);
    assert_int_equal(gr_f16_from_f32(65519.9f), 0x7bff);
    assert_int_equal(gr_f16_from_f32(0x1p-25f), 0); /* tie with zero */
    assert_int_equal(gr_f16_from_f32(0x1.8p-24f), 2);
    assert_int_equal(gr_bf16_from_f32(1.0f + 0x1p-8f), 0x3f80);
    assert_int_equal(gr_bf16_from_f32(1.0f + 3 * 0x1p-8f), 0x3f82);
    assert_int_equal(gr_bf16_from_f32(3.4e38f) & 0x7fff, 0x7f80); /* rounds up to infinity */
    assert_true(isnan(gr_round_bf16(NAN)));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_f16_survives_a_round_trip),
                                        cmocka_unit_test(halves_round_to_nearest_and_ties_to_even) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
