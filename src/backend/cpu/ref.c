/* ref.c - the kernels in plain C: they specify what faster ones must do. */
#include <string.h>

#include "backend/cpu/kernels.h"
#include "backend/weight.h"
#include "base/half.h"

/* Rows and columns that are summed at a time: 4 x 8 partial sums, which the compiler keeps in sixteen 128-bit
 * registers. Four floats are one value of a vector type (GNU C, gcc and clang on any machine); each lane is
 * an ordinary sum over ascending k. */
#define ROWS 4
#define COLS 8

typedef float four __attribute__((vector_size(16)));

static inline four load4(const float *p)
{
    four v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline four all4(float x) { return (four){ x, x, x, x }; }

/* acc[r][c0..c0 + 7] = sum over k of x[r][k] w[k][c0..]; w rows are GR_PANEL wide. */
static void sum_four_rows(float acc[ROWS][GR_PANEL], const float *x, size_t ldx, size_t n, const float *w,
                          size_t c0)
{
    const float *x0 = x, *x1 = x + ldx, *x2 = x + 2 * ldx, *x3 = x + 3 * ldx;
    four a0 = all4(0), a1 = a0, b0 = a0, b1 = a0, c_0 = a0, c_1 = a0, d0 = a0, d1 = a0;
    for (size_t k = 0; k < n; k++) {
        const four w0 = load4(w + k * GR_PANEL + c0), w1 = load4(w + k * GR_PANEL + c0 + 4);
        four v = all4(x0[k]);
        a0 += v * w0, a1 += v * w1;
        v = all4(x1[k]);
        b0 += v * w0, b1 += v * w1;
        v = all4(x2[k]);
        c_0 += v * w0, c_1 += v * w1;
        v = all4(x3[k]);
        d0 += v * w0, d1 += v * w1;
    }
    const four sums[ROWS][2] = { { a0, a1 }, { b0, b1 }, { c_0, c_1 }, { d0, d1 } };
    for (int r = 0; r < ROWS; r++)
        memcpy(&acc[r][c0], sums[r], sizeof sums[r]);
}

static void sum_one_row(float acc[GR_PANEL], const float *x, size_t n, const float *w)
{
    four s[GR_PANEL / 4];
    for (int i = 0; i < GR_PANEL / 4; i++)
        s[i] = all4(0);
    for (size_t k = 0; k < n; k++) {
        const four v = all4(x[k]);
        for (int i = 0; i < GR_PANEL / 4; i++)
            s[i] += v * load4(w + k * GR_PANEL + 4 * i);
    }
    memcpy(acc, s, sizeof s);
}

static void sum_rows(float acc[ROWS][GR_PANEL], const float *x, size_t ldx, size_t rows, size_t n,
                     const float *w)
{
    if (rows == ROWS)
        for (size_t c0 = 0; c0 < GR_PANEL; c0 += COLS)
            sum_four_rows(acc, x, ldx, n, w, c0);
    else
        for (size_t r = 0; r < rows; r++)
            sum_one_row(acc[r], x + r * ldx, n, w);
}

static void panel_product(float *out, size_t ldo, size_t cols, const float *x, size_t ldx, size_t m, size_t k,
                          const void *panel, int type)
{
    float wide[GR_K_BLOCK * GR_PANEL]; /* 64 KiB of stack */
    for (size_t k0 = 0; k0 < k; k0 += GR_K_BLOCK) {
        const size_t n = k - k0 < GR_K_BLOCK ? k - k0 : GR_K_BLOCK;
        gr_widen(wide, (const char *)panel + k0 * GR_PANEL * (type == 0 ? 4 : 2), type, n * GR_PANEL);
        for (size_t r0 = 0; r0 < m; r0 += ROWS) {
            const size_t rows = m - r0 < ROWS ? m - r0 : ROWS;
            float acc[ROWS][GR_PANEL];
            sum_rows(acc, x + r0 * ldx + k0, ldx, rows, n, wide);
            for (size_t r = 0; r < rows; r++)
                for (size_t c = 0; c < cols; c++) {
                    float *o = out + (r0 + r) * ldo + c;
                    *o = k0 == 0 ? acc[r][c] : *o + acc[r][c];
                }
        }
    }
}

static void panel_f32(float *out, size_t ldo, size_t cols, const float *x, size_t ldx, size_t m, size_t k,
                      const void *panel)
{
    panel_product(out, ldo, cols, x, ldx, m, k, panel, 0);
}

static void panel_bf16(float *out, size_t ldo, size_t cols, const float *x, size_t ldx, size_t m, size_t k,
                       const void *panel)
{
    panel_product(out, ldo, cols, x, ldx, m, k, panel, 1);
}

static void panel_f16(float *out, size_t ldo, size_t cols, const float *x, size_t ldx, size_t m, size_t k,
                      const void *panel)
{
    panel_product(out, ldo, cols, x, ldx, m, k, panel, 2);
}

static float dot(const float *a, const float *b, size_t n)
{
    four part[GR_LANES / 4] = { all4(0), all4(0), all4(0), all4(0) };
    float lane[GR_LANES];
    size_t i = 0;
    for (; i + GR_LANES <= n; i += GR_LANES)
        for (size_t l = 0; l < GR_LANES / 4; l++)
            part[l] += load4(a + i + 4 * l) * load4(b + i + 4 * l);
    memcpy(lane, part, sizeof lane);
    for (int l = 0; i < n; i++, l++)
        lane[l] += a[i] * b[i];
    for (int half = GR_LANES / 2; half > 0; half /= 2)
        for (int l = 0; l < half; l++)
            lane[l] += lane[l + half];
    return lane[0];
}

static void axpy(float *y, float s, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] += s * x[i];
}

const gr_kernels gr_kernels_ref = {
    .name = "plain C", .panel = { panel_f32, panel_bf16, panel_f16 }, .dot = dot, .axpy = axpy
};

void gr_kernels_init(gr_kernels *k, unsigned cpu)
{
    (void)cpu; /* faster sets will stand here as rows: the bits they need, the function that adds them */
    *k = gr_kernels_ref;
}
