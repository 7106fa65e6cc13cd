/* avx512.c - products on 12 x 32 tiles: 24 accumulators, two vectors of weights, one broadcast. Compiled with
 * AVX-512 flags, run where the processor has it. Each element is one chain of fused multiply-adds over
 * ascending k of a block, for one row and for twelve. */
#if defined(__x86_64__)
#include <immintrin.h>

#include "backend/cpu/avx512_tile.h"
#include "backend/cpu/kernels.h"
#include "backend/weight.h"

#define ROWS                 GR_TILE_ROWS
#define LANES                16
#define GROUP                6
#define MADD(a, b, c)        ((vec)_mm512_fmadd_ps((__m512)(a), (__m512)(b), (__m512)(c)))
#define MADD1(a, b, c)       __builtin_fmaf(a, b, c)
#define MOST(a, b)           ((vec)_mm512_max_ps((__m512)(a), (__m512)(b)))
#define LEAST(a, b)          ((vec)_mm512_min_ps((__m512)(a), (__m512)(b)))
#define TIMES_2_TO(p, n)     ((vec)_mm512_scalef_ps((__m512)(p), (__m512)(n)))
#define STORE_PART(to, v, n) _mm512_mask_storeu_ps(to, (__mmask16)((1u << (n)) - 1), (__m512)(v))
#include "backend/cpu/lanes.h"

/* Weights of one k, widened: outputs 0..15 and 16..31. */
typedef struct {
    __m512 low, high;
} pair;

static inline __attribute__((always_inline)) pair load_f32(const void *panel, size_t k)
{
    const float *w = (const float *)panel + k * GR_PANEL;
    return (pair){ _mm512_loadu_ps(w), _mm512_loadu_ps(w + 16) };
}

static inline __attribute__((always_inline)) pair load_bf16(const void *panel, size_t k)
{
    const __m512i z = _mm512_loadu_si512((const uint16_t *)panel + k * GR_PANEL);
    return (pair){ _mm512_castsi512_ps(_mm512_slli_epi32(z, 16)),
                   _mm512_castsi512_ps(_mm512_and_si512(z, _mm512_set1_epi32((int)0xffff0000u))) };
}

static inline __attribute__((always_inline)) pair load_f16(const void *panel, size_t k)
{
    const __m256i *w = (const __m256i *)(const void *)((const uint16_t *)panel + k * GR_PANEL);
    return (pair){ _mm512_cvtph_ps(_mm256_loadu_si256(w)), _mm512_cvtph_ps(_mm256_loadu_si256(w + 1)) };
}

#define ZERO(i) __m512 low##i = _mm512_setzero_ps(), high##i = _mm512_setzero_ps();
#define STEP(i)                                        \
    {                                                  \
        const __m512 v = _mm512_set1_ps(strip[i]);     \
        low##i = _mm512_fmadd_ps(v, w.low, low##i);    \
        high##i = _mm512_fmadd_ps(v, w.high, high##i); \
    }
#define PUT(i)    \
    if (rows > i) \
        put(out + (size_t)i * ldo, cols, low##i, high##i, first);

#define FOR_TYPE(name, bytes)                                                                                \
    static void strip_##name(float *out, size_t ldo, size_t rows, size_t cols, const float *strip, size_t n, \
                             const void *panel, bool first)                                                  \
    {                                                                                                        \
        EACH12(ZERO)                                                                                         \
        for (size_t k = 0; k < n; k++, strip += ROWS) {                                                      \
            _mm_prefetch((const char *)panel + (k + 12) * GR_PANEL * (bytes), _MM_HINT_T0);                  \
            const pair w = load_##name(panel, k);                                                            \
            EACH12(STEP)                                                                                     \
        }                                                                                                    \
        EACH12(PUT)                                                                                          \
    }                                                                                                        \
    static void row_##name(float *out, size_t cols, const float *x, size_t k, const void *panel)             \
    {                                                                                                        \
        for (size_t k0 = 0; k0 < k; k0 += GR_K_BLOCK) {                                                      \
            const size_t end = k - k0 < GR_K_BLOCK ? k : k0 + GR_K_BLOCK;                                    \
            __m512 low = _mm512_setzero_ps(), high = _mm512_setzero_ps();                                    \
            for (size_t i = k0; i < end; i++) {                                                              \
                _mm_prefetch((const char *)panel + (i + 48) * GR_PANEL * (bytes), _MM_HINT_T0);              \
                const pair w = load_##name(panel, i);                                                        \
                const __m512 v = _mm512_set1_ps(x[i]);                                                       \
                low = _mm512_fmadd_ps(v, w.low, low);                                                        \
                high = _mm512_fmadd_ps(v, w.high, high);                                                     \
            }                                                                                                \
            put(out, cols, low, high, k0 == 0);                                                              \
        }                                                                                                    \
    }
FOR_TYPE(f32, 4)
FOR_TYPE(bf16, 2)
FOR_TYPE(f16, 2)

static float dot(const float *a, const float *b, size_t n)
{
    __m512 sum = _mm512_setzero_ps();
    size_t i = 0;
    for (; i + GR_LANES <= n; i += GR_LANES)
        sum = _mm512_fmadd_ps(_mm512_loadu_ps(a + i), _mm512_loadu_ps(b + i), sum);
    if (i < n) {
        const __mmask16 m = mask_of(n - i, 0);
        sum = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(m, a + i), _mm512_maskz_loadu_ps(m, b + i), sum);
    }
    __m256 half = _mm256_add_ps(_mm512_castps512_ps256(sum), _mm512_extractf32x8_ps(sum, 1));
    __m128 quarter = _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
    quarter = _mm_add_ps(quarter, _mm_movehl_ps(quarter, quarter));
    return _mm_cvtss_f32(_mm_add_ss(quarter, _mm_shuffle_ps(quarter, quarter, 1)));
}

static void axpy(float *y, float s, const float *x, size_t n)
{
    const __m512 v = _mm512_set1_ps(s);
    size_t i = 0;
    for (; i + 16 <= n; i += 16)
        _mm512_storeu_ps(y + i, _mm512_fmadd_ps(v, _mm512_loadu_ps(x + i), _mm512_loadu_ps(y + i)));
    if (i < n) {
        const __mmask16 m = mask_of(n - i, 0);
        _mm512_mask_storeu_ps(
            y + i, m, _mm512_fmadd_ps(v, _mm512_maskz_loadu_ps(m, x + i), _mm512_maskz_loadu_ps(m, y + i)));
    }
}

void gr_kernels_add_avx512(gr_kernels *k)
{
    *k = (gr_kernels){ .name = "AVX-512",
                       .strip = { strip_f32, strip_bf16, strip_f16 },
                       .row = { row_f32, row_bf16, row_f16 },
                       .dot = dot,
                       .axpy = axpy,
                       LANE_KERNELS };
}
#else
typedef int gr_not_x86; /* an empty file is no C */
#endif
