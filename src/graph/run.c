/* run.c - one call of a plan: every node becomes a task, in order. Allocates nothing (taps, a debugging aid,
 * do). */
#include <string.h>

#include "backend/backend.h"
#include "base/alloc.h"
#include "graph/internal.h"

static size_t full_cols(const gr_value *v)
{
    return (size_t)(v->kind == GR_VALUE_VIEW ? v->base->cols : v->cols);
}

static gr_mat resolve(const gr_graph *g, const gr_run *run, const gr_value *v)
{
    gr_mat m = { 0 };
    if (!v)
        return m;
    m.rows = gr_value_rows(v, run->extents);
    m.cols = (size_t)v->cols;
    m.stride = full_cols(v);
    const gr_value *base = v->kind == GR_VALUE_VIEW ? v->base : v;
    switch (base->kind) {
    case GR_VALUE_INPUT:
        m.f = run->inputs[base->slot];
        break;
    case GR_VALUE_PARAM:
        m.weight = run->params[base->slot];
        m.f = m.weight && g->param_forms[base->slot] == GR_FORM_VECTOR ? m.weight->vector : NULL;
        break;
    default:
        m.f = base->output >= 0 ? run->outputs[base->output] : (float *)(void *)(run->arena + base->offset);
    }
    if (v->kind == GR_VALUE_VIEW)
        m.f += v->col0;
    return m;
}

static void make_task(gr_task *t, const gr_graph *g, const gr_run *run, const gr_node *n)
{
    const gr_op *op = n->op;
    *t = (gr_task){ .op = op->name,
                    .attr = n->attr,
                    .round = n->round,
                    .n_in = n->n_in,
                    .n_out = n->n_out,
                    .rows = run->rows,
                    .kv = run->kv,
                    .kv_layer = run->kv_layer,
                    .inplace = -1,
                    .adds = n->adds,
                    .n_phases = op->n_phases ? op->n_phases : 1,
                    .scratch_bytes = g->scratch_bytes,
                    .scratch = run->scratch ? run->scratch : run->arena + g->values_bytes,
                    .units = op->units ? op->units : gr_units_rows,
                    .forward = op->forward };
    for (int i = 0; i < n->n_in; i++) {
        t->in[i] = resolve(g, run, n->in[i]);
        if (n->in[i] && n->out[0]->output < 0 && n->in[i]->kind == GR_VALUE_TEMP && n->in[i]->output < 0 &&
            gr_value_root(n->out[0]) == gr_value_root(n->in[i]))
            t->inplace = i;
    }
    for (int i = 0; i < n->n_out; i++)
        t->out[i] = resolve(g, run, n->out[i]);
}

static gr_status tap(const gr_graph *g, gr_backend *b, const gr_run *run, const gr_node *n, const gr_task *t,
                     gr_error *err)
{
    for (int i = 0; i < n->n_out; i++) {
        const gr_mat *m = &t->out[i];
        if (!n->out[i]->name[0] || m->rows == 0)
            continue;
        float *host = gr_malloc(g->rt, m->rows * m->cols, sizeof *host);
        if (!host)
            return gr_fail(err, GR_ERR_MEM, "no memory to tap '%s'", n->out[i]->name);
        b->ops->read(b, host, m->f, m->rows * m->cols * sizeof *host);
        run->tap(run->tap_user, n->out[i]->name, host, m->rows, m->cols);
        gr_free(g->rt, host);
    }
    return GR_OK;
}

/* Vectors may be stored as rows or as columns; matrices must lie as declared. */
static gr_status check_param(const gr_graph *g, const gr_weight *w, int slot, gr_error *err)
{
    const gr_value *p = g->params[slot];
    const gr_form form = g->param_forms[slot];
    const size_t rows = (size_t)p->factor, cols = (size_t)p->cols;
    if (!w)
        return gr_fail(err, GR_ERR_ARG, "graph '%s': parameter '%s' is missing", g->title, p->name);
    if (form == GR_FORM_VECTOR ? w->rows * w->cols != rows * cols : w->rows != rows || w->cols != cols)
        return gr_fail(err, GR_ERR_SHAPE,
                       "graph '%s': parameter '%s' is '%s' of %zu x %zu, expected %zu x %zu", g->title,
                       p->name, w->name, w->rows, w->cols, rows, cols);
    const void *made = form == GR_FORM_VECTOR   ? (const void *)w->vector
                       : form == GR_FORM_PANELS ? w->panels
                       : form == GR_FORM_ROWS   ? (w->rows_ready ? w : NULL)
                                                : w;
    if (!made)
        return gr_fail(err, GR_ERR_ARG,
                       "graph '%s': parameter '%s': weight '%s' was not prepared in the form "
                       "that is read here",
                       g->title, p->name, w->name);
    return GR_OK;
}

/* Rows that rope and attention read must all stand in the row table. */
static gr_status check_rows(const gr_graph *g, const gr_run *run, const gr_node *n, gr_error *err)
{
    const size_t rows = gr_value_rows(n->in[0], run->extents);
    if (n->op->reads_rows && rows > 0 && (!run->rows || (size_t)run->rows->n_rows != rows))
        return gr_fail(err, GR_ERR_ARG, "graph '%s', node %d: %s has %zu rows, the row table %d", g->title,
                       n->number, n->op->name, rows, run->rows ? run->rows->n_rows : 0);
    if (n->attr.paged && rows > 0 && !run->kv)
        return gr_fail(err, GR_ERR_ARG, "graph '%s', node %d: %s needs KV pages", g->title, n->number,
                       n->op->name);
    return GR_OK;
}

static gr_status check_call(const gr_graph *g, const gr_backend *b, const gr_run *run, gr_error *err)
{
    if (!g->planned)
        return gr_fail(err, GR_ERR_ARG, "graph '%s' was not planned", g->title);
    if (run->part != GR_RUN_ALL && g->n_forward == 0)
        return gr_fail(err, GR_ERR_ARG, "graph '%s' has no backward pass, and is to run in two calls",
                       g->title);
    if (b->n_workers > g->n_workers)
        return gr_fail(err, GR_ERR_ARG, "graph '%s' was planned for %d workers, the %s backend has %d",
                       g->title, g->n_workers, b->ops->name, b->n_workers);
    if (!run->arena && gr_graph_arena_bytes(g) > 0)
        return gr_fail(err, GR_ERR_ARG, "graph '%s' has no arena", g->title);
    for (int i = 0; i < g->n_extents; i++)
        if (run->extents[i] < 0 || run->extents[i] > g->extents[i].capacity)
            return gr_fail(err, GR_ERR_ARG, "graph '%s': extent '%s' is %d, its capacity is %d", g->title,
                           g->extents[i].name, run->extents[i], g->extents[i].capacity);
    for (int i = 0; i < g->n_inputs; i++)
        if (!run->inputs[i] && gr_value_rows(g->inputs[i], run->extents) > 0)
            return gr_fail(err, GR_ERR_ARG, "graph '%s': input '%s' has no memory", g->title,
                           g->inputs[i]->name);
    for (int i = 0; i < g->n_params; i++)
        GR_TRY(check_param(g, run->params[i], i, err));
    for (int i = 0; i < g->n_outputs; i++)
        if (!run->outputs[i] && gr_value_rows(g->outputs[i], run->extents) > 0)
            return gr_fail(err, GR_ERR_ARG, "graph '%s': output %d has no memory", g->title, i);
    for (size_t i = 0; i < g->n_nodes; i++)
        GR_TRY(check_rows(g, run, g->nodes[i], err));
    return GR_OK;
}

gr_status gr_graph_run(const gr_graph *g, gr_backend *b, const gr_run *run, gr_error *err)
{
    GR_TRY(check_call(g, b, run, err));
    const size_t first = run->part == GR_RUN_BACKWARD ? g->n_forward : 0,
                 end = run->part == GR_RUN_FORWARD ? g->n_forward : g->n_nodes;
    for (size_t i = first; i < end; i++) {
        if (run->cancelled && run->cancelled(run->cancel_user))
            return gr_fail(err, GR_ERR_CANCELLED, "cancelled");
        gr_task t;
        make_task(&t, g, run, g->nodes[i]);
        t.n_workers = b->n_workers;
        const gr_status status = b->ops->run(b, &t, err);
        if (status != GR_OK && status != GR_ERR_IO && status != GR_ERR_FORMAT)
            gr_error_prefix(err, "graph '%s', node %zu", g->title, i); /* of a file its own name says more */
        if (status != GR_OK)
            return status;
        if (run->tap)
            GR_TRY(tap(g, b, run, g->nodes[i], &t, err));
    }
    return b->ops->sync(b, err);
}
