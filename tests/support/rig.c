#include "support/rig.h"

#include "base/half.h"
#include "base/rng.h"
#include "graph/internal.h"

struct rig_item {
    rig_item *next;
    void *memory;      /* placed, or NULL */
    gr_weight *weight; /* or NULL */
};

void rig_open(rig *r, rig_kind kind, int n_threads)
{
    gr_error err = { 0 };
    *r = (rig){ .rt = test_runtime_threads(n_threads) };
    MUST((kind == RIG_CHECK ? gr_backend_check_new : gr_backend_cpu_new)(&r->be, r->rt, &err));
}

static rig_item *add_item(rig *r)
{
    rig_item *item = calloc(1, sizeof *item);
    assert_non_null(item);
    item->next = r->items;
    r->items = item;
    return item;
}

void rig_clear(rig *r)
{
    while (r->items) {
        rig_item *item = r->items;
        r->items = item->next;
        if (item->weight)
            r->be->ops->unprepare(r->be, item->weight);
        r->be->ops->release(r->be, item->memory);
        free(item->weight);
        free(item);
    }
}

void rig_close(rig *r)
{
    rig_clear(r);
    gr_backend_free(r->be);
    gr_runtime_free(r->rt);
}

void *rig_space(rig *r, size_t bytes)
{
    gr_error err = { 0 };
    void *memory = r->be->ops->place(r->be, bytes, &err);
    if (!memory)
        fail_msg("place: %s", err.msg);
    add_item(r)->memory = memory;
    return memory;
}

void *rig_put(rig *r, const void *host, size_t bytes)
{
    void *memory = rig_space(r, bytes);
    r->be->ops->write(r->be, memory, host, bytes);
    return memory;
}

void rig_get(rig *r, void *host, const void *device, size_t bytes)
{
    r->be->ops->read(r->be, host, device, bytes);
}

gr_weight *rig_weight(rig *r, const char *name, const float *data, size_t rows, size_t cols)
{
    gr_weight *w = calloc(1, sizeof *w);
    assert_non_null(w);
    *w = (gr_weight){ .name = name, .dtype = GR_DTYPE_F32, .rows = rows, .cols = cols, .stored = data };
    add_item(r)->weight = w;
    return w;
}

void rig_prepare(rig *r, const gr_graph *g, int slot, gr_weight *w)
{
    gr_error err = { 0 };
    MUST(r->be->ops->prepare(r->be, w, gr_graph_param_form(g, slot), &err));
}

void rig_make_rows(rig_rows *r, const gr_span *spans, int n_spans)
{
    r->table =
        (gr_rows){ .n_spans = n_spans, .spans = spans, .span_of = r->span_of, .position = r->position };
    for (int s = 0; s < n_spans; s++) {
        assert_int_equal(spans[s].row, r->table.n_rows);
        assert_true(r->table.n_rows + spans[s].n_rows <= RIG_MAX_ROWS);
        for (int32_t i = 0; i < spans[s].n_rows; i++) {
            r->span_of[spans[s].row + i] = s;
            r->position[spans[s].row + i] = spans[s].pos + i;
        }
        r->table.n_rows += spans[s].n_rows;
    }
}

size_t rig_size(const gr_value *v, const int *extents) { return gr_value_rows(v, extents) * (size_t)v->cols; }

gr_status rig_try(rig *r, gr_graph *g, rig_data *d, gr_error *err)
{
    if (!g->planned)
        GR_TRY(gr_graph_plan(g, r->be, err));
    gr_run run = { .rows = d->rows, .arena = rig_space(r, gr_graph_arena_bytes(g)) };
    memcpy(run.extents, d->extents, sizeof run.extents);
    for (int i = 0; i < g->n_inputs; i++)
        run.inputs[i] = rig_put(r, d->inputs[i], rig_size(g->inputs[i], d->extents) * 4);
    for (int i = 0; i < g->n_params; i++) {
        gr_weight *w = rig_weight(r, g->params[i]->name, d->params[i], (size_t)g->params[i]->factor,
                                  (size_t)g->params[i]->cols);
        w->round_bf16 = d->round_params >> i & 1;
        rig_prepare(r, g, i, w);
        run.params[i] = w;
    }
    for (int i = 0; i < g->n_outputs; i++) {
        run.outputs[i] = rig_space(r, gr_value_max_rows(g->outputs[i]) * (size_t)g->outputs[i]->cols * 4);
        if (d->before[i])
            r->be->ops->write(r->be, run.outputs[i], d->before[i], rig_size(g->outputs[i], d->extents) * 4);
    }
    const gr_status status = gr_graph_run(g, r->be, &run, err);
    for (int i = 0; i < g->n_outputs && status == GR_OK; i++) {
        const size_t bytes = rig_size(g->outputs[i], d->extents) * 4;
        d->outputs[i] = malloc(bytes + 1);
        assert_non_null(d->outputs[i]);
        rig_get(r, d->outputs[i], run.outputs[i], bytes);
    }
    rig_clear(r);
    return status;
}

void rig_call(rig *r, gr_graph *g, rig_data *d)
{
    gr_error err = { 0 };
    MUST(rig_try(r, g, d, &err));
}

void rig_release_outputs(rig_data *d)
{
    for (int i = 0; i < GR_MAX_SLOTS; i++) {
        free(d->outputs[i]);
        d->outputs[i] = NULL;
    }
}

void rig_draw(float *to, size_t n, uint64_t seed, float scale)
{
    for (size_t i = 0; i < n; i++)
        to[i] = scale * (float)(2 * gr_uniform(seed, 0, i) - 1);
}

void rig_same_bits(const float *a, const float *b, size_t n, const char *what)
{
    for (size_t i = 0; i < n; i++)
        if (gr_f32_bits(a[i]) != gr_f32_bits(b[i]))
            fail_msg("%s: element %zu of %zu is %.9g and %.9g", what, i, n, (double)a[i], (double)b[i]);
}
