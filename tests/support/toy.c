#include "support/toy.h"

#include "op/ops.h"

const toy_param toy_params[BLOCK_PARAMS] = {
    [NORM1] = { "norm1", 1, DIM },        [Q] = { "q", HEADS *HEAD, DIM }, [K] = { "k", KV_HEADS *HEAD, DIM },
    [V] = { "v", KV_HEADS *HEAD, DIM },   [O] = { "o", DIM, HEADS *HEAD }, [NORM2] = { "norm2", 1, DIM },
    [GATE] = { "gate", MLP, DIM },        [UP] = { "up", MLP, DIM },       [DOWN] = { "down", DIM, MLP },
    [TURN] = { "turn", POSITIONS, HEAD },
};

gr_value *toy_block(gr_value *x, gr_value *const *p, bool paged)
{
    gr_value *h = gr_scale_columns(gr_rms_norm(x, 1e-5f), p[NORM1]);
    gr_value *q = gr_rope(gr_linear(h, p[Q], NULL), p[TURN], HEADS, false);
    gr_value *k = gr_rope(gr_linear(h, p[K], NULL), p[TURN], KV_HEADS, false);
    gr_value *v = gr_linear(h, p[V], NULL);
    x = gr_add(x, gr_linear(gr_attention(q, k, v, HEADS, KV_HEADS, 0.35f, true, paged), p[O], NULL));
    h = gr_scale_columns(gr_rms_norm(x, 1e-5f), p[NORM2]);
    gr_value *gate = gr_silu(gr_linear(h, p[GATE], NULL));
    return gr_add(x, gr_linear(gr_mul(gate, gr_linear(h, p[UP], NULL)), p[DOWN], NULL));
}

void toy_declare(gr_graph *g, gr_value **params)
{
    for (int i = 0; i < BLOCK_PARAMS; i++)
        params[i] = gr_graph_param(g, toy_params[i].name, toy_params[i].rows, toy_params[i].cols);
}

gr_graph *toy_graph(rig *r, const char *name)
{
    gr_error err = { 0 };
    gr_graph *g;
    MUST(gr_graph_new(&g, r->rt, name, GR_ROUND_NONE, &err));
    return g;
}

float *toy_draw(size_t n, uint64_t seed, float scale)
{
    float *to = malloc(n * sizeof *to);
    assert_non_null(to);
    rig_draw(to, n, seed, scale);
    return to;
}

size_t toy_param_size(int slot) { return (size_t)toy_params[slot].rows * (size_t)toy_params[slot].cols; }

float *toy_draw_param(int slot, uint64_t seed)
{
    const bool norm = slot == NORM1 || slot == NORM2;
    const size_t n = toy_param_size(slot);
    float *w = toy_draw(n, seed, norm ? 0.3f : 0.35f);
    for (size_t i = 0; i < n; i++)
        if (norm) {
            w[i] += 1;
        } else if (slot == TURN) { /* rows of cosines, then sines */
            const double angle = (double)(i / HEAD) / pow(4.0, (double)(i % (HEAD / 2)));
            w[i] = (float)(i % HEAD < HEAD / 2 ? cos(angle) : sin(angle));
        }
    return w;
}
