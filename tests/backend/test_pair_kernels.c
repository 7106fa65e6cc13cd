/* Products of bf16 by bf16, for every set that has them: near double, a row alone with the bits it has among
 * others, and nothing written or read beyond what was asked for. */
#include "test.h"

#include "backend/weight.h"
#include "base/half.h"
#include "base/rng.h"
#include "support/kernel_sets.h"

enum { ROWS = 13, MOST_K = 1030, LDX = MOST_K + 3 };

static float drawn(uint64_t stream, size_t i, float scale)
{
    return gr_round_bf16(scale * (float)(2 * gr_uniform(1, stream, i) - 1));
}

typedef struct {
    float x[ROWS * LDX], plain[MOST_K * GR_PANEL];
    uint16_t panel[MOST_K * GR_PANEL];
    fence strip, out;
} operands;

static void draw(operands *o, size_t n, size_t cols, float scale)
{
    for (size_t i = 0; i < ROWS * LDX; i++)
        o->x[i] = drawn(1, i, scale);
    for (size_t k = 0; k < n; k++)
        for (size_t c = 0; c < GR_PANEL; c++) {
            const float w = c < cols ? drawn(2, k * GR_PANEL + c, 1) : 0;
            o->plain[k * GR_PANEL + c] = w;
            o->panel[k * GR_PANEL + gr_panel_slot(GR_DTYPE_BF16, c)] = gr_bf16_from_f32(w);
        }
}

/* As gr_linear does it: pairs of each row, side by side. */
static void one_strip(const gr_kernels *k, operands *o, float *out, size_t ldo, size_t rows, size_t cols,
                      size_t r0, size_t k0, size_t n)
{
    float two[GR_STRIP_MAX][GR_K_BLOCK / 2];
    const size_t pairs = (n + 1) / 2, tall = (size_t)k->strip_rows;
    float *strip = fence_place(&o->strip, pairs * tall * sizeof *strip, 0);
    for (size_t r = 0; r < rows; r++)
        k->to_pairs(two[r], o->x + (r0 + r) * LDX + k0, n);
    k->transpose(strip, tall, two[0], GR_K_BLOCK / 2, rows, pairs);
    k->strip_pairs(out, ldo, rows, cols, strip, n, o->panel + k0 * GR_PANEL, k0 == 0);
}

static void check(const kernel_set *set, const gr_kernels *k, operands *o, size_t rows, size_t cols, size_t n,
                  float scale)
{
    const size_t ldo = GR_PANEL + 5, tall = (size_t)k->strip_rows, n_out = (rows - 1) * ldo + cols;
    float *out = fence_place(&o->out, n_out * sizeof *out, 4), lone[GR_PANEL + 1];
    draw(o, n, cols, scale);
    for (size_t i = 0; i < n_out; i++)
        out[i] = 12345;
    for (size_t r = 0; r < rows; r += tall)
        for (size_t k0 = 0; k0 < n; k0 += GR_K_BLOCK)
            one_strip(k, o, out + r * ldo, ldo, rows - r < tall ? rows - r : tall, cols, r, k0,
                      n - k0 < GR_K_BLOCK ? n - k0 : GR_K_BLOCK);
    for (size_t i = 0; i < n_out; i++) {
        const size_t r = i / ldo, c = i % ldo;
        double sum = 0, size = 0;
        for (size_t j = 0; c < cols && j < n; j++) {
            sum += (double)o->x[r * LDX + j] * o->plain[j * GR_PANEL + c];
            size += fabs((double)o->x[r * LDX + j] * o->plain[j * GR_PANEL + c]);
        }
        if (c < cols)
            NEAR(set, out[i], sum, 1e-6 * size, "%zu x %zu x %zu: row %zu, column %zu", rows, cols, n, r, c);
        else
            SAME(set, out[i], 12345, "what lies between rows");
    }
    assert_true(fence_whole(&o->out) && fence_whole(&o->strip));
    for (size_t r = 0; r < rows; r++) {
        lone[cols] = 777;
        k->row_pairs(lone, cols, o->x + r * LDX, n, o->panel);
        for (size_t c = 0; c < cols; c++)
            SAME(set, lone[c], out[r * ldo + c], "row %zu of %zu alone, column %zu, k %zu", r, rows, c, n);
        SAME(set, lone[cols], 777, "what lies behind a row");
    }
}

static bool open_set(const kernel_set *set, gr_kernels *k)
{
    if (!kernel_set_open(set, k))
        return false;
    assert_true(!k->strip_pairs == !k->row_pairs && !k->strip_pairs == !k->to_pairs &&
                !k->strip_pairs == !k->strip_paired && !k->strip_pairs == !k->pair_rows); /* all or none */
    return k->strip_pairs;
}

static void products_of_pairs_agree_with_double_and_rows_with_strips(void **state)
{
    (void)state;
    static const size_t rows[] = { 1, 2, 5, 11, 12, 13 }, cols[] = { 1, 15, 16, 17, 31, 32 },
                        ks[] = { 1, 2, 3, 31, 32, 33, 511, 512, 513, MOST_K };
    static operands o;
    gr_kernels k;
    fence_open(&o.strip, GR_STRIP_MAX * GR_K_BLOCK * sizeof(float));
    fence_open(&o.out, ROWS * 2 * GR_PANEL * sizeof(float));
    for (size_t s = 0; s < n_kernel_sets; s++)
        for (size_t i = 0; open_set(&kernel_sets[s], &k) && i < sizeof ks / sizeof *ks; i++)
            for (size_t r = 0; r < sizeof rows / sizeof *rows; r++)
                check(&kernel_sets[s], &k, &o, rows[r], cols[(i + r) % 6], ks[i], i % 2 ? 1 : 1e20f);
    fence_close(&o.strip);
    fence_close(&o.out);
}

/* Numbers are rounded to nearest, ties to even; what is missing of the last pair is zero. */
static void pairs_hold_rounded_numbers_in_order(void **state)
{
    (void)state;
    gr_kernels k;
    float x[70], to[36];
    for (size_t s = 0; s < n_kernel_sets; s++)
        for (size_t n = 0; open_set(&kernel_sets[s], &k) && n <= 70; n++) {
            for (size_t i = 0; i < 70; i++)
                x[i] =
                    (float)(2 * gr_uniform(1, 3, i + n) - 1) + (i % 5 ? 0 : 1.00390625f); /* some are ties */
            for (size_t i = 0; i < 36; i++)
                to[i] = 42;
            k.to_pairs(to, x, n);
            for (size_t i = 0; i < 36; i++) {
                uint32_t got, want = 2 * i < n ? gr_bf16_from_f32(x[2 * i]) : gr_f32_bits(42);
                memcpy(&got, to + i, sizeof got);
                if (2 * i + 1 < n)
                    want |= (uint32_t)gr_bf16_from_f32(x[2 * i + 1]) << 16;
                if (got != want)
                    fail_msg("%s: pair %zu of %zu numbers is %08x, expected %08x", kernel_sets[s].name, i, n,
                             got, want);
            }
        }
}

static uint32_t pair_of(float low, float high)
{
    return gr_bf16_from_f32(low) | (uint32_t)gr_bf16_from_f32(high) << 16;
}

/* Number i of one row below number i of the other, or of nothing. */
static void pairs_of_rows_hold_both(void **state)
{
    (void)state;
    gr_kernels k;
    fence a, b, to;
    fence_open(&a, 300), fence_open(&b, 300), fence_open(&to, 300);
    for (size_t s = 0; s < n_kernel_sets; s++)
        for (size_t n = 0; open_set(&kernel_sets[s], &k) && n <= 70; n++)
            for (int both = 0; both < 2; both++) {
                float *x = fence_place(&a, n * sizeof *x, 0), *y = fence_place(&b, n * sizeof *y, 0),
                      *z = fence_place(&to, n * sizeof *z, 0);
                for (size_t i = 0; i < n; i++) {
                    x[i] = drawn(7, i, 1) + (i % 5 ? 0 : 1.00390625f); /* some are ties */
                    y[i] = drawn(8, i, 1e-3f) * 1.001f;
                }
                k.pair_rows(z, x, both ? y : NULL, n);
                for (size_t i = 0; i < n; i++)
                    if (gr_f32_bits(z[i]) != pair_of(x[i], both ? y[i] : 0))
                        fail_msg("%s: pair %zu of %zu is %08x, expected %08x", kernel_sets[s].name, i, n,
                                 gr_f32_bits(z[i]), pair_of(x[i], both ? y[i] : 0));
                assert_true(fence_whole(&a) && fence_whole(&b) && fence_whole(&to));
            }
    fence_close(&a), fence_close(&b), fence_close(&to);
}

/* A panel of pairs gives the sums of a panel of bf16: the same pairs, two at a time, in the same order. */
static void a_panel_of_pairs_gives_the_bits_of_a_panel_of_bf16(void **state)
{
    (void)state;
    static const size_t ks[] = { 1, 2, 3, 32, 511, 512 };
    static operands o;
    static float panel[GR_K_BLOCK / 2 * GR_PANEL], strip[GR_K_BLOCK / 2 * GR_STRIP_MAX];
    gr_kernels k;
    for (size_t s = 0; s < n_kernel_sets; s++)
        for (size_t i = 0; open_set(&kernel_sets[s], &k) && i < sizeof ks / sizeof *ks; i++)
            for (size_t rows = 1; rows <= (size_t)k.strip_rows; rows += 5) {
                const size_t n = ks[i], pairs = (n + 1) / 2, cols = 1 + (7 * i + rows) % GR_PANEL;
                float two[GR_STRIP_MAX][GR_K_BLOCK / 2], a[GR_STRIP_MAX * 40], b[GR_STRIP_MAX * 40];
                draw(&o, n, cols, 1);
                for (size_t r = 0; r < rows; r++)
                    k.to_pairs(two[r], o.x + r * LDX, n);
                k.transpose(strip, (size_t)k.strip_rows, two[0], GR_K_BLOCK / 2, rows, pairs);
                for (size_t p = 0; p < pairs; p++)
                    k.pair_rows(panel + p * GR_PANEL, o.plain + 2 * p * GR_PANEL,
                                2 * p + 1 < n ? o.plain + (2 * p + 1) * GR_PANEL : NULL, GR_PANEL);
                for (size_t at = 0; at < GR_STRIP_MAX * 40; at++)
                    a[at] = b[at] = 3;
                for (int first = 1; first >= 0; first--) { /* the second time, on top */
                    k.strip_pairs(a, 40, rows, cols, strip, n, o.panel, first);
                    k.strip_paired(b, 40, rows, cols, strip, n, panel, first);
                }
                for (size_t at = 0; at < GR_STRIP_MAX * 40; at++)
                    SAME(&kernel_sets[s], b[at], a[at], "%zu rows, %zu columns, k %zu: number %zu", rows,
                         cols, n, at);
            }
}

static void infinities_and_nan_come_through(void **state)
{
    (void)state;
    gr_kernels k;
    for (size_t s = 0; s < n_kernel_sets; s++)
        if (open_set(&kernel_sets[s], &k)) {
            float x[3] = { 1, INFINITY, 1 }, out[GR_PANEL];
            uint16_t panel[3 * GR_PANEL];
            for (size_t i = 0; i < 3 * GR_PANEL; i++)
                panel[i] = gr_bf16_from_f32(2);
            k.row_pairs(out, GR_PANEL, x, 3, panel);
            assert_true(isinf(out[0]) && isinf(out[GR_PANEL - 1]));
            x[2] = NAN;
            k.row_pairs(out, GR_PANEL, x, 3, panel);
            assert_true(isnan(out[5]));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_of_pairs_agree_with_double_and_rows_with_strips),
        cmocka_unit_test(pairs_hold_rounded_numbers_in_order),
        cmocka_unit_test(pairs_of_rows_hold_both),
        cmocka_unit_test(a_panel_of_pairs_gives_the_bits_of_a_panel_of_bf16),
        cmocka_unit_test(infinities_and_nan_come_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
