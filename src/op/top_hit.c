/* top_hit.c - whether the target of each row has the greatest logit: 1 or 0. Of equal ones the first counts,
 * as with torch.argmax; a row with a NaN has no hit. */
#include "graph/op.h"
#include "op/ops.h"

static bool is_top(const float *x, size_t n, size_t target)
{
    const float top = x[target];
    bool hit = true;
    for (size_t i = 0; i < target; i++)
        hit &= x[i] < top;
    for (size_t i = target; i < n; i++)
        hit &= x[i] <= top;
    return hit;
}

static void hit_forward(const gr_task *t, int phase, size_t unit, void *scratch)
{
    (void)phase, (void)scratch;
    size_t r0, r1;
    gr_unit_rows(t, unit, &r0, &r1);
    for (size_t r = r0; r < r1; r++)
        gr_row(&t->out[0], r)[0] = is_top(gr_row(&t->in[0], r), t->in[0].cols, (size_t)t->in[1].i[r]) ? 1 : 0;
}

const gr_op gr_op_top_hit = {
    .name = "top_hit", .min_in = 2, .max_in = 2, .n_out = 1, .infer = gr_infer_targets, .forward = hit_forward
};

gr_value *gr_top_hit(gr_value *logits, gr_value *target)
{
    gr_value *in[] = { logits, target };
    gr_node *n = logits && target ? gr_graph_add(logits->graph, &gr_op_top_hit, NULL, in, 2) : NULL;
    return n ? n->out[0] : NULL;
}
