/* backward.c - the backward pass is more graph: nodes in reverse, each operator's rule, sums where a value
 * was used more than once. */
#include <string.h>

#include "base/alloc.h"
#include "graph/internal.h"
#include "op/ops.h"

typedef struct {
    gr_graph *g;
    gr_value **keys, **grads; /* pairs: a value and the sum of its gradients so far */
    size_t n, cap_keys, cap_grads;
} walk;

static gr_value **find(walk *w, const gr_value *v)
{
    for (size_t i = 0; i < w->n; i++)
        if (w->keys[i] == v)
            return &w->grads[i];
    return NULL;
}

static void add_grad(walk *w, gr_value *v, gr_value *dv)
{
    if (!v || !dv)
        return;
    gr_value **sum = find(w, v);
    if (sum) {
        *sum = gr_add(*sum, dv);
        return;
    }
    if (!gr_grow(w->g->rt, &w->keys, &w->cap_keys, w->n, w->n + 1, sizeof *w->keys) ||
        !gr_grow(w->g->rt, &w->grads, &w->cap_grads, w->n, w->n + 1, sizeof *w->grads)) {
        gr_graph_fail(w->g, GR_ERR_MEM, "no memory for the backward pass");
        return;
    }
    w->keys[w->n] = v;
    w->grads[w->n++] = dv;
}

/* Gradients of column views are put side by side into the gradient of their base, zeros where no view reads.
 */
static void gather_views(walk *w, gr_value *base)
{
    for (size_t i = 0; i < w->n; i++)
        if (w->keys[i]->kind == GR_VALUE_VIEW && w->keys[i]->base == base && w->grads[i])
            add_grad(w, base, gr_pad_columns(w->grads[i], w->keys[i]->col0, base->cols));
}

static bool reaches(const gr_node *n, gr_value *const *wants, int n_wants, const bool *node_reaches)
{
    for (int k = 0; k < n->n_in; k++) {
        const gr_value *v = n->in[k];
        if (v && v->kind == GR_VALUE_VIEW)
            v = v->base;
        if (v && v->producer && node_reaches[v->producer->number])
            return true;
        for (int j = 0; v && j < n_wants; j++)
            if (v == wants[j])
                return true;
    }
    return false;
}

static bool wanted(const gr_value *v, gr_value *const *wants, int n_wants, const bool *node_reaches)
{
    if (!v)
        return false;
    for (int j = 0; j < n_wants; j++)
        if (v == wants[j])
            return true;
    const gr_value *root = v->kind == GR_VALUE_VIEW ? v->base : v;
    return root->producer && node_reaches[root->producer->number];
}

static void back_node(walk *w, gr_node *n, gr_value *const *wants, int n_wants, const bool *node_reaches)
{
    gr_value *dy[GR_MAX_OUT] = { 0 }, *dx[GR_MAX_IN] = { 0 };
    bool want[GR_MAX_IN] = { 0 }, any = false;
    for (int o = 0; o < n->n_out; o++) {
        gather_views(w, n->out[o]);
        gr_value **sum = find(w, n->out[o]);
        dy[o] = sum ? *sum : NULL;
    }
    for (int i = 0; i < n->n_in; i++)
        any |= want[i] = wanted(n->in[i], wants, n_wants, node_reaches);
    if (!dy[0] || !any)
        return;
    if (!n->op->grad) {
        gr_graph_fail(w->g, GR_ERR_UNSUPPORTED, "%s has no gradient rule, and one is wanted through it",
                      n->op->name);
        return;
    }
    n->op->grad(w->g, n, dy, dx, want);
    for (int i = 0; i < n->n_in; i++)
        if (want[i])
            add_grad(w, n->in[i], dx[i]);
}

/* A gradient as a value of its own: what is given from outside (y = a + b: both gradients are dy) or asked
 * for twice is copied, so that it can be made an output. */
static gr_value *own_result(gr_value *v, gr_value *const *dx, int j)
{
    bool shared = v->kind != GR_VALUE_TEMP || v->output >= 0;
    for (int i = 0; i < j; i++)
        shared |= dx[i] == v;
    return shared ? gr_slice_rows(v, 1, 0, 1) : v;
}

void gr_graph_backward(gr_graph *g, gr_value *const *outs, gr_value *const *dy, int n_outs,
                       gr_value *const *wants, gr_value **dx, int n_wants)
{
    for (int j = 0; j < n_wants; j++)
        dx[j] = NULL;
    if (g->err.status != GR_OK)
        return;
    const size_t n_forward = g->n_nodes;
    walk w = { .g = g };
    g->n_forward = n_forward;
    bool *node_reaches = gr_calloc(g->rt, n_forward + 1, sizeof *node_reaches);
    if (!node_reaches) {
        gr_graph_fail(g, GR_ERR_MEM, "no memory for the backward pass");
        return;
    }
    for (size_t i = 0; i < n_forward; i++)
        node_reaches[i] = reaches(g->nodes[i], wants, n_wants, node_reaches);
    for (int o = 0; o < n_outs; o++) {
        if (outs[o] && dy[o] && !gr_same_shape(outs[o], dy[o]))
            gr_graph_fail(g, GR_ERR_SHAPE, "the gradient of output %d has another shape than the output", o);
        add_grad(&w, outs[o], dy[o]);
    }
    for (size_t i = n_forward; i-- > 0 && g->err.status == GR_OK;)
        if (node_reaches[i])
            back_node(&w, g->nodes[i], wants, n_wants, node_reaches);
    for (int j = 0; j < n_wants; j++) {
        gr_value **sum = find(&w, wants[j]);
        dx[j] = sum && *sum ? own_result(*sum, dx, j) : NULL;
    }
    gr_free(g->rt, node_reaches);
    gr_free(g->rt, w.keys);
    gr_free(g->rt, w.grads);
}
