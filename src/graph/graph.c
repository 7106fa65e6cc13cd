#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "graph/internal.h"

gr_status gr_graph_new(gr_graph **out, gr_runtime *rt, const char *name, gr_rounding round, gr_error *err)
{
    *out = gr_calloc(rt, 1, sizeof **out);
    if (!*out)
        return gr_fail(err, GR_ERR_MEM, "no memory for the graph '%s'", name);
    (*out)->rt = rt;
    (*out)->title = name;
    (*out)->round = round;
    return GR_OK;
}

void gr_graph_free(gr_graph *g)
{
    if (!g)
        return;
    for (size_t i = 0; i < g->n_nodes; i++)
        gr_free(g->rt, g->nodes[i]);
    for (size_t i = 0; i < g->n_values; i++)
        gr_free(g->rt, g->values[i]);
    gr_free(g->rt, g->nodes);
    gr_free(g->rt, g->values);
    gr_free(g->rt, g);
}

void gr_graph_fail(gr_graph *g, gr_status status, const char *fmt, ...)
{
    if (g->err.status != GR_OK)
        return;
    char text[sizeof g->err.msg];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    gr_fail(&g->err, status, "graph '%s', node %zu: %.400s", g->title, g->n_nodes, text);
}

gr_status gr_graph_status(const gr_graph *g, gr_error *err)
{
    return g->err.status == GR_OK ? GR_OK : gr_fail(err, g->err.status, "%s", g->err.msg);
}

int gr_graph_extent(gr_graph *g, const char *name, int capacity)
{
    if (g->n_extents == GR_MAX_EXTENTS || capacity < 1) {
        gr_graph_fail(g, GR_ERR_ARG, "extent '%s': capacity %d, number %d of at most %d", name, capacity,
                      g->n_extents + 1, GR_MAX_EXTENTS);
        return GR_FIXED;
    }
    g->extents[g->n_extents].name = name;
    g->extents[g->n_extents].capacity = capacity;
    return g->n_extents++;
}

gr_value *gr_graph_new_value(gr_graph *g, const gr_value *like)
{
    gr_value *v = gr_calloc(g->rt, 1, sizeof *v);
    if (!v || !gr_grow(g->rt, &g->values, &g->cap_values, g->n_values, g->n_values + 1, sizeof *g->values)) {
        gr_free(g->rt, v);
        gr_graph_fail(g, GR_ERR_MEM, "no memory for another value");
        return NULL;
    }
    if (like)
        *v = *like;
    v->graph = g;
    g->values[g->n_values++] = v;
    return v;
}

static gr_value *declare(gr_graph *g, gr_value *list[], int *n, gr_value like)
{
    if (g->err.status != GR_OK)
        return NULL;
    if (*n == GR_MAX_SLOTS || like.factor < 1 || like.cols < 1) {
        gr_graph_fail(g, GR_ERR_ARG, "'%s' is number %d of at most %d and has %d x %d elements", like.name,
                      *n + 1, GR_MAX_SLOTS, like.factor, like.cols);
        return NULL;
    }
    gr_value *v = gr_graph_new_value(g, &like);
    if (v) {
        v->slot = *n;
        list[(*n)++] = v;
    }
    return v;
}

gr_value *gr_graph_input(gr_graph *g, const char *name, int extent, int factor, int cols)
{
    return declare(g, g->inputs, &g->n_inputs,
                   (gr_value){ .name = name,
                               .kind = GR_VALUE_INPUT,
                               .extent = extent,
                               .factor = factor,
                               .cols = cols,
                               .output = -1 });
}

gr_value *gr_graph_input_index(gr_graph *g, const char *name, int extent, int factor, int cols)
{
    gr_value *v = gr_graph_input(g, name, extent, factor, cols);
    if (v)
        v->index = true;
    return v;
}

gr_value *gr_graph_param(gr_graph *g, const char *name, int rows, int cols)
{
    return declare(g, g->params, &g->n_params,
                   (gr_value){ .name = name,
                               .kind = GR_VALUE_PARAM,
                               .extent = GR_FIXED,
                               .factor = rows,
                               .cols = cols,
                               .output = -1 });
}

void gr_graph_train(gr_graph *g, unsigned params)
{
    g->trained |= params;
    for (int i = 0; i < g->n_params; i++)
        if (g->trained >> i & 1 && g->param_forms[i] == GR_FORM_PANELS)
            g->param_forms[i] = GR_FORM_VECTOR;
}

gr_form gr_graph_param_form(const gr_graph *g, int slot)
{
    return slot >= 0 && slot < g->n_params ? g->param_forms[slot] : GR_FORM_NONE;
}

gr_value *gr_graph_output(gr_graph *g, gr_value *v)
{
    if (!v || g->err.status != GR_OK)
        return NULL;
    if (v->kind != GR_VALUE_TEMP || v->output >= 0 || g->n_outputs == GR_MAX_SLOTS) {
        gr_graph_fail(g, GR_ERR_ARG, "'%s' cannot be output %d: only results of nodes can, once, at most %d",
                      v->name, g->n_outputs, GR_MAX_SLOTS);
        return NULL;
    }
    v->output = g->n_outputs;
    g->outputs[g->n_outputs++] = v;
    return v;
}

gr_value *gr_graph_output_sum(gr_graph *g, gr_value *v)
{
    if (!gr_graph_output(g, v))
        return NULL;
    if (!v->producer->op->adds || v != v->producer->out[0]) {
        gr_graph_fail(g, GR_ERR_UNSUPPORTED, "output %d is made by %s, which cannot add to what is there",
                      v->output, v->producer->op->name);
        return NULL;
    }
    v->producer->adds = true;
    return v;
}

gr_value *gr_graph_input_at(const gr_graph *g, int slot)
{
    return slot >= 0 && slot < g->n_inputs ? g->inputs[slot] : NULL;
}

gr_value *gr_graph_param_at(const gr_graph *g, int slot)
{
    return slot >= 0 && slot < g->n_params ? g->params[slot] : NULL;
}

gr_value *gr_graph_output_at(const gr_graph *g, int slot)
{
    return slot >= 0 && slot < g->n_outputs ? g->outputs[slot] : NULL;
}

gr_value *gr_graph_name(gr_value *v, const char *name)
{
    if (v)
        v->name = name;
    return v;
}

gr_value *gr_graph_columns(gr_value *v, int col0, int cols)
{
    if (!v)
        return NULL;
    gr_graph *g = v->graph;
    if (v->kind != GR_VALUE_TEMP || col0 < 0 || cols < 1 || col0 + cols > v->cols) {
        gr_graph_fail(g, GR_ERR_SHAPE, "columns %d..%d of '%s', which must be a node's result and has %d",
                      col0, col0 + cols, v->name, v->cols);
        return NULL;
    }
    gr_value *view = gr_graph_new_value(g, v);
    if (view) {
        view->kind = GR_VALUE_VIEW;
        view->name = "";
        view->base = v;
        view->col0 = col0;
        view->cols = cols;
        view->output = -1;
    }
    return view;
}

gr_value *gr_value_root(gr_value *v)
{
    for (;;) {
        if (v->kind == GR_VALUE_VIEW)
            v = v->base;
        else if (v->storage && v->storage != v)
            v = v->storage;
        else
            return v;
    }
}

/* A parameter is read in the form that the operator names; every use of one slot must agree, except that a
 * table may be looked up in one segment and multiplied in another. */
static bool note_param(gr_graph *g, const gr_op *op, int i, const gr_value *v)
{
    if (v->kind != GR_VALUE_PARAM)
        return true;
    gr_form form = op->forms[i];
    if (form == GR_FORM_PANELS && g->trained >> v->slot & 1)
        form = GR_FORM_VECTOR;
    gr_form *known = &g->param_forms[v->slot];
    if (form == GR_FORM_NONE || (*known != GR_FORM_NONE && *known != form)) {
        gr_graph_fail(g, GR_ERR_ARG, "%s cannot take parameter '%s' as input %d in this form", op->name,
                      v->name, i);
        return false;
    }
    *known = form;
    return true;
}

gr_node *gr_graph_add(gr_graph *g, const gr_op *op, const gr_attr *attr, gr_value *const *in, int n_in)
{
    if (!g || g->err.status != GR_OK)
        return NULL;
    if (g->planned || n_in < op->min_in || n_in > op->max_in) {
        gr_graph_fail(g, GR_ERR_ARG,
                      "%s with %d inputs, expected %d to %d, in a graph that is not planned yet", op->name,
                      n_in, op->min_in, op->max_in);
        return NULL;
    }
    gr_node *n = gr_calloc(g->rt, 1, sizeof *n);
    if (!n || !gr_grow(g->rt, &g->nodes, &g->cap_nodes, g->n_nodes, g->n_nodes + 1, sizeof *g->nodes)) {
        gr_free(g->rt, n);
        gr_graph_fail(g, GR_ERR_MEM, "no memory for another node");
        return NULL;
    }
    g->nodes[g->n_nodes] = n;
    *n = (gr_node){
        .op = op, .graph = g, .number = (int)g->n_nodes, .n_in = n_in, .n_out = op->n_out, .round = g->round
    };
    if (attr)
        n->attr = *attr;
    for (int i = 0; i < n_in; i++) {
        n->in[i] = in[i];
        if (in[i] && in[i]->graph != g)
            gr_graph_fail(g, GR_ERR_ARG, "%s: input %d ('%s') belongs to another graph", op->name, i,
                          in[i]->name);
        if (g->err.status != GR_OK || (in[i] && !note_param(g, op, i, in[i])))
            break;
    }
    const gr_value blank = { .name = "", .kind = GR_VALUE_TEMP, .output = -1, .slot = -1, .producer = n };
    for (int i = 0; i < op->n_out && g->err.status == GR_OK; i++) {
        gr_value *v = n->out[i] = gr_graph_new_value(g, &blank);
        if (v && in[0]) {
            v->extent = in[0]->extent;
            v->factor = in[0]->factor;
            v->cols = in[0]->cols;
        }
    }
    const bool good = g->err.status == GR_OK && op->infer(n) && g->err.status == GR_OK;
    g->n_nodes++; /* also a failed one: its memory is released with the graph */
    return good ? n : NULL;
}

size_t gr_value_rows(const gr_value *v, const int *extents)
{
    return (size_t)v->factor * (v->extent == GR_FIXED ? 1 : (size_t)extents[v->extent]);
}

size_t gr_value_max_rows(const gr_value *v)
{
    return (size_t)v->factor * (v->extent == GR_FIXED ? 1 : (size_t)v->graph->extents[v->extent].capacity);
}

bool gr_same_shape(const gr_value *a, const gr_value *b)
{
    return a->extent == b->extent && a->factor == b->factor && a->cols == b->cols && a->index == b->index;
}

bool gr_infer_same(gr_node *n)
{
    for (int i = 1; i < n->n_in; i++)
        if (!gr_same_shape(n->in[i], n->in[0])) {
            gr_graph_fail(n->graph, GR_ERR_SHAPE,
                          "%s: input %d has %d x %d elements a row group, input 0 has %d x %d", n->op->name,
                          i, n->in[i]->factor, n->in[i]->cols, n->in[0]->factor, n->in[0]->cols);
            return false;
        }
    return true;
}

bool gr_infer_first(gr_node *n)
{
    for (int i = 1; i < n->n_in; i++)
        if (n->in[i] && n->in[i]->kind == GR_VALUE_PARAM && n->in[i]->cols != n->in[0]->cols) {
            gr_graph_fail(n->graph, GR_ERR_SHAPE, "%s: parameter '%s' has %d columns, the rows have %d",
                          n->op->name, n->in[i]->name, n->in[i]->cols, n->in[0]->cols);
            return false;
        }
    return true;
}

gr_cost gr_cost_elementwise(const gr_node *n, const int *extents)
{
    gr_cost c = { .flop = (double)gr_value_rows(n->out[0], extents) * n->out[0]->cols };
    for (int i = 0; i < n->n_in; i++)
        if (n->in[i])
            c.bytes += 4.0 * (double)gr_value_rows(n->in[i], extents) * n->in[i]->cols;
    for (int i = 0; i < n->n_out; i++)
        c.bytes += 4.0 * (double)gr_value_rows(n->out[i], extents) * n->out[i]->cols;
    return c;
}

void gr_graph_cost(const gr_graph *g, const int *extents, double *flop, double *bytes)
{
    gr_cost sum = { 0 };
    for (size_t i = 0; i < g->n_nodes; i++) {
        const gr_node *n = g->nodes[i];
        const gr_cost c = (n->op->cost ? n->op->cost : gr_cost_elementwise)(n, extents);
        sum.flop += c.flop;
        sum.bytes += c.bytes;
    }
    if (flop)
        *flop = sum.flop;
    if (bytes)
        *bytes = sum.bytes;
}

/* printf to the end of a text of `size` bytes, cut where it is full. */
static void append(char *text, size_t size, const char *fmt, ...) GR_PRINTF(3, 4);
static void append(char *text, size_t size, const char *fmt, ...)
{
    const size_t at = strlen(text);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text + at, size - at, fmt, ap);
    va_end(ap);
}

static void append_value(const gr_graph *g, char *text, size_t size, const gr_value *v)
{
    if (v->extent == GR_FIXED)
        append(text, size, " %s[%d, %d] @%zu", v->name, v->factor, v->cols, v->offset);
    else
        append(text, size, " %s[%s*%d, %d] @%zu", v->name, g->extents[v->extent].name, v->factor, v->cols,
               v->offset);
}

void gr_graph_dump(const gr_graph *g, void (*line)(void *user, const char *text), void *user)
{
    for (size_t i = 0; i < g->n_nodes; i++) {
        const gr_node *n = g->nodes[i];
        char text[512] = "";
        append(text, sizeof text, "%3d %-16s", n->number, n->op->name);
        for (int o = 0; o < n->n_out; o++)
            append_value(g, text, sizeof text, n->out[o]);
        append(text, sizeof text, " <-");
        for (int k = 0; k < n->n_in; k++)
            if (!n->in[k])
                append(text, sizeof text, " -");
            else
                append(text, sizeof text, " %s%s%d", n->in[k]->name, n->in[k]->producer ? "#" : ":",
                       n->in[k]->producer ? n->in[k]->producer->number : n->in[k]->slot);
        line(user, text);
    }
}

int gr_graph_n_params(const gr_graph *g) { return g->n_params; }
