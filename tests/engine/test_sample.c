/* Sampling against the definition: sort, cut, divide. */
#include "test.h"

#include "base/rng.h"
#include "engine/sample.h"

#define MAX_N 300

static void draw_logits(float *logits, int n, uint64_t seed, double scale)
{
    for (int i = 0; i < n; i++)
        logits[i] = (float)(scale * (2 * gr_uniform(seed, 99, (uint64_t)i) - 1));
}

/* --- the definition, slowly ---------------------------------------------------------------------------- */

typedef struct {
    int32_t id;
    double p;
} chance;

static int by_chance(const void *a, const void *b)
{
    const chance *x = a, *y = b;
    return x->p != y->p ? (x->p < y->p ? 1 : -1) : (x->id < y->id ? -1 : 1);
}

/* What may be drawn, from most to least likely, with chances that sum to 1; returns how many. */
static int define(const float *logits, int n, const gr_sampling *s, chance *out)
{
    double top = -INFINITY, sum = 0;
    for (int i = 0; i < n; i++)
        top = fmax(top, (double)logits[i]);
    for (int i = 0; i < n; i++) {
        out[i] = (chance){ i, exp(((double)logits[i] - top) / s->temperature) };
        sum += out[i].p;
    }
    qsort(out, (size_t)n, sizeof *out, by_chance);
    int kept = n;
    if (s->top_k > 0 && s->top_k < n) {
        kept = s->top_k;
        sum = 0;
        for (int i = 0; i < kept; i++)
            sum += out[i].p;
    }
    double so_far = 0;
    for (int i = 0; s->top_p < 1 && i < kept; i++) {
        so_far += out[i].p;
        if (so_far >= s->top_p * sum) {
            kept = i + 1;
            break;
        }
    }
    so_far = 0;
    for (int i = 0; i < kept; i++)
        so_far += out[i].p;
    for (int i = 0; i < kept; i++)
        out[i].p /= so_far;
    return kept;
}

static double log_softmax(const float *logits, int n, int32_t id)
{
    double top = -INFINITY, sum = 0;
    for (int i = 0; i < n; i++)
        top = fmax(top, (double)logits[i]);
    for (int i = 0; i < n; i++)
        sum += exp((double)logits[i] - top);
    return (double)logits[id] - top - log(sum);
}

/* Draws `times` numbers and compares how often each token came with its chance: the sum of
 * (seen - expected)^2 / expected over tokens that are expected at least five times, the others together, is
 * chi-square; 5 standard deviations above its mean happen once in a million, and the seeds are fixed. */
static void check_distribution(const float *logits, int n, const gr_sampling *s, int times)
{
    chance wanted[MAX_N];
    int32_t order[MAX_N];
    int seen[MAX_N] = { 0 };
    const int kept = define(logits, n, s, wanted);
    for (int i = 0; i < times; i++) {
        const gr_sampled got = gr_sample(logits, n, s, (uint64_t)i, order);
        assert_in_range(got.token, 0, n - 1);
        seen[got.token]++;
    }
    double chi = 0, rest_expected = 0;
    int groups = 0, rest_seen = 0, all = 0;
    for (int i = 0; i < kept; i++) {
        const double expected = wanted[i].p * times;
        all += seen[wanted[i].id];
        if (expected < 5) {
            rest_expected += expected;
            rest_seen += seen[wanted[i].id];
            continue;
        }
        chi += (seen[wanted[i].id] - expected) * (seen[wanted[i].id] - expected) / expected;
        groups++;
    }
    if (all != times)
        fail_msg("n %d, T %g, top_k %d, top_p %g: %d of %d draws are none of the %d allowed tokens", n,
                 s->temperature, s->top_k, s->top_p, times - all, times, kept);
    if (rest_expected > 0.5) {
        chi += (rest_seen - rest_expected) * (rest_seen - rest_expected) / rest_expected;
        groups++;
    } else {
        assert_true(rest_seen <= 5);
    }
    const double degrees = groups - 1;
    if (chi > degrees + 5 * sqrt(2 * degrees + 1))
        fail_msg("n %d, T %g, top_k %d, top_p %g: chi-square %.1f for %g degrees of freedom", n,
                 s->temperature, s->top_k, s->top_p, chi, degrees);
}

/* --- tests --------------------------------------------------------------------------------------------- */

static void greedy_takes_the_largest_and_of_equals_the_first(void **state)
{
    (void)state;
    const gr_sampling greedy = { .top_p = 1 };
    int32_t order[MAX_N];
    float logits[MAX_N];
    for (uint64_t seed = 0; seed < 50; seed++) {
        draw_logits(logits, 37, seed, 4);
        int32_t best = 0;
        for (int i = 1; i < 37; i++)
            best = logits[i] > logits[best] ? i : best;
        const gr_sampled got = gr_sample(logits, 37, &greedy, seed, order);
        assert_int_equal(got.token, best);
        assert_true(fabs(got.logprob - log_softmax(logits, 37, best)) < 1e-12);
        logits[(best + 5) % 37] = logits[(best + 20) % 37] = logits[best];
        const int32_t a = (best + 5) % 37, b = (best + 20) % 37, ab = a < b ? a : b;
        assert_int_equal(gr_sample(logits, 37, &greedy, seed, order).token, ab < best ? ab : best);
    }
}

static void draws_follow_the_definition(void **state)
{
    (void)state;
    static const double temperatures[] = { 0.3, 1.7 }, top_ps[] = { 1, 0.9, 0.3 };
    static const int top_ks[] = { 0, 1, 5, 40 }, sizes[] = { 2, 13, 296 };
    float logits[MAX_N];
    uint64_t seed = 1;
    for (size_t n = 0; n < 3; n++)
        for (size_t t = 0; t < 2; t++)
            for (size_t p = 0; p < 3; p++)
                for (size_t k = 0; k < 4; k++, seed++) {
                    const gr_sampling s = { temperatures[t], top_ps[p], top_ks[k], seed, seed / 7 };
                    draw_logits(logits, sizes[n], seed, 3);
                    check_distribution(logits, sizes[n], &s, sizes[n] > 100 ? 1500 : 4000);
                }
}

/* Equal logits make the cut visible: of equals the lower ids stay. */
static void cuts_between_equals_keep_the_lower_ids(void **state)
{
    (void)state;
    float logits[MAX_N];
    for (int i = 0; i < 64; i++)
        logits[i] = 1.25f;
    check_distribution(logits, 64, &(gr_sampling){ 1, 1, 0, 3, 0 }, 8000);
    check_distribution(logits, 64, &(gr_sampling){ 1, 1, 10, 4, 0 }, 8000);
    check_distribution(logits, 64, &(gr_sampling){ 1, 0.25, 0, 5, 0 }, 8000); /* exactly 16 of 64 */
    check_distribution(logits, 64, &(gr_sampling){ 0.7, 0.5, 32, 6, 0 }, 8000);
}

/* top_p counts within what top_k left: 0.5 of the two likeliest is the first alone, which over all tokens
 * would not reach it. */
static void top_p_counts_within_top_k(void **state)
{
    (void)state;
    float logits[100];
    int32_t order[100];
    for (int i = 0; i < 100; i++)
        logits[i] = i == 50 ? 0.2f : i == 51 ? 0.1f : 0;
    const gr_sampling s = { 1, 0.5, 2, 8, 0 };
    for (uint64_t i = 0; i < 200; i++)
        assert_int_equal(gr_sample(logits, 100, &s, i, order).token, 50);
}

static void a_draw_depends_on_seed_stream_and_position_alone(void **state)
{
    (void)state;
    float logits[MAX_N];
    int32_t order[MAX_N];
    int other_seed = 0, other_stream = 0, other_position = 0;
    draw_logits(logits, 200, 5, 1);
    for (uint64_t i = 0; i < 200; i++) {
        const gr_sampling s = { 1, i % 2 ? 1 : 0.9, 0, 11, 4 }, seed = { 1, s.top_p, 0, 12, 4 },
                          stream = { 1, s.top_p, 0, 11, 5 };
        memset(order, (int)i, sizeof order); /* what scratch held does not matter */
        const gr_sampled got = gr_sample(logits, 200, &s, i, order);
        gr_sample(logits, 100, &seed, i + 7, order);
        const gr_sampled again = gr_sample(logits, 200, &s, i, order);
        assert_int_equal(got.token, again.token);
        assert_memory_equal(&got.logprob, &again.logprob, sizeof got.logprob);
        other_seed += gr_sample(logits, 200, &seed, i, order).token != got.token;
        other_stream += gr_sample(logits, 200, &stream, i, order).token != got.token;
        other_position += gr_sample(logits, 200, &s, i + 1, order).token != got.token;
    }
    assert_true(other_seed > 150 && other_stream > 150 && other_position > 150);
}

/* Whatever temperature and cuts: of the whole vocabulary, at temperature 1. */
static void log_probabilities_are_of_the_whole_vocabulary_and_sum_to_one(void **state)
{
    (void)state;
    float logits[MAX_N];
    int32_t order[MAX_N];
    for (uint64_t seed = 0; seed < 20; seed++) {
        const int n = 1 + (int)(seed * 14);
        double sum = 0;
        draw_logits(logits, n, seed, seed);
        for (int i = 0; i < n; i++)
            sum += exp((double)logits[i] - gr_log_sum_exp(logits, n));
        assert_true(fabs(sum - 1) < 1e-12);
        const gr_sampling s = { 0.6, 0.8, 7, seed, 0 };
        for (uint64_t i = 0; i < 20; i++) {
            const gr_sampled got = gr_sample(logits, n, &s, i, order);
            assert_true(fabs(got.logprob - log_softmax(logits, n, got.token)) < 1e-12);
        }
    }
}

static void extremes_stay_in_range(void **state)
{
    (void)state;
    int32_t order[MAX_N];
    float logits[MAX_N];
    static const gr_sampling ways[] = {
        { 0, 1, 0, 1, 0 },        { 1, 1, 0, 1, 0 },      { 1, 0.9, 0, 1, 0 },    { 1, 1, 3, 1, 0 },
        { 1, 0.5, 3, 1, 0 },      { 1e-9, 1, 0, 1, 0 },   { 1e-9, 0.5, 0, 1, 0 }, { 1e300, 1, 0, 1, 0 },
        { 1e-300, 0.9, 5, 1, 0 }, { 5e-324, 1, 0, 1, 0 }, { 1, 1e-300, 0, 1, 0 }, { 1, 1 - 1e-16, 0, 1, 0 }
    };
    for (size_t w = 0; w < sizeof ways / sizeof *ways; w++)
        for (uint64_t i = 0; i < 50; i++) {
            const gr_sampling *s = &ways[w];
            const float one[] = { -3.5f };
            gr_sampled got = gr_sample(one, 1, s, i, order);
            assert_int_equal(got.token, 0);
            assert_true(got.logprob == 0);

            for (int k = 0; k < 30; k++)
                logits[k] = k == 17 ? 3e38f : k % 2 ? -3e38f : 0; /* one huge: nothing else has a chance */
            got = gr_sample(logits, 30, s, i, order);
            assert_true(got.token == 17 || s->temperature > 1e30);
            assert_true(got.token != 17 || got.logprob == 0);

            for (int k = 0; k < 30; k++) /* forbidden tokens are never drawn */
                logits[k] = k == 4 || k == 5 ? 1 : -INFINITY;
            got = gr_sample(logits, 30, s, i, order);
            assert_true(got.token == 4 || (got.token == 5 && s->temperature > 0));
            assert_true(fabs(got.logprob + log(2)) < 1e-12);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(greedy_takes_the_largest_and_of_equals_the_first),
        cmocka_unit_test(draws_follow_the_definition),
        cmocka_unit_test(cuts_between_equals_keep_the_lower_ids),
        cmocka_unit_test(top_p_counts_within_top_k),
        cmocka_unit_test(a_draw_depends_on_seed_stream_and_position_alone),
        cmocka_unit_test(log_probabilities_are_of_the_whole_vocabulary_and_sum_to_one),
        cmocka_unit_test(extremes_stay_in_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
