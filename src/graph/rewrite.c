/* rewrite.c - the only optimiser: a table of pairs of neighbours that one operator can do, with the same
 * bits. Inference only: the fused operators have no gradient rules. */
#include "base/alloc.h"
#include "graph/internal.h"
#include "op/ops.h"

/* `second` reads the result of `first`, which nobody else reads; together they become `fused` on the listed
 * inputs. In `inputs`, 0.. are the inputs of `first`, 10.. those of `second`; -1 ends the list. `through` is
 * the input of `second` that `first` gives. */
typedef struct {
    const gr_op *first, *second, *fused;
    int through;
    int inputs[4];
} rewrite;

static const rewrite rewrites[] = {
    { &gr_op_rms_norm, &gr_op_scale_columns, &gr_op_rms_scale, 0, { 0, 11, -1 } },
    { &gr_op_silu, &gr_op_mul, &gr_op_swiglu, 0, { 0, 11, -1 } },
    { &gr_op_scale_columns, &gr_op_add, &gr_op_add_scaled, 1, { 10, 0, 1, -1 } },
};

static int count_uses(const gr_graph *g, const gr_value *v)
{
    int uses = v->output >= 0;
    for (size_t i = 0; i < g->n_nodes; i++)
        for (int k = 0; k < g->nodes[i]->n_in; k++)
            uses +=
                g->nodes[i]->in[k] == v || (g->nodes[i]->in[k] && g->nodes[i]->in[k]->kind == GR_VALUE_VIEW &&
                                            g->nodes[i]->in[k]->base == v);
    return uses;
}

static bool matches(const gr_graph *g, const rewrite *w, const gr_node *second)
{
    if (second->op != w->second || !second->in[w->through])
        return false;
    const gr_node *first = second->in[w->through]->producer;
    return first && first->op == w->first && second->in[w->through] == first->out[0] &&
           first->round == second->round && !first->out[0]->name[0] && count_uses(g, first->out[0]) == 1;
}

/* The second node becomes the fused one; the first is taken out of the list. */
static void apply(gr_graph *g, const rewrite *w, gr_node *second)
{
    gr_node *first = second->in[w->through]->producer;
    gr_value *in[GR_MAX_IN];
    int n = 0;
    for (; w->inputs[n] >= 0; n++)
        in[n] = w->inputs[n] < 10 ? first->in[w->inputs[n]] : second->in[w->inputs[n] - 10];
    for (int i = 0; i < n; i++)
        second->in[i] = in[i];
    second->n_in = n;
    second->op = w->fused;
    if (first->attr.eps != 0)
        second->attr.eps = first->attr.eps;
    size_t to = 0;
    for (size_t i = 0; i < g->n_nodes; i++)
        if (g->nodes[i] != first)
            g->nodes[to++] = g->nodes[i];
    g->n_nodes = to;
    /* Its result belongs to no node now; the planner passes it over because nobody makes or reads it. */
    for (int o = 0; o < first->n_out; o++)
        first->out[o]->kind = GR_VALUE_INPUT, first->out[o]->producer = NULL;
    gr_free(g->rt, first);
    for (size_t i = 0; i < g->n_nodes; i++)
        g->nodes[i]->number = (int)i;
}

int gr_graph_rewrite(gr_graph *g)
{
    int made = 0;
    if (g->err.status != GR_OK || g->planned || g->n_forward)
        return 0;
    for (size_t i = 0; i < g->n_nodes; i++)
        for (size_t k = 0; k < sizeof rewrites / sizeof *rewrites; k++)
            if (matches(g, &rewrites[k], g->nodes[i])) {
                apply(g, &rewrites[k], g->nodes[i]);
                made++;
                i--; /* the list moved up by one; the fused node stands where the first was looked for next */
                break;
            }
    return made;
}
