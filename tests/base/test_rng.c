#include "test.h"

#include "base/rng.h"

/* The published known-answer vectors of Philox4x32-10 (Random123, kat_vectors). */
static void philox_gives_the_published_vectors(void **state)
{
    (void)state;
    static const struct {
        uint32_t counter[4], key[2], want[4];
    } cases[] = {
        { { 0, 0, 0, 0 }, { 0, 0 }, { 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 } },
        { { 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff },
          { 0xffffffff, 0xffffffff },
          { 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd } },
        { { 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344 },
          { 0xa4093822, 0x299f31d0 },
          { 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1 } },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const gr_philox_block got = gr_philox(cases[i].counter, cases[i].key);
        assert_memory_equal(got.v, cases[i].want, sizeof got.v);
    }
}

static void uniform_stays_in_range_and_differs_by_stream(void **state)
{
    (void)state;
    double sum = 0;
    for (uint64_t i = 0; i < 10000; i++) {
        const double u = gr_uniform(7, 3, i);
        assert_true(u >= 0 && u < 1);
        sum += u;
    }
    assert_true(fabs(sum / 10000 - 0.5) < 0.02);
    assert_true(gr_uniform(7, 3, 0) != gr_uniform(7, 4, 0) && gr_uniform(7, 3, 0) != gr_uniform(8, 3, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(philox_gives_the_published_vectors),
                                        cmocka_unit_test(uniform_stays_in_range_and_differs_by_stream) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
