/* avx512bf16.c - products of bf16 by bf16 summed in f32, two of them an instruction: for graphs that round
 * every value to bf16 as the published code does (--numerics released), and for training in mixed precision.
 * Twice as fast as f32 where the processor has them. Weights stay as they lie: a panel's pairs (output j,
 * output j + 16) of two k become pairs of two k of one output, by a shift and a blend each. */
#if defined(__x86_64__)
#include "backend/cpu/avx512_tile.h"
#include "backend/cpu/kernels.h"
#include "backend/weight.h"

typedef struct {
    __m512bh low, high; /* outputs 0..15 and 16..31, each with both k */
} pairs;

static inline __attribute__((always_inline)) pairs of_two(__m512i a, __m512i b)
{
    const __mmask32 upper = 0xaaaaaaaau;
    return (pairs){ (__m512bh)_mm512_mask_blend_epi16(upper, a, _mm512_slli_epi32(b, 16)),
                    (__m512bh)_mm512_mask_blend_epi16(upper, _mm512_srli_epi32(a, 16), b) };
}

static inline __attribute__((always_inline)) __m512i load(const uint16_t *w) { return _mm512_loadu_si512(w); }

static void to_pairs(float *to, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i += 32, to += 16) {
        const __mmask16 low = mask_of(n - i, 0), high = mask_of(n - i, 16);
        const __m512bh z =
            _mm512_cvtne2ps_pbh(_mm512_maskz_loadu_ps(high, x + i + 16), _mm512_maskz_loadu_ps(low, x + i));
        _mm512_mask_storeu_epi32(to, mask_of((n - i + 1) / 2, 0), (__m512i)z);
    }
}

#define ZERO(i) __m512 low##i = _mm512_setzero_ps(), high##i = _mm512_setzero_ps();
#define STEP(i)                                                                     \
    {                                                                               \
        const __m512bh v = (__m512bh)_mm512_castps_si512(_mm512_set1_ps(strip[i])); \
        low##i = _mm512_dpbf16_ps(low##i, w.low, v);                                \
        high##i = _mm512_dpbf16_ps(high##i, w.high, v);                             \
    }
#define PUT(i)    \
    if (rows > i) \
        put(out + (size_t)i * ldo, cols, low##i, high##i, first);

static void strip_pairs(float *out, size_t ldo, size_t rows, size_t cols, const float *strip, size_t n,
                        const void *panel, bool first)
{
    const uint16_t *at = panel;
    EACH12(ZERO)
    for (size_t k = 0; k + 1 < n; k += 2, strip += GR_TILE_ROWS, at += 2 * GR_PANEL) {
        _mm_prefetch((const char *)(at + 24 * GR_PANEL), _MM_HINT_T0);
        _mm_prefetch((const char *)(at + 25 * GR_PANEL), _MM_HINT_T0);
        const pairs w = of_two(load(at), load(at + GR_PANEL));
        EACH12(STEP)
    }
    if (n % 2) {
        const pairs w = of_two(load(at), _mm512_setzero_si512());
        EACH12(STEP)
    }
    EACH12(PUT)
}

static void row_pairs(float *out, size_t cols, const float *x, size_t k, const void *panel)
{
    float two[GR_K_BLOCK / 2];
    const uint16_t *at = panel;
    for (size_t k0 = 0; k0 < k; k0 += GR_K_BLOCK) {
        const size_t n = k - k0 < GR_K_BLOCK ? k - k0 : GR_K_BLOCK;
        __m512 low = _mm512_setzero_ps(), high = _mm512_setzero_ps();
        to_pairs(two, x + k0, n);
        for (size_t i = 0; i < n; i += 2, at += 2 * GR_PANEL) {
            _mm_prefetch((const char *)(at + 48 * GR_PANEL), _MM_HINT_T0);
            _mm_prefetch((const char *)(at + 49 * GR_PANEL), _MM_HINT_T0);
            const pairs w = of_two(load(at), i + 1 < n ? load(at + GR_PANEL) : _mm512_setzero_si512());
            const __m512bh v = (__m512bh)_mm512_castps_si512(_mm512_set1_ps(two[i / 2]));
            low = _mm512_dpbf16_ps(low, w.low, v);
            high = _mm512_dpbf16_ps(high, w.high, v);
        }
        put(out, cols, low, high, k0 == 0);
    }
}

static void strip_paired(float *out, size_t ldo, size_t rows, size_t cols, const float *strip, size_t n,
                         const void *panel, bool first)
{
    const float *at = panel;
    EACH12(ZERO)
    for (size_t k = 0; k < n; k += 2, strip += GR_TILE_ROWS, at += GR_PANEL) {
        const pairs w = { (__m512bh)_mm512_loadu_si512(at), (__m512bh)_mm512_loadu_si512(at + 16) };
        EACH12(STEP)
    }
    EACH12(PUT)
}

static void pair_rows(float *to, const float *a, const float *b, size_t n)
{
    for (size_t i = 0; i < n; i += 16) {
        const __mmask16 m = mask_of(n, i);
        const __m512i low =
            _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(m, a + i)));
        const __m512i high =
            b ? _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(m, b + i)))
              : _mm512_setzero_si512();
        _mm512_mask_storeu_epi32(to + i, m, _mm512_or_si512(low, _mm512_slli_epi32(high, 16)));
    }
}

void gr_kernels_add_avx512bf16(gr_kernels *k)
{
    k->name = "AVX-512 BF16";
    k->to_pairs = to_pairs;
    k->strip_pairs = strip_pairs;
    k->row_pairs = row_pairs;
    k->strip_paired = strip_paired;
    k->pair_rows = pair_rows;
}
#else
typedef int gr_not_x86; /* an empty file is no C */
#endif
