/* The planner on random graphs: a planned arena gives the bits that private memory for every value gives, and
 * no two values that live at the same time share a byte - judged here from the nodes alone, not from the
 * planner's notes. */
#include "support/rig.h"

#include "base/rng.h"
#include "graph/internal.h"
#include "op/ops.h"

enum { MAX_VALUES = 40, N_WIDTHS = 3, N_PARAMS = N_WIDTHS * (N_WIDTHS + 1) };
static const int widths[N_WIDTHS] = { 4, 7, 33 };
static const int capacities[2] = { 11, 37 };

typedef struct {
    uint64_t seed, draws;
    gr_graph *g;
    gr_value *values[MAX_VALUES]; /* inputs, results and views: what a node may read */
    int n_values, n_inputs;
    gr_value *linear[N_WIDTHS][N_WIDTHS], *scale[N_WIDTHS];
} maker;

static int roll(maker *m, int n) { return (int)(gr_uniform(m->seed, 9, m->draws++) * n); }

static int width_of(const gr_value *v)
{
    int i = 0;
    while (i < N_WIDTHS && widths[i] != v->cols)
        i++;
    return i; /* N_WIDTHS: another width */
}

static gr_value *pick(maker *m) { return m->values[roll(m, m->n_values)]; }

static gr_value *pick_like(maker *m, const gr_value *v)
{
    gr_value *w;
    do
        w = pick(m);
    while (!gr_same_shape(v, w)); /* ends: v itself is there */
    return w;
}

static void keep(maker *m, gr_value *v)
{
    assert_non_null(v);
    m->values[m->n_values++] = v;
}

static void add_node(maker *m)
{
    gr_value *x = roll(m, 3) ? m->values[m->n_values - 1 - roll(m, 2)] : pick(m); /* mostly chains */
    const int w = width_of(x);
    switch (roll(m, 9)) {
    case 0:
        keep(m, gr_gelu(x));
        break;
    case 1:
        keep(m, gr_silu(x));
        break;
    case 2:
        keep(m, gr_rms_norm(x, 1e-3f));
        break;
    case 3:
        keep(m, gr_add(x, pick_like(m, x)));
        break;
    case 4:
        keep(m, gr_mul(x, pick_like(m, x)));
        break;
    case 5:
        keep(m, w < N_WIDTHS ? gr_scale_columns(x, m->scale[w]) : gr_silu(x));
        break;
    case 6:
        keep(m, w < N_WIDTHS ? gr_linear(x, m->linear[w][roll(m, N_WIDTHS)], NULL) : gr_gelu(x));
        break;
    case 7:
        keep(m, x->factor == 1 ? gr_pad_rows(x, 1, roll(m, 3), 3) : gr_slice_rows(x, x->factor, 1, 1));
        break;
    default: /* two columns fewer, of what has memory of its own */
        keep(m, x->kind == GR_VALUE_TEMP && x->cols > 3 ? gr_graph_columns(x, 1, x->cols - 2) : gr_silu(x));
    }
}

static void make(maker *m, gr_runtime *rt, uint64_t seed)
{
    gr_error err = { 0 };
    *m = (maker){ .seed = seed };
    MUST(gr_graph_new(&m->g, rt, "random", seed & 1 ? GR_ROUND_BF16 : GR_ROUND_NONE, &err));
    gr_graph_extent(m->g, "few", capacities[0]);
    gr_graph_extent(m->g, "many", capacities[1]);
    for (int i = 0; i < N_WIDTHS; i++) {
        m->scale[i] = gr_graph_param(m->g, "scale", 1, widths[i]);
        for (int k = 0; k < N_WIDTHS; k++)
            m->linear[i][k] = gr_graph_param(m->g, "linear", widths[k], widths[i]);
    }
    for (int e = 0; e < 2; e++)
        keep(m, gr_graph_input(m->g, "x", e, 1, widths[roll(m, N_WIDTHS)]));
    m->n_inputs = m->n_values;
    for (int n = 4 + roll(m, 16); n > 0; n--)
        add_node(m);
    MUST(gr_graph_status(m->g, &err));
}

/* Where a value's memory is read for the last time: by itself, or through columns of it. */
static int last_read(const gr_graph *g, const gr_value *v)
{
    int last = v->producer->number;
    for (size_t i = 0; i < g->n_nodes; i++)
        for (int k = 0; k < g->nodes[i]->n_in; k++) {
            const gr_value *in = g->nodes[i]->in[k];
            if (in == v || (in && in->kind == GR_VALUE_VIEW && in->base == v))
                last = (int)i;
        }
    return last;
}

static size_t bytes_of(const gr_value *v) { return gr_value_max_rows(v) * (size_t)v->cols * 4; }

static bool may_replace(const gr_value *y, const gr_value *x)
{
    const gr_node *n = y->producer;
    for (int k = 0; k < n->n_in; k++)
        if (n->in[k] == x && n->op->inplace >> k & 1 && n->out[0] == y && gr_same_shape(x, y) &&
            x->offset == y->offset)
            return true;
    return false;
}

static void check_overlap(const gr_graph *g, const gr_value *a, const gr_value *b, uint64_t seed)
{
    const int a0 = a->producer->number, a1 = last_read(g, a), b0 = b->producer->number, b1 = last_read(g, b);
    if (a1 < b0 || b1 < a0 || (a1 == b0 && may_replace(b, a)) || (b1 == a0 && may_replace(a, b)))
        return;
    if (a->offset < b->offset + bytes_of(b) && b->offset < a->offset + bytes_of(a))
        fail_msg("seed %llu: results of nodes %d (until %d) and %d (until %d) overlap",
                 (unsigned long long)seed, a0, a1, b0, b1);
}

static int in_place_seen;

static void check_layout(const gr_graph *g, uint64_t seed)
{
    for (size_t i = 0; i < g->n_values; i++) {
        const gr_value *a = g->values[i];
        if (a->kind != GR_VALUE_TEMP || a->output >= 0)
            continue;
        assert_int_equal(a->offset % 64, 0);
        assert_true(a->offset + bytes_of(a) <= g->values_bytes);
        in_place_seen += a->storage != a;
        for (size_t k = 0; k < i; k++)
            if (g->values[k]->kind == GR_VALUE_TEMP && g->values[k]->output < 0)
                check_overlap(g, a, g->values[k], seed);
    }
}

/* Data of a seed; extents at capacity, one, none, or between. */
static void make_data(maker *m, rig_data *d, float *pool, size_t size)
{
    *d = (rig_data){ .round_params = m->seed & 1 ? ~0u : 0 };
    for (int e = 0; e < 2; e++)
        d->extents[e] = roll(m, 4) ? 1 + roll(m, capacities[e]) : roll(m, 2) * capacities[e];
    rig_draw(pool, size, m->seed, 1.5f);
    for (int i = 0; i < 2; i++)
        d->inputs[i] = pool + 100 * i;
    for (int i = 0; i < N_PARAMS; i++)
        d->params[i] = pool + 37 * i;
}

static void a_planned_arena_gives_the_bits_of_private_memory(void **state)
{
    (void)state;
    static float pool[4096];
    rig cpu, check;
    rig_open(&cpu, RIG_CPU, 2);
    rig_open(&check, RIG_CHECK, 2);
    for (uint64_t seed = 1; seed <= 400; seed++) {
        maker alone, planned;
        rig_data a, p;
        make(&alone, cpu.rt, seed);
        make(&planned, cpu.rt, seed);
        int which[MAX_VALUES], n = 0;
        for (int i = alone.n_inputs; i < alone.n_values; i++)
            if (alone.values[i]->kind == GR_VALUE_TEMP) {
                gr_graph_output(alone.g, alone.values[i]); /* memory of its own */
                if (i == alone.n_values - 1 || roll(&planned, 6) == 0) {
                    gr_graph_output(planned.g, planned.values[i]);
                    which[n++] = alone.values[i]->output;
                }
            }
        make_data(&alone, &a, pool, 4096);
        p = a;
        rig_call(&cpu, alone.g, &a);
        rig_call(seed % 4 ? &cpu : &check, planned.g, &p);
        check_layout(planned.g, seed);
        for (int i = 0; i < n; i++)
            rig_same_bits(a.outputs[which[i]], p.outputs[i], rig_size(planned.g->outputs[i], a.extents),
                          "an output");
        rig_release_outputs(&a), rig_release_outputs(&p);
        gr_graph_free(alone.g), gr_graph_free(planned.g);
    }
    rig_close(&cpu);
    rig_close(&check);
    assert_true(in_place_seen > 400); /* the graphs do exercise it */
}

static void a_chain_needs_one_place_and_a_read_value_stays(void **state)
{
    (void)state;
    gr_error err = { 0 };
    rig r;
    gr_graph *g;
    rig_open(&r, RIG_CPU, 1);
    for (int residual = 0; residual < 2; residual++) {
        MUST(gr_graph_new(&g, r.rt, "chain", GR_ROUND_NONE, &err));
        gr_value *first = gr_gelu(gr_graph_input(g, "x", gr_graph_extent(g, "rows", 16), 1, 16)), *y = first;
        for (int i = 0; i < 6; i++)
            y = gr_silu(y);
        gr_graph_output(g, gr_gelu(residual ? gr_add(first, y) : y));
        MUST(gr_graph_plan(g, r.be, &err));
        assert_int_equal(gr_graph_arena_bytes(g), (1 + residual) * 16 * 16 * 4);
        gr_graph_free(g);
    }
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_planned_arena_gives_the_bits_of_private_memory),
                                        cmocka_unit_test(a_chain_needs_one_place_and_a_read_value_stays) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
