/* The third program of docs/graph.md: a training step that keeps what enters a segment and runs the segment
 * again for its gradients, on both backends. */
#include "support/toy.h"

enum { TRAIN_ROWS = 18, SEGMENTS = 2, SIZE = TRAIN_ROWS * DIM, LEARNED = TURN };

typedef struct {
    rig r;
    gr_graph *forward, *both,
        *whole; /* both: forward and backward of a segment; whole: of both segments at once */
    float *w[SEGMENTS][BLOCK_PARAMS], *dw[SEGMENTS][LEARNED];
    float x[SIZE], target[SIZE], y[SIZE], dy[SIZE], dx[SIZE];
    rig_rows rows;
    gr_span spans[3];
} trainer;

/* Adds the gradients of x and of the learned parameters as outputs. */
static void add_backward(gr_graph *g, gr_value *y, gr_value *x, gr_value *const *learned, int n)
{
    gr_value *wants[SEGMENTS * LEARNED + 1] = { x }, *dx[SEGMENTS * LEARNED + 1];
    memcpy(wants + 1, learned, (size_t)n * sizeof *learned);
    gr_value *dy = gr_graph_input(g, "dy", y->extent, y->factor, y->cols);
    gr_graph_backward(g, &y, &dy, 1, wants, dx, n + 1);
    for (int i = 0; i <= n; i++)
        assert_non_null(gr_graph_output(g, dx[i]));
}

static void build_training(trainer *t)
{
    gr_value *p[BLOCK_PARAMS], *learned[SEGMENTS * LEARNED];
    gr_graph *g = t->forward = toy_graph(&t->r, "segment");
    gr_value *x = gr_graph_input(g, "x", gr_graph_extent(g, "rows", ROWS), 1, DIM);
    toy_declare(g, p);
    gr_graph_output(g, toy_block(x, p, false));

    g = t->both = toy_graph(&t->r, "segment and its backward");
    x = gr_graph_input(g, "x", gr_graph_extent(g, "rows", ROWS), 1, DIM);
    toy_declare(g, p);
    add_backward(g, toy_block(x, p, false), x, p, LEARNED);

    g = t->whole = toy_graph(&t->r, "both segments");
    x = gr_graph_input(g, "x", gr_graph_extent(g, "rows", ROWS), 1, DIM);
    gr_value *turn = gr_graph_param(g, "turn", POSITIONS, HEAD), *y = x;
    for (int s = 0; s < SEGMENTS; s++) {
        for (int i = 0; i < LEARNED; i++)
            learned[s * LEARNED + i] = p[i] =
                gr_graph_param(g, toy_params[i].name, toy_params[i].rows, toy_params[i].cols);
        p[TURN] = turn;
        y = toy_block(y, p, false);
    }
    add_backward(g, y, x, learned, SEGMENTS * LEARNED);
}

static void trainer_open(trainer *t, rig_kind kind, int threads)
{
    memset(t, 0, sizeof *t);
    rig_open(&t->r, kind, threads);
    build_training(t);
    for (int s = 0; s < SEGMENTS; s++)
        for (int i = 0; i < BLOCK_PARAMS; i++) {
            t->w[s][i] = toy_draw_param(i, 90 + (uint64_t)(i == TURN ? i : s * BLOCK_PARAMS + i));
            if (i < LEARNED)
                t->dw[s][i] = toy_draw(toy_param_size(i), 0, 0);
        }
    rig_draw(t->x, SIZE, 200, 1);
    rig_draw(t->target, SIZE, 201, 1);
    static const int32_t spans[] = { 5, 12, 1 };
    for (int i = 0, row = 0; i < 3; row += spans[i++])
        t->spans[i] = (gr_span){ .row = row, .n_rows = spans[i] };
    rig_make_rows(&t->rows, t->spans, 3);
}

static void trainer_close(trainer *t)
{
    gr_graph_free(t->forward);
    gr_graph_free(t->both);
    gr_graph_free(t->whole);
    rig_close(&t->r);
    for (int s = 0; s < SEGMENTS; s++)
        for (int i = 0; i < BLOCK_PARAMS; i++) {
            free(t->w[s][i]);
            if (i < LEARNED)
                free(t->dw[s][i]);
        }
}

/* Forward through the segments; what enters each is kept in `saved`. Gives the loss, and its gradient in
 * t->dy. */
static double forward(trainer *t, float saved[SEGMENTS][SIZE])
{
    double loss = 0;
    memcpy(saved[0], t->x, sizeof t->x);
    for (int s = 0; s < SEGMENTS; s++) {
        rig_data d = { .extents = { TRAIN_ROWS }, .inputs = { saved[s] }, .rows = &t->rows.table };
        for (int i = 0; i < BLOCK_PARAMS; i++)
            d.params[i] = t->w[s][i];
        rig_call(&t->r, t->forward, &d);
        memcpy(s + 1 < SEGMENTS ? saved[s + 1] : t->y, d.outputs[0], sizeof t->y);
        rig_release_outputs(&d);
    }
    for (int i = 0; i < SIZE; i++) {
        const double off = (double)t->y[i] - t->target[i];
        loss += 0.5 * off * off / TRAIN_ROWS;
        t->dy[i] = (float)(off / TRAIN_ROWS);
    }
    return loss;
}

/* Backward: each segment runs again from what entered it, together with its own backward pass. */
static void backward(trainer *t, float saved[SEGMENTS][SIZE])
{
    memcpy(t->dx, t->dy, sizeof t->dy);
    for (int s = SEGMENTS; s-- > 0;) {
        rig_data d = { .extents = { TRAIN_ROWS }, .inputs = { saved[s], t->dx }, .rows = &t->rows.table };
        for (int i = 0; i < BLOCK_PARAMS; i++)
            d.params[i] = t->w[s][i];
        rig_call(&t->r, t->both, &d);
        memcpy(t->dx, d.outputs[0], sizeof t->dx);
        for (int i = 0; i < LEARNED; i++)
            memcpy(t->dw[s][i], d.outputs[1 + i], toy_param_size(i) * sizeof(float));
        rig_release_outputs(&d);
    }
}

static void compare_with_whole(trainer *t)
{
    rig_data d = { .extents = { TRAIN_ROWS }, .inputs = { t->x, t->dy }, .rows = &t->rows.table };
    d.params[0] = t->w[0][TURN];
    for (int s = 0; s < SEGMENTS; s++)
        for (int i = 0; i < LEARNED; i++)
            d.params[1 + s * LEARNED + i] = t->w[s][i];
    rig_call(&t->r, t->whole, &d);
    rig_same_bits(t->dx, d.outputs[0], SIZE, "gradient of x");
    for (int s = 0; s < SEGMENTS; s++)
        for (int i = 0; i < LEARNED; i++)
            rig_same_bits(t->dw[s][i], d.outputs[1 + s * LEARNED + i], toy_param_size(i), toy_params[i].name);
    rig_release_outputs(&d);
}

/* Central differences as in test_op_gradients.c; the loss is a mean over rows, so f32 noise is small against
 * |dw|. */
static void compare_with_slopes(trainer *t, float *w, const float *dw, size_t n, const char *name)
{
    static float saved[SEGMENTS][SIZE];
    const double h = 1.0 / 256, at[] = { h, -h, 2 * h, -2 * h };
    double slope = 0, norm = 0, loss[4];
    float *u = toy_draw(n, 300, 1), *kept = toy_draw(n, 0, 0);
    memcpy(kept, w, n * sizeof *w);
    for (int k = 0; k < 4; k++) {
        for (size_t i = 0; i < n; i++)
            w[i] = (float)(kept[i] + at[k] * u[i]);
        loss[k] = forward(t, saved);
    }
    memcpy(w, kept, n * sizeof *w);
    for (size_t i = 0; i < n; i++) {
        slope += (double)dw[i] * u[i];
        norm += (double)dw[i] * dw[i];
    }
    const double measured = (8 * (loss[0] - loss[1]) - (loss[2] - loss[3])) / (12 * h);
    const double error = fabs(measured - slope) / sqrt(norm);
    if (getenv("GR_SHOW"))
        printf("%s: %.2e\n", name, error);
    if (!(error < 2e-3))
        fail_msg("%s: the slope is %.9g, the gradient says %.9g (length %.3g)", name, measured, slope,
                 sqrt(norm));
    free(u), free(kept);
}

static void recomputed_gradients_equal_one_graph_and_the_slopes(void **state)
{
    (void)state;
    static trainer t;
    static float saved[SEGMENTS][SIZE];
    for (int kind = 0; kind < 2; kind++) {
        trainer_open(&t, (rig_kind)kind, 2);
        forward(&t, saved);
        backward(&t, saved);
        compare_with_whole(&t);
        for (int s = 0; s < SEGMENTS && kind == RIG_CPU; s++)
            for (int i = 0; i < LEARNED; i++)
                compare_with_slopes(&t, t.w[s][i], t.dw[s][i], toy_param_size(i), toy_params[i].name);
        trainer_close(&t);
    }
}

static void ten_steps_on(rig_kind kind, int threads, double losses[11])
{
    static trainer t;
    static float saved[SEGMENTS][SIZE];
    trainer_open(&t, kind, threads);
    for (int step = 0; step <= 10; step++) {
        losses[step] = forward(&t, saved);
        backward(&t, saved);
        for (int s = 0; s < SEGMENTS; s++)
            for (int i = 0; i < LEARNED; i++)
                for (size_t k = 0; k < toy_param_size(i); k++)
                    t.w[s][i][k] -= 0.001f * t.dw[s][i][k];
    }
    trainer_close(&t);
}

static void the_loss_falls_over_ten_steps_and_is_the_same_everywhere(void **state)
{
    (void)state;
    double one[11], three[11], checked[11];
    ten_steps_on(RIG_CPU, 1, one);
    ten_steps_on(RIG_CPU, 3, three);
    ten_steps_on(RIG_CHECK, 2, checked);
    for (int i = 0; i <= 10 && getenv("GR_SHOW"); i++)
        printf("loss after %d steps: %.6f\n", i, one[i]);
    for (int i = 1; i <= 10; i++)
        assert_true(one[i] < one[i - 1]);
    assert_true(one[10] < 0.5 * one[0]);
    assert_memory_equal(one, three, sizeof one);
    assert_memory_equal(one, checked, sizeof one);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(recomputed_gradients_equal_one_graph_and_the_slopes),
                                        cmocka_unit_test(
                                            the_loss_falls_over_ten_steps_and_is_the_same_everywhere) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
