#include "test.h"

#include "io/convert.h"
#include "io/shape.h"

/* 1.00390625 = 1 + 2^-8 needs 9 significant bits, so only bf16 (8) loses it. */
static void float_types_convert_from_misaligned_memory(void **state)
{
    static const struct {
        gr_dtype dtype;
        float second;
    } cases[] = { { GR_DTYPE_F32, 1.00390625f },
                  { GR_DTYPE_F64, 1.00390625f },
                  { GR_DTYPE_F16, 1.00390625f },
                  { GR_DTYPE_BF16, 1.0f } };
    static const float values[] = { -2.5f, 1.00390625f, 0, INFINITY };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t stored[1 + 4 * 8 + 1];
        float back[4];
        memset(stored, 0xa5, sizeof stored);
        assert_true(gr_dtype_is_float(cases[i].dtype));
        assert_true(gr_from_f32(stored + 1, values, cases[i].dtype, 4));
        assert_int_equal(stored[1 + 4 * gr_dtype_bytes(cases[i].dtype)], 0xa5);
        assert_true(gr_to_f32(back, stored + 1, cases[i].dtype, 4));
        assert_true(back[0] == -2.5f && back[1] == cases[i].second && back[2] == 0 && isinf(back[3]));
    }
    float x = 3;
    assert_false(gr_to_f32(&x, "abc", GR_DTYPE_U8, 1));
    assert_false(gr_dtype_is_float(GR_DTYPE_I32));
    assert_true(x == 3);
}

static void shapes_are_counted_without_overflow(void **state)
{
    (void)state;
    static const int64_t shape[] = { INT64_MAX, 2, 3, 0 }, negative[] = { 0, -1 };
    size_t n;
    assert_true(gr_shape_count(&n, 0, shape) && n == 1);
    assert_true(gr_shape_count(&n, 2, shape) && n == (size_t)INT64_MAX * 2);
    assert_false(gr_shape_count(&n, 3, shape));
    assert_false(gr_shape_count(&n, 4, shape)); /* a zero does not hide an overflow */
    assert_false(gr_shape_count(&n, 2, negative));
    char text[32], little[6];
    gr_shape_text(text, sizeof text, 2, shape + 1);
    assert_string_equal(text, "[2, 3]");
    gr_shape_text(text, sizeof text, 0, shape);
    assert_string_equal(text, "[]");
    gr_shape_text(little, sizeof little, 3, shape + 1);
    assert_string_equal(little, "[2, 3");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(float_types_convert_from_misaligned_memory),
                                        cmocka_unit_test(shapes_are_counted_without_overflow) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
