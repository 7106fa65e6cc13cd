/* embed.c - token rows looked up in the embedding, wherever its backend has them, and rows of features (image
 * tiles, replayed regions) between them. */
#include <string.h>

#include "backend/weight.h"
#include "base/failure.h"
#include "graph/op.h"
#include "op/ops.h"

static bool embed_infer(gr_node *n)
{
    const gr_value *features = n->n_in > 2 ? n->in[2] : NULL;
    if (!n->in[0]->index || n->in[0]->cols != 1 || (features && features->cols != n->in[1]->cols)) {
        gr_graph_fail(n->graph, GR_ERR_SHAPE,
                      "embed: ids must be an index of one column, features rows of %d columns",
                      n->in[1]->cols);
        return false;
    }
    n->out[0]->cols = n->in[1]->cols;
    return true;
}

static void embed_forward(const gr_task *t, int phase, size_t unit, void *scratch)
{
    (void)phase, (void)scratch;
    const gr_weight *w = t->in[1].weight;
    const size_t cols = t->out[0].cols;
    size_t r0, r1;
    gr_unit_rows(t, unit, &r0, &r1);
    for (size_t r = r0; r < r1; r++) {
        const int32_t id = t->in[0].i[r];
        float *y = gr_row(&t->out[0], r);
        gr_error why = { 0 };
        if (id >= 0 && gr_weight_look_up(w, (size_t)id, y, &why) != GR_OK) {
            gr_failure_note(t->failure, r, why.status, "%s", why.msg);
            return;
        }
        if (id < 0)
            memcpy(y, gr_row(&t->in[2], (size_t)(-1 - id)), cols * sizeof *y);
        gr_finish(t, y, cols);
    }
}

static void embed_rule(gr_graph *g, const gr_node *n, gr_value *const *dy, gr_value **dx, const bool *want)
{
    (void)g;
    dx[1] = want[1] ? gr_scatter_rows(dy[0], n->in[0], n->in[1]) : NULL;
    if (n->n_in > 2)
        dx[2] = want[2] ? gr_scatter_features(dy[0], n->in[0], n->in[2]) : NULL;
}

static gr_cost embed_cost(const gr_node *n, const int *extents)
{
    return (gr_cost){ 0, 6.0 * (double)gr_value_rows(n->out[0], extents) * n->out[0]->cols };
}

const gr_op gr_op_embed = { .name = "embed",
                            .min_in = 2,
                            .max_in = 3,
                            .n_out = 1,
                            .forms = { GR_FORM_NONE, GR_FORM_ROWS },
                            .infer = embed_infer,
                            .forward = embed_forward,
                            .cost = embed_cost,
                            .grad = embed_rule };

gr_value *gr_embed(gr_value *ids, gr_value *table, gr_value *features)
{
    gr_value *in[] = { ids, table, features };
    gr_node *n = ids && table ? gr_graph_add(ids->graph, &gr_op_embed, NULL, in, features ? 3 : 2) : NULL;
    return n ? n->out[0] : NULL;
}
