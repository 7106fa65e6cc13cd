/* neon.c - products on 12 x 8 tiles, four quarters of a panel after each other: 24 accumulators, two vectors
 * of weights and three of rows fill 29 of the 32 registers. Every AArch64 processor has these instructions.
 * Each element is one chain of fused multiply-adds over ascending k of a block, for one row and for twelve.
 */
#if defined(__aarch64__)
#include <arm_neon.h>

#include "backend/cpu/kernels.h"
#include "backend/weight.h"

#define ROWS           12
#define LANES          4
#define GROUP          4
#define MADD(a, b, c)  ((vec)vfmaq_f32((float32x4_t)(c), (float32x4_t)(a), (float32x4_t)(b)))
#define MADD1(a, b, c) __builtin_fmaf(a, b, c)
#include "backend/cpu/lanes.h"

/* Quarter q of a panel is outputs 4 q .. 4 q + 3 and 16 + 4 q .. 16 + 4 q + 3: what one load of bf16 pairs
 * gives. */
#define QUARTERS 4

typedef struct {
    float32x4_t low, high;
} pair;

INLINE pair load_f32(const void *panel, size_t k, size_t q)
{
    const float *w = (const float *)panel + k * GR_PANEL + 4 * q;
    return (pair){ vld1q_f32(w), vld1q_f32(w + 16) };
}

INLINE pair load_bf16(const void *panel, size_t k, size_t q)
{
    const uint32x4_t z = vreinterpretq_u32_u16(vld1q_u16((const uint16_t *)panel + k * GR_PANEL + 8 * q));
    return (pair){ vreinterpretq_f32_u32(vshlq_n_u32(z, 16)),
                   vreinterpretq_f32_u32(vandq_u32(z, vdupq_n_u32(0xffff0000u))) };
}

INLINE pair load_f16(const void *panel, size_t k, size_t q)
{
    const uint16_t *w = (const uint16_t *)panel + k * GR_PANEL + 4 * q;
    return (pair){ vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(w))),
                   vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(w + 16))) };
}

/* Four sums to columns c .. c + 3, as far as there are any. */
INLINE void put4(float *out, size_t cols, size_t c, const float *sum, bool first)
{
    if (cols >= c + 4)
        vst1q_f32(out + c, first ? vld1q_f32(sum) : vaddq_f32(vld1q_f32(out + c), vld1q_f32(sum)));
    else
        for (size_t i = c; i < cols; i++)
            out[i] = first ? sum[i - c] : out[i] + sum[i - c];
}

#define EACH4(X) \
    X(0)         \
    X(1)         \
    X(2)         \
    X(3)
#define EACH8(X) \
    X(0)         \
    X(1)         \
    X(2)         \
    X(3)         \
    X(4)         \
    X(5)         \
    X(6)         \
    X(7)
#define EACH12(X) \
    X(0)          \
    X(1)          \
    X(2)          \
    X(3)          \
    X(4)          \
    X(5)          \
    X(6)          \
    X(7)          \
    X(8)          \
    X(9)          \
    X(10)         \
    X(11)
#define ZERO(i) float32x4_t low##i = vdupq_n_f32(0), high##i = low##i;
#define STEP(i)                                               \
    low##i = vfmaq_laneq_f32(low##i, w.low, x[i / 4], i % 4); \
    high##i = vfmaq_laneq_f32(high##i, w.high, x[i / 4], i % 4);
#define KEEP(i)                \
    vst1q_f32(sum[i], low##i); \
    vst1q_f32(sum[i] + 4, high##i);

/* The first 4, 8 or 12 rows of a strip: a short strip does not pay for the rows it lacks. */
#define TILE(name, tall, EACH)                                                                        \
    static void tile##tall##_##name(float *out, size_t ldo, size_t rows, size_t cols, const float *s, \
                                    size_t n, const void *panel, bool first, size_t q)                \
    {                                                                                                 \
        float sum[tall][8];                                                                           \
        EACH(ZERO)                                                                                    \
        for (size_t k = 0; k < n; k++, s += ROWS) {                                                   \
            const pair w = load_##name(panel, k, q);                                                  \
            float32x4_t x[tall / 4];                                                                  \
            for (size_t i = 0; i < tall / 4; i++)                                                     \
                x[i] = vld1q_f32(s + 4 * i);                                                          \
            EACH(STEP)                                                                                \
        }                                                                                             \
        EACH(KEEP)                                                                                    \
        for (size_t r = 0; r < rows; r++) {                                                           \
            put4(out + r * ldo, cols, 4 * q, sum[r], first);                                          \
            put4(out + r * ldo, cols, 16 + 4 * q, sum[r] + 4, first);                                 \
        }                                                                                             \
    }

#define FOR_TYPE(name)                                                                                       \
    TILE(name, 4, EACH4)                                                                                     \
    TILE(name, 8, EACH8)                                                                                     \
    TILE(name, 12, EACH12)                                                                                   \
    static void strip_##name(float *out, size_t ldo, size_t rows, size_t cols, const float *strip, size_t n, \
                             const void *panel, bool first)                                                  \
    {                                                                                                        \
        for (size_t q = 0; q < QUARTERS; q++)                                                                \
            if (rows > 8)                                                                                    \
                tile12_##name(out, ldo, rows, cols, strip, n, panel, first, q);                              \
            else if (rows > 4)                                                                               \
                tile8_##name(out, ldo, rows, cols, strip, n, panel, first, q);                               \
            else                                                                                             \
                tile4_##name(out, ldo, rows, cols, strip, n, panel, first, q);                               \
    }                                                                                                        \
    static void row_##name(float *out, size_t cols, const float *x, size_t k, const void *panel)             \
    {                                                                                                        \
        for (size_t k0 = 0; k0 < k; k0 += GR_K_BLOCK) {                                                      \
            const size_t end = k - k0 < GR_K_BLOCK ? k : k0 + GR_K_BLOCK;                                    \
            float sum[GR_PANEL];                                                                             \
            float32x4_t low[QUARTERS], high[QUARTERS];                                                       \
            for (size_t q = 0; q < QUARTERS; q++)                                                            \
                low[q] = high[q] = vdupq_n_f32(0);                                                           \
            for (size_t i = k0; i < end; i++)                                                                \
                for (size_t q = 0; q < QUARTERS; q++) {                                                      \
                    const pair w = load_##name(panel, i, q);                                                 \
                    low[q] = vfmaq_n_f32(low[q], w.low, x[i]);                                               \
                    high[q] = vfmaq_n_f32(high[q], w.high, x[i]);                                            \
                }                                                                                            \
            for (size_t q = 0; q < QUARTERS; q++) {                                                          \
                vst1q_f32(sum + 4 * q, low[q]);                                                              \
                vst1q_f32(sum + 16 + 4 * q, high[q]);                                                        \
            }                                                                                                \
            for (size_t c = 0; c < cols; c += 4)                                                             \
                put4(out, cols, c, sum + c, k0 == 0);                                                        \
        }                                                                                                    \
    }
FOR_TYPE(f32)
FOR_TYPE(bf16)
FOR_TYPE(f16)

static float dot(const float *a, const float *b, size_t n)
{
    float32x4_t part[GR_LANES / 4];
    float lane[GR_LANES];
    size_t i = 0;
    for (size_t l = 0; l < GR_LANES / 4; l++)
        part[l] = vdupq_n_f32(0);
    for (; i + GR_LANES <= n; i += GR_LANES)
        for (size_t l = 0; l < GR_LANES / 4; l++)
            part[l] = vfmaq_f32(part[l], vld1q_f32(a + i + 4 * l), vld1q_f32(b + i + 4 * l));
    for (size_t l = 0; l < GR_LANES / 4; l++)
        vst1q_f32(lane + 4 * l, part[l]);
    for (int l = 0; i < n; i++, l++)
        lane[l] = __builtin_fmaf(a[i], b[i], lane[l]);
    for (int half = GR_LANES / 2; half > 0; half /= 2)
        for (int l = 0; l < half; l++)
            lane[l] += lane[l + half];
    return lane[0];
}

static void axpy(float *y, float s, const float *x, size_t n)
{
    size_t i = 0;
    for (; i + 4 <= n; i += 4)
        vst1q_f32(y + i, vfmaq_n_f32(vld1q_f32(y + i), vld1q_f32(x + i), s));
    for (; i < n; i++)
        y[i] = __builtin_fmaf(s, x[i], y[i]);
}

void gr_kernels_add_neon(gr_kernels *k)
{
    *k = (gr_kernels){ .name = "NEON",
                       .strip = { strip_f32, strip_bf16, strip_f16 },
                       .row = { row_f32, row_bf16, row_f16 },
                       .dot = dot,
                       .axpy = axpy,
                       LANE_KERNELS };
}
#else
typedef int gr_not_aarch64; /* an empty file is no C */
#endif
