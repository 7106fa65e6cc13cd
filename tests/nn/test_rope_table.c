/* Rotary tables: the worked numbers of the published models, and what the published code makes of its
 * configurations (tests/golden/ops, cases llama_inv_freq and vit_rope_table). */
#include "nn/rope_table.h"

#include "io/checkpoint.h"
#include "test.h"

#define GRID 32

/* Published numbers have seven digits. */
static void near(const char *what, double got, double want)
{
    if (!(fabs(got - want) <= 5e-7 * fmax(1, fabs(want))))
        fail_msg("%s is %.9g, expected %.9g", what, got, want);
}

static void relatively(const char *what, double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance * fabs(want)))
        fail_msg("%s is %.9g, expected %.9g", what, got, want);
}

static const gr_rope_scaling plain = { .theta = 500000 };

static gr_rope_scaling llama3(double theta, double factor, double low, double high, int original)
{
    return (gr_rope_scaling){
        .theta = theta, .llama3 = true, .factor = factor, .low = low, .high = high, .original = original
    };
}

/* --- the towers ------------------------------------------------------------------------------------------
 */

/* The patch (y 0, x 5): first and second pair by x, first pair by y. */
static void check_patch(const float *row, int head_dim, const double cosine[3], const double sine[3])
{
    const int pair[3] = { 0, 1, head_dim / 4 };
    for (int i = 0; i < 3; i++) {
        near("cosine", row[pair[i]], cosine[i]);
        near("sine", row[head_dim / 2 + pair[i]], sine[i]);
    }
}

static void tower_tables_have_the_published_numbers(void **state)
{
    (void)state;
    static float large[(1 + GRID * GRID) * 64], gigantic[GRID * GRID * 96];
    gr_rope_table_2d(large, GRID, 64, 1, true);
    check_patch(large + (size_t)(1 + 5) * 64, 64, (double[]){ 0.9601703, -0.9731037, 0.5403023 },
                (double[]){ -0.2794155, -0.2303675, 0.8414710 });
    for (int i = 0; i < 32; i++)
        assert_true(large[i] == 1 && large[32 + i] == 0); /* the class token is not turned */
    gr_rope_table_2d(gigantic, GRID, 96, 0, false);
    check_patch(gigantic + (size_t)5 * 96, 96, (double[]){ 0.2836622, -0.9651271, 1 },
                (double[]){ -0.9589243, -0.2617816, 0 });
}

/* --- the decoder -----------------------------------------------------------------------------------------
 */

static void frequencies_have_the_published_numbers(void **state)
{
    (void)state;
    static const struct {
        int i;
        double unscaled, scaled;
    } gar_1b[] = { { 0, 1, 1 },
                   { 8, 0.0376060307, 0.0376060307 },
                   { 14, 0.00321144611, 0.00321144611 },
                   { 15, 0.0021311196, 0.00129054801 },
                   { 16, 0.00141421345, 0.000429556705 },
                   { 17, 0.000938473851, 9.70828623e-05 },
                   { 18, 0.000622772437, 1.94616387e-05 },
                   { 31, 3.01385808e-06, 9.41830649e-08 } };
    static const struct {
        int i;
        double scaled;
    } factor_8[] = { { 28, 0.00321144611 },  { 29, 0.00216657063 },  { 32, 0.000524846022 },
                     { 34, 0.000178507791 }, { 35, 9.55621217e-05 }, { 63, 3.06892588e-07 } };
    float inverse[64];
    gr_rope_inverse_frequencies(inverse, 64, &plain);
    for (size_t i = 0; i < sizeof gar_1b / sizeof *gar_1b; i++)
        relatively("unscaled frequency", inverse[gar_1b[i].i], gar_1b[i].unscaled, 4e-7);
    gr_rope_scaling s = llama3(500000, 32, 1, 4, 8192);
    gr_rope_inverse_frequencies(inverse, 64, &s);
    for (size_t i = 0; i < sizeof gar_1b / sizeof *gar_1b; i++)
        relatively("scaled frequency", inverse[gar_1b[i].i], gar_1b[i].scaled, 4e-7);
    s.factor = 8;
    gr_rope_inverse_frequencies(inverse, 128, &s);
    for (size_t i = 0; i < sizeof factor_8 / sizeof *factor_8; i++)
        relatively("frequency by factor 8", inverse[factor_8[i].i], factor_8[i].scaled, 4e-7);
}

/* Cosines and sines rounded to bf16 have no lower 16 bits, and are the nearest such numbers. */
static void rounded_tables_are_bf16(void **state)
{
    (void)state;
    enum { N = 50, D = 16 };
    static float exact[N * D], rounded[N * D];
    gr_rope_table_llama(exact, N, D, &plain, false);
    gr_rope_table_llama(rounded, N, D, &plain, true);
    for (int i = 0; i < N * D; i++) {
        uint32_t bits;
        memcpy(&bits, &rounded[i], sizeof bits);
        assert_int_equal(bits & 0xffff, 0);
        assert_true(fabsf(rounded[i] - exact[i]) <= fabsf(exact[i]) / 256);
    }
}

/* --- golden tables ---------------------------------------------------------------------------------------
 */

typedef struct {
    gr_runtime *rt;
    gr_checkpoint *file;
} tables;

static int start(void **state)
{
    gr_error err = { 0 };
    tables *t = calloc(1, sizeof *t);
    t->rt = test_runtime();
    MUST(gr_checkpoint_open(&t->file, t->rt, TEST_FILE("golden/ops/f32.safetensors"), &err));
    *state = t;
    return 0;
}

static int stop(void **state)
{
    tables *t = *state;
    gr_checkpoint_close(t->file);
    gr_runtime_free(t->rt);
    free(t);
    return 0;
}

static const gr_stored *golden(const tables *t, const char *name, const char *part)
{
    char full[80];
    snprintf(full, sizeof full, "%s.%s", name, part);
    const gr_stored *g = gr_checkpoint_find(t->file, full);
    if (!g)
        fail_msg("no tensor %s", full);
    return g;
}

static float float_at(const gr_stored *g, size_t i)
{
    gr_error err = { 0 };
    float f;
    MUST(gr_stored_read(g, 4 * i, &f, 4, &err));
    return f;
}

static size_t index_at(const gr_stored *g, size_t i)
{
    gr_error err = { 0 };
    int64_t n;
    MUST(gr_stored_read(g, 8 * i, &n, 8, &err));
    return (size_t)n;
}

/* A cosine or sine of an angle that may be off by two float32 roundings, each of which may be off by one. */
static void check_angle(const char *name, size_t at, float got, float want, double angle)
{
    if (!(fabs((double)got - (double)want) <= 2.4e-7 * angle + 2e-7))
        fail_msg("%s: value %zu is %.9g, expected %.9g", name, at, (double)got, (double)want);
}

static void llama_tables_equal_the_published_code(void **state)
{
    tables *t = *state;
    const struct {
        int head_dim;
        gr_rope_scaling s;
    } cases[] = { { 64, plain },
                  { 64, llama3(500000, 32, 1, 4, 8192) },
                  { 128, llama3(500000, 8, 1, 4, 8192) },
                  { 128, llama3(500000, 32, 1, 4, 8192) },
                  { 16, llama3(500000, 32, 1, 4, 64) },
                  { 32, llama3(500000, 8, 1, 4, 128) },
                  { 16, { .theta = 10000 } },
                  { 64, llama3(10000, 4, 2, 8, 1024) } };
    enum { N = 4096 };
    float *table = malloc(sizeof *table * N * 128), inverse[64];
    assert_non_null(table);
    for (int k = 0; k < 8; k++) {
        char name[40];
        snprintf(name, sizeof name, "llama_inv_freq.%d", k);
        const size_t d = (size_t)cases[k].head_dim, half = d / 2;
        const gr_stored *want = golden(t, name, "out.inv_freq"), *at = golden(t, name, "in.position");
        const gr_stored *cosine = golden(t, name, "out.cos"), *sine = golden(t, name, "out.sin");
        gr_rope_inverse_frequencies(inverse, (int)d, &cases[k].s);
        for (size_t i = 0; i < half; i++)
            relatively(name, inverse[i], float_at(want, i), 2.4e-7);
        gr_rope_table_llama(table, N, (int)d, &cases[k].s, false);
        for (size_t r = 0; r < at->bytes / 8; r++) {
            const size_t position = index_at(at, r);
            assert_true(position < N);
            for (size_t i = 0; i < half; i++) {
                const float *row = table + position * d;
                const double angle = (double)position * inverse[i];
                check_angle(name, i, row[i], float_at(cosine, r * half + i), angle);
                check_angle(name, i, row[half + i], float_at(sine, r * half + i), angle);
            }
        }
    }
    free(table);
}

/* The published table has every band twice, for both numbers of a pair. Its fourth case, a grid that is not
 * the one the positions are counted on, is what no published GAR has and no configuration can ask for. */
static void tower_tables_equal_the_published_code(void **state)
{
    tables *t = *state;
    static const struct {
        const char *name;
        int head_dim, grid, offset;
    } cases[] = { { "vit_rope_table.large", 64, 32, 1 },
                  { "vit_rope_table.gigantic", 96, 32, 0 },
                  { "vit_rope_table.small", 16, 8, 1 } };
    static float table[GRID * GRID * 96];
    for (int k = 0; k < 3; k++) {
        const char *name = cases[k].name;
        const size_t d = (size_t)cases[k].head_dim, half = d / 2;
        const gr_stored *at = golden(t, name, "in.patch");
        const gr_stored *cosine = golden(t, name, "out.cos"), *sine = golden(t, name, "out.sin");
        gr_rope_table_2d(table, cases[k].grid, (int)d, cases[k].offset, false);
        for (size_t r = 0; r < at->bytes / 8; r++)
            for (size_t i = 0; i < half; i++) {
                const float *row = table + index_at(at, r) * d;
                check_angle(name, i, row[i], float_at(cosine, r * d + 2 * i), 32);
                check_angle(name, i, row[half + i], float_at(sine, r * d + 2 * i + 1), 32);
            }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tower_tables_have_the_published_numbers),
        cmocka_unit_test(frequencies_have_the_published_numbers),
        cmocka_unit_test(rounded_tables_are_bf16),
        cmocka_unit_test_setup_teardown(llama_tables_equal_the_published_code, start, stop),
        cmocka_unit_test_setup_teardown(tower_tables_equal_the_published_code, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
