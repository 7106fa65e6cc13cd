/* Every case runs on the small model; what it must be is checked, never how fast. */
#include "test.h"

#include "backend/cpu/kernels.h"
#include "bench/cases.h"
#include "bench/limits.h"
#include "bench/operator.h"
#include "grasp/bench.h"

#define MAX_ROWS (GR_MAX_CASES + GR_N_LIMITS)

typedef struct {
    int n;
    gr_bench_row row[MAX_ROWS];
    char name[MAX_ROWS][64];
    uint64_t done, total;
    int64_t rows_allowed; /* then it is cancelled; -1: never */
} seen;

static void on_row(void *user, const gr_bench_row *row)
{
    seen *s = user;
    assert_true(s->n < MAX_ROWS && strlen(row->name) < sizeof s->name[0]);
    strcpy(s->name[s->n], row->name);
    s->row[s->n] = *row;
    s->row[s->n].name = s->name[s->n];
    s->n++;
}

static bool on_progress(void *user, uint64_t done, uint64_t total)
{
    seen *s = user;
    assert_true(done >= s->done && done <= total);
    s->done = done;
    s->total = total;
    return s->rows_allowed < 0 || s->n < s->rows_allowed;
}

static gr_bench_options options(seen *s, const char *preset, const char *filter)
{
    gr_bench_options o;
    gr_bench_options_init(&o);
    *s = (seen){ .rows_allowed = -1 };
    o.preset = preset;
    o.filter = filter;
    o.repeats = 1;
    o.seconds = 0;
    o.watch = (gr_bench_watch){ on_row, on_progress, s };
    return o;
}

static void check_measured(const gr_bench_row *r)
{
    const bool limit = strcmp(r->kind, "limit") == 0;
    if (!(r->repeats >= 1 && r->seconds_min > 0 && r->seconds_min <= r->seconds_median &&
          r->seconds_median <= r->seconds_max && r->min > 0 && r->min <= r->median && r->median <= r->max &&
          isfinite(r->max) && (r->flop > 0 || r->bytes > 0)))
        fail_msg("%s: %g [%g..%g] %s in %g s", r->name, r->median, r->min, r->max, r->unit,
                 r->seconds_median);
    if (limit ? !isnan(r->fraction) : !(isfinite(r->fraction) && r->fraction > 0))
        fail_msg("%s: a fraction of %g", r->name, r->fraction);
}

static void every_case_is_measured_as_it_was_listed(void **state)
{
    (void)state;
    static seen listed, s;
    gr_error err = { 0 };
    gr_runtime *rt = test_runtime();
    gr_bench_options o = options(&listed, "gar-test", NULL);
    MUST(gr_bench_list(rt, &o, &err));
    o = options(&s, "gar-test", NULL);
    MUST(gr_bench_kernels(rt, &o, &err));
    assert_int_equal(s.n, listed.n + GR_N_LIMITS);
    assert_true(s.done == (uint64_t)s.n && s.total == (uint64_t)s.n);
    assert_string_equal(s.name[0], "limit/fma");
    assert_string_equal(s.name[1], "limit/read");
    for (int i = 0; i < s.n; i++)
        check_measured(&s.row[i]);
    for (int i = 0; i < listed.n; i++) {
        const gr_bench_row *a = &listed.row[i], *b = &s.row[i + GR_N_LIMITS];
        assert_string_equal(a->name, b->name);
        assert_string_equal(a->kind, b->kind);
        assert_true(a->rows == b->rows && a->inputs == b->inputs && a->outputs == b->outputs &&
                    a->repeats == 0 && a->threads == 2 && b->threads == 2);
    }
    gr_runtime_free(rt);
}

static void no_two_cases_of_a_model_have_the_same_name(void **state)
{
    (void)state;
    static const char *const presets[] = { "gar-1b", "gar-8b", "gar-test" };
    for (size_t p = 0; p < 3; p++) {
        static gr_bench_cases cases;
        gr_error err = { 0 };
        MUST(gr_bench_cases_make(&cases, presets[p], NULL, GR_DTYPE_F16, &err));
        for (int i = 0; i < cases.n; i++)
            for (int k = 0; k < i; k++)
                assert_string_not_equal(cases.at[i].name, cases.at[k].name);
    }
}

/* 512 + 256 + 308 rows of a prompt with one tile; 17 * 256 + 256 + 308 with sixteen: docs/performance.md. */
static void work_is_counted_as_published(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        double flop, bytes;
    } want[] = {
        { "gar-1b/tower/qkv", 2.0 * 1025 * 1024 * 3072, 2.0 * 1024 * 3072 + 4.0 * 1025 * (1024 + 3072) },
        { "gar-1b/decode/head", 2.0 * 2048 * 128262, 2.0 * 2048 * 128262 + 4.0 * (2048 + 128262) },
        { "gar-1b/tower/attention-1025", 4.0 * 1025 * 1025 * 1024, 0 },
        { "gar-1b/decode/attention-4916", 4.0 * 4916 * 2048, 4 * (2 * 4916.0 * 512 + 2 * 2048) },
        { "gar-1b/prefill/attention-256", 4.0 * (256 * 257 / 2.0) * 2048, 0 },
        { "gar-1b/decode/attention-1076", 4.0 * 1076 * 2048, 0 },
        { "gar-1b/train/down-dw", 2.0 * 1076 * 8192 * 2048, 4.0 * (1076.0 * 10240 + 8192.0 * 2048) },
    };
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        static gr_bench_cases cases;
        gr_error err = { 0 };
        MUST(gr_bench_cases_make(&cases, "gar-1b", want[i].name, GR_DTYPE_BF16, &err));
        assert_int_equal(cases.n, 1);
        assert_true(cases.at[0].flop == want[i].flop);
        assert_true(want[i].bytes == 0 || cases.at[0].bytes == want[i].bytes);
    }
}

static void weights_are_of_the_type_that_is_asked_for(void **state)
{
    (void)state;
    static const struct {
        gr_dtype dtype;
        const char *name;
    } types[] = { { GR_DTYPE_F32, "F32" }, { GR_DTYPE_F16, "F16" } };
    static seen s;
    gr_runtime *rt = test_runtime();
    for (size_t i = 0; i < 2; i++) {
        gr_error err = { 0 };
        gr_bench_options o = options(&s, "gar-test", "/q"); /* one row and many */
        o.weights = types[i].dtype;
        MUST(gr_bench_kernels(rt, &o, &err));
        assert_int_equal(s.n, GR_N_LIMITS + 3 + 8);
        for (int k = GR_N_LIMITS; k < s.n; k++) {
            const gr_bench_row *r = &s.row[k];
            check_measured(r);
            if (strstr(r->name, "-dw")) /* a gradient: there is no weight */
                assert_null(r->weights);
            else if (strcmp(r->kind, "gradient") == 0 && !strstr(r->name, "-frozen")) /* trained ones */
                assert_string_equal(r->weights, "F32");
            else
                assert_string_equal(r->weights, types[i].name);
        }
    }
    gr_runtime_free(rt);
}

/* Attention in pages and single rows turn through copies, so that no cache holds what they read. */
static void what_a_token_reads_is_read_from_other_memory_every_time(void **state)
{
    (void)state;
    static gr_bench_cases cases;
    gr_error err = { 0 };
    gr_runtime *rt = test_runtime();
    gr_backend *be;
    gr_operator op;
    MUST(gr_backend_cpu_new(&be, rt, &err));
    MUST(gr_bench_cases_make(&cases, "gar-test", "gar-test/decode/down", GR_DTYPE_BF16, &err));
    MUST(gr_operator_open(&op, be, &cases.config, &cases.at[0], GR_DTYPE_BF16, GR_ROUND_NONE, &err));
    MUST(gr_operator_call(&op, &err));
    const void *first = op.weights[0].panels;
    MUST(gr_operator_call(&op, &err));
    assert_true(op.n_copies > 1 && op.weights[0].panels != first);
    assert_memory_equal(op.weights[0].panels, first, gr_weight_form_bytes(&op.weights[0], GR_FORM_PANELS));
    gr_operator_close(&op);
    MUST(gr_bench_cases_make(&cases, "gar-test", "gar-test/decode/attention-356", GR_DTYPE_BF16, &err));
    MUST(gr_operator_open(&op, be, &cases.config, &cases.at[0], GR_DTYPE_BF16, GR_ROUND_NONE, &err));
    MUST(gr_operator_call(&op, &err));
    const int layer = op.run.kv_layer;
    MUST(gr_operator_call(&op, &err));
    assert_true(op.run.kv_layer != layer && op.kv.n_layers == cases.config.text.layers);
    gr_operator_close(&op);
    gr_backend_free(be);
    gr_runtime_free(rt);
}

/* Twelve chains or more of vectors, all of which tend to one; *sum is theirs, of one lane. */
static void every_set_of_kernels_has_a_peak(void **state)
{
    (void)state;
    const unsigned masks[] = { 0, GR_CPU_AVX2, ~0u };
    for (size_t i = 0; i < 3; i++) {
        gr_kernels k;
        float begin, end;
        gr_kernels_init(&k, masks[i]);
        assert_true(k.peak(&begin, 0) == 0);
        const double flop = k.peak(&end, 100), chains = round((double)end), lanes = flop / (2 * 100 * chains);
        assert_true(chains >= 12 && fabs((double)end - chains) < 1e-4 && begin > end);
        assert_true(lanes == 4 || lanes == 8 || lanes == 16);
    }
}

static void a_benchmark_that_is_cancelled_keeps_its_rows(void **state)
{
    (void)state;
    static seen s;
    gr_error err = { 0 };
    gr_runtime *rt = test_runtime();
    gr_bench_options o = options(&s, "gar-test", NULL);
    s.rows_allowed = 4;
    MUST_FAIL(gr_bench_kernels(rt, &o, &err), GR_ERR_CANCELLED, "cancelled");
    assert_int_equal(s.n, 4);
    for (int i = 0; i < s.n; i++)
        check_measured(&s.row[i]);
    gr_runtime_free(rt);
}

static void wrong_options_are_refused_with_a_sentence(void **state)
{
    (void)state;
    static seen s;
    gr_error err = { 0 };
    gr_runtime *rt = test_runtime();
    gr_bench_options o = options(&s, "gar-test", "no such case");
    MUST_FAIL(gr_bench_kernels(rt, &o, &err), GR_ERR_ARG, "no case of gar-test has 'no such case'");
    MUST_FAIL(gr_bench_list(rt, &o, &err), GR_ERR_ARG, "no case of gar-test");
    o = options(&s, "gar-2b", NULL);
    MUST_FAIL(gr_bench_kernels(rt, &o, &err), GR_ERR_ARG, "there is no preset 'gar-2b'");
    o = options(&s, "gar-test", NULL);
    o.weights = GR_DTYPE_I8;
    MUST_FAIL(gr_bench_kernels(rt, &o, &err), GR_ERR_ARG, "weights cannot be I8");
    o.weights = GR_DTYPE_BF16;
    o.repeats = 0;
    MUST_FAIL(gr_bench_kernels(rt, &o, &err), GR_ERR_ARG, "repeats are 0");
    o.size = 3;
    MUST_FAIL(gr_bench_kernels(rt, &o, &err), GR_ERR_ARG, "gr_bench_options.size is 3");
    gr_bench_machine m = { 0 };
    MUST_FAIL(gr_bench_describe(rt, &m, &err), GR_ERR_ARG, "gr_bench_machine.size is 0");
    assert_int_equal(s.n, 0);
    gr_runtime_free(rt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_is_measured_as_it_was_listed),
        cmocka_unit_test(no_two_cases_of_a_model_have_the_same_name),
        cmocka_unit_test(work_is_counted_as_published),
        cmocka_unit_test(weights_are_of_the_type_that_is_asked_for),
        cmocka_unit_test(what_a_token_reads_is_read_from_other_memory_every_time),
        cmocka_unit_test(every_set_of_kernels_has_a_peak),
        cmocka_unit_test(a_benchmark_that_is_cancelled_keeps_its_rows),
        cmocka_unit_test(wrong_options_are_refused_with_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
