/* Whole models with every kernel set that this processor runs, against the published PyTorch path. */
#include "test.h"

#include "support/golden_case.h"
#include "support/kernel_sets.h"

static void compare_case(const kernel_set *set, const char *name)
{
    golden_case c;
    print_message("%s:\n", set->name);
    golden_case_open_on(&c, name, 2, set->cpu, gr_backend_cpu_new);
    golden_case_run(&c, 100);
    golden_case_compare(&c, "vision_features", c.bf16 ? FEATURES_BF16 : FEATURES_F32);
    golden_case_compare(&c, "image_features", c.bf16 ? FEATURES_BF16 : FEATURES_F32);
    golden_case_compare_replays(&c, c.bf16 ? FEATURES_BF16 : FEATURES_F32);
    golden_case_compare(&c, "logits", c.bf16 ? LOGITS_BF16 : LOGITS_F32);
    golden_case_close(&c);
}

static void every_kernel_set_agrees_with_pytorch(void **state)
{
    (void)state;
    static const char *const names[] = {
        "l-text",
        "l-no-mask",
        "l-single-released",
        "l-single-paper",
        "l-two-overlap-released",
        "l-five-paper",
        "l-wide-released",
        "g-single-paper",
        "g-three-released",
        "g-pixel-paper",
        "g-mask-bicubic",
        "r-single-released",
        "r-four-paper",
        "r-pixel-inclusive",
        "l-single-released-bf16",
        "l-five-paper-bf16",
        "g-single-paper-bf16",
        "g-three-released-bf16",
    };
    /* Some of each kind where products are slow: under ThreadSanitizer, and on an emulated processor. */
    const size_t step = TEST_THREAD_SANITIZER || TEST_EMULATED ? 5 : 1;
    gr_kernels k;
    for (size_t s = 0; s < n_kernel_sets; s++)
        for (size_t i = 0; i < sizeof names / sizeof *names && kernel_set_open(&kernel_sets[s], &k);
             i += step)
            compare_case(&kernel_sets[s], names[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_kernel_set_agrees_with_pytorch) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
