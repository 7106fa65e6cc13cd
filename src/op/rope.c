/* rope.c - rotary position embedding by a table of cosines and sines, for both layouts.
 * Sources: Su et al. 2021 (RoFormer); timm/layers/pos_embed_sincos.py (interleaved, the table may be
 * two-dimensional); transformers models/llama/modeling_llama.py (half-split).
 *
 * Rounding (GR_ROUND_BF16): the Perception Encoder rotates in float32 and rounds once. Llama rounds cosine
 * and sine (done when the table is prepared), both products and their sum. */
#include "base/half.h"
#include "graph/op.h"
#include "op/ops.h"

static bool rope_infer(gr_node *n)
{
    const gr_attr *a = &n->attr;
    if (a->heads < 1 || n->in[0]->cols % a->heads != 0 || n->in[0]->cols / a->heads != n->in[1]->cols ||
        n->in[1]->cols % 2 != 0) {
        gr_graph_fail(n->graph, GR_ERR_SHAPE, "rope: %d columns in %d heads, a table of %d columns",
                      n->in[0]->cols, a->heads, n->in[1]->cols);
        return false;
    }
    n->attr.head_dim = n->in[1]->cols;
    return true;
}

static void rotate_head(const gr_task *t, float *y, const float *x, const float *cos, const float *sin,
                        size_t pairs)
{
    const bool rounds = t->round == GR_ROUND_BF16 && !t->attr.interleaved;
    const float turn = t->attr.inverse ? -1.0f : 1.0f;
    for (size_t i = 0; i < pairs; i++) {
        const size_t ia = t->attr.interleaved ? 2 * i : i, ib = t->attr.interleaved ? 2 * i + 1 : i + pairs;
        const float a = x[ia], b = x[ib], s = turn * sin[i];
        float ac = a * cos[i], bs = b * s, bc = b * cos[i], as = a * s;
        if (rounds) {
            ac = gr_round_bf16(ac), bs = gr_round_bf16(bs);
            bc = gr_round_bf16(bc), as = gr_round_bf16(as);
        }
        y[ia] = ac - bs;
        y[ib] = bc + as;
    }
}

static void rope_forward(const gr_task *t, int phase, size_t unit, void *scratch)
{
    (void)phase, (void)scratch;
    size_t r0, r1;
    gr_unit_rows(t, unit, &r0, &r1);
    const size_t d = (size_t)t->attr.head_dim;
    for (size_t r = r0; r < r1; r++) {
        const float *x = gr_row(&t->in[0], r), *cos = t->in[1].f + (size_t)t->rows->position[r] * d;
        float *y = gr_row(&t->out[0], r);
        for (size_t h = 0; h < (size_t)t->attr.heads; h++)
            rotate_head(t, y + h * d, x + h * d, cos, cos + d / 2, d / 2);
        gr_finish(t, y, t->out[0].cols);
    }
}

/* The inverse of a rotation is its transpose. */
static void rope_grad(gr_graph *g, const gr_node *n, gr_value *const *dy, gr_value **dx, const bool *want);

const gr_op gr_op_rope = { .name = "rope",
                           .min_in = 2,
                           .max_in = 2,
                           .n_out = 1,
                           .forms = { GR_FORM_NONE, GR_FORM_VECTOR },
                           .inplace = 1,
                           .reads_rows = true,
                           .infer = rope_infer,
                           .forward = rope_forward,
                           .grad = rope_grad };

static void rope_grad(gr_graph *g, const gr_node *n, gr_value *const *dy, gr_value **dx, const bool *want)
{
    (void)want;
    gr_value *in[] = { dy[0], n->in[1] };
    gr_attr attr = n->attr;
    attr.inverse = !attr.inverse;
    gr_node *back = gr_graph_add(g, &gr_op_rope, &attr, in, 2);
    dx[0] = back ? back->out[0] : NULL;
}

gr_value *gr_rope(gr_value *x, gr_value *table, int heads, bool interleaved)
{
    gr_value *in[] = { x, table };
    const gr_attr attr = { .heads = heads, .interleaved = interleaved };
    gr_node *n = x && table ? gr_graph_add(x->graph, &gr_op_rope, &attr, in, 2) : NULL;
    return n ? n->out[0] : NULL;
}
