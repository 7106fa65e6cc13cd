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
            k->pack(strip, x + r * ldx + k0, ldx, tall, block);
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

/* Attention's three kernels on ragged counts, against double; and every row alone has the bits it has among
 * others. */
static void attention_blocks_agree_with_double_and_rows_alone(void **state)
{
    (void)state;
    enum { MOST = 13, B = GR_KEY_BLOCK };
    static const size_t dims[] = { 1, 4, 7, 16, 24, 33, 64, 96, 128 };
    static float q[MOST * 131], kt[128 * B], v[B * 131], s[MOST * B], one[B], o[MOST * 131], alone[131];
    for (size_t set = 0; set < N_SETS; set++) {
        if (!runs(&sets[set]))
            continue;
        gr_kernels k;
        gr_kernels_init(&k, sets[set].cpu);
        for (size_t di = 0; di < sizeof dims / sizeof *dims; di++) {
            const size_t d = dims[di], ld = d + 3;
            int32_t seen[MOST];
            for (size_t i = 0; i < MOST * ld; i++)
                q[i] = drawn(1, i), o[i] = drawn(4, i);
            for (size_t i = 0; i < d * B; i++)
                kt[i] = drawn(2, i);
            for (size_t i = 0; i < B * ld; i++)
                v[i] = drawn(3, i);
            for (size_t rows = 1; rows <= MOST; rows += 3) {
                k.scores(s, q, ld, rows, d, kt, 0.7f);
                for (size_t r = 0; r < rows; r++) {
                    k.scores(one, q + r * ld, ld, 1, d, kt, 0.7f);
                    assert_memory_equal(one, s + r * B, sizeof one);
                    for (size_t j = 0; j < B; j++) {
                        double sum = 0;
                        for (size_t c = 0; c < d; c++)
                            sum += (double)q[r * ld + c] * kt[c * B + j];
                        assert_true(fabs(s[r * B + j] - 0.7f * sum) < 1e-5 * (1 + sqrt((double)d)));
                    }
                    seen[r] = (int32_t)(1 + (r * 29) % B);
                }
                k.weigh(o, ld, s, seen, rows, v, ld, d);
                for (size_t r = 0; r < rows; r++) {
                    for (size_t c = 0; c < ld; c++)
                        alone[c] = drawn(4, r * ld + c);
                    k.weigh(alone, ld, s + r * B, seen + r, 1, v, ld, d);
                    assert_memory_equal(alone, o + r * ld,
                                        ld * sizeof *alone); /* nor is anything past d touched */
                    for (size_t c = 0; c < d; c++) {
                        double sum = drawn(4, r * ld + c);
                        for (int32_t j = 0; j < seen[r]; j++)
                            sum += (double)s[r * B + (size_t)j] * v[(size_t)j * ld + c];
                        assert_true(fabs(alone[c] - sum) < 1e-4);
                        o[r * ld + c] = drawn(4, r * ld + c);
                    }
                }
            }
        }
    }
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
            float top = 0.25f;
            const float sum = k.soften(s, n, &top);
            assert_true((double)top == high);
            for (size_t i = 0; i < n; i++) {
                assert_true(fabs(s[i] - exp((double)given[i] - high)) < 3e-7);
                want += exp((double)given[i] - high);
            }
            assert_true(fabs(sum - want) < 1e-5 * want);
        }
        float none = -INFINITY; /* the first block of a row */
        s[0] = -3;
        assert_true(k.soften(s, 1, &none) == 1.0f && none == -3.0f);
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
                                        cmocka_unit_test(attention_blocks_agree_with_double_and_rows_alone),
                                        cmocka_unit_test(soften_gives_weights_and_their_sum),
                                        cmocka_unit_test(activations_agree_with_double_and_keep_their_ends) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
