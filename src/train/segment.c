#include "train/segment.h"

/* Adds the backward pass of output 0; records which output holds what. */
static gr_status add_backward(gr_train_segment *s, const gr_train_wants *w, gr_error *err)
{
    gr_graph *g = s->both;
    gr_value *y = gr_graph_output_at(g, 0), *wants[2 * GR_MAX_SLOTS], *dx[2 * GR_MAX_SLOTS];
    int *slot[2 * GR_MAX_SLOTS], n = 0, n_inputs = 0, n_outputs = 0;
    bool sums[2 * GR_MAX_SLOTS];
    while (gr_graph_output_at(g, n_outputs))
        n_outputs++;
    for (; gr_graph_input_at(g, n_inputs); n_inputs++)
        if (w->inputs >> n_inputs & 1) {
            wants[n] = gr_graph_input_at(g, n_inputs);
            sums[n] = w->sum_inputs >> n_inputs & 1;
            slot[n++] = &s->input_grad[n_inputs];
        }
    for (int i = 0; i < s->n_params; i++)
        if (w->params >> i & 1) {
            wants[n] = gr_graph_param_at(g, i);
            sums[n] = true;
            slot[n++] = &s->param_grad[i];
        }
    s->dy = n_inputs;
    gr_value *dy = gr_graph_input(g, "dy", y->extent, y->factor, y->cols);
    gr_graph_backward(g, &y, &dy, 1, wants, dx, n);
    for (int i = 0; i < n; i++) {
        (sums[i] ? gr_graph_output_sum : gr_graph_output)(g, dx[i]);
        *slot[i] = n_outputs++;
    }
    return gr_graph_status(g, err);
}

gr_status gr_train_segment_init(gr_train_segment *s, gr_build_fn build, const void *arguments,
                                const gr_train_wants *wants, const gr_backend *b, gr_error *err)
{
    *s = (gr_train_segment){ .dy = -1 };
    for (int i = 0; i < GR_MAX_SLOTS; i++)
        s->input_grad[i] = s->param_grad[i] = -1;
    GR_TRY(build(&s->forward, arguments, err));
    gr_graph_train(s->forward, wants->params);
    s->n_params = gr_graph_n_params(s->forward);
    gr_graph_rewrite(s->forward);
    GR_TRY(gr_graph_plan(s->forward, b, err));
    if (!wants->inputs && !wants->params)
        return GR_OK;
    GR_TRY(build(&s->both, arguments, err));
    gr_graph_train(s->both, wants->params);
    GR_TRY(add_backward(s, wants, err));
    return gr_graph_plan(s->both, b, err);
}

void gr_train_segment_fini(gr_train_segment *s)
{
    gr_graph_free(s->forward);
    gr_graph_free(s->both);
    *s = (gr_train_segment){ 0 };
}

size_t gr_train_segment_arena(const gr_train_segment *s)
{
    const size_t forward = s->forward ? gr_graph_arena_bytes(s->forward) : 0,
                 both = s->both ? gr_graph_arena_bytes(s->both) : 0;
    return forward > both ? forward : both;
}

static void bind_adapter(gr_run *run, const gr_train_segment *s, int slot, const gr_flat *flat,
                         const gr_range *r)
{
    run->params[slot] = gr_flat_adapter(flat, r);
    if (s->param_grad[slot] >= 0)
        run->outputs[s->param_grad[slot]] = flat->grads + r->offset;
}

void gr_train_segment_bind(gr_run *run, const gr_train_segment *s, const gr_weight *const *slots, int n,
                           const gr_flat *flat, const gr_gar *m)
{
    for (int i = 0; i < n && i < s->n_params; i++) {
        run->params[i] = slots[i];
        if (s->param_grad[i] < 0)
            continue;
        const gr_range *r = gr_flat_find(flat, (size_t)(slots[i] - m->weights));
        run->outputs[s->param_grad[i]] = r ? flat->grads + r->offset : NULL;
    }
    for (int i = 0, at = n; i < n && at < s->n_params; i++) {
        const gr_range *r = gr_flat_find_adapter(flat, (size_t)(slots[i] - m->weights));
        for (int half = 0; r && half < 2; half++, at++)
            bind_adapter(run, s, at, flat, &r[half]);
    }
}
