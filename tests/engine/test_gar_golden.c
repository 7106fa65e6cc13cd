/* Whole models against the published PyTorch path (tests/golden/make): features, replay, embeddings, logits,
 * tokens. The inputs are the golden files' own tile bytes, masks and ids, so that a difference is the model's
 * and not the preprocessing's. */
#include "test.h"

#include "support/golden_case.h"

/* Rewrites change how often memory is passed over, and no bit; in bf16 too, where they keep every rounding.
 */
static void compare_plain(const golden_case *fused, int n_threads)
{
    golden_case plain;
    golden_case_open(&plain, fused->name, n_threads);
    plain.plain = true;
    golden_case_run(&plain, 256);
    golden_case_all_same_bits(fused, &plain);
    golden_case_close(&plain);
}

static void compare_case(const char *name, int n_threads)
{
    golden_case c;
    golden_case_open(&c, name, n_threads);
    golden_case_run(&c, 256);
    const bool bf16 = c.bf16;
    golden_case_compare(&c, "vision_features", bf16 ? FEATURES_BF16 : FEATURES_F32);
    golden_case_compare(&c, "image_features", bf16 ? FEATURES_BF16 : FEATURES_F32);
    golden_case_compare_replays(&c, bf16 ? FEATURES_BF16 : FEATURES_F32);
    golden_case_compare(&c, "inputs_embeds", bf16 ? FEATURES_BF16 : FEATURES_F32);
    golden_case_compare(&c, "logits", bf16 ? LOGITS_BF16 : LOGITS_F32);
    assert_int_equal(c.n_compared, golden_case_n_results(&c, false));
    compare_plain(&c, n_threads);
    golden_case_close(&c);
}

#define CASE(function, name)           \
    static void function(void **state) \
    {                                  \
        (void)state;                   \
        compare_case(name, 2);         \
    }

CASE(text_alone, "l-text")
CASE(a_picture_without_mask, "l-no-mask")
CASE(one_region_released, "l-single-released")
CASE(one_region_paper, "l-single-paper")
CASE(two_overlapping_regions_released, "l-two-overlap-released")
CASE(five_regions_paper, "l-five-paper")
CASE(a_wide_canvas, "l-wide-released")
CASE(tower_without_class_token_one_region, "g-single-paper")
CASE(tower_without_class_token_three_regions_released, "g-three-released")
CASE(one_pixel_paper, "g-pixel-paper")
CASE(mask_by_bicubic, "g-mask-bicubic")
CASE(rope_factor_8_one_region, "r-single-released")
CASE(rope_factor_8_four_regions, "r-four-paper")
CASE(one_pixel_inclusive, "r-pixel-inclusive")
CASE(bf16_one_region, "l-single-released-bf16")
CASE(bf16_five_regions, "l-five-paper-bf16")
CASE(bf16_without_class_token, "g-single-paper-bf16")
CASE(bf16_three_regions, "g-three-released-bf16")

/* The same case with other threads and chunks: the very same bits of logits. */
static void bits_do_not_depend_on_threads_or_chunks(void **state)
{
    (void)state;
    static const struct {
        int threads, chunk;
    } ways[] = { { 1, 256 }, { 2, 7 }, { 3, 64 }, { 8, 100 } };
    golden_case first;
    golden_case_open(&first, "l-two-overlap-released", 2);
    golden_case_run(&first, 1000);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        golden_case again;
        golden_case_open(&again, "l-two-overlap-released", ways[i].threads);
        golden_case_run(&again, ways[i].chunk);
        golden_case_same_bits(&first, &again, "logits");
        golden_case_same_bits(&first, &again, "image_features");
        golden_case_close(&again);
    }
    golden_case_close(&first);
}

/* Inside: where a difference of the results would begin. */
static void compare_taps(const char *name, int expected)
{
    golden_case c;
    golden_case_open(&c, name, 2);
    c.taps = true;
    golden_case_run(&c, 1000);
    golden_case_compare_taps(&c, FEATURES_F32);
    assert_int_equal(c.n_compared, expected);
    assert_int_equal(c.n_compared, golden_case_n_results(&c, true));
    golden_case_close(&c);
}

static void every_layer_inside(void **state)
{
    (void)state;
    compare_taps("l-single-paper", 1 + 3 + 3 + 1);
    compare_taps("g-single-paper", 1 + 2 + 3 + 1);
    compare_taps("r-single-released", 1 + 2 + 5 + 1);
}

/* The backend that hides its memory, fills it with NaN and runs every node twice: nothing in a whole model
 * follows a device's pointer, reads what was not written, or depends on the order of units. */
static void the_checking_backend_gives_the_same_bits(void **state)
{
    (void)state;
    golden_case cpu, check;
    golden_case_open(&cpu, "r-pixel-inclusive", 2);
    golden_case_run(&cpu, 256);
    golden_case_open_on(&check, "r-pixel-inclusive", 2, ~0u, gr_backend_check_new);
    golden_case_run(&check, 256);
    golden_case_all_same_bits(&cpu, &check);
    golden_case_close(&cpu);
    golden_case_close(&check);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_alone),
        cmocka_unit_test(a_picture_without_mask),
        cmocka_unit_test(one_region_released),
        cmocka_unit_test(one_region_paper),
        cmocka_unit_test(two_overlapping_regions_released),
        cmocka_unit_test(five_regions_paper),
        cmocka_unit_test(a_wide_canvas),
        cmocka_unit_test(tower_without_class_token_one_region),
        cmocka_unit_test(tower_without_class_token_three_regions_released),
        cmocka_unit_test(one_pixel_paper),
        cmocka_unit_test(mask_by_bicubic),
        cmocka_unit_test(rope_factor_8_one_region),
        cmocka_unit_test(rope_factor_8_four_regions),
        cmocka_unit_test(one_pixel_inclusive),
        cmocka_unit_test(bf16_one_region),
        cmocka_unit_test(bf16_five_regions),
        cmocka_unit_test(bf16_without_class_token),
        cmocka_unit_test(bf16_three_regions),
        cmocka_unit_test(bits_do_not_depend_on_threads_or_chunks),
        cmocka_unit_test(every_layer_inside),
        cmocka_unit_test(the_checking_backend_gives_the_same_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
