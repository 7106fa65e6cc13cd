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
    /* The first four hold every kind of model; under an emulator all would take minutes, and ThreadSanitizer
     * sees nothing new in more products. */
    static const char *const names[] = {
        "l-five-paper",
        "g-three-released",
        "r-single-released",
        "l-single-released-bf16",
        "l-text",
        "l-no-mask",
        "l-single-released",
        "l-single-paper",
        "l-two-overlap-released",
        "l-wide-released",
        "g-single-paper",
        "g-pixel-paper",
        "g-mask-bicubic",
        "r-four-paper",
        "r-pixel-inclusive",
        "l-five-paper-bf16",
        "g-single-paper-bf16",
        "g-three-released-bf16",
    };
#if defined(__aarch64__)
    const size_t n = 4;
#else
    const size_t n = TEST_THREAD_SANITIZER ? 4 : sizeof names / sizeof *names;
#endif
    gr_kernels k;
    for (size_t s = 0; s < n_kernel_sets; s++)
        for (size_t i = 0; i < n && kernel_set_open(&kernel_sets[s], &k); i++)
            compare_case(&kernel_sets[s], names[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_kernel_set_agrees_with_pytorch) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
