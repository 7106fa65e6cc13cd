/* Blocks that differ anywhere have other hashes, and the same block always the same one. */
#include "test.h"

#include "base/hash.h"

static gr_hash of(const void *bytes, size_t n) { return gr_hash_bytes((gr_hash){ 0 }, bytes, n); }

static void every_bit_and_the_length_count(void **state)
{
    (void)state;
    uint8_t block[67];
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = (uint8_t)(i * 37);
    for (size_t n = 0; n <= sizeof block; n++) {
        const gr_hash whole = of(block, n);
        assert_true(gr_hash_same(whole, of(block, n)));
        for (size_t m = 0; m < n; m++)
            assert_false(gr_hash_same(whole, of(block, m)));
        for (size_t bit = 0; bit < 8 * n; bit++) {
            block[bit / 8] ^= (uint8_t)(1u << bit % 8);
            const gr_hash other = of(block, n);
            assert_true(other.low != whole.low && other.high != whole.high);
            block[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
    static const uint8_t zeros[64];
    for (size_t n = 1; n <= sizeof zeros; n++)
        assert_false(gr_hash_same(of(zeros, n), of(zeros, n - 1)));
}

/* Changes that a product of words lets pass upwards: signs of neighbouring numbers, words that change places.
 */
static void changes_that_belong_together_do_not_cancel(void **state)
{
    (void)state;
    uint32_t a[8] = { 1, 2, 3, 4, 5, 6, 7, 8 }, b[8];
    for (int i = 0; i < 8; i++)
        for (int k = i + 1; k < 8; k++) {
            memcpy(b, a, sizeof b);
            b[i] ^= 0x80000000u, b[k] ^= 0x80000000u;
            assert_false(gr_hash_same(of(a, sizeof a), of(b, sizeof b)));
            memcpy(b, a, sizeof b);
            b[i] = a[k], b[k] = a[i];
            assert_false(gr_hash_same(of(a, sizeof a), of(b, sizeof b)));
        }
}

static void a_sequence_of_blocks_is_not_their_concatenation(void **state)
{
    (void)state;
    const gr_hash ab_c = gr_hash_bytes(of("ab", 2), "c", 1), a_bc = gr_hash_bytes(of("a", 1), "bc", 2);
    assert_false(gr_hash_same(ab_c, a_bc));
    assert_false(gr_hash_same(ab_c, of("abc", 3)));
    assert_true(gr_hash_same(ab_c, gr_hash_bytes(of("ab", 2), "c", 1)));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_bit_and_the_length_count),
                                        cmocka_unit_test(changes_that_belong_together_do_not_cancel),
                                        cmocka_unit_test(a_sequence_of_blocks_is_not_their_concatenation) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
