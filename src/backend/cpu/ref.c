/* ref.c - the kernels in plain C: they specify what faster ones must do. */
#include <string.h>

#include "backend/cpu/kernels.h"
#include "backend/weight.h"

#define ROWS           4
#define LANES          4
#define GROUP          2
#define MADD(a, b, c)  ((a) * (b) + (c))
#define MADD1(a, b, c) ((a) * (b) + (c))
#include "backend/cpu/lanes.h"

/* Rows and columns that are summed at a time: 4 x 8 partial sums, which the compiler keeps in sixteen 128-bit
 * registers. Four floats are one value of a vector type (GNU C, gcc and clang on any machine); each lane is
 * an ordinary sum over ascending k. */
#define COLS 8

typedef float four __attribute__((vector_size(16)));

static inline four load4(const float *p)
{
    four v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline four all4(float x) { return (four){ x, x, x, x }; }

/* acc[r][c0..c0 + 7] = sum over k of strip[k][r] w[k][c0..]; w rows are GR_PANEL wide. */
static void sum_four_rows(float acc[ROWS][GR_PANEL], const float *strip, size_t n, const float *w, size_t c0)
{
    four a0 = all4(0), a1 = a0, b0 = a0, b1 = a0, c_0 = a0, c_1 = a0, d0 = a0, d1 = a0;
    for (size_t k = 0; k < n; k++, strip += ROWS) {
        const four w0 = load4(w + k * GR_PANEL + c0), w1 = load4(w + k * GR_PANEL + c0 + 4);
        four v = all4(strip[0]);
        a0 += v * w0, a1 += v * w1;
        v = all4(strip[1]);
        b0 += v * w0, b1 += v * w1;
        v = all4(strip[2]);
        c_0 += v * w0, c_1 += v * w1;
        v = all4(strip[3]);
        d0 += v * w0, d1 += v * w1;
    }
    const four sums[ROWS][2] = { { a0, a1 }, { b0, b1 }, { c_0, c_1 }, { d0, d1 } };
    for (int r = 0; r < ROWS; r++)
        memcpy(&acc[r][c0], sums[r], sizeof sums[r]);
}

static void put(float *out, const float *sum, size_t cols, bool first)
{
    for (size_t c = 0; c < cols; c++)
        out[c] = first ? sum[c] : out[c] + sum[c];
}

static void strip_of(float *out, size_t ldo, size_t rows, size_t cols, const float *strip, size_t n,
                     const void *panel, bool first, gr_dtype dtype)
{
    float wide[GR_K_BLOCK * GR_PANEL], acc[ROWS][GR_PANEL]; /* 64 KiB of stack */
    gr_panel_widen(wide, panel, dtype, n);
    for (size_t c0 = 0; c0 < GR_PANEL; c0 += COLS)
        sum_four_rows(acc, strip, n, wide, c0);
    for (size_t r = 0; r < rows; r++)
        put(out + r * ldo, acc[r], cols, first);
}

static void row_of(float *out, size_t cols, const float *x, size_t k, const void *panel, gr_dtype dtype)
{
    const size_t bytes = GR_PANEL * gr_dtype_bytes(dtype);
    for (size_t k0 = 0; k0 < k; k0 += GR_K_BLOCK) {
        const size_t n = k - k0 < GR_K_BLOCK ? k - k0 : GR_K_BLOCK;
        four s[GR_PANEL / 4];
        float sums[GR_PANEL];
        for (int i = 0; i < GR_PANEL / 4; i++)
            s[i] = all4(0);
        for (size_t i = 0; i < n; i++) {
            float wide[GR_PANEL];
            const four v = all4(x[k0 + i]);
            gr_panel_widen(wide, (const char *)panel + (k0 + i) * bytes, dtype, 1);
            for (size_t j = 0; j < GR_PANEL / 4; j++)
                s[j] += v * load4(wide + 4 * j);
        }
        memcpy(sums, s, sizeof sums);
        put(out, sums, cols, k0 == 0);
    }
}

#define FOR_TYPE(name, dtype)                                                                                \
    static void strip_##name(float *out, size_t ldo, size_t rows, size_t cols, const float *strip, size_t n, \
                             const void *panel, bool first)                                                  \
    {                                                                                                        \
        strip_of(out, ldo, rows, cols, strip, n, panel, first, dtype);                                       \
    }                                                                                                        \
    static void row_##name(float *out, size_t cols, const float *x, size_t k, const void *panel)             \
    {                                                                                                        \
        row_of(out, cols, x, k, panel, dtype);                                                               \
    }
FOR_TYPE(f32, GR_DTYPE_F32)
FOR_TYPE(bf16, GR_DTYPE_BF16)
FOR_TYPE(f16, GR_DTYPE_F16)

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

const gr_kernels gr_kernels_ref = { .name = "plain C",
                                    .strip = { strip_f32, strip_bf16, strip_f16 },
                                    .row = { row_f32, row_bf16, row_f16 },
                                    .dot = dot,
                                    .axpy = axpy,
                                    LANE_KERNELS };
