/* Products of bf16 in training: both factors of the forward product and of both backward ones are rounded,
 * sums are f32, nothing else is touched. What a product of rounded factors gives in f32 is what is expected;
 * where the processor has no such instruction, products are those of f32 to the bit. */
#include "support/rig.h"

#include "base/half.h"
#include "graph/internal.h"
#include "op/ops.h"
#include "support/kernel_sets.h"

/* Order of sums: pairs and fused products, over at most 520 numbers. */
#define TOLERANCE 2e-6

enum { Y, DX, DW, N_RESULTS };

typedef struct {
    int rows, in, out;
} product_case;

static const product_case cases[] = {
    { 21, 19, 45 }, { 5, 520, 64 },   { 130, 33, 31 }, { 1, 16, 32 },
    { 2, 1, 1 },    { 325, 256, 96 }, { 12, 515, 12 },
};
enum { N_CASES = sizeof cases / sizeof *cases };

typedef struct {
    float *x, *w, *dy;
    rig_data d;
} operands;

static float *drawn(size_t n, uint64_t seed, bool rounded)
{
    float *v = malloc(n * sizeof *v);
    assert_non_null(v);
    rig_draw(v, n, seed, 1);
    for (size_t i = 0; i < n && rounded; i++)
        v[i] = gr_round_bf16(v[i]);
    return v;
}

static void draw(operands *o, const product_case *c, bool rounded)
{
    const size_t rows = (size_t)c->rows, in = (size_t)c->in, out = (size_t)c->out;
    *o = (operands){ drawn(rows * in, 1, rounded),
                     drawn(out * in, 2, rounded),
                     drawn(rows * out, 3, rounded),
                     { .rows = NULL } };
    o->d = (rig_data){ .extents = { c->rows }, .inputs = { o->x, o->dy }, .params = { o->w } };
}

static void release(operands *o)
{
    rig_release_outputs(&o->d);
    free(o->x);
    free(o->w);
    free(o->dy);
}

/* y, dx and dw of a linear layer whose weight is trained. */
static void run(operands *o, const product_case *c, rig_kind kind, int threads, gr_rounding round)
{
    gr_error err = { 0 };
    gr_graph *g;
    rig r;
    rig_open(&r, kind, threads);
    MUST(gr_graph_new(&g, r.rt, "product", round, &err));
    gr_graph_train(g, ~0u);
    const int rows = gr_graph_extent(g, "rows", 400);
    gr_value *x = gr_graph_input(g, "x", rows, 1, c->in), *w = gr_graph_param(g, "w", c->out, c->in);
    gr_value *y = gr_graph_output(g, gr_linear(x, w, NULL)), *dy = gr_graph_input(g, "dy", rows, 1, c->out);
    gr_value *wants[] = { x, w }, *grads[2];
    gr_graph_backward(g, &y, &dy, 1, wants, grads, 2);
    for (int i = 0; i < 2; i++)
        assert_non_null(gr_graph_output(g, grads[i]));
    MUST(gr_graph_status(g, &err));
    rig_call(&r, g, &o->d);
    gr_graph_free(g);
    rig_close(&r);
}

static size_t result_size(const product_case *c, int result)
{
    return (size_t)(result == Y ? c->rows * c->out : result == DX ? c->rows * c->in : c->out * c->in);
}

static double size_of(const float *v, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)v[i] * v[i];
    return sqrt(sum / (double)n);
}

static bool has_pairs(void)
{
    gr_kernels k;
    gr_kernels_init(&k, gr_cpu_features());
    return k.strip_paired;
}

static void compare(const operands *a, const operands *b, const product_case *c)
{
    static const char *const names[] = { "y", "dx", "dw" };
    for (int k = 0; k < N_RESULTS; k++) {
        const size_t n = result_size(c, k);
        /* Terms have a size of about 1/3 each. */
        const double terms = k == Y    ? c->in
                             : k == DX ? c->out
                                       : c->rows,
                     most = TOLERANCE * (1 + sqrt(terms));
        for (size_t i = 0; i < n; i++)
            if (!(fabs((double)a->d.outputs[k][i] - (double)b->d.outputs[k][i]) <= most))
                fail_msg("%d x %d x %d: %s[%zu] is %.9g, of rounded factors %.9g", c->rows, c->in, c->out,
                         names[k], i, (double)a->d.outputs[k][i], (double)b->d.outputs[k][i]);
        assert_true(size_of(b->d.outputs[k], n) > 1e-3);
    }
}

static void factors_are_rounded_and_nothing_else(void **state)
{
    (void)state;
    const bool pairs = has_pairs();
    for (int i = 0; i < N_CASES; i++) {
        operands mixed, expected;
        draw(&mixed, &cases[i], false);
        draw(&expected, &cases[i], pairs);
        run(&mixed, &cases[i], RIG_CPU, 2, GR_ROUND_PRODUCTS);
        run(&expected, &cases[i], RIG_CPU, 2, GR_ROUND_NONE);
        compare(&mixed, &expected, &cases[i]);
        for (int k = 0; k < N_RESULTS && !pairs; k++)
            rig_same_bits(mixed.d.outputs[k], expected.d.outputs[k], result_size(&cases[i], k),
                          "without pairs");
        release(&mixed), release(&expected);
    }
    if (!pairs)
        print_message("this processor multiplies no bf16: products are f32\n");
}

static void any_threads_and_backend_give_the_same_bits(void **state)
{
    (void)state;
    for (int i = 0; i < N_CASES; i++) {
        operands one, three, checked;
        draw(&one, &cases[i], false), draw(&three, &cases[i], false), draw(&checked, &cases[i], false);
        run(&one, &cases[i], RIG_CPU, 1, GR_ROUND_PRODUCTS);
        run(&three, &cases[i], RIG_CPU, 3, GR_ROUND_PRODUCTS);
        run(&checked, &cases[i], RIG_CHECK, 2, GR_ROUND_PRODUCTS);
        for (int k = 0; k < N_RESULTS; k++) {
            rig_same_bits(one.d.outputs[k], three.d.outputs[k], result_size(&cases[i], k), "1 and 3 threads");
            rig_same_bits(one.d.outputs[k], checked.d.outputs[k], result_size(&cases[i], k), "cpu and check");
        }
        release(&one), release(&three), release(&checked);
    }
}

/* A row does not depend on those beside it. */
static void a_row_alone_has_the_bits_it_has_among_others(void **state)
{
    (void)state;
    const product_case many = { 130, 33, 31 }, lone = { 1, 33, 31 };
    operands a, b;
    draw(&a, &many, false), draw(&b, &lone, false);
    memcpy(b.x, a.x + 129 * 33, 33 * sizeof(float));
    memcpy(b.w, a.w, 33 * 31 * sizeof(float));
    memcpy(b.dy, a.dy + 129 * 31, 31 * sizeof(float));
    run(&a, &many, RIG_CPU, 2, GR_ROUND_PRODUCTS);
    run(&b, &lone, RIG_CPU, 2, GR_ROUND_PRODUCTS);
    rig_same_bits(a.d.outputs[Y] + 129 * 31, b.d.outputs[Y], 31, "y of the last row");
    rig_same_bits(a.d.outputs[DX] + 129 * 33, b.d.outputs[DX], 33, "dx of the last row");
    release(&a), release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(factors_are_rounded_and_nothing_else),
        cmocka_unit_test(any_threads_and_backend_give_the_same_bits),
        cmocka_unit_test(a_row_alone_has_the_bits_it_has_among_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
