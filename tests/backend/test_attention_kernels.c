/* Attention by rows together, forward and backward, for every kernel set: the bits of a row alone, and what
 * double says. The kernels of a row alone are held to their order in test_kernels.c. */
#include "test.h"

#include "base/rng.h"
#include "support/kernel_sets.h"

/* In -1..1, the same on every run. */
static float uniform(uint64_t stream, size_t i) { return (float)(2 * gr_uniform(1, stream, i) - 1); }

static void transposing_moves_every_element_and_no_more(void **state)
{
    (void)state;
    enum { ROWS = 37, COLS = 41, LDX = COLS + 3, LDTO = ROWS + 2 };
    static float x[ROWS * LDX], to[COLS * LDTO];
    for (size_t i = 0; i < ROWS * LDX; i++)
        x[i] = (float)i;
    for (size_t set = 0; set < n_kernel_sets; set++) {
        gr_kernels k;
        if (!kernel_set_open(&kernel_sets[set], &k))
            continue;
        for (size_t rows = 1; rows <= ROWS; rows++)
            for (size_t n = 0; n <= COLS; n += 1 + rows % 3) {
                memset(to, 0xff, sizeof to); /* NaN */
                k.transpose(to, LDTO, x, LDX, rows, n);
                for (size_t c = 0; c < COLS; c++)
                    for (size_t r = 0; r < LDTO; r++)
                        if (r < rows && c < n ? to[c * LDTO + r] != x[r * LDX + c] : !isnan(to[c * LDTO + r]))
                            fail_msg("%s, %zu rows, %zu columns: row %zu column %zu is %g",
                                     kernel_sets[set].name, rows, n, r, c, (double)to[c * LDTO + r]);
            }
    }
}

/* One block of attention, by rows alone and by rows together. */
enum { MOST_ROWS = GR_QUERY_BLOCK, B = GR_KEY_BLOCK, MOST_D = 128, LD = MOST_D + 3 };
typedef struct {
    float q[MOST_ROWS * LD], qt[MOST_D * MOST_ROWS], k[B * LD], kt[MOST_D * B], v[B * LD];
    float s[B * MOST_ROWS], few[B], o[MOST_ROWS * MOST_D], alone[MOST_D + 1];
    float top[MOST_ROWS], sum[MOST_ROWS], keep[MOST_ROWS];
    int32_t seen[MOST_ROWS];
} attention_block;

static void draw_block(attention_block *a, size_t d)
{
    memset(a->qt, 0, sizeof a->qt);
    for (size_t i = 0; i < MOST_ROWS; i++)
        for (size_t c = 0; c < d; c++)
            a->q[i * LD + c] = a->qt[c * MOST_ROWS + i] = 3 * uniform(1, i * 200 + c);
    for (size_t j = 0; j < B; j++)
        for (size_t c = 0; c < d; c++) {
            a->k[j * LD + c] = a->kt[c * B + j] = uniform(2, j * 200 + c);
            a->v[j * LD + c] = uniform(3, j * 200 + c);
        }
}

/* Row i of the block alone, from the state (top, sum, o) drawn for it, has the bits it got among others; and
 * it is what double says. */
static void check_row(const gr_kernels *k, const kernel_set *set, attention_block *a, size_t i, size_t d,
                      float scale)
{
    const size_t seen = (size_t)a->seen[i];
    const int32_t n = a->seen[i];
    float top = uniform(20, i), keep = 1, sum = 1.5f;
    double high = (double)top, total = 0, weights[B];
    k->scores(a->few, a->q + i * LD, LD, 1, d, a->kt, scale);
    for (size_t j = 0; j < seen; j++) {
        double exact = 0;
        for (size_t c = 0; c < d; c++)
            exact += (double)a->q[i * LD + c] * a->k[j * LD + c];
        weights[j] = exact * (double)scale;
        high = weights[j] > high ? weights[j] : high;
        assert_true(fabs(a->few[j] - weights[j]) < 1e-5 * (1 + sqrt((double)d)));
    }
    for (size_t j = seen; j < B; j++)
        a->few[j] = NAN; /* what is not seen does not count */
    const float added = k->soften(a->few, seen, &top, &keep);
    sum = sum * keep + added;
    for (size_t c = 0; c < d; c++)
        a->alone[c] = uniform(21, i * 200 + c);
    a->alone[d] = 42;
    k->weigh(a->alone, d, &keep, a->few, &n, 1, a->v, LD, d);
    if (memcmp(&top, a->top + i, 4) || memcmp(&keep, a->keep + i, 4) || memcmp(&sum, a->sum + i, 4) ||
        memcmp(a->alone, a->o + i * d, d * sizeof(float)))
        fail_msg(
            "%s: row %zu of %zu columns has other bits alone: top %a and %a, sum %a and %a, first %a and %a",
            set->name, i, d, (double)top, (double)a->top[i], (double)sum, (double)a->sum[i],
            (double)a->alone[0], (double)a->o[i * d]);
    assert_true(a->alone[d] == 42);
    for (size_t j = 0; j < seen; j++)
        total += weights[j] = exp(weights[j] - high);
    const double kept = exp((double)uniform(20, i) - high);
    assert_true(fabs(sum - (1.5 * kept + total)) < 3e-5 * (1.5 * kept + total));
    for (size_t c = 0; c < d; c++) {
        double want = kept * (double)uniform(21, i * 200 + c);
        for (size_t j = 0; j < seen; j++)
            want += weights[j] * (double)a->v[j * LD + c];
        assert_true(fabs(a->alone[c] - want) < 1e-4);
    }
}

static void attention_agrees_with_double_and_rows_together_with_rows_alone(void **state)
{
    (void)state;
    static const size_t dims[] = { 1, 4, 7, 16, 24, 33, 64, 96, 128 }, counts[] = { 1, 2, 9, 16, 17, 40, 64 };
    attention_block *a = test_malloc(sizeof *a);
    for (size_t set = 0; set < n_kernel_sets; set++) {
        gr_kernels k;
        if (!kernel_set_open(&kernel_sets[set], &k))
            continue;
        for (size_t di = 0; di < sizeof dims / sizeof *dims; di++)
            for (size_t ni = 0; ni < sizeof counts / sizeof *counts; ni++) {
                const size_t d = dims[di], rows = counts[ni], n = counts[(ni + di) % 7];
                const bool by_columns = (di + ni) % 2; /* keys as in pages, or as rows */
                draw_block(a, d);
                for (size_t i = 0; i < MOST_ROWS; i++) {
                    a->top[i] = uniform(20, i), a->sum[i] = 1.5f;
                    a->seen[i] = i % 3 ? (int32_t)n : (int32_t)(i * 29 % (n + 1));
                }
                for (size_t i = 0; i < rows * d; i++)
                    a->o[i] = uniform(21, i / d * 200 + i % d);
                k.scores_many(a->s, a->qt, rows, d, by_columns ? a->kt : a->k, by_columns ? 1 : LD,
                              by_columns ? B : 1, n, 0.7f);
                k.soften_many(a->s, rows, n, a->seen, a->top, a->sum, a->keep);
                k.weigh_many(a->o, a->keep, a->s, a->seen, rows, a->v, LD, d);
                for (size_t i = 0; i < rows; i++)
                    if (a->seen[i] > 0)
                        check_row(&k, &kernel_sets[set], a, i, d, 0.7f);
            }
    }
    test_free(a);
}

/* Several rows at once give what each gives alone, whatever stands beside it. */
static void scores_and_weights_of_a_few_rows_are_those_of_each(void **state)
{
    (void)state;
    attention_block *a = test_malloc(sizeof *a);
    static float s[13 * B], o[13 * MOST_D];
    for (size_t set = 0; set < n_kernel_sets; set++) {
        gr_kernels k;
        if (!kernel_set_open(&kernel_sets[set], &k))
            continue;
        for (size_t d = 1; d <= 70; d += 23)
            for (size_t rows = 1; rows <= 13; rows++) {
                draw_block(a, d);
                k.scores(s, a->q, LD, rows, d, a->kt, 0.7f);
                for (size_t r = 0; r < rows; r++) {
                    k.scores(a->few, a->q + r * LD, LD, 1, d, a->kt, 0.7f);
                    assert_memory_equal(a->few, s + r * B, sizeof a->few);
                    a->seen[r] = (int32_t)(1 + r * 29 % B);
                    a->keep[r] = 0.5f + 0.01f * (float)r;
                }
                for (size_t i = 0; i < 13 * MOST_D; i++)
                    o[i] = uniform(4, i);
                k.weigh(o, MOST_D, a->keep, s, a->seen, rows, a->v, LD, d);
                for (size_t r = 0; r < 13; r++) {
                    float alone[MOST_D];
                    for (size_t c = 0; c < MOST_D; c++)
                        alone[c] = uniform(4, r * MOST_D + c);
                    if (r < rows)
                        k.weigh(alone, MOST_D, a->keep + r, s + r * B, a->seen + r, 1, a->v, LD, d);
                    assert_memory_equal(alone, o + r * MOST_D, sizeof alone); /* nothing else is touched */
                }
            }
    }
    test_free(a);
}

/* p = exp(s - lse) and ds = p (g - delta) scale where a row sees a key, zeros elsewhere; delta sums as scores
 * do. */
static void backward_weights_agree_with_double(void **state)
{
    (void)state;
    enum { N = 37, D = 24 };
    static float s[B * MOST_ROWS], g[B * MOST_ROWS], lse[MOST_ROWS], delta[MOST_ROWS], one[B * MOST_ROWS],
        a[D * MOST_ROWS], b[D * MOST_ROWS];
    int32_t seen[MOST_ROWS];
    for (size_t set = 0; set < n_kernel_sets; set++) {
        gr_kernels k;
        if (!kernel_set_open(&kernel_sets[set], &k))
            continue;
        for (size_t i = 0; i < MOST_ROWS; i++) {
            lse[i] = -2 - uniform(30, i);
            seen[i] = (int32_t)(i * 7 % (N + 1));
        }
        for (size_t i = 0; i < D * MOST_ROWS; i++)
            a[i] = uniform(33, i), b[i] = uniform(34, i);
        k.column_products(delta, a, b, D);
        for (size_t r = 0; r < MOST_ROWS; r++) { /* a key whose row is b of row r has that very score */
            float key[D];
            for (size_t c = 0; c < D; c++)
                key[c] = b[c * MOST_ROWS + r];
            k.scores_many(one, a, MOST_ROWS, D, key, D, 1, 1, 1.0f);
            assert_true(one[r] == delta[r]);
        }
        for (size_t i = 0; i < B * MOST_ROWS; i++)
            s[i] = uniform(31, i), g[i] = uniform(32, i);
        k.weights_grad(s, g, N, seen, lse, delta, 0.3f);
        for (size_t j = 0; j < N; j++)
            for (size_t i = 0; i < MOST_ROWS; i++) {
                const size_t at = j * MOST_ROWS + i;
                const double p = (int32_t)j < seen[i] ? exp((double)uniform(31, at) + (double)lse[i]) : 0;
                NEAR(&kernel_sets[set], s[at], p, 1e-6 * p, "weight of key %zu for row %zu", j, i);
                NEAR(&kernel_sets[set], g[at], p * ((double)uniform(32, at) - (double)delta[i]) * 0.3, 1e-6,
                     "gradient of key %zu for row %zu", j, i);
            }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transposing_moves_every_element_and_no_more),
        cmocka_unit_test(attention_agrees_with_double_and_rows_together_with_rows_alone),
        cmocka_unit_test(scores_and_weights_of_a_few_rows_are_those_of_each),
        cmocka_unit_test(backward_weights_agree_with_double),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
