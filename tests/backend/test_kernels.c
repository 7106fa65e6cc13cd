/* Every kernel set that this processor runs, against sums in double, and against the promises of kernels.h.
 */
#include "test.h"

#include "backend/cpu/kernels.h"
#include "backend/weight.h"
#include "base/half.h"
#include "base/rng.h"

typedef struct {
    const char *name;
    unsigned cpu;
} kernel_set;

static const kernel_set sets[] = { { "plain C", 0 },
                                   { "AVX2", GR_CPU_AVX2 },
                                   { "AVX-512", GR_CPU_AVX2 | GR_CPU_AVX512 } };
#define N_SETS (sizeof sets / sizeof *sets)

static bool runs(const kernel_set *s)
{
    if ((gr_cpu_features() & s->cpu) == s->cpu)
        return true;
    printf("SKIP %s: this processor has not its instructions\n", s->name);
    return false;
}

static const gr_dtype types[] = { GR_DTYPE_F32, GR_DTYPE_BF16, GR_DTYPE_F16 };

/* In -1..1, the same on every run. */
static float drawn(uint64_t stream, size_t i) { return (float)(2 * gr_uniform(1, stream, i) - 1); }

/* A panel of n rows of which `cols` outputs are used, in the layout of weight.h; `plain` gets the values it
 * stands for. */
static void make_panel(void *panel, float *plain, gr_dtype dtype, size_t n, size_t cols)
{
    for (size_t k = 0; k < n; k++)
        for (size_t c = 0; c < GR_PANEL; c++) {
            const float x = c < cols ? drawn(5, k * GR_PANEL + c) : 0;
            const size_t at = k * GR_PANEL + gr_panel_slot(dtype, c);
            uint16_t h = dtype == GR_DTYPE_BF16 ? gr_bf16_from_f32(x) : gr_f16_from_f32(x);
            if (dtype == GR_DTYPE_F32)
                ((float *)panel)[at] = x;
            else
                ((uint16_t *)panel)[at] = h;
            plain[k * GR_PANEL + c] = dtype == GR_DTYPE_F32    ? x
                                      : dtype == GR_DTYPE_BF16 ? gr_f32_from_bf16(h)
                                                               : gr_f32_from_f16(h);
        }
}

/* All of k by strips, as gr_linear does it. */
static void by_strips(const gr_kernels *k, int type, float *out, size_t ldo, size_t rows, size_t cols,
                      const float *x, size_t ldx, size_t n, const void *panel, size_t row_bytes)
{
    static float strip[GR_STRIP_MAX * GR_K_BLOCK];
    for (size_t r = 0; r < rows; r += (size_t)k->strip_rows)
        for (size_t k0 = 0; k0 < n; k0 += GR_K_BLOCK) {
            const size_t block = n - k0 < GR_K_BLOCK ? n - k0 : GR_K_BLOCK;
            const size_t tall = rows - r < (size_t)k->strip_rows ? rows - r : (size_t)k->strip_rows;
            k->transpose(strip, (size_t)k->strip_rows, x + r * ldx + k0, ldx, tall, block);
            k->strip[type](out + r * ldo, ldo, tall, cols, strip, block, (const char *)panel + k0 * row_bytes,
                           k0 == 0);
        }
}

/* Relative to the sum of magnitudes: what k additions in f32 may lose. */
static void check_product(const kernel_set *set, gr_dtype dtype, size_t rows, size_t cols, size_t n)
{
    gr_kernels k;
    gr_kernels_init(&k, set->cpu);
    const size_t ldx = n + 3, ldo = GR_PANEL + 5, type = (size_t)gr_panel_index(dtype);
    float *x = test_malloc(rows * ldx * sizeof *x), *out = test_malloc((rows + 1) * ldo * sizeof *out),
          one[GR_PANEL + 1];
    float *plain = test_malloc(n * GR_PANEL * sizeof *plain);
    void *panel = test_malloc(n * GR_PANEL * sizeof(float));
    make_panel(panel, plain, dtype, n, cols);
    for (size_t i = 0; i < rows * ldx; i++)
        x[i] = drawn(6, i);
    for (size_t i = 0; i < (rows + 1) * ldo; i++)
        out[i] = 12345;
    by_strips(&k, (int)type, out, ldo, rows, cols, x, ldx, n, panel, GR_PANEL * gr_dtype_bytes(dtype));
    for (size_t r = 0; r <= rows; r++)
        for (size_t c = 0; c < ldo; c++) {
            if (r == rows || c >= cols) {
                assert_true(out[r * ldo + c] == 12345); /* nothing beyond what was asked for is written */
                continue;
            }
            double sum = 0, size = 0;
            for (size_t i = 0; i < n; i++) {
                sum += (double)x[r * ldx + i] * plain[i * GR_PANEL + c];
                size += fabs((double)x[r * ldx + i] * plain[i * GR_PANEL + c]);
            }
            if (!(fabs(out[r * ldo + c] - sum) <= 1e-6 * size))
                fail_msg("%s %s, %zu x %zu x %zu: row %zu column %zu is %.9g, expected %.9g", set->name,
                         gr_dtype_name(dtype), rows, cols, n, r, c, (double)out[r * ldo + c], sum);
        }
    for (size_t r = 0; r < rows; r++) { /* a lone row has the very same bits */
        one[cols] = 777;
        k.row[type](one, cols, x + r * ldx, n, panel);
        assert_memory_equal(one, out + r * ldo, cols * sizeof *one);
        assert_true(one[cols] == 777);
    }
    test_free(x);
    test_free(out);
    test_free(plain);
    test_free(panel);
}

static void products_agree_with_double_and_rows_with_strips(void **state)
{
    (void)state;
    static const size_t rows[] = { 1, 2, 3, 4, 5, 6, 7, 11, 12, 13, 25 },
                        cols[] = { 1, 7, 8, 9, 15, 16, 17, 24, 25, 31, 32 };
    static const size_t ks[] = { 1, 2, 15, 511, 512, 513, 1030 };
    for (size_t s = 0; s < N_SETS; s++) {
        if (!runs(&sets[s]))
            continue;
        for (size_t t = 0; t < 3; t++)
            for (size_t k = 0; k < sizeof ks / sizeof *ks; k++)
                for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
                    check_product(&sets[s], types[t], rows[i], cols[(i + k + t) % 11], ks[k]);
    }
}

static void dot_and_axpy_agree_with_double(void **state)
{
    (void)state;
    float a[200], b[200], y[201];
    for (size_t s = 0; s < N_SETS; s++) {
        if (!runs(&sets[s]))
            continue;
        gr_kernels k;
        gr_kernels_init(&k, sets[s].cpu);
        for (size_t n = 0; n <= 200; n++) {
            double sum = 0;
            for (size_t i = 0; i < n; i++) {
                a[i] = drawn(7, i), b[i] = drawn(8, i), y[i] = drawn(9, i);
                sum += (double)a[i] * b[i];
            }
            y[n] = 42;
            assert_true(fabs(k.dot(a, b, n) - sum) < 1e-5);
            k.axpy(y, 0.37f, a, n);
            for (size_t i = 0; i < n; i++)
                assert_true(fabs(y[i] - ((double)drawn(9, i) + 0.37f * (double)a[i])) < 1e-6);
            assert_true(y[n] == 42);
        }
    }
}

/* Infinities and NaN come through; a strip's padding rows do not reach its other rows. */
static void extreme_values_stay_in_their_row(void **state)
{
    (void)state;
    for (size_t s = 0; s < N_SETS; s++) {
        if (!runs(&sets[s]))
            continue;
        gr_kernels k;
        gr_kernels_init(&k, sets[s].cpu);
        float x[3 * 8], panel[8 * GR_PANEL], out[3 * GR_PANEL];
        for (size_t i = 0; i < 24; i++)
            x[i] = i < 8 ? 1 : i < 16 ? INFINITY : 1e-42f;
        for (size_t i = 0; i < 8 * GR_PANEL; i++)
            panel[i] = 2;
        by_strips(&k, 0, out, GR_PANEL, 3, GR_PANEL, x, 8, 8, panel, GR_PANEL * 4);
        for (size_t c = 0; c < GR_PANEL; c++) {
            assert_true(out[c] == 16.0f);
            assert_true(isinf(out[GR_PANEL + c]));
            assert_true(out[2 * GR_PANEL + c] > 0 &&
                        out[2 * GR_PANEL + c] < 1e-40f); /* subnormals are not flushed */
        }
    }
}

static void transposing_moves_every_element_and_no_more(void **state)
{
    (void)state;
    enum { ROWS = 37, COLS = 41, LDX = COLS + 3, LDTO = ROWS + 2 };
    static float x[ROWS * LDX], to[COLS * LDTO];
    for (size_t i = 0; i < ROWS * LDX; i++)
        x[i] = (float)i;
    for (size_t set = 0; set < N_SETS; set++) {
        if (!runs(&sets[set]))
            continue;
        gr_kernels k;
        gr_kernels_init(&k, sets[set].cpu);
        for (size_t rows = 1; rows <= ROWS; rows++)
            for (size_t n = 0; n <= COLS; n += 1 + rows % 3) {
                memset(to, 0xff, sizeof to); /* NaN */
                k.transpose(to, LDTO, x, LDX, rows, n);
                for (size_t c = 0; c < COLS; c++)
                    for (size_t r = 0; r < LDTO; r++)
                        if (r < rows && c < n ? to[c * LDTO + r] != x[r * LDX + c] : !isnan(to[c * LDTO + r]))
                            fail_msg("%s, %zu rows, %zu columns: row %zu column %zu is %g", sets[set].name,
                                     rows, n, r, c, (double)to[c * LDTO + r]);
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
            a->q[i * LD + c] = a->qt[c * MOST_ROWS + i] = 3 * drawn(1, i * 200 + c);
    for (size_t j = 0; j < B; j++)
        for (size_t c = 0; c < d; c++) {
            a->k[j * LD + c] = a->kt[c * B + j] = drawn(2, j * 200 + c);
            a->v[j * LD + c] = drawn(3, j * 200 + c);
        }
}

/* Row i of the block alone, from the state (top, sum, o) drawn for it, has the bits it got among others; and
 * it is what double says. */
static void check_row(const gr_kernels *k, const kernel_set *set, attention_block *a, size_t i, size_t d,
                      float scale)
{
    const size_t seen = (size_t)a->seen[i];
    const int32_t n = a->seen[i];
    float top = drawn(20, i), keep = 1, sum = 1.5f;
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
        a->alone[c] = drawn(21, i * 200 + c);
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
    const double kept = exp((double)drawn(20, i) - high);
    assert_true(fabs(sum - (1.5 * kept + total)) < 3e-5 * (1.5 * kept + total));
    for (size_t c = 0; c < d; c++) {
        double want = kept * (double)drawn(21, i * 200 + c);
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
    for (size_t set = 0; set < N_SETS; set++) {
        if (!runs(&sets[set]))
            continue;
        gr_kernels k;
        gr_kernels_init(&k, sets[set].cpu);
        for (size_t di = 0; di < sizeof dims / sizeof *dims; di++)
            for (size_t ni = 0; ni < sizeof counts / sizeof *counts; ni++) {
                const size_t d = dims[di], rows = counts[ni], n = counts[(ni + di) % 7];
                const bool by_columns = (di + ni) % 2; /* keys as in pages, or as rows */
                draw_block(a, d);
                for (size_t i = 0; i < MOST_ROWS; i++) {
                    a->top[i] = drawn(20, i), a->sum[i] = 1.5f;
                    a->seen[i] = i % 3 ? (int32_t)n : (int32_t)(i * 29 % (n + 1));
                }
                for (size_t i = 0; i < rows * d; i++)
                    a->o[i] = drawn(21, i / d * 200 + i % d);
                k.scores_many(a->s, a->qt, rows, d, by_columns ? a->kt : a->k, by_columns ? 1 : LD,
                              by_columns ? B : 1, n, 0.7f);
                k.soften_many(a->s, rows, n, a->seen, a->top, a->sum, a->keep);
                k.weigh_many(a->o, a->keep, a->s, a->seen, rows, a->v, LD, d);
                for (size_t i = 0; i < rows; i++)
                    if (a->seen[i] > 0)
                        check_row(&k, &sets[set], a, i, d, 0.7f);
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
    for (size_t set = 0; set < N_SETS; set++) {
        if (!runs(&sets[set]))
            continue;
        gr_kernels k;
        gr_kernels_init(&k, sets[set].cpu);
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
                    o[i] = drawn(4, i);
                k.weigh(o, MOST_D, a->keep, s, a->seen, rows, a->v, LD, d);
                for (size_t r = 0; r < 13; r++) {
                    float alone[MOST_D];
                    for (size_t c = 0; c < MOST_D; c++)
                        alone[c] = drawn(4, r * MOST_D + c);
                    if (r < rows)
                        k.weigh(alone, MOST_D, a->keep + r, s + r * B, a->seen + r, 1, a->v, LD, d);
                    assert_memory_equal(alone, o + r * MOST_D, sizeof alone); /* nothing else is touched */
                }
            }
    }
    test_free(a);
}

static void soften_gives_weights_and_their_sum(void **state)
{
    (void)state;
    float s[GR_KEY_BLOCK], given[GR_KEY_BLOCK];
    for (size_t set = 0; set < N_SETS; set++) {
        if (!runs(&sets[set]))
            continue;
        gr_kernels k;
        gr_kernels_init(&k, sets[set].cpu);
        for (size_t n = 1; n <= GR_KEY_BLOCK; n++) {
            double want = 0, high = 0.25;
            for (size_t i = 0; i < n; i++) {
                given[i] = s[i] = 30 * drawn(11, i + n);
                high = s[i] > high ? (double)s[i] : high;
            }
            for (size_t i = n; i < GR_KEY_BLOCK; i++)
                s[i] = NAN; /* what lies behind does not count */
            float top = 0.25f, keep = 7;
            const float sum = k.soften(s, n, &top, &keep);
            assert_true((double)top == high && fabs((double)keep - exp(0.25 - high)) < 2e-7);
            for (size_t i = 0; i < n; i++) {
                assert_true(fabs(s[i] - exp((double)given[i] - high)) < 3e-7);
                want += exp((double)given[i] - high);
            }
            assert_true(fabs(sum - want) < 1e-5 * want);
        }
        float none = -INFINITY, keep = 7; /* the first block of a row: nothing of before is kept */
        s[0] = -3;
        assert_true(k.soften(s, 1, &none, &keep) == 1.0f && none == -3.0f && keep == 0.0f);
    }
}

static void activations_agree_with_double_and_keep_their_ends(void **state)
{
    (void)state;
    float x[1000], y[1001];
    for (size_t set = 0; set < N_SETS; set++) {
        if (!runs(&sets[set]))
            continue;
        gr_kernels k;
        gr_kernels_init(&k, sets[set].cpu);
        for (size_t i = 0; i < 1000; i++)
            x[i] = -9 + 0.018f * (float)i;
        for (size_t n = 0; n <= 1000; n += n < 40 ? 1 : 137) {
            y[n] = 42;
            k.gelu(y, x, n);
            for (size_t i = 0; i < n; i++)
                assert_true(fabs(y[i] - (double)x[i] * 0.5 * erfc(-(double)x[i] * 0.70710678118654752)) <
                            2e-6);
            k.silu(y, x, n);
            for (size_t i = 0; i < n; i++)
                assert_true(fabs(y[i] - (double)x[i] / (1 + exp(-(double)x[i]))) < 1e-6);
            assert_true(y[n] == 42);
        }
        const float ends[5] = { -1000, 1000, NAN, 0, -88 };
        k.silu(y, ends, 5);
        assert_true(y[0] == 0 && y[1] == 1000 && isnan(y[2]) && y[3] == 0 && y[4] < 0 && y[4] > -1e-30f);
        k.gelu(y, ends, 4);
        assert_true(y[0] == 0 && y[1] == 1000 && isnan(y[2]) && y[3] == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(products_agree_with_double_and_rows_with_strips),
                                        cmocka_unit_test(dot_and_axpy_agree_with_double),
                                        cmocka_unit_test(extreme_values_stay_in_their_row),
                                        cmocka_unit_test(transposing_moves_every_element_and_no_more),
                                        cmocka_unit_test(
                                            attention_agrees_with_double_and_rows_together_with_rows_alone),
                                        cmocka_unit_test(scores_and_weights_of_a_few_rows_are_those_of_each),
                                        cmocka_unit_test(soften_gives_weights_and_their_sum),
                                        cmocka_unit_test(activations_agree_with_double_and_keep_their_ends) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
