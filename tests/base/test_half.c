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

/* Every 16-bit pattern, and f32 at the edges, alone and behind finite ones. */
static void what_is_not_finite_is_found(void **state)
{
    (void)state;
    for (uint32_t bits = 0; bits < 0x10000; bits++) {
        const uint16_t h = (uint16_t)bits;
        assert_int_equal(gr_first_not_finite(&h, 1, 1), isfinite(gr_f32_from_bf16(h)) ? 1 : 0);
        assert_int_equal(gr_first_not_finite(&h, 2, 1), isfinite(gr_f32_from_f16(h)) ? 1 : 0);
    }
    static const uint32_t edges[] = {
        0x7f7fffff, 0xff7fffff, 0x7f800000, 0xff800000, 0x7f800001, 0xffffffff
    };
    for (int i = 0; i < 6; i++)
        assert_int_equal(gr_first_not_finite(&edges[i], 0, 1), i < 2 ? 1 : 0);
    static float many[5000];
    for (size_t at = 0; at < 5000; at += 123) {
        memset(many, 0x55, sizeof many);
        assert_int_equal(gr_first_not_finite(many, 0, 5000), 5000);
        many[at] = -INFINITY;
        many[4999] = NAN;
        assert_int_equal(gr_first_not_finite(many, 0, 5000), at);
        assert_int_equal(gr_first_not_finite(many, 1, 10000) / 2, at); /* its upper half is a bf16 */
    }
    assert_int_equal(gr_first_not_finite(many, 0, 0), 0);
}

/* From the back of its own memory, in more pieces than one. */
static void halves_widen_in_place(void **state)
{
    (void)state;
    for (size_t n = 0; n < 1000; n += 37) {
        float to[1000], want[1000];
        uint16_t h[1000];
        for (size_t i = 0; i < n; i++)
            h[i] = (uint16_t)(i * 31 + 0x3000);
        for (int type = 1; type <= 2; type++) {
            gr_widen(want, h, type, n);
            memcpy((char *)(to + n) - 2 * n, h, 2 * n);
            gr_widen_in_place(to, type, n);
            assert_memory_equal(to, want, n * sizeof *to);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_f16_survives_a_round_trip),
                                        cmocka_unit_test(halves_round_to_nearest_and_ties_to_even),
                                        cmocka_unit_test(what_is_not_finite_is_found),
                                        cmocka_unit_test(halves_widen_in_place) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
