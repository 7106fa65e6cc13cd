/* patch.c - a picture cut into patches: what a convolution with stride = kernel size reads for one output.
 * The convolution itself is a gr_linear whose weight is the convolution's, seen as [outputs, channels * patch
 * * patch]. */
#include <string.h>

#include "graph/op.h"
#include "op/ops.h"

static bool patchify_infer(gr_node *n)
{
    const gr_attr *a = &n->attr; /* group = channels, factor = repeat, side, head_dim = patch */
    if (a->group < 1 || a->factor < 1 || a->head_dim < 1 || a->side < 1 || a->side % a->head_dim != 0 ||
        n->in[0]->factor != 1 || n->in[0]->cols != a->group * a->side * a->side) {
        gr_graph_fail(n->graph, GR_ERR_SHAPE,
                      "patchify: %d columns for %d channels of side %d in patches of %d", n->in[0]->cols,
                      a->group, a->side, a->head_dim);
        return false;
    }
    const int grid = a->side / a->head_dim;
    n->out[0]->factor = grid * grid;
    n->out[0]->cols = a->group * a->factor * a->head_dim * a->head_dim;
    return true;
}

static void patchify_forward(const gr_task *t, int phase, size_t unit, void *scratch)
{
    (void)phase, (void)scratch;
    const size_t side = (size_t)t->attr.side, p = (size_t)t->attr.head_dim, grid = side / p,
                 repeat = (size_t)t->attr.factor;
    size_t r0, r1;
    gr_unit_rows(t, unit, &r0, &r1);
    for (size_t r = r0; r < r1; r++) {
        const size_t cell = r % (grid * grid), y0 = cell / grid * p, x0 = cell % grid * p;
        const float *picture = gr_row(&t->in[0], r / (grid * grid));
        float *to = gr_row(&t->out[0], r);
        for (size_t c = 0; c < (size_t)t->attr.group * repeat; c++)
            for (size_t y = 0; y < p; y++, to += p)
                memcpy(to, picture + (c / repeat * side + y0 + y) * side + x0, p * sizeof *to);
        gr_finish(t, gr_row(&t->out[0], r), t->out[0].cols);
    }
}

/* Pictures are given, not learned: no gradient rule. */
const gr_op gr_op_patchify = { .name = "patchify",
                               .min_in = 1,
                               .max_in = 1,
                               .n_out = 1,
                               .infer = patchify_infer,
                               .forward = patchify_forward };

gr_value *gr_patchify(gr_value *x, int channels, int repeat, int side, int patch)
{
    const gr_attr attr = { .group = channels, .factor = repeat, .side = side, .head_dim = patch };
    gr_node *n = x ? gr_graph_add(x->graph, &gr_op_patchify, &attr, &x, 1) : NULL;
    return n ? n->out[0] : NULL;
}
