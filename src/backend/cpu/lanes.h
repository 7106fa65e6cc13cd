/* lanes.h - kernels that are written once for vectors of any width. A set includes it after defining
 *   ROWS        rows of a strip
 *   LANES       floats of a vector: 4, 8 or 16
 *   GROUP       rows, or keys, that share what is loaded in attention
 *   MADD(a, b, c), MADD1(a, b, c)   a * b + c of vectors and of floats, fused or not
 * and, where it has an instruction for them,
 *   MOST(a, b), LEAST(a, b)   a > b ? a : b and a < b ? a : b
 *   TIMES_2_TO(p, n)          p 2^n for whole numbers n of any size
 *   STORE_PART(to, v, n)      the first n < LANES lanes
 * and gets static functions of the types in kernels.h. Vectors are GNU C's: every lane is ordinary
 * arithmetic. */
#include <math.h>
#include <string.h>

#include "backend/cpu/kernels.h"

typedef float vec __attribute__((vector_size(LANES * 4)));
typedef int32_t ivec __attribute__((vector_size(LANES * 4)));

#define INLINE static inline __attribute__((always_inline))

INLINE vec load(const float *p)
{
    vec v;
    memcpy(&v, p, sizeof v);
    return v;
}

INLINE void store(float *p, vec v) { memcpy(p, &v, sizeof v); }

INLINE vec all(float x) { return x - (vec){ 0 }; }

/* a where the mask is set, else b. */
INLINE vec choose(ivec mask, vec a, vec b) { return (vec)(((ivec)a & mask) | ((ivec)b & ~mask)); }

#ifndef MOST
#define MOST(a, b)  choose((a) > (b), a, b)
#define LEAST(a, b) choose((a) < (b), a, b)
#endif
#ifndef TIMES_2_TO
/* In two steps, as 2^n itself may be too large or too small. */
INLINE vec times_2_to(vec p, vec n)
{
    const ivec e = __builtin_convertvector(n, ivec), half = e >> 1;
    return p * (vec)((half + 127) << 23) * (vec)((e - half + 127) << 23);
}
#define TIMES_2_TO(p, n) times_2_to(p, n)
#endif
#ifndef STORE_PART
#define STORE_PART(to, v, n)                     \
    do {                                         \
        const vec part_ = (v);                   \
        memcpy(to, &part_, (n) * sizeof(float)); \
    } while (0)
#endif

/* As gr_expf: 2^n times Taylor's polynomial of the rest. 0 below -103.98, infinity above 88.73; NaN stays. */
INLINE vec exp_lanes(vec x)
{
    x = MOST(all(-104.0f), x);
    x = LEAST(all(89.0f), x);
    const vec n = MADD(x, all(1.44269504f), all(12582912.0f)) - all(12582912.0f);
    const vec r = MADD(n, all(-0x1.7f7d1cp-20f), MADD(n, all(-0x1.62e4p-1f), x));
    vec p = all(1.0f / 5040);
    p = MADD(p, r, all(1.0f / 720));
    p = MADD(p, r, all(1.0f / 120));
    p = MADD(p, r, all(1.0f / 24));
    p = MADD(p, r, all(1.0f / 6));
    p = MADD(p, r, all(0.5f));
    p = MADD(p, r, all(1.0f));
    p = MADD(p, r, all(1.0f));
    return TIMES_2_TO(p, n);
}

/* As gr_erfcf. */
INLINE vec erfc_lanes(vec x)
{
    const vec a = choose(x < all(0), -x, x), t = x * x, u = a - all(2.5f);
    vec p = all(7.882497448008507e-05f);
    p = MADD(p, t, all(-0.0008018855005502701f));
    p = MADD(p, t, all(0.005189312156289816f));
    p = MADD(p, t, all(-0.02685432881116867f));
    p = MADD(p, t, all(0.11283597350120544f));
    p = MADD(p, t, all(-0.3761262595653534f));
    p = MADD(p, t, all(1.1283791065216064f));
    vec q = all(-1.6140616025950294e-06f);
    q = MADD(q, u, all(1.3309389942151029e-05f));
    q = MADD(q, u, all(-7.739442662568763e-05f));
    q = MADD(q, u, all(0.0004201445553917438f));
    q = MADD(q, u, all(-0.0021651603747159243f));
    q = MADD(q, u, all(0.01085851714015007f));
    q = MADD(q, u, all(0.9438936114311218f));
    q = MADD(q, u, all(5.352680683135986f));
    q = MADD(q, u, all(7.806815147399902f));
    const vec tail = choose(a < all(4.0f), exp_lanes(-q), all(0));
    return choose(a < all(1.0f), all(1.0f) - x * p, choose(x > all(0), tail, all(2.0f) - tail));
}

INLINE vec gelu_lanes(vec x) { return x * (all(0.5f) * erfc_lanes(x * all(-0.70710678f))); }
INLINE vec silu_lanes(vec x) { return x / (all(1.0f) + exp_lanes(-x)); }

/* Phi(x) + x phi(x), and the slope of x s with s = 1 / (1 + exp(-x)). */
INLINE vec gelu_slope_lanes(vec x)
{
    const vec phi = all(0.39894228f) * exp_lanes(all(-0.5f) * x * x);
    return all(0.5f) * erfc_lanes(x * all(-0.70710678f)) + x * phi;
}
INLINE vec silu_slope_lanes(vec x)
{
    const vec s = all(1.0f) / (all(1.0f) + exp_lanes(-x));
    return s * (all(1.0f) + x * (all(1.0f) - s));
}

/* A row by whole vectors, its rest in a vector of its own. */
#define MAP(name)                                        \
    static void name(float *y, const float *x, size_t n) \
    {                                                    \
        size_t i = 0;                                    \
        for (; i + LANES <= n; i += LANES)               \
            store(y + i, name##_lanes(load(x + i)));     \
        if (i < n) {                                     \
            float rest[LANES] = { 0 };                   \
            memcpy(rest, x + i, (n - i) * sizeof *rest); \
            store(rest, name##_lanes(load(rest)));       \
            memcpy(y + i, rest, (n - i) * sizeof *rest); \
        }                                                \
    }
MAP(gelu)
MAP(silu)

#define MAP_GRAD(name)                                                            \
    static void name##_grad(float *dx, const float *dy, const float *x, size_t n) \
    {                                                                             \
        size_t i = 0;                                                             \
        for (; i + LANES <= n; i += LANES)                                        \
            store(dx + i, load(dy + i) * name##_slope_lanes(load(x + i)));        \
        if (i < n) {                                                              \
            float rest[LANES] = { 0 }, given[LANES] = { 0 };                      \
            memcpy(rest, x + i, (n - i) * sizeof *rest);                          \
            memcpy(given, dy + i, (n - i) * sizeof *given);                       \
            store(rest, load(given) * name##_slope_lanes(load(rest)));            \
            memcpy(dx + i, rest, (n - i) * sizeof *rest);                         \
        }                                                                         \
    }
MAP_GRAD(gelu)
MAP_GRAD(silu)

static void exp_from(float *y, const float *x, size_t n, float from)
{
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        store(y + i, exp_lanes(load(x + i) - all(from)));
    if (i < n) {
        float rest[LANES] = { 0 };
        memcpy(rest, x + i, (n - i) * sizeof *rest);
        store(rest, exp_lanes(load(rest) - all(from)));
        memcpy(y + i, rest, (n - i) * sizeof *rest);
    }
}

/* --- norms --------------------------------------------------------------------------------------------- */

typedef double dvec __attribute__((vector_size(LANES * 4))); /* half as many doubles */
typedef float hvec __attribute__((vector_size(LANES * 2)));

INLINE dvec widen(const float *p)
{
    hvec v;
    memcpy(&v, p, sizeof v);
    return __builtin_convertvector(v, dvec);
}

#define WIDE      (LANES / 2)
#define WIDE_SUMS (GR_LANES / WIDE)

/* Sum of (x[i] - from)^power in double; lane l of GR_LANES takes elements l, l + GR_LANES, ... */
INLINE double power_sum(const float *x, size_t n, double from, const int power)
{
    dvec sum[WIDE_SUMS];
    double lane[GR_LANES];
    size_t i = 0;
    for (size_t w = 0; w < WIDE_SUMS; w++)
        sum[w] = (dvec){ 0 };
    for (; i + GR_LANES <= n; i += GR_LANES)
        for (size_t w = 0; w < WIDE_SUMS; w++) {
            const dvec d = widen(x + i + w * WIDE) - from;
            sum[w] += power == 1 ? d : d * d;
        }
    memcpy(lane, sum, sizeof lane);
    for (size_t l = 0; i < n; i++, l++) {
        const double d = (double)x[i] - from;
        lane[l] += power == 1 ? d : d * d;
    }
    for (int half = GR_LANES / 2; half > 0; half /= 2)
        for (int l = 0; l < half; l++)
            lane[l] += lane[l + half];
    return lane[0];
}

static double row_sum(const float *x, size_t n) { return power_sum(x, n, 0, 1); }
static double row_squares(const float *x, size_t n, double from) { return power_sum(x, n, from, 2); }

/* --- rows side by side --------------------------------------------------------------------------------- */

/* One step of a transposition: of vectors a and b, the lanes whose number has bit S clear go to a, those that
 * have it set go to b. CLEAR and SET list them among the lanes of a and b. */
#if LANES == 16
#define CLEAR8 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23
#define SET8   8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31
#define CLEAR4 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27
#define SET4   4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31
#define CLEAR2 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29
#define SET2   2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31
#define CLEAR1 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30
#define SET1   1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31
#elif LANES == 8
#define CLEAR4 0, 1, 2, 3, 8, 9, 10, 11
#define SET4   4, 5, 6, 7, 12, 13, 14, 15
#define CLEAR2 0, 1, 8, 9, 4, 5, 12, 13
#define SET2   2, 3, 10, 11, 6, 7, 14, 15
#define CLEAR1 0, 8, 2, 10, 4, 12, 6, 14
#define SET1   1, 9, 3, 11, 5, 13, 7, 15
#else
#define CLEAR2 0, 1, 4, 5
#define SET2   2, 3, 6, 7
#define CLEAR1 0, 4, 2, 6
#define SET1   1, 5, 3, 7
#endif
#define EXCHANGE(S)                                             \
    for (int i = 0; i < LANES; i++)                             \
        if (!(i & (S))) {                                       \
            const vec a = v[i], b = v[i | (S)];                 \
            v[i] = __builtin_shufflevector(a, b, CLEAR##S);     \
            v[i | (S)] = __builtin_shufflevector(a, b, SET##S); \
        }

INLINE void transpose_lanes(vec v[LANES])
{
#if LANES == 16
    EXCHANGE(8)
#endif
#if LANES >= 8
    EXCHANGE(4)
#endif
    EXCHANGE(2)
    EXCHANGE(1)
}

/* Columns k .. k + LANES - 1 of up to LANES rows. */
INLINE void transpose_tile(float *to, size_t ldto, const float *x, size_t ldx, size_t rows)
{
    vec v[LANES];
    for (size_t r = 0; r < LANES; r++)
        v[r] = r < rows ? load(x + r * ldx) : all(0);
    transpose_lanes(v);
    for (size_t k = 0; k < LANES; k++)
        if (rows == LANES)
            store(to + k * ldto, v[k]);
        else
            STORE_PART(to + k * ldto, v[k], rows);
}

static void transpose(float *to, size_t ldto, const float *x, size_t ldx, size_t rows, size_t n)
{
    for (size_t r = 0; r < rows; r += LANES) {
        const size_t m = rows - r < LANES ? rows - r : LANES;
        size_t k = 0;
        for (; k + LANES <= n; k += LANES)
            if (m == LANES)
                transpose_tile(to + k * ldto + r, ldto, x + r * ldx + k, ldx, LANES);
            else if (m == ROWS % LANES) /* the end of a strip: a constant */
                transpose_tile(to + k * ldto + r, ldto, x + r * ldx + k, ldx, ROWS % LANES);
            else
                transpose_tile(to + k * ldto + r, ldto, x + r * ldx + k, ldx, m);
        for (; k < n; k++)
            for (size_t i = r; i < r + m; i++)
                to[k * ldto + i] = x[i * ldx + k];
    }
}

/* --- attention: few rows, lanes are keys -----------------------------------------------------------------
 */

#define CHUNK (4 * LANES) /* what four accumulators of a row hold */

/* Scores of `rows` (a constant after inlining) rows against one chunk of keys. */
INLINE void score_group(float *s, const float *q, size_t ldq, const int rows, size_t d, const float *kt,
                        float scale)
{
    vec sum[GROUP][4];
    for (int r = 0; r < rows; r++)
        for (int i = 0; i < 4; i++)
            sum[r][i] = all(0);
    for (size_t c = 0; c < d; c++, kt += GR_KEY_BLOCK) {
        const vec k0 = load(kt), k1 = load(kt + LANES), k2 = load(kt + 2 * LANES), k3 = load(kt + 3 * LANES);
        for (int r = 0; r < rows; r++) {
            const vec v = all(q[(size_t)r * ldq + c]);
            sum[r][0] = MADD(v, k0, sum[r][0]);
            sum[r][1] = MADD(v, k1, sum[r][1]);
            sum[r][2] = MADD(v, k2, sum[r][2]);
            sum[r][3] = MADD(v, k3, sum[r][3]);
        }
    }
    for (int r = 0; r < rows; r++)
        for (size_t i = 0; i < 4; i++)
            store(s + (size_t)r * GR_KEY_BLOCK + i * LANES, sum[r][i] * all(scale));
}

static void scores(float *s, const float *q, size_t ldq, size_t rows, size_t d, const float *kt, float scale)
{
    for (size_t j = 0; j < GR_KEY_BLOCK; j += CHUNK) {
        size_t r = 0;
        for (; r + GROUP <= rows; r += GROUP)
            score_group(s + r * GR_KEY_BLOCK + j, q + r * ldq, ldq, GROUP, d, kt + j, scale);
        for (; r + 2 <= rows; r += 2)
            score_group(s + r * GR_KEY_BLOCK + j, q + r * ldq, ldq, 2, d, kt + j, scale);
        for (; r < rows; r++)
            score_group(s + r * GR_KEY_BLOCK + j, q + r * ldq, ldq, 1, d, kt + j, scale);
    }
}

/* Lane l of GR_LANES sums weights l, l + GR_LANES, ...; then the lanes are added pairwise, halving. */
static float soften(float *s, size_t n, float *top, float *keep)
{
    vec most = all(*top), sum[GR_LANES / LANES];
    float lane[GR_LANES], high = *top;
    for (size_t j = n; j < (n + GR_LANES - 1) / GR_LANES * GR_LANES; j++)
        s[j] = -INFINITY; /* lanes past the end count nothing */
    for (size_t j = 0; j < n; j += LANES)
        most = MOST(load(s + j), most);
    store(lane, most);
    for (int l = 0; l < LANES; l++)
        high = lane[l] > high ? lane[l] : high;
    for (size_t i = 0; i < GR_LANES / LANES; i++)
        sum[i] = all(0);
    for (size_t j = 0; j < n; j += GR_LANES)
        for (size_t i = 0; i < GR_LANES / LANES; i++) {
            const vec p = exp_lanes(load(s + j + i * LANES) - all(high));
            store(s + j + i * LANES, p);
            sum[i] += p;
        }
    for (size_t i = 0; i < GR_LANES / LANES; i++)
        store(lane + i * LANES, sum[i]);
    for (int half = GR_LANES / 2; half > 0; half /= 2)
        for (int l = 0; l < half; l++)
            lane[l] += lane[l + half];
    float kept[LANES];
    store(kept, exp_lanes(all(*top - high)));
    *keep = kept[0];
    *top = high;
    return lane[0];
}

/* o[r][0..width) = keep[r] o[r] + sum over keys j0 .. j1 - 1 of the weight of key j for row r times v[j], for
 * `rows` rows and `vecs` vectors; without `keep` the row is taken as it is. All constants after inlining. */
INLINE void weigh_group(float *o, size_t ldo, const float *keep, const float *p, size_t p_row, size_t p_key,
                        size_t j0, size_t j1, const float *v, size_t ldv, const int rows, const int vecs)
{
    vec sum[GROUP][4];
    for (int r = 0; r < rows; r++)
        for (int i = 0; i < vecs; i++) {
            sum[r][i] = load(o + (size_t)r * ldo + (size_t)i * LANES);
            if (keep)
                sum[r][i] *= all(keep[r]);
        }
    for (size_t j = j0; j < j1; j++) {
        vec w[4];
        for (int i = 0; i < vecs; i++)
            w[i] = load(v + j * ldv + (size_t)i * LANES);
        for (int r = 0; r < rows; r++) {
            const vec x = all(p[(size_t)r * p_row + j * p_key]);
            for (int i = 0; i < vecs; i++)
                sum[r][i] = MADD(x, w[i], sum[r][i]);
        }
    }
    for (int r = 0; r < rows; r++)
        for (int i = 0; i < vecs; i++)
            store(o + (size_t)r * ldo + (size_t)i * LANES, sum[r][i]);
}

/* All columns of some rows that see the same keys. */
INLINE void weigh_columns(float *o, size_t ldo, const float *keep, const float *p, size_t p_row, size_t p_key,
                          size_t j0, size_t j1, const float *v, size_t ldv, size_t d, const int rows)
{
    size_t c = 0;
    for (; c + CHUNK <= d; c += CHUNK)
        weigh_group(o + c, ldo, keep, p, p_row, p_key, j0, j1, v + c, ldv, rows, 4);
    for (; c + LANES <= d; c += LANES)
        weigh_group(o + c, ldo, keep, p, p_row, p_key, j0, j1, v + c, ldv, rows, 1);
    for (; c < d; c++)
        for (int r = 0; r < rows; r++) {
            float sum = o[(size_t)r * ldo + c] * (keep ? keep[r] : 1.0f);
            for (size_t j = j0; j < j1; j++)
                sum = MADD1(p[(size_t)r * p_row + j * p_key], v[j * ldv + c], sum);
            o[(size_t)r * ldo + c] = sum;
        }
}

/* Rows of a group (a constant after inlining) go together as far as the one that sees fewest keys, then each
 * on its own: the sums of a row are the same either way. */
INLINE void weigh_some(float *o, size_t ldo, const float *keep, const float *p, size_t p_row, size_t p_key,
                       const int32_t *n_keys, const float *v, size_t ldv, size_t d, const int rows)
{
    int32_t least = n_keys[0];
    for (int r = 1; r < rows; r++)
        least = n_keys[r] < least ? n_keys[r] : least;
    weigh_columns(o, ldo, keep, p, p_row, p_key, 0, (size_t)least, v, ldv, d, rows);
    for (size_t r = 0; r < (size_t)rows; r++)
        if (n_keys[r] > least)
            weigh_columns(o + r * ldo, ldo, NULL, p + r * p_row, p_row, p_key, (size_t)least,
                          (size_t)n_keys[r], v, ldv, d, 1);
}

INLINE void weigh_rows(float *o, size_t ldo, const float *keep, const float *p, size_t p_row, size_t p_key,
                       const int32_t *n_keys, size_t rows, const float *v, size_t ldv, size_t d)
{
    size_t r = 0;
    for (; r + GROUP <= rows; r += GROUP)
        weigh_some(o + r * ldo, ldo, keep + r, p + r * p_row, p_row, p_key, n_keys + r, v, ldv, d, GROUP);
    for (; r + 2 <= rows; r += 2)
        weigh_some(o + r * ldo, ldo, keep + r, p + r * p_row, p_row, p_key, n_keys + r, v, ldv, d, 2);
    for (; r < rows; r++)
        weigh_some(o + r * ldo, ldo, keep + r, p + r * p_row, p_row, p_key, n_keys + r, v, ldv, d, 1);
}

static void weigh(float *o, size_t ldo, const float *keep, const float *p, const int32_t *n_keys, size_t rows,
                  const float *v, size_t ldv, size_t d)
{
    weigh_rows(o, ldo, keep, p, GR_KEY_BLOCK, 1, n_keys, rows, v, ldv, d);
}

/* --- attention: many rows, lanes are rows ----------------------------------------------------------------
 */

/* Scores of `keys` keys against the rows of `vecs` vectors; constants after inlining. */
INLINE void score_keys(float *s, const float *qt, size_t d, const float *k, size_t key_step, size_t col_step,
                       float scale, const int keys, const int vecs)
{
    vec sum[GROUP][4];
    for (int j = 0; j < keys; j++)
        for (int i = 0; i < vecs; i++)
            sum[j][i] = all(0);
    for (size_t c = 0; c < d; c++, qt += GR_QUERY_BLOCK, k += col_step) {
        vec q[4];
        for (int i = 0; i < vecs; i++)
            q[i] = load(qt + (size_t)i * LANES);
        for (int j = 0; j < keys; j++) {
            const vec x = all(k[(size_t)j * key_step]);
            for (int i = 0; i < vecs; i++)
                sum[j][i] = MADD(x, q[i], sum[j][i]);
        }
    }
    for (int j = 0; j < keys; j++)
        for (int i = 0; i < vecs; i++)
            store(s + (size_t)j * GR_QUERY_BLOCK + (size_t)i * LANES, sum[j][i] * all(scale));
}

INLINE void score_lanes(float *s, const float *qt, size_t d, const float *k, size_t key_step, size_t col_step,
                        size_t n, float scale, const int vecs)
{
    size_t j = 0;
    for (; j + GROUP <= n; j += GROUP)
        score_keys(s + j * GR_QUERY_BLOCK, qt, d, k + j * key_step, key_step, col_step, scale, GROUP, vecs);
    for (; j + 2 <= n; j += 2)
        score_keys(s + j * GR_QUERY_BLOCK, qt, d, k + j * key_step, key_step, col_step, scale, 2, vecs);
    for (; j < n; j++)
        score_keys(s + j * GR_QUERY_BLOCK, qt, d, k + j * key_step, key_step, col_step, scale, 1, vecs);
}

static void scores_many(float *s, const float *qt, size_t rows, size_t d, const float *k, size_t key_step,
                        size_t col_step, size_t n, float scale)
{
    size_t r = 0;
    for (; r + 3 * LANES < rows; r += CHUNK)
        score_lanes(s + r, qt + r, d, k, key_step, col_step, n, scale, 4);
    for (; r < rows; r += LANES)
        score_lanes(s + r, qt + r, d, k, key_step, col_step, n, scale, 1);
}

/* Keys that a row does not see weigh nothing. */
INLINE void hide_unseen(float *s, size_t n, const int32_t *seen)
{
    ivec last, key;
    int32_t least = (int32_t)n;
    memcpy(&last, seen, sizeof last);
    for (int l = 0; l < LANES; l++)
        least = seen[l] < least ? seen[l] : least;
    for (size_t j = (size_t)least; j < n; j++) {
        key = (int32_t)j - (ivec){ 0 };
        store(s + j * GR_QUERY_BLOCK, choose(key < last, load(s + j * GR_QUERY_BLOCK), all(-INFINITY)));
    }
}

static void soften_many(float *s, size_t rows, size_t n, const int32_t *seen, float *top, float *sum,
                        float *keep)
{
    for (size_t r = 0; r < rows; r += LANES, s += LANES) {
        const vec before = load(top + r);
        vec most = before, part[GR_LANES];
        hide_unseen(s, n, seen + r);
        for (size_t j = 0; j < n; j++)
            most = MOST(load(s + j * GR_QUERY_BLOCK), most);
        for (size_t l = 0; l < GR_LANES; l++) {
            part[l] = all(0);
            for (size_t j = l; j < n; j += GR_LANES) {
                const vec p = exp_lanes(load(s + j * GR_QUERY_BLOCK) - most);
                store(s + j * GR_QUERY_BLOCK, p);
                part[l] += p;
            }
        }
        for (size_t half = GR_LANES / 2; half > 0; half /= 2)
            for (size_t l = 0; l < half; l++)
                part[l] += part[l + half];
        const vec kept = exp_lanes(before - most);
        store(top + r, most);
        store(keep + r, kept);
        store(sum + r, load(sum + r) * kept + part[0]);
    }
}

static void weigh_many(float *o, const float *keep, const float *p, const int32_t *seen, size_t rows,
                       const float *v, size_t ldv, size_t d)
{
    weigh_rows(o, d, keep, p, 1, GR_QUERY_BLOCK, seen, rows, v, ldv, d);
}

static void column_products(float *y, const float *a, const float *b, size_t d)
{
    for (size_t r = 0; r < GR_QUERY_BLOCK; r += LANES) {
        vec sum = all(0);
        for (size_t c = 0; c < d; c++)
            sum = MADD(load(a + c * GR_QUERY_BLOCK + r), load(b + c * GR_QUERY_BLOCK + r), sum);
        store(y + r, sum);
    }
}

static void weights_grad(float *s, float *g, size_t n, const int32_t *seen, const float *minus_lse,
                         const float *delta, float scale)
{
    for (size_t r = 0; r < GR_QUERY_BLOCK; r += LANES, s += LANES, g += LANES) {
        const vec lse = load(minus_lse + r), less = load(delta + r);
        hide_unseen(s, n, seen + r);
        for (size_t j = 0; j < n; j++) {
            const vec p = exp_lanes(load(s + j * GR_QUERY_BLOCK) + lse);
            store(s + j * GR_QUERY_BLOCK, p);
            store(g + j * GR_QUERY_BLOCK, p * (load(g + j * GR_QUERY_BLOCK) - less) * all(scale));
        }
    }
}

/* --- what could be reached ------------------------------------------------------------------------------ */

/* Chains of `peak`: enough that no multiply-add waits for the one before it (two or four units with a latency
 * of four), few enough for the registers there are. */
#if defined(__x86_64__)
#define CHAINS 12
#else
#define CHAINS 24
#endif

/* Every chain tends to one, so that no value leaves the ordinary numbers; none begins there, where the
 * compiler would see that nothing changes. */
static double peak(float *sum, size_t n)
{
    const vec shrink = all(0.75f), grow = all(0.25f);
    vec chain[CHAINS], total = all(0);
    for (int i = 0; i < CHAINS; i++)
        chain[i] = all((float)(i + 2));
    for (size_t k = 0; k < n; k++)
        for (int i = 0; i < CHAINS; i++)
            chain[i] = MADD(chain[i], shrink, grow);
    for (int i = 0; i < CHAINS; i++)
        total += chain[i];
    *sum = total[0];
    return 2.0 * CHAINS * LANES * (double)n;
}

#define LANE_KERNELS                                                                                \
    .strip_rows = ROWS, .transpose = transpose, .soften = soften, .scores = scores, .weigh = weigh, \
    .scores_many = scores_many, .soften_many = soften_many, .weigh_many = weigh_many, .gelu = gelu, \
    .silu = silu, .gelu_grad = gelu_grad, .silu_grad = silu_grad, .exp_from = exp_from,             \
    .weights_grad = weights_grad, .column_products = column_products, .sum = row_sum,               \
    .squares = row_squares, .peak = peak
