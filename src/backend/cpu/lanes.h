/* lanes.h - kernels that are written once for vectors of any width. A set includes it after defining
 *   ROWS        rows of a strip
 *   LANES       floats of a vector: 4, 8 or 16
 *   GROUP       rows that share what is loaded in `scores` and `weigh`
 *   MADD(a, b, c), MADD1(a, b, c)   a * b + c of vectors and of floats, fused or not
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

INLINE vec greater(vec a, vec b) { return choose(a > b, a, b); }

/* Sum of the lanes, halving. */
INLINE float sum_lanes(vec v)
{
    float lane[LANES];
    store(lane, v);
    for (int half = LANES / 2; half > 0; half /= 2)
        for (int l = 0; l < half; l++)
            lane[l] += lane[l + half];
    return lane[0];
}

/* As gr_expf: 2^n times Taylor's polynomial of the rest. 0 below -103.98, infinity above 88.73. */
INLINE vec exp_lanes(vec x)
{
    x = choose(x < all(-104.0f), all(-104.0f), x);
    x = choose(x > all(89.0f), all(89.0f), x);
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
    const ivec e = __builtin_convertvector(n, ivec), half = e >> 1;
    return p * (vec)((half + 127) << 23) * (vec)((e - half + 127) << 23);
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

static float soften(float *s, size_t n, float *top)
{
    vec most = all(*top), sum = all(0);
    float lane[LANES], high = *top;
    for (size_t i = n; i < (n + LANES - 1) / LANES * LANES; i++)
        s[i] = -INFINITY; /* lanes past the end count nothing */
    for (size_t i = 0; i < n; i += LANES)
        most = greater(load(s + i), most);
    store(lane, most);
    for (int l = 0; l < LANES; l++)
        high = lane[l] > high ? lane[l] : high;
    for (size_t i = 0; i < n; i += LANES) {
        const vec p = exp_lanes(load(s + i) - all(high));
        store(s + i, p);
        sum += p;
    }
    *top = high;
    return sum_lanes(sum);
}

/* Rows of x side by side; rows that are not there are zeros. */
static void pack(float *strip, const float *x, size_t ldx, size_t rows, size_t n)
{
    for (size_t r = 0; r < ROWS; r++)
        for (size_t k = 0; k < n; k++)
            strip[k * ROWS + r] = r < rows ? x[r * ldx + k] : 0.0f;
}

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
        for (; r < rows; r++)
            score_group(s + r * GR_KEY_BLOCK + j, q + r * ldq, ldq, 1, d, kt + j, scale);
    }
}

/* o[r][0..width) += sum over keys j0 .. j1 - 1 of p[r][j] v[j], for `rows` rows and `vecs` vectors (constants
 * after inlining). */
INLINE void weigh_group(float *o, size_t ldo, const float *p, size_t j0, size_t j1, const float *v,
                        size_t ldv, const int rows, const int vecs)
{
    vec sum[GROUP][4];
    for (int r = 0; r < rows; r++)
        for (int i = 0; i < vecs; i++)
            sum[r][i] = load(o + (size_t)r * ldo + (size_t)i * LANES);
    for (size_t j = j0; j < j1; j++) {
        vec w[4];
        for (int i = 0; i < vecs; i++)
            w[i] = load(v + j * ldv + (size_t)i * LANES);
        for (int r = 0; r < rows; r++) {
            const vec x = all(p[(size_t)r * GR_KEY_BLOCK + j]);
            for (int i = 0; i < vecs; i++)
                sum[r][i] = MADD(x, w[i], sum[r][i]);
        }
    }
    for (int r = 0; r < rows; r++)
        for (int i = 0; i < vecs; i++)
            store(o + (size_t)r * ldo + (size_t)i * LANES, sum[r][i]);
}

/* All columns of some rows that see the same keys. */
INLINE void weigh_columns(float *o, size_t ldo, const float *p, size_t j0, size_t j1, const float *v,
                          size_t ldv, size_t d, const int rows)
{
    size_t c = 0;
    for (; c + CHUNK <= d; c += CHUNK)
        weigh_group(o + c, ldo, p, j0, j1, v + c, ldv, rows, 4);
    for (; c + LANES <= d; c += LANES)
        weigh_group(o + c, ldo, p, j0, j1, v + c, ldv, rows, 1);
    for (; c < d; c++)
        for (int r = 0; r < rows; r++)
            for (size_t j = j0; j < j1; j++)
                o[(size_t)r * ldo + c] =
                    MADD1(p[(size_t)r * GR_KEY_BLOCK + j], v[j * ldv + c], o[(size_t)r * ldo + c]);
}

/* Rows of a group go together as far as the one that sees fewest keys, then each on its own: the sums of a
 * row are the same either way. */
static void weigh(float *o, size_t ldo, const float *p, const int32_t *n_keys, size_t rows, const float *v,
                  size_t ldv, size_t d)
{
    size_t r = 0;
    for (; r + GROUP <= rows; r += GROUP) {
        int32_t least = n_keys[r];
        for (size_t i = r; i < r + GROUP; i++)
            least = n_keys[i] < least ? n_keys[i] : least;
        weigh_columns(o + r * ldo, ldo, p + r * GR_KEY_BLOCK, 0, (size_t)least, v, ldv, d, GROUP);
        for (size_t i = r; i < r + GROUP; i++)
            if (n_keys[i] > least)
                weigh_columns(o + i * ldo, ldo, p + i * GR_KEY_BLOCK, (size_t)least, (size_t)n_keys[i], v,
                              ldv, d, 1);
    }
    for (; r < rows; r++)
        weigh_columns(o + r * ldo, ldo, p + r * GR_KEY_BLOCK, 0, (size_t)n_keys[r], v, ldv, d, 1);
}

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

#define LANE_KERNELS                                                                                    \
    .strip_rows = ROWS, .pack = pack, .soften = soften, .scores = scores, .weigh = weigh, .gelu = gelu, \
    .silu = silu, .peak = peak
