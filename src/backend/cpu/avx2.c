/* avx2.c - products on 6 x 16 tiles, two halves of a panel after each other. Compiled with AVX2, FMA and F16C
 * flags, run where the processor has them. Each element is one chain of fused multiply-adds over ascending k
 * of a block. */
#if defined(__x86_64__)
#include <immintrin.h>

#include "backend/cpu/kernels.h"
#include "backend/weight.h"

#define ROWS           6
#define LANES          8
#define GROUP          3
#define MADD(a, b, c)  ((vec)_mm256_fmadd_ps((__m256)(a), (__m256)(b), (__m256)(c)))
#define MADD1(a, b, c) __builtin_fmaf(a, b, c)
#define MOST(a, b)     ((vec)_mm256_max_ps((__m256)(a), (__m256)(b)))
#define LEAST(a, b)    ((vec)_mm256_min_ps((__m256)(a), (__m256)(b)))
#include "backend/cpu/lanes.h"

/* Half h of a panel is outputs 8 h .. 8 h + 7 and 16 + 8 h .. 16 + 8 h + 7: what one load of bf16 pairs
 * gives. */
typedef struct {
    __m256 low, high;
} pair;

static inline __attribute__((always_inline)) pair load_f32(const void *panel, size_t k, size_t h)
{
    const float *w = (const float *)panel + k * GR_PANEL + 8 * h;
    return (pair){ _mm256_loadu_ps(w), _mm256_loadu_ps(w + 16) };
}

static inline __attribute__((always_inline)) pair load_bf16(const void *panel, size_t k, size_t h)
{
    const __m256i z =
        _mm256_loadu_si256((const __m256i *)(const void *)((const uint16_t *)panel + k * GR_PANEL + 16 * h));
    return (pair){ _mm256_castsi256_ps(_mm256_slli_epi32(z, 16)),
                   _mm256_castsi256_ps(_mm256_and_si256(z, _mm256_set1_epi32((int)0xffff0000u))) };
}

static inline __attribute__((always_inline)) pair load_f16(const void *panel, size_t k, size_t h)
{
    const uint16_t *w = (const uint16_t *)panel + k * GR_PANEL + 8 * h;
    return (pair){ _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)w)),
                   _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)(w + 16))) };
}

static inline void put8(float *out, size_t cols, size_t c, __m256 sum, bool first)
{
    float part[8];
    if (cols >= c + 8) {
        _mm256_storeu_ps(out + c, first ? sum : _mm256_add_ps(_mm256_loadu_ps(out + c), sum));
        return;
    }
    _mm256_storeu_ps(part, sum);
    for (size_t i = c; i < cols; i++)
        out[i] = first ? part[i - c] : out[i] + part[i - c];
}

#define EACH6(X) \
    X(0)         \
    X(1)         \
    X(2)         \
    X(3)         \
    X(4)         \
    X(5)
#define ZERO(i) __m256 low##i = _mm256_setzero_ps(), high##i = _mm256_setzero_ps();
#define STEP(i)                                        \
    {                                                  \
        const __m256 v = _mm256_broadcast_ss(s + i);   \
        low##i = _mm256_fmadd_ps(v, w.low, low##i);    \
        high##i = _mm256_fmadd_ps(v, w.high, high##i); \
    }
#define PUT(i)                                                         \
    if (rows > i) {                                                    \
        put8(out + (size_t)i * ldo, cols, 8 * h, low##i, first);       \
        put8(out + (size_t)i * ldo, cols, 16 + 8 * h, high##i, first); \
    }

#define FOR_TYPE(name)                                                                                       \
    static void strip_##name(float *out, size_t ldo, size_t rows, size_t cols, const float *strip, size_t n, \
                             const void *panel, bool first)                                                  \
    {                                                                                                        \
        for (size_t h = 0; h < 2; h++) {                                                                     \
            const float *s = strip;                                                                          \
            EACH6(ZERO)                                                                                      \
            for (size_t k = 0; k < n; k++, s += ROWS) {                                                      \
                const pair w = load_##name(panel, k, h);                                                     \
                EACH6(STEP)                                                                                  \
            }                                                                                                \
            EACH6(PUT)                                                                                       \
        }                                                                                                    \
    }                                                                                                        \
    static void row_##name(float *out, size_t cols, const float *x, size_t k, const void *panel)             \
    {                                                                                                        \
        for (size_t k0 = 0; k0 < k; k0 += GR_K_BLOCK) {                                                      \
            const size_t end = k - k0 < GR_K_BLOCK ? k : k0 + GR_K_BLOCK;                                    \
            __m256 sum[4] = { _mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps(),                 \
                              _mm256_setzero_ps() };                                                         \
            for (size_t i = k0; i < end; i++) {                                                              \
                const pair a = load_##name(panel, i, 0), b = load_##name(panel, i, 1);                       \
                const __m256 v = _mm256_broadcast_ss(x + i);                                                 \
                sum[0] = _mm256_fmadd_ps(v, a.low, sum[0]);                                                  \
                sum[1] = _mm256_fmadd_ps(v, b.low, sum[1]);                                                  \
                sum[2] = _mm256_fmadd_ps(v, a.high, sum[2]);                                                 \
                sum[3] = _mm256_fmadd_ps(v, b.high, sum[3]);                                                 \
            }                                                                                                \
            for (size_t c = 0; c < 4; c++)                                                                   \
                put8(out, cols, 8 * c, sum[c], k0 == 0);                                                     \
        }                                                                                                    \
    }
FOR_TYPE(f32)
FOR_TYPE(bf16)
FOR_TYPE(f16)

static float dot(const float *a, const float *b, size_t n)
{
    __m256 lo = _mm256_setzero_ps(), hi = _mm256_setzero_ps();
    size_t i = 0;
    for (; i + GR_LANES <= n; i += GR_LANES) {
        lo = _mm256_fmadd_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i), lo);
        hi = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 8), _mm256_loadu_ps(b + i + 8), hi);
    }
    float lane[GR_LANES];
    _mm256_storeu_ps(lane, lo);
    _mm256_storeu_ps(lane + 8, hi);
    for (int l = 0; i < n; i++, l++)
        lane[l] = __builtin_fmaf(a[i], b[i], lane[l]);
    for (int half = GR_LANES / 2; half > 0; half /= 2)
        for (int l = 0; l < half; l++)
            lane[l] += lane[l + half];
    return lane[0];
}

static void axpy(float *y, float s, const float *x, size_t n)
{
    const __m256 v = _mm256_set1_ps(s);
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        _mm256_storeu_ps(y + i, _mm256_fmadd_ps(v, _mm256_loadu_ps(x + i), _mm256_loadu_ps(y + i)));
    for (; i < n; i++)
        y[i] = __builtin_fmaf(s, x[i], y[i]);
}

void gr_kernels_add_avx2(gr_kernels *k)
{
    *k = (gr_kernels){ .name = "AVX2",
                       .strip = { strip_f32, strip_bf16, strip_f16 },
                       .row = { row_f32, row_bf16, row_f16 },
                       .dot = dot,
                       .axpy = axpy,
                       LANE_KERNELS };
}
#else
typedef int gr_not_x86; /* an empty file is no C */
#endif
