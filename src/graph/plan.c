/* plan.c - where every temporary lies. Lifetimes are counted in nodes; a view keeps its base alive; an output
 * has memory of its own. */
#include "backend/backend.h"
#include "base/alloc.h"
#include "graph/internal.h"

#define ALIGN ((size_t)64)

static bool in_arena(const gr_value *v) { return v->kind == GR_VALUE_TEMP && v->output < 0; }

static size_t value_bytes(const gr_value *v)
{
    return (gr_value_max_rows(v) * (size_t)v->cols * 4 + ALIGN - 1) / ALIGN * ALIGN;
}

static void find_lifetimes(gr_graph *g)
{
    for (size_t i = 0; i < g->n_values; i++) {
        gr_value *v = g->values[i];
        v->storage = v;
        v->first = v->last = v->producer ? v->producer->number : -1;
    }
    for (size_t i = 0; i < g->n_nodes; i++)
        for (int k = 0; k < g->nodes[i]->n_in; k++) {
            gr_value *v = g->nodes[i]->in[k];
            for (; v; v = v->kind == GR_VALUE_VIEW ? v->base : NULL)
                v->last = (int)i > v->last ? (int)i : v->last;
        }
}

/* An output takes the memory of an input that dies at its node: same shape, whole (no view), not bound from
 * outside. */
static void share_in_place(gr_graph *g)
{
    for (size_t i = 0; i < g->n_nodes; i++) {
        gr_node *n = g->nodes[i];
        for (int k = 0; k < n->n_in; k++) {
            gr_value *v = n->in[k], *y = n->out[0];
            if (!v || !(n->op->inplace >> k & 1) || !in_arena(v) || !in_arena(y) || v->last != (int)i ||
                !gr_same_shape(v, y))
                continue;
            gr_value *root = gr_value_root(v);
            if (root->last > (int)i) /* somebody else reads that memory later */
                continue;
            y->storage = root;
            root->last = y->last;
            break;
        }
    }
}

static bool overlap(const gr_value *a, const gr_value *b)
{
    return a->first <= b->last && b->first <= a->last;
}

/* Largest first, each at the lowest offset where no value that lives at the same time lies. Returns the
 * arena's size. */
static size_t place(gr_value **roots, size_t n)
{
    for (size_t i = 1; i < n; i++) /* insertion sort, stable: few values, reproducible order */
        for (size_t k = i; k > 0 && value_bytes(roots[k]) > value_bytes(roots[k - 1]); k--) {
            gr_value *t = roots[k];
            roots[k] = roots[k - 1];
            roots[k - 1] = t;
        }
    size_t total = 0;
    for (size_t i = 0; i < n; i++) {
        const size_t bytes = value_bytes(roots[i]);
        size_t at = 0;
        for (bool moved = true; moved;) {
            moved = false;
            for (size_t k = 0; k < i; k++) {
                const size_t b0 = roots[k]->offset, b1 = b0 + value_bytes(roots[k]);
                if (overlap(roots[i], roots[k]) && at < b1 && b0 < at + bytes) {
                    at = b1;
                    moved = true;
                }
            }
        }
        roots[i]->offset = at;
        total = at + bytes > total ? at + bytes : total;
    }
    return total;
}

gr_status gr_graph_plan(gr_graph *g, const gr_backend *backend, gr_error *err)
{
    GR_TRY(gr_graph_status(g, err));
    for (size_t i = 0; i < g->n_nodes; i++) {
        const gr_node *n = g->nodes[i];
        if (!backend->ops->supports(backend, n->op->name))
            return gr_fail(err, GR_ERR_UNSUPPORTED,
                           "graph '%s', node %zu: the %s backend has no operator '%s'", g->title, i,
                           backend->ops->name, n->op->name);
        const size_t scratch = n->op->scratch ? n->op->scratch(n) : 0;
        g->scratch_bytes = scratch > g->scratch_bytes ? scratch : g->scratch_bytes;
    }
    g->scratch_bytes = (g->scratch_bytes + ALIGN - 1) / ALIGN * ALIGN;
    g->n_workers = backend->n_workers;

    find_lifetimes(g);
    share_in_place(g);
    gr_value **roots = gr_calloc(g->rt, g->n_values, sizeof *roots);
    if (!roots)
        return gr_fail(err, GR_ERR_MEM, "graph '%s': no memory to plan it", g->title);
    size_t n_roots = 0;
    for (size_t i = 0; i < g->n_values; i++)
        if (in_arena(g->values[i]) && gr_value_root(g->values[i]) == g->values[i])
            roots[n_roots++] = g->values[i];
    g->values_bytes = place(roots, n_roots);
    gr_free(g->rt, roots);
    for (size_t i = 0; i < g->n_values; i++)
        g->values[i]->offset = gr_value_root(g->values[i])->offset;
    g->planned = true;
    return GR_OK;
}

size_t gr_graph_arena_bytes(const gr_graph *g)
{
    return g->values_bytes + g->scratch_bytes * (size_t)g->n_workers;
}

size_t gr_graph_values_bytes(const gr_graph *g) { return g->values_bytes; }
