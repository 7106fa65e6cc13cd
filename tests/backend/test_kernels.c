/* Every kernel set that this processor runs, held to the sums that kernels.h states: where it gives an order,
 * a plain loop in that order has the very same bits, for numbers of every size; functions are compared with
 * double. All arrays end at an unreadable page, and what lies between and before them is looked at. */
#include "test.h"

#include "backend/weight.h"
#include "base/half.h"
#include "support/kernel_sets.h"

enum { ROWS = 13, MOST_K = 1025, GAP = 3 }; /* of the largest product; floats between rows of x */

static const gr_dtype types[] = { GR_DTYPE_F32, GR_DTYPE_BF16, GR_DTYPE_F16 };
enum { N_TYPES = sizeof types / sizeof *types };

static const float unwritten = 12345;

static void fill(float *to, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = unwritten;
}

/* --- the table ----------------------------------------------------------------------------------------- */

static void a_set_is_complete_and_is_chosen_by_the_mask(void **state)
{
    (void)state;
    gr_kernels k;
    for (size_t s = 0; s < n_kernel_sets; s++) {
        const bool runs = kernel_set_open(&kernel_sets[s], &k);
        if (runs)
            assert_string_equal(k.name, kernel_sets[s].name);
        assert_in_range(k.strip_rows, 1, GR_STRIP_MAX);
        for (size_t t = 0; t < N_TYPES; t++)
            assert_true(k.strip[t] && k.row[t]);
        assert_true(k.transpose && k.scores && k.soften && k.weigh && k.scores_many && k.soften_many &&
                    k.weigh_many && k.column_products && k.weights_grad && k.gelu && k.silu && k.gelu_grad &&
                    k.silu_grad && k.exp_from && k.sum && k.squares && k.dot && k.axpy && k.peak);
    }
    gr_kernels_init(&k, ~gr_cpu_features()); /* what this processor has not is not used */
    assert_string_equal(k.name, "plain C");
}

/* --- products ------------------------------------------------------------------------------------------ */

/* Rows times one panel: operands in guarded memory and, in `want`, what every set of this kind has to give.
 */
typedef struct {
    const kernel_set *set;
    const number_kind *kind;
    gr_kernels k;
    gr_dtype dtype;
    size_t n, ldx;
    float *x;    /* [ROWS][ldx], the last row without its gap */
    void *panel; /* [n][GR_PANEL] as weight.h has it */
    float want[ROWS][GR_PANEL];
    fence x_fence, panel_fence, strip_fence, out_fence;
} product;

static float to_panel(void *panel, gr_dtype dtype, size_t k, size_t output, float value)
{
    const size_t at = k * GR_PANEL + gr_panel_slot(dtype, output);
    const uint16_t half = dtype == GR_DTYPE_BF16 ? gr_bf16_from_f32(value) : gr_f16_from_f32(value);
    if (dtype == GR_DTYPE_F32)
        ((float *)panel)[at] = value;
    else
        ((uint16_t *)panel)[at] = half;
    return dtype == GR_DTYPE_F32    ? value
           : dtype == GR_DTYPE_BF16 ? gr_f32_from_bf16(half)
                                    : gr_f32_from_f16(half);
}

/* Blocks of GR_K_BLOCK, each from zero over ascending k. */
static float sum_in_blocks(const kernel_set *set, const float *x, const float *w, size_t n)
{
    float total = 0;
    for (size_t k0 = 0; k0 < n; k0 += GR_K_BLOCK) {
        float sum = 0;
        for (size_t k = k0; k < n && k < k0 + GR_K_BLOCK; k++)
            sum = kernel_step(set, x[k], w[k * GR_PANEL], sum);
        total = k0 == 0 ? sum : total + sum;
    }
    return total;
}

static void product_draw(product *p, gr_dtype dtype, const number_kind *kind, size_t n)
{
    static float plain[MOST_K * GR_PANEL];
    p->dtype = dtype, p->kind = kind, p->n = n, p->ldx = n + GAP;
    p->x = fence_place(&p->x_fence, ((ROWS - 1) * p->ldx + n) * sizeof(float), n % 2 * 4);
    p->panel = fence_place(&p->panel_fence, n * GR_PANEL * gr_dtype_bytes(dtype), 0);
    for (size_t i = 0; i < (ROWS - 1) * p->ldx + n; i++)
        p->x[i] = kind->draw(6, i);
    for (size_t i = 0; i < n * GR_PANEL; i++)
        plain[i] = to_panel(p->panel, dtype, i / GR_PANEL, i % GR_PANEL, kind->draw(5, i));
    for (size_t r = 0; r < ROWS; r++)
        for (size_t c = 0; c < GR_PANEL; c++)
            p->want[r][c] = sum_in_blocks(p->set, p->x + r * p->ldx, plain + c, n);
}

static void product_open(product *p, const kernel_set *set)
{
    p->set = set;
    fence_open(&p->x_fence, ROWS * (MOST_K + GAP) * sizeof(float));
    fence_open(&p->panel_fence, MOST_K * GR_PANEL * sizeof(float));
    fence_open(&p->strip_fence, GR_STRIP_MAX * GR_K_BLOCK * sizeof(float));
    fence_open(&p->out_fence, ROWS * 2 * GR_PANEL * sizeof(float));
}

static void product_close(product *p)
{
    fence_close(&p->x_fence);
    fence_close(&p->panel_fence);
    fence_close(&p->strip_fence);
    fence_close(&p->out_fence);
}

/* One block of k for one strip, the way gr_linear does it. */
static void one_strip(product *p, float *out, size_t ldo, size_t rows, size_t cols, const float *x, size_t k0)
{
    const size_t n = p->n - k0 < GR_K_BLOCK ? p->n - k0 : GR_K_BLOCK;
    float *strip = fence_place(&p->strip_fence, (size_t)p->k.strip_rows * n * sizeof(float), k0 % 3 * 4);
    p->k.transpose(strip, (size_t)p->k.strip_rows, x + k0, p->ldx, rows, n);
    assert_true(fence_whole(&p->strip_fence));
    p->k.strip[gr_panel_index(p->dtype)](out, ldo, rows, cols, strip, n,
                                         (const uint8_t *)p->panel + k0 * GR_PANEL * gr_dtype_bytes(p->dtype),
                                         k0 == 0);
}

/* The last `rows` rows of x, the first `cols` outputs. */
static void check_strips(product *p, size_t rows, size_t cols)
{
    const size_t ldo = cols + 1 + rows % 4, n_out = (rows - 1) * ldo + cols, r0 = ROWS - rows;
    float *out = fence_place(&p->out_fence, n_out * sizeof(float), cols % 2 * 4);
    fill(out, n_out);
    for (size_t r = 0; r < rows; r += (size_t)p->k.strip_rows)
        for (size_t k0 = 0; k0 < p->n; k0 += GR_K_BLOCK) {
            const size_t left = rows - r, tall = (size_t)p->k.strip_rows;
            one_strip(p, out + r * ldo, ldo, left < tall ? left : tall, cols, p->x + (r0 + r) * p->ldx, k0);
        }
    for (size_t i = 0; i < n_out; i++) {
        const size_t r = i / ldo, c = i % ldo;
        SAME(p->set, out[i], c < cols ? p->want[r0 + r][c] : unwritten,
             "strips of %s %s numbers, %zu x %zu x %zu, row %zu column %zu", gr_dtype_name(p->dtype),
             p->kind->name, rows, cols, p->n, r, c);
    }
    assert_true(fence_whole(&p->out_fence));
}

static void check_row(product *p, size_t r, size_t cols)
{
    float *out = fence_place(&p->out_fence, cols * sizeof(float), r % 2 * 4);
    fill(out, cols);
    p->k.row[gr_panel_index(p->dtype)](out, cols, p->x + r * p->ldx, p->n, p->panel);
    for (size_t c = 0; c < cols; c++)
        SAME(p->set, out[c], p->want[r][c], "a row of %s %s numbers, 1 x %zu x %zu, row %zu column %zu",
             gr_dtype_name(p->dtype), p->kind->name, cols, p->n, r, c);
    assert_true(fence_whole(&p->out_fence));
}

/* Every height and width with few k; the others in turns. */
static void check_sizes(product *p, bool all)
{
    for (size_t rows = 1; rows <= ROWS; rows++)
        for (size_t i = 0; i < (all ? GR_PANEL : 2); i++)
            check_strips(p, rows, all || i == 1 ? GR_PANEL - i * all : (rows * 7 + p->n) % GR_PANEL + 1);
    for (size_t cols = 1; cols <= GR_PANEL; cols++)
        check_row(p, cols % ROWS, cols);
}

/* A lone row, a strip and every set that rounds alike give these bits, so they give each other's. */
static void a_product_is_a_sum_over_ascending_k_in_blocks_for_one_row_and_for_many(void **state)
{
    (void)state;
    static const size_t ks[] = { 1, 2, 3, 15, 16, 511, 512, 513, MOST_K };
    static product p;
    for (size_t s = 0; s < n_kernel_sets; s++) {
        if (!kernel_set_open(&kernel_sets[s], &p.k))
            continue;
        product_open(&p, &kernel_sets[s]);
        for (size_t t = 0; t < N_TYPES; t++)
            for (size_t i = 0; i < sizeof ks / sizeof *ks; i++) {
                product_draw(&p, types[t], &number_kinds[i % 2], ks[i]);
                check_sizes(&p, ks[i] == 3);
            }
        product_close(&p);
    }
}

/* No row meets another one's infinities, or those of the rows that a strip lacks; subnormals are kept. */
static void numbers_of_every_size_stay_in_their_row(void **state)
{
    (void)state;
    static const size_t ks[] = { 1, 7, 520 };
    static product p;
    for (size_t s = 0; s < n_kernel_sets; s++) {
        if (!kernel_set_open(&kernel_sets[s], &p.k))
            continue;
        product_open(&p, &kernel_sets[s]);
        for (size_t t = 0; t < N_TYPES; t++)
            for (size_t kind = 0; kind < n_number_kinds; kind++)
                for (size_t i = 0; i < sizeof ks / sizeof *ks; i++) {
                    product_draw(&p, types[t], &number_kinds[kind], ks[i]);
                    check_sizes(&p, false);
                }
        product_close(&p);
    }
}

static void every_weight_of_16_bits_is_widened_exactly(void **state)
{
    (void)state;
    gr_kernels k;
    const float one = 1;
    float strip[GR_STRIP_MAX], out[GR_PANEL], lone[GR_PANEL];
    uint16_t panel[GR_PANEL];
    for (size_t s = 0; s < n_kernel_sets; s++) {
        if (!kernel_set_open(&kernel_sets[s], &k))
            continue;
        k.transpose(strip, (size_t)k.strip_rows, &one, 1, 1, 1);
        for (size_t t = 1; t < N_TYPES; t++)
            for (uint32_t first = 0; first < 0x10000; first += GR_PANEL) {
                for (uint32_t c = 0; c < GR_PANEL; c++)
                    panel[gr_panel_slot(types[t], c)] = (uint16_t)(first + c);
                k.strip[t](out, GR_PANEL, 1, GR_PANEL, strip, 1, panel, true);
                k.row[t](lone, GR_PANEL, &one, 1, panel);
                for (uint32_t c = 0; c < GR_PANEL; c++) {
                    const uint16_t bits = (uint16_t)(first + c);
                    const float w =
                        types[t] == GR_DTYPE_BF16 ? gr_f32_from_bf16(bits) : gr_f32_from_f16(bits);
                    SAME(&kernel_sets[s], out[c], w + 0.0f, "strip, %s %04x", gr_dtype_name(types[t]), bits);
                    SAME(&kernel_sets[s], lone[c], w + 0.0f, "row, %s %04x", gr_dtype_name(types[t]), bits);
                }
            }
    }
}

static void a_block_without_k_gives_zeros_or_adds_nothing(void **state)
{
    (void)state;
    gr_kernels k;
    for (size_t s = 0; s < n_kernel_sets; s++) {
        if (!kernel_set_open(&kernel_sets[s], &k))
            continue;
        float strip[1] = { NAN }, panel[1] = { NAN }, out[2 * GR_PANEL];
        for (size_t t = 0; t < N_TYPES; t++) {
            fill(out, 2 * GR_PANEL);
            k.strip[t](out, GR_PANEL, 2, GR_PANEL, strip, 0, panel, false);
            for (size_t i = 0; i < 2 * GR_PANEL; i++)
                SAME(&kernel_sets[s], out[i], unwritten, "no k added, element %zu", i);
            k.strip[t](out, GR_PANEL, 2, GR_PANEL, strip, 0, panel, true);
            for (size_t i = 0; i < 2 * GR_PANEL; i++)
                SAME(&kernel_sets[s], out[i], 0, "no k, element %zu", i);
        }
    }
}

/* --- vectors ------------------------------------------------------------------------------------------- */

enum { MOST_N = 200 };

/* GR_LANES partial sums, added halving. */
static float sum_in_lanes(const kernel_set *set, const float *a, const float *b, size_t n)
{
    float lane[GR_LANES] = { 0 };
    for (size_t i = 0; i < n; i++)
        lane[i % GR_LANES] = kernel_step(set, a[i], b[i], lane[i % GR_LANES]);
    for (int half = GR_LANES / 2; half > 0; half /= 2)
        for (int l = 0; l < half; l++)
            lane[l] += lane[l + half];
    return lane[0];
}

static void check_vectors(const kernel_set *set, const gr_kernels *k, fence f[3], const number_kind *kind,
                          size_t n, size_t gap)
{
    float *a = fence_place(&f[0], n * sizeof *a, gap), *b = fence_place(&f[1], n * sizeof *b, 4 - gap),
          *y = fence_place(&f[2], n * sizeof *y, gap);
    for (size_t i = 0; i < n; i++)
        a[i] = kind->draw(7, i), b[i] = kind->draw(8, i), y[i] = kind->draw(9, i);
    /* A product that vanishes below zero leaves -0 in a lane, and a set that adds nothing to the lanes that a
     * short end lacks may leave +0: adding +0 makes them alike. */
    SAME(set, k->dot(a, b, n) + 0.0f, sum_in_lanes(set, a, b, n) + 0.0f, "dot of %zu %s numbers", n,
         kind->name);
    k->axpy(y, a[n / 2], b, n);
    for (size_t i = 0; i < n; i++)
        SAME(set, y[i], kernel_step(set, a[n / 2], b[i], kind->draw(9, i)),
             "axpy of %zu %s numbers, element %zu", n, kind->name, i);
    for (int i = 0; i < 3; i++)
        assert_true(fence_whole(&f[i]));
}

static void dot_sums_in_lanes_and_axpy_element_by_element(void **state)
{
    (void)state;
    gr_kernels k;
    fence f[3];
    for (int i = 0; i < 3; i++)
        fence_open(&f[i], MOST_N * sizeof(float));
    for (size_t s = 0; s < n_kernel_sets; s++) {
        if (!kernel_set_open(&kernel_sets[s], &k))
            continue;
        for (size_t kind = 0; kind < n_number_kinds; kind++)
            for (size_t n = 1; n <= MOST_N; n += n < 70 ? 1 : 13)
                check_vectors(&kernel_sets[s], &k, f, &number_kinds[kind], n, n % 2 * 4);
        float nothing = 5;
        SAME(&kernel_sets[s], k.dot(&nothing, &nothing, 0), 0, "dot of nothing");
        k.axpy(&nothing, 3, &nothing, 0);
        SAME(&kernel_sets[s], nothing, 5, "axpy of nothing");
    }
    for (int i = 0; i < 3; i++)
        fence_close(&f[i]);
}

/* --- attention ----------------------------------------------------------------------------------------- */

enum { KEYS = GR_KEY_BLOCK, MOST_D = 128 };

typedef struct {
    const kernel_set *set;
    const number_kind *kind;
    gr_kernels k;
    fence q, kt, s, v, o;
} attention;

static void attention_open(attention *a, const kernel_set *set)
{
    a->set = set;
    fence_open(&a->q, ROWS * (MOST_D + GAP) * sizeof(float));
    fence_open(&a->kt, MOST_D * KEYS * sizeof(float));
    fence_open(&a->s, ROWS * KEYS * sizeof(float));
    fence_open(&a->v, KEYS * (MOST_D + GAP) * sizeof(float));
    fence_open(&a->o, ROWS * (MOST_D + GAP) * sizeof(float));
}

static void attention_close(attention *a)
{
    fence_close(&a->q);
    fence_close(&a->kt);
    fence_close(&a->s);
    fence_close(&a->v);
    fence_close(&a->o);
}

static float *drawn_in(fence *f, const number_kind *kind, uint64_t stream, size_t n, size_t gap)
{
    float *to = fence_place(f, n * sizeof *to, gap);
    for (size_t i = 0; i < n; i++)
        to[i] = kind->draw(stream, i);
    return to;
}

static void check_scores(attention *a, size_t rows, size_t d)
{
    const size_t ldq = d + GAP;
    const float *q = drawn_in(&a->q, a->kind, 1, (rows - 1) * ldq + d, rows % 2 * 4),
                *kt = drawn_in(&a->kt, a->kind, 2, d * KEYS, 0);
    float *s = fence_place(&a->s, rows * KEYS * sizeof *s, d % 2 * 4);
    a->k.scores(s, q, ldq, rows, d, kt, 0.7f);
    for (size_t i = 0; i < rows * KEYS; i++) {
        float sum = 0;
        for (size_t c = 0; c < d; c++)
            sum = kernel_step(a->set, q[i / KEYS * ldq + c], kt[c * KEYS + i % KEYS], sum);
        SAME(a->set, s[i], sum * 0.7f, "scores of %s numbers, %zu rows, d %zu, row %zu key %zu",
             a->kind->name, rows, d, i / KEYS, i % KEYS);
    }
    assert_true(fence_whole(&a->s));
}

/* Rows see 0 to 64 keys, in no order, or nearly as many as their neighbours; the keys that none sees are not
 * there. */
static void check_weigh(attention *a, size_t rows, size_t d)
{
    const size_t ld = d + GAP, n_o = (rows - 1) * ld + d;
    int32_t seen[ROWS], most = 1;
    for (size_t r = 0; r < rows; r++) {
        seen[r] = (int32_t)(rows % 2 == 0 ? (r * 29 + d) % (KEYS + 1) : (d * 5 + rows) % (KEYS - 2) + r % 3);
        most = seen[r] > most ? seen[r] : most;
    }
    const float *p = drawn_in(&a->s, a->kind, 3, (rows - 1) * KEYS + (size_t)most, 0),
                *v = drawn_in(&a->v, a->kind, 4, ((size_t)most - 1) * ld + d, rows % 2 * 4);
    float *o = drawn_in(&a->o, a->kind, 5, n_o, d % 2 * 4), keep[ROWS];
    for (size_t r = 0; r < rows; r++)
        keep[r] = 1 - 0.07f * (float)r;
    a->k.weigh(o, ld, keep, p, seen, rows, v, ld, d);
    for (size_t i = 0; i < n_o; i++) {
        const size_t r = i / ld, c = i % ld;
        float sum = a->kind->draw(5, i) * (c < d ? keep[r] : 1); /* which is all there is to the gaps */
        for (size_t j = 0; c < d && j < (size_t)seen[r]; j++)
            sum = kernel_step(a->set, p[r * KEYS + j], v[j * ld + c], sum);
        SAME(a->set, o[i], sum, "weigh of %s numbers, %zu rows, d %zu, row %zu (%d keys) column %zu",
             a->kind->name, rows, d, r, (int)seen[r], c);
    }
    assert_true(fence_whole(&a->o));
}

static void attention_sums_over_ascending_keys_and_rows_are_alone(void **state)
{
    (void)state;
    static const size_t dims[] = { 1, 3, 4, 7, 8, 15, 16, 17, 33, 64, 96, MOST_D };
    attention a;
    for (size_t s = 0; s < n_kernel_sets; s++) {
        if (!kernel_set_open(&kernel_sets[s], &a.k))
            continue;
        attention_open(&a, &kernel_sets[s]);
        for (size_t i = 0; i < sizeof dims / sizeof *dims; i++)
            for (size_t rows = 1; rows <= ROWS; rows++) {
                a.kind = &number_kinds[(i + rows) % n_number_kinds];
                check_scores(&a, rows, dims[i]);
                check_weigh(&a, rows, dims[i]);
            }
        attention_close(&a);
    }
}

/* Sets `s` to the weights of the first n of `given`; checks each and their sum. */
static void check_soften(const kernel_set *set, const gr_kernels *k, float *s, const float *given, size_t n,
                         float before)
{
    double want = 0;
    float high = before, top = before, keep, alone[KEYS];
    for (size_t i = 0; i < n; i++) {
        s[i] = given[i];
        high = given[i] > high ? given[i] : high;
    }
    for (size_t i = n; i < KEYS; i++)
        s[i] = NAN; /* what lies behind does not count */
    const float sum = k->soften(s, n, &top, &keep);
    SAME(set, top, high, "soften, the top of %zu", n);
    NEAR(set, keep, exp((double)before - (double)high), 2.5e-7, "soften, what is kept of %g", (double)before);
    for (size_t i = 0; i < n; i++) {
        const float below = given[i] - high;
        const double weight = exp((double)below);
        NEAR(set, s[i], weight, 2.5e-7 * weight + 1.5e-45, "soften, %zu of %zu: exp(%.9g)", i, n,
             (double)below);
        alone[0] = given[i], top = high;
        k->soften(alone, 1, &top, &keep);
        SAME(set, s[i], alone[0], "soften, %zu of %zu among others", i, n);
        want += weight;
    }
    NEAR(set, sum, want, 2e-6 * want + 1.5e-45 * (double)n, "soften, the sum of %zu", n);
}

static void soften_gives_weights_and_their_sum(void **state)
{
    (void)state;
    /* Where exp becomes subnormal, 0 and more than 0; what is masked. */
    static const float ends[] = { 0,       -0.0f, -1e-30f, -87.3f, -87.4f,   -103.2f,
                                  -103.9f, -104,  -105,    -1e30f, -INFINITY };
    enum { N_ENDS = sizeof ends / sizeof *ends };
    gr_kernels k;
    fence f;
    fence_open(&f, KEYS * sizeof(float));
    for (size_t set = 0; set < n_kernel_sets; set++) {
        if (!kernel_set_open(&kernel_sets[set], &k))
            continue;
        float given[KEYS], *s = fence_place(&f, KEYS * sizeof *s, set % 2 * 4);
        for (size_t n = 1; n <= KEYS; n++) {
            for (size_t i = 0; i < n; i++)
                given[i] = 50 * number_kinds[0].draw(11, i + n);
            check_soften(&kernel_sets[set], &k, s, given, n, 0.25f);
            check_soften(&kernel_sets[set], &k, s, given, n, 60); /* nothing new is the top */
            for (size_t i = 0; i < n; i++)
                given[i] = ends[(i + n) % N_ENDS];
            check_soften(&kernel_sets[set], &k, s, given, n, 0);
            given[n / 2] = 3; /* the first block of a row */
            check_soften(&kernel_sets[set], &k, s, given, n, -INFINITY);
        }
        float top = 0, keep;
        s[0] = -1, s[1] = NAN, s[2] = -1;
        assert_true(isnan(k.soften(s, 3, &top, &keep)) && isnan(s[1]));
        SAME(&kernel_sets[set], s[0], s[2], "soften beside NaN");
        NEAR(&kernel_sets[set], s[0], exp(-1), 1e-7, "soften beside NaN");
        assert_true(fence_whole(&f));
    }
    fence_close(&f);
}

/* --- activations --------------------------------------------------------------------------------------- */

typedef struct {
    const char *name;
    size_t at; /* in gr_kernels */
    double (*define)(double x);
    double absolute, relative; /* error allowed */
} activation;

static double gelu_define(double x) { return x * 0.5 * erfc(x * -0.70710678118654752); }
static double silu_define(double x) { return x / (1 + exp(-x)); }

static const activation activations[] = {
    { "gelu", offsetof(gr_kernels, gelu), gelu_define, 2e-7, 1e-6 },
    { "silu", offsetof(gr_kernels, silu), silu_define, 1e-36, 1e-6 },
};
enum { N_ACTIVATIONS = sizeof activations / sizeof *activations };

typedef void (*map)(float *y, const float *x, size_t n);

static map map_of(const gr_kernels *k, const activation *a)
{
    map f;
    memcpy(&f, (const char *)k + a->at, sizeof f);
    return f;
}

/* Where the formulas end: their own value there, which is NaN where they multiply infinity and zero. */
static const struct {
    float x, y[N_ACTIVATIONS];
} ends[] = {
    { 0.0f, { 0.0f, 0.0f } },
    { -0.0f, { -0.0f, -0.0f } },
    { 1e-40f, { 5e-41f, 5e-41f } },
    { -1e-40f, { -5e-41f, -5e-41f } },
    { 1e30f, { 1e30f, 1e30f } },
    { -1e30f, { -0.0f, -0.0f } },
    { 89.0f, { 89.0f, 89.0f } },
    { -89.0f, { -0.0f, -0.0f } },
    { 104.0f, { 104.0f, 104.0f } },
    { -104.0f, { -0.0f, -0.0f } },
    { INFINITY, { INFINITY, INFINITY } },
    { -INFINITY, { NAN, NAN } },
    { NAN, { NAN, NAN } },
};
enum { N_ENDS = sizeof ends / sizeof *ends, MOST_X = 1100 };

/* n numbers at once, and in place, as each alone; near the definition. */
static void check_map(const kernel_set *set, const gr_kernels *k, const activation *a, fence f[2], size_t n)
{
    const map run = map_of(k, a);
    float *x = fence_place(&f[0], n * sizeof *x, n % 2 * 4), *y = fence_place(&f[1], n * sizeof *y, 0), alone;
    for (size_t i = 0; i < n; i++)
        x[i] = i < N_ENDS ? ends[(i + n) % N_ENDS].x : 30 * number_kinds[n % 2].draw(12, i);
    fill(y, n);
    run(y, x, n);
    for (size_t i = 0; i < n; i++) {
        const double want = a->define((double)x[i]);
        run(&alone, x + i, 1);
        SAME(set, y[i], alone, "%s(%.9g), %zu of %zu beside others", a->name, (double)x[i], i, n);
        if (isfinite(x[i]) && fabsf(x[i]) < 1e6f)
            NEAR(set, y[i], want, a->absolute + a->relative * fabs(want), "%s(%.9g), %zu of %zu", a->name,
                 (double)x[i], i, n);
    }
    run(x, x, n);
    for (size_t i = 0; i < n; i++)
        SAME(set, x[i], y[i], "%s in place, %zu of %zu", a->name, i, n);
    assert_true(fence_whole(&f[0]) && fence_whole(&f[1]));
}

static void activations_are_near_their_definition_and_each_element_is_alone(void **state)
{
    (void)state;
    gr_kernels k;
    fence f[2];
    fence_open(&f[0], MOST_X * sizeof(float));
    fence_open(&f[1], MOST_X * sizeof(float));
    for (size_t s = 0; s < n_kernel_sets; s++) {
        if (!kernel_set_open(&kernel_sets[s], &k))
            continue;
        for (size_t a = 0; a < N_ACTIVATIONS; a++) {
            for (size_t n = 0; n <= MOST_X; n += n < 40 ? 1 : 265)
                check_map(&kernel_sets[s], &k, &activations[a], f, n);
            for (size_t i = 0; i < N_ENDS; i++) {
                float y;
                map_of(&k, &activations[a])(&y, &ends[i].x, 1);
                SAME(&kernel_sets[s], y, ends[i].y[a], "%s(%.9g)", activations[a].name, (double)ends[i].x);
            }
        }
    }
    fence_close(&f[0]);
    fence_close(&f[1]);
}

static double gelu_slope_define(double x)
{
    return 0.5 * erfc(x * -0.70710678118654752) + x * 0.3989422804014327 * exp(-0.5 * x * x);
}
static double silu_slope_define(double x)
{
    const double s = 1 / (1 + exp(-x));
    return s * (1 + x * (1 - s));
}

typedef void (*map_grad)(float *dx, const float *dy, const float *x, size_t n);

/* n at once, in place of either input, and each alone; near the definition. */
static void check_slope(const kernel_set *set, map_grad run, double (*define)(double), fence f[3], size_t n)
{
    float *x = fence_place(&f[0], n * sizeof *x, 0), *dy = fence_place(&f[1], n * sizeof *dy, n % 2 * 4),
          *dx = fence_place(&f[2], n * sizeof *dx, 0), alone;
    for (size_t i = 0; i < n; i++) {
        x[i] = i % 16 == 3 ? (i % 32 == 3 ? -1e30f : 1e30f) : 8 * number_kinds[0].draw(13, i);
        dy[i] = number_kinds[0].draw(14, i);
    }
    fill(dx, n);
    run(dx, dy, x, n);
    for (size_t i = 0; i < n; i++) {
        const double slope = fabsf(x[i]) > 1e6f ? x[i] > 0 : define((double)x[i]);
        run(&alone, dy + i, x + i, 1);
        SAME(set, dx[i], alone, "slope at %.9g, %zu of %zu beside others", (double)x[i], i, n);
        NEAR(set, dx[i], slope * (double)dy[i], 1e-6, "slope at %.9g, %zu of %zu", (double)x[i], i, n);
    }
    float *in_dy = fence_place(&f[2], n * sizeof *dx, 0);
    memcpy(in_dy, dy, n * sizeof *dy);
    run(in_dy, in_dy, x, n);
    run(x, dy, x, n);
    for (size_t i = 0; i < n; i++)
        SAME(set, in_dy[i], x[i], "slope in place of either, %zu of %zu", i, n);
    assert_true(fence_whole(&f[0]) && fence_whole(&f[1]) && fence_whole(&f[2]));
}

static void slopes_are_near_their_definition_and_each_element_is_alone(void **state)
{
    (void)state;
    gr_kernels k;
    fence f[3];
    for (int i = 0; i < 3; i++)
        fence_open(&f[i], MOST_X * sizeof(float));
    for (size_t s = 0; s < n_kernel_sets; s++) {
        if (!kernel_set_open(&kernel_sets[s], &k))
            continue;
        for (size_t n = 0; n <= MOST_X; n += n < 40 ? 1 : 265) {
            check_slope(&kernel_sets[s], k.gelu_grad, gelu_slope_define, f, n);
            check_slope(&kernel_sets[s], k.silu_grad, silu_slope_define, f, n);
        }
    }
    for (int i = 0; i < 3; i++)
        fence_close(&f[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_set_is_complete_and_is_chosen_by_the_mask),
        cmocka_unit_test(a_product_is_a_sum_over_ascending_k_in_blocks_for_one_row_and_for_many),
        cmocka_unit_test(numbers_of_every_size_stay_in_their_row),
        cmocka_unit_test(every_weight_of_16_bits_is_widened_exactly),
        cmocka_unit_test(a_block_without_k_gives_zeros_or_adds_nothing),
        cmocka_unit_test(dot_sums_in_lanes_and_axpy_element_by_element),
        cmocka_unit_test(attention_sums_over_ascending_keys_and_rows_are_alone),
        cmocka_unit_test(soften_gives_weights_and_their_sum),
        cmocka_unit_test(activations_are_near_their_definition_and_each_element_is_alone),
        cmocka_unit_test(slopes_are_near_their_definition_and_each_element_is_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
