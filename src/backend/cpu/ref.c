/* ref.c - the kernels in plain C: they specify what faster ones must do. */
#include <string.h>

#include "backend/cpu/kernels.h"
#include "backend/weight.h"
#include "base/half.h"

/* Rows and columns that are summed at a time, in local arrays that fit a compiler's registers. */
#define ROWS 4
#define COLS 8

static void sum_rows(float acc[ROWS][GR_PANEL], const float *x, size_t ldx, size_t rows, size_t n,
                     const float *w)
{
    for (size_t c0 = 0; c0 < GR_PANEL; c0 += COLS) {
        float s[ROWS][COLS] = { { 0 } };
        if (rows == ROWS)
            for (size_t k = 0; k < n; k++) {
                const float *wk = w + k * GR_PANEL + c0;
                for (int r = 0; r < ROWS; r++)
                    for (int c = 0; c < COLS; c++)
                        s[r][c] += x[(size_t)r * ldx + k] * wk[c];
            }
        else
            for (size_t r = 0; r < rows; r++)
                for (size_t k = 0; k < n; k++)
                    for (int c = 0; c < COLS; c++)
                        s[r][c] += x[r * ldx + k] * w[k * GR_PANEL + c0 + (size_t)c];
        for (size_t r = 0; r < rows; r++)
            memcpy(&acc[r][c0], s[r], sizeof s[r]);
    }
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
    float lane[GR_LANES] = { 0 };
    size_t i = 0;
    for (; i + GR_LANES <= n; i += GR_LANES)
        for (int l = 0; l < GR_LANES; l++)
            lane[l] += a[i + (size_t)l] * b[i + (size_t)l];
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
