/* Which row is read when: permutations that are computed, and orders grouped by length. */
#include "test.h"

#include "base/alloc.h"
#include "dataset/draws.h"
#include "dataset/order.h"

/* --- permutations -------------------------------------------------------------------------------------- */

static void every_size_has_a_bijection(void **state)
{
    (void)state;
    static uint8_t seen[1000];
    for (uint64_t n = 1; n <= 1000; n++) {
        const gr_permutation p = gr_permutation_of(n, 42, (uint32_t)n % 3, 0);
        memset(seen, 0, sizeof seen);
        for (uint64_t i = 0; i < n; i++) {
            const uint64_t k = gr_permutation_at(&p, i);
            if (k >= n || seen[k]++)
                fail_msg("of %llu, element %llu is %llu", (unsigned long long)n, (unsigned long long)i,
                         (unsigned long long)k);
        }
    }
}

/* Powers of four and their neighbours, where the domain grows. */
static void large_sizes_have_a_bijection(void **state)
{
    (void)state;
    static const uint64_t sizes[] = { 65535, 65536, 65537, 250007 };
    gr_runtime *rt = test_runtime();
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        const gr_permutation p = gr_permutation_of(sizes[s], 7, 1, 0);
        uint8_t *seen = gr_calloc(rt, sizes[s], 1);
        for (uint64_t i = 0; i < sizes[s]; i++) {
            const uint64_t k = gr_permutation_at(&p, i);
            assert_true(k < sizes[s]);
            assert_false(seen[k]++);
        }
        gr_free(rt, seen);
    }
    gr_runtime_free(rt);
}

static void seeds_epochs_and_streams_give_other_permutations(void **state)
{
    (void)state;
    enum { N = 1000, KINDS = 6 };
    const gr_permutation p[KINDS] = {
        gr_permutation_of(N, 1, 0, 0), gr_permutation_of(N, 1, 0, 0),
        gr_permutation_of(N, 2, 0, 0), gr_permutation_of(N, 1, 1, 0),
        gr_permutation_of(N, 1, 0, 1), gr_permutation_of(N, 1 + (1ull << 32), 0, 0)
    };
    for (int k = 1; k < KINDS; k++) {
        int same = 0;
        for (uint64_t i = 0; i < N; i++)
            same += gr_permutation_at(&p[0], i) == gr_permutation_at(&p[k], i);
        assert_true(k == 1 ? same == N : same < 10); /* 1 is expected of two that are unrelated */
    }
}

/* Of a good shuffle, every row stands everywhere as often: over 2,000 seeds each of the 25 pairs is expected
 * 400 times with a deviation of 18. */
static void every_place_is_as_likely(void **state)
{
    (void)state;
    int count[5][5] = { { 0 } };
    for (uint64_t seed = 0; seed < 2000; seed++) {
        const gr_permutation p = gr_permutation_of(5, seed, 0, 0);
        for (uint64_t i = 0; i < 5; i++)
            count[i][gr_permutation_at(&p, i)]++;
    }
    for (int i = 0; i < 5; i++)
        for (int k = 0; k < 5; k++)
            assert_in_range(count[i][k], 400 - 90, 400 + 90);
}

/* --- draws --------------------------------------------------------------------------------------------- */

static void a_draw_depends_on_all_it_is_keyed_by(void **state)
{
    (void)state;
    gr_draws d[] = { gr_draws_for(1, 0, 0, 0, 0),
                     gr_draws_for(2, 0, 0, 0, 0),
                     gr_draws_for(1, 1, 0, 0, 0),
                     gr_draws_for(1, 0, 1, 0, 0),
                     gr_draws_for(1, 0, 0, 1, 0),
                     gr_draws_for(1, 0, 0, 0, 1),
                     gr_draws_for(1 + (1ull << 40), 0, 0, 0, 0) };
    enum { N = sizeof d / sizeof *d };
    double v[N + 1];
    for (size_t i = 0; i < N; i++)
        v[i] = gr_draw_unit(&d[i]);
    v[N] = gr_draw_unit(&d[0]);
    for (size_t i = 0; i <= N; i++)
        for (size_t k = 0; k < i; k++)
            assert_true(v[i] != v[k]);
    gr_draws again = gr_draws_for(1, 0, 0, 0, 0);
    assert_true(gr_draw_unit(&again) == v[0] && gr_draw_unit(&again) == v[N]);
}

static void an_order_of_prompts_is_any_as_likely(void **state)
{
    (void)state;
    int first[5] = { 0 }, last[5] = { 0 }, order[5];
    for (uint32_t i = 0; i < 5000; i++) {
        gr_draws d = gr_draws_for(3, 0, 0, i, 0);
        gr_draw_order(&d, order, 5);
        int sum = 0;
        for (int k = 0; k < 5; k++)
            sum |= 1 << order[k];
        assert_int_equal(sum, 31);
        first[order[0]]++, last[order[4]]++;
    }
    for (int k = 0; k < 5; k++) { /* 1,000 expected, deviation 28 */
        assert_in_range(first[k], 860, 1140);
        assert_in_range(last[k], 860, 1140);
    }
}

/* --- orders -------------------------------------------------------------------------------------------- */

/* Every row once, but for the first ones of the epoch, which fill up the last batch. */
static void check_once(const gr_order *o, int world, int accumulation)
{
    const size_t n = o->o.n_rows;
    gr_runtime *rt = o->rt;
    int *count = gr_calloc(rt, n, sizeof *count);
    const uint64_t steps = gr_order_batches(o) * (uint64_t)accumulation;
    for (uint64_t t = 0; t < steps; t++)
        for (int r = 0; r < world; r++)
            count[gr_order_row(o, gr_order_element(o, t, r))]++;
    size_t again = 0;
    for (size_t i = 0; i < n; i++) {
        assert_in_range(count[i], 1, 1 + (steps * (uint64_t)world) / n);
        again += (size_t)count[i] - 1;
    }
    assert_int_equal(again, steps * (uint64_t)world - n);
    gr_free(rt, count);
}

static void every_row_is_read_once_an_epoch(void **state)
{
    (void)state;
    gr_runtime *rt = test_runtime();
    static const int worlds[] = { 1, 3, 8 }, accumulations[] = { 1, 2 };
    static const size_t sizes[] = { 1, 5, 16, 1000 };
    int32_t lengths[1000];
    for (int i = 0; i < 1000; i++)
        lengths[i] = (i * 37 % 101 + 1) * (i % 7 == 0 ? -1 : 1);
    for (size_t s = 0; s < 4; s++)
        for (int w = 0; w < 3; w++)
            for (int a = 0; a < 2; a++)
                for (int grouped = 0; grouped < 2; grouped++) {
                    gr_order o;
                    gr_error err = { 0 };
                    MUST(gr_order_init(&o, rt,
                                       &(gr_order_options){ .n_rows = sizes[s],
                                                            .world = worlds[w],
                                                            .accumulation = accumulations[a],
                                                            .seed = 42,
                                                            .lengths = grouped ? lengths : NULL },
                                       &err));
                    check_once(&o, worlds[w], accumulations[a]);
                    MUST(gr_order_choose(&o, 3, &err));
                    check_once(&o, worlds[w], accumulations[a]);
                    gr_order_fini(&o);
                }
    gr_runtime_free(rt);
}

/* 64 x 1 and 32 x 2 ranks and micro-steps: the same batches, in the same order. */
static void batches_do_not_depend_on_how_they_are_shared(void **state)
{
    (void)state;
    gr_runtime *rt = test_runtime();
    gr_error err = { 0 };
    gr_order wide, narrow;
    gr_order_options o = { .n_rows = 777, .world = 8, .accumulation = 1, .seed = 1 };
    MUST(gr_order_init(&wide, rt, &o, &err));
    o.world = 2, o.accumulation = 4;
    MUST(gr_order_init(&narrow, rt, &o, &err));
    assert_int_equal(gr_order_batches(&wide), 98);
    assert_int_equal(gr_order_batches(&narrow), 98);
    for (uint64_t b = 0; b < 98; b++)
        for (int i = 0; i < 8; i++)
            assert_int_equal(
                gr_order_row(&wide, gr_order_element(&wide, b, i)),
                gr_order_row(&narrow, gr_order_element(&narrow, b * 4 + (uint64_t)i / 2, i % 2)));
    gr_order_fini(&wide);
    gr_order_fini(&narrow);
    gr_runtime_free(rt);
}

/* 400 rows on 2 ranks: groups of 50 batches of 2, each from long to short, the longest row of all first. */
static void grouped_rows_go_from_long_to_short(void **state)
{
    (void)state;
    enum { N = 400, GROUP = 100 };
    gr_runtime *rt = test_runtime();
    gr_error err = { 0 };
    int32_t lengths[N], longest = 0;
    for (int i = 0; i < N; i++) {
        lengths[i] = 1 + (i * 7919) % 1009;
        longest = lengths[i] > longest ? lengths[i] : longest;
    }
    for (uint64_t seed = 0; seed < 8; seed++) {
        gr_order o;
        gr_order_options options = {
            .n_rows = N, .world = 2, .accumulation = 1, .seed = seed, .lengths = lengths
        };
        int steps_up = 0;
        MUST(gr_order_init(&o, rt, &options, &err));
        assert_int_equal(lengths[gr_order_row(&o, 0)], longest);
        for (uint64_t i = 2; i < N; i++) /* but for the first of a group, which may have changed places */
            steps_up += i % GROUP > 1 && lengths[gr_order_row(&o, i)] > lengths[gr_order_row(&o, i - 1)];
        assert_int_equal(steps_up, 0);
        /* Not one group: they are shuffled before they are sorted. */
        assert_true(lengths[gr_order_row(&o, GROUP + 1)] > lengths[gr_order_row(&o, GROUP - 1)]);
        gr_order_fini(&o);
    }
    gr_runtime_free(rt);
}

static void rows_without_a_picture_are_kept_apart(void **state)
{
    (void)state;
    enum { N = 230, GROUP = 50, WHOLE = 4 }; /* 153 with a picture and 77 without: 3 and 1 whole groups */
    gr_runtime *rt = test_runtime();
    gr_error err = { 0 };
    int32_t lengths[N];
    for (int i = 0; i < N; i++)
        lengths[i] = i % 3 ? 1 + i : -1 - i;
    gr_order o;
    MUST(gr_order_init(
        &o, rt,
        &(gr_order_options){ .n_rows = N, .world = 1, .accumulation = 1, .seed = 5, .lengths = lengths },
        &err));
    int of_texts = 0, texts = 0;
    for (uint64_t g = 0; g < WHOLE; g++) { /* the first of a group may have changed places */
        texts = 0;
        for (uint64_t i = g * GROUP + 1; i < (g + 1) * GROUP; i++)
            texts += lengths[gr_order_row(&o, i)] < 0;
        assert_true(texts == 0 || texts == GROUP - 1);
        of_texts += texts != 0;
    }
    assert_int_equal(of_texts, 1);
    texts = 0;
    for (uint64_t i = WHOLE * GROUP; i < N; i++)
        texts += lengths[gr_order_row(&o, i)] < 0;
    assert_int_equal(texts, 77 - GROUP);
    gr_order_fini(&o);
    gr_runtime_free(rt);
}

static void an_order_of_nothing_is_refused(void **state)
{
    (void)state;
    gr_runtime *rt = test_runtime();
    gr_error err = { 0 };
    gr_order o;
    const int32_t none[1] = { 0 };
    gr_order_options bad[] = { { .n_rows = 0, .world = 1, .accumulation = 1 },
                               { .n_rows = 1, .world = 0, .accumulation = 1 },
                               { .n_rows = 1, .world = 1, .accumulation = -1 },
                               { .n_rows = 1, .world = 1, .accumulation = 1, .lengths = none } };
    static const char *const parts[] = { "no rows", "0 ranks", "-1 micro-steps", "row 0 has a length of 0" };
    for (size_t i = 0; i < 4; i++)
        MUST_FAIL(gr_order_init(&o, rt, &bad[i], &err), GR_ERR_ARG, parts[i]);
    gr_runtime_free(rt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_has_a_bijection),
        cmocka_unit_test(large_sizes_have_a_bijection),
        cmocka_unit_test(seeds_epochs_and_streams_give_other_permutations),
        cmocka_unit_test(every_place_is_as_likely),
        cmocka_unit_test(a_draw_depends_on_all_it_is_keyed_by),
        cmocka_unit_test(an_order_of_prompts_is_any_as_likely),
        cmocka_unit_test(every_row_is_read_once_an_epoch),
        cmocka_unit_test(batches_do_not_depend_on_how_they_are_shared),
        cmocka_unit_test(grouped_rows_go_from_long_to_short),
        cmocka_unit_test(rows_without_a_picture_are_kept_apart),
        cmocka_unit_test(an_order_of_nothing_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
