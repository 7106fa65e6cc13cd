/* The checking backend must find what it is there for: each promise is broken once, by an operator made for
 * it. */
#include "support/rig.h"

#include <signal.h>
#include <sys/wait.h>

#include "graph/internal.h"
#include "op/ops.h"

enum { ROWS = 40, COLS = 5 };

static void honest(const gr_task *t, int phase, size_t unit, void *scratch)
{
    (void)phase, (void)scratch;
    size_t r0, r1;
    gr_unit_rows(t, unit, &r0, &r1);
    for (size_t r = r0; r < r1; r++)
        memcpy(gr_row(&t->out[0], r), gr_row(&t->in[0], r), COLS * sizeof(float));
}

static void leaves_a_row(const gr_task *t, int phase, size_t unit, void *scratch)
{
    const gr_task shorter = { .n_in = 1, .n_out = 1, .in = { t->in[0] }, .out = { t->out[0] } };
    gr_task s = shorter;
    s.out[0].rows--;
    honest(&s, phase, unit, scratch);
}

static void adds_to_what_was_there(const gr_task *t, int phase, size_t unit, void *scratch)
{
    (void)phase, (void)scratch;
    size_t r0, r1;
    gr_unit_rows(t, unit, &r0, &r1);
    for (size_t r = r0; r < r1; r++)
        for (size_t c = 0; c < COLS; c++)
            gr_row(&t->out[0], r)[c] += gr_row(&t->in[0], r)[c];
}

static void reads_dirty_scratch(const gr_task *t, int phase, size_t unit, void *scratch)
{
    honest(t, phase, unit, scratch);
    gr_row(&t->out[0], unit * GR_ROW_BLOCK)[3] = 2 * *(float *)scratch;
}

static void writes_a_row_too_many(const gr_task *t, int phase, size_t unit, void *scratch)
{
    honest(t, phase, unit, scratch);
    if (unit == 0)
        gr_row(&t->out[0], t->out[0].rows)[2] = 1;
}

/* Every unit leaves its number in row 0: whoever comes last wins. */
static void depends_on_order(const gr_task *t, int phase, size_t unit, void *scratch)
{
    honest(t, phase, unit, scratch);
    gr_row(&t->out[0], 0)[4] = (float)unit;
}

static const struct {
    void (*forward)(const gr_task *t, int phase, size_t unit, void *scratch);
    const char *part; /* of the message; NULL: nothing to find */
} cases[] = {
    { honest, NULL },
    { leaves_a_row, "node 0: suspect: output 0, row 39, column 0: not written" },
    { adds_to_what_was_there,
      "suspect: output 0, row 0, column 0: not written, or computed from what was not" },
    { reads_dirty_scratch, "suspect: output 0, row 0, column 3: not written, or computed from what was not" },
    { writes_a_row_too_many, "suspect: memory beside output 0" },
    { depends_on_order,
      "suspect: output 0, row 0, column 4: other bits when the units run in descending order" },
};

static size_t some_scratch(const gr_node *n)
{
    (void)n;
    return 64;
}

/* One thread, so that the order of units is the order of time. */
static gr_status run_suspect(rig_kind kind, size_t which, gr_error *err)
{
    const gr_op op = { .name = "suspect",
                       .min_in = 1,
                       .max_in = 1,
                       .n_out = 1,
                       .infer = gr_infer_same,
                       .scratch = some_scratch,
                       .forward = cases[which].forward };
    float x[ROWS * COLS];
    rig r;
    gr_graph *g;
    rig_draw(x, ROWS * COLS, 1, 1);
    rig_open(&r, kind, 1);
    assert_int_equal(gr_graph_new(&g, r.rt, "guarded", GR_ROUND_NONE, err), GR_OK);
    gr_value *in = gr_graph_input(g, "x", gr_graph_extent(g, "rows", ROWS + 8), 1, COLS);
    gr_node *n = gr_graph_add(g, &op, NULL, &in, 1);
    gr_graph_output(g, gr_gelu(n->out[0])); /* the suspect's own result lies in the arena */
    rig_data d = { .extents = { ROWS }, .inputs = { x } };
    const gr_status status = rig_try(&r, g, &d, err);
    rig_release_outputs(&d);
    gr_graph_free(g);
    rig_close(&r);
    return status;
}

static void each_broken_promise_is_named(void **state)
{
    (void)state;
    gr_error err = { 0 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (cases[i].part)
            MUST_FAIL(run_suspect(RIG_CHECK, i, &err), GR_ERR_ARG, cases[i].part);
        else
            MUST(run_suspect(RIG_CHECK, i, &err));
}

/* The same operators pass unnoticed on the CPU backend: the check adds what it claims to. */
static void the_cpu_backend_notices_none_of_them(void **state)
{
    (void)state;
    gr_error err = { 0 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        MUST(run_suspect(RIG_CPU, i, &err));
}

/* y = x + x on memory given from outside. */
static gr_status add_on(rig *r, void *input, void *output, gr_error *err)
{
    gr_graph *g;
    assert_int_equal(gr_graph_new(&g, r->rt, "outside", GR_ROUND_NONE, err), GR_OK);
    gr_value *x = gr_graph_input(g, "x", GR_FIXED, ROWS, COLS);
    gr_graph_output(g, gr_add(x, x));
    assert_int_equal(gr_graph_plan(g, r->be, err), GR_OK);
    const gr_run run = { .inputs = { input },
                         .outputs = { output },
                         .arena = rig_space(r, gr_graph_arena_bytes(g)) };
    const gr_status status = gr_graph_run(g, r->be, &run, err);
    gr_graph_free(g);
    return status;
}

static void host_memory_is_refused_as_input_and_output(void **state)
{
    (void)state;
    gr_error err = { 0 };
    rig r;
    float host[ROWS * COLS] = { 0 };
    rig_open(&r, RIG_CHECK, 2);
    void *device = rig_put(&r, host, sizeof host), *result = rig_space(&r, sizeof host);
    MUST(add_on(&r, device, result, &err));
    MUST_FAIL(add_on(&r, host, result, &err), GR_ERR_ARG,
              "add: input 0, row 0, column 0: not in the device's");
    MUST_FAIL(add_on(&r, device, host, &err), GR_ERR_ARG,
              "add: output 0, row 0, column 0: not in the device's");
    /* One row too few: the last one would leave the block. */
    void *shorter = rig_space(&r, (ROWS - 1) * COLS * 4 - 64);
    MUST_FAIL(add_on(&r, device, shorter, &err), GR_ERR_ARG, "output 0");
    rig_close(&r);
}

/* Whether a child process that does this dies. */
static bool dies(void (*what)(float *device), float *device)
{
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL);
        signal(SIGBUS, SIG_DFL);
        fclose(stderr); /* a sanitizer would report what is meant to happen */
        what(device);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return !(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static volatile float seen;
static void look(float *device) { seen = *device; }
static void scribble(float *device) { *(volatile float *)device = 1; }
static void do_nothing(float *device) { (void)device; }

static void host_code_that_follows_a_device_pointer_crashes(void **state)
{
    (void)state;
    rig r;
    const float host[64] = { 1 };
    float back[64];
    rig_open(&r, RIG_CHECK, 1);
    float *device = rig_put(&r, host, sizeof host);
    assert_false(dies(do_nothing, device));
    assert_true(dies(look, device));
    assert_true(dies(scribble, device + 63));
    rig_get(&r, back, device, sizeof host); /* the proper way, which leaves it closed again */
    assert_memory_equal(back, host, sizeof host);
    assert_true(dies(look, device));
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(each_broken_promise_is_named),
                                        cmocka_unit_test(the_cpu_backend_notices_none_of_them),
                                        cmocka_unit_test(host_memory_is_refused_as_input_and_output),
                                        cmocka_unit_test(host_code_that_follows_a_device_pointer_crashes) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
