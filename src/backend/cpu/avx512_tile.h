/* avx512_tile.h - what both sets of AVX-512 products share: a tile of 12 rows and 32 columns in registers. */
#ifndef GR_BACKEND_CPU_AVX512_TILE_H
#define GR_BACKEND_CPU_AVX512_TILE_H

#include <immintrin.h>
#include <stdbool.h>
#include <stddef.h>

#define GR_TILE_ROWS 12

/* Lanes that hold columns from .. from + 15 of `cols`. */
static inline __mmask16 mask_of(size_t cols, size_t from)
{
    return cols >= from + 16 ? 0xffff : cols <= from ? 0 : (__mmask16)((1u << (cols - from)) - 1);
}

/* Stores, or adds to what is there, the sums of a row. */
static inline __attribute__((always_inline)) void put(float *out, size_t cols, __m512 low, __m512 high,
                                                      bool first)
{
    const __mmask16 m0 = mask_of(cols, 0), m1 = mask_of(cols, 16);
    if (!first) {
        low = _mm512_add_ps(_mm512_maskz_loadu_ps(m0, out), low);
        high = _mm512_add_ps(_mm512_maskz_loadu_ps(m1, out + 16), high);
    }
    _mm512_mask_storeu_ps(out, m0, low);
    _mm512_mask_storeu_ps(out + 16, m1, high);
}

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

#endif
