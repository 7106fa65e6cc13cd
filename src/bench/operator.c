#include "bench/operator.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/half.h"
#include "base/runtime.h"
#include "bench/machine.h"
#include "graph/op.h"
#include "op/ops.h"

/* --- numbers ------------------------------------------------------------------------------------- */

/* How fast a kernel is does not depend on the numbers, as long as they are ordinary. A prime, so that rows
 * differ. */
#define DRAWN 65521

static void draw(float *to, size_t n)
{
    uint32_t state = 1;
    for (size_t i = 0; i < n; i++) {
        state = state * 1664525u + 1013904223u;
        to[i] = (float)(int32_t)state * 0x1p-31f;
    }
}

/* Fills `bytes` with DRAWN numbers of the type over and over. */
static gr_status fill(gr_runtime *rt, void *to, size_t bytes, gr_dtype dtype, gr_error *err)
{
    const size_t size = gr_dtype_bytes(dtype), block = DRAWN * size;
    float *numbers = gr_malloc(rt, DRAWN, sizeof *numbers);
    uint8_t *stored = gr_malloc(rt, DRAWN, size);
    const bool good = numbers && stored;
    if (good) {
        draw(numbers, DRAWN);
        for (size_t i = 0; i < DRAWN; i++)
            if (dtype == GR_DTYPE_F32)
                ((float *)(void *)stored)[i] = numbers[i];
            else
                ((uint16_t *)(void *)stored)[i] =
                    dtype == GR_DTYPE_BF16 ? gr_bf16_from_f32(numbers[i]) : gr_f16_from_f32(numbers[i]);
        for (size_t at = 0; at < bytes; at += block)
            memcpy((uint8_t *)to + at, stored, bytes - at < block ? bytes - at : block);
    }
    gr_free(rt, numbers);
    gr_free(rt, stored);
    return good ? GR_OK : gr_fail(err, GR_ERR_MEM, "no memory to draw numbers");
}

/* How much memory has to be turned through before anything of it is read again. */
static size_t turn_bytes(void)
{
    const size_t wanted = 4 * gr_machine_l3_bytes(), least = (size_t)64 << 20, most = (size_t)512 << 20;
    return wanted < least ? least : wanted > most ? most : wanted;
}

static int turns(size_t bytes, int most)
{
    const size_t n = (turn_bytes() + bytes - 1) / bytes;
    return n < (size_t)most ? (int)n : most;
}

/* --- the graph ----------------------------------------------------------------------------------- */

static gr_value *input_at(gr_operator *o, int extent, int factor, int cols)
{
    const size_t rows = (size_t)(extent == GR_FIXED ? 1 : o->run.extents[extent]) * (size_t)factor;
    o->input_bytes[o->n_inputs++] = rows * (size_t)cols * sizeof(float);
    return gr_graph_input(o->graph, "x", extent, factor, cols);
}

/* All rows of the case, which are the first extent. */
static gr_value *input(gr_operator *o, const gr_bench_case *c) { return input_at(o, 0, 1, c->inputs); }

static gr_value *param(gr_operator *o, const char *name, int rows, int cols)
{
    o->weights[o->n_params++] =
        (gr_weight){ .name = name, .dtype = GR_DTYPE_F32, .rows = (size_t)rows, .cols = (size_t)cols };
    return gr_graph_param(o->graph, name, rows, cols);
}

static int extent(gr_operator *o, int index, int rows)
{
    o->run.extents[index] = rows;
    return gr_graph_extent(o->graph, "rows", rows);
}

static gr_value *build_linear(gr_operator *o, const gr_gar_config *g, const gr_bench_case *c)
{
    (void)g;
    extent(o, 0, c->rows);
    gr_value *x = input(o, c);
    return gr_linear(x, param(o, "weight", c->outputs, c->inputs), NULL);
}

/* Products of training: what is trained lies in rows. */
static gr_value *build_gradient(gr_operator *o, const gr_gar_config *g, const gr_bench_case *c)
{
    (void)g;
    extent(o, 0, c->rows);
    if (c->product == GR_TRAINED_Y) {
        gr_value *x = input_at(o, 0, 1, c->inputs), *w = param(o, "weight", c->outputs, c->inputs);
        gr_graph_train(o->graph, 1);
        return gr_linear(x, w, NULL);
    }
    gr_value *dy = input_at(o, 0, 1, c->outputs);
    if (c->product == GR_TRAINED_DW)
        return gr_linear_dw(dy, input_at(o, 0, 1, c->inputs));
    gr_value *w = param(o, "weight", c->outputs, c->inputs);
    if (c->product == GR_TRAINED_DX)
        gr_graph_train(o->graph, 1);
    return gr_linear_dx(dy, w);
}

static gr_value *build_attention(gr_operator *o, const gr_gar_config *g, const gr_bench_case *c)
{
    (void)g;
    const int kv = c->kv_heads * c->head_dim;
    const bool paged = c->layers > 0;
    extent(o, 0, c->rows);
    gr_value *q = input_at(o, 0, 1, c->outputs), *k = input_at(o, 0, 1, kv), *v = input_at(o, 0, 1, kv);
    return gr_attention(q, k, v, c->heads, c->kv_heads, (float)(1 / sqrt((double)c->head_dim)), paged, paged);
}

static gr_value *build_layer_norm(gr_operator *o, const gr_gar_config *g, const gr_bench_case *c)
{
    extent(o, 0, c->rows);
    gr_value *x = input(o, c), *w = param(o, "weight", 1, c->inputs), *b = param(o, "bias", 1, c->inputs);
    return gr_layer_norm(x, w, b, g->vision.norm_eps);
}

static gr_value *build_rms_norm(gr_operator *o, const gr_gar_config *g, const gr_bench_case *c)
{
    extent(o, 0, c->rows);
    gr_value *x = input(o, c), *w = param(o, "weight", 1, c->inputs);
    return gr_scale_columns(gr_rms_norm(x, g->text.rms_eps), w);
}

static gr_value *build_rope(gr_operator *o, const gr_gar_config *g, const gr_bench_case *c)
{
    (void)g;
    extent(o, 0, c->rows);
    gr_value *x = input(o, c), *table = param(o, "table", c->rows, c->head_dim);
    return gr_rope(x, table, c->heads, c->pass == GR_PASS_ROPE_PAIRS);
}

static gr_value *build_gelu(gr_operator *o, const gr_gar_config *g, const gr_bench_case *c)
{
    (void)g;
    extent(o, 0, c->rows);
    return gr_gelu(input(o, c));
}

static gr_value *build_swiglu(gr_operator *o, const gr_gar_config *g, const gr_bench_case *c)
{
    (void)g;
    extent(o, 0, c->rows);
    gr_value *gate = input(o, c), *up = input(o, c);
    return gr_mul(gr_silu(gate), up);
}

static gr_value *build_add(gr_operator *o, const gr_gar_config *g, const gr_bench_case *c)
{
    (void)g;
    extent(o, 0, c->rows);
    gr_value *a = input(o, c), *b = input(o, c);
    return gr_add(a, b);
}

static gr_value *build_scale_add(gr_operator *o, const gr_gar_config *g, const gr_bench_case *c)
{
    (void)g;
    extent(o, 0, c->rows);
    gr_value *a = input(o, c), *b = input(o, c), *gamma = param(o, "gamma", 1, c->inputs);
    return gr_add(a, gr_scale_columns(b, gamma));
}

static gr_value *build_pool(gr_operator *o, const gr_gar_config *g, const gr_bench_case *c)
{
    extent(o, 0, 1); /* one tile of all rows */
    return gr_mean_pool(input_at(o, 0, c->rows, c->inputs), g->vision.grid, g->pool);
}

/* A box over most of a canvas of all tiles there may be. */
static gr_value *build_roi_align(gr_operator *o, const gr_gar_config *g, const gr_bench_case *c)
{
    const int down = (int)sqrt((double)g->max_num_tiles), across = g->max_num_tiles / down;
    extent(o, 0, c->rows);
    const int regions = extent(o, 1, 1);
    gr_value *features = input(o, c), *boxes = input_at(o, regions, 1, 4);
    gr_value *canvas = gr_graph_input_index(o->graph, "canvas", GR_FIXED, 1, 3);
    const float right = (float)(across * g->tokens_side), bottom = (float)(down * g->tokens_side);
    memcpy(o->canvas, (int32_t[]){ across, down, 0 }, sizeof o->canvas);
    memcpy(o->box, (float[]){ 0.1f * right, 0.1f * bottom, 0.9f * right, 0.9f * bottom }, sizeof o->box);
    o->input_values[1] = o->box;
    o->input_values[2] = o->canvas;
    o->input_bytes[o->n_inputs++] = sizeof o->canvas;
    return gr_roi_align(features, boxes, canvas, g->tokens_side, g->replay_grid);
}

typedef gr_value *builder(gr_operator *o, const gr_gar_config *g, const gr_bench_case *c);

static builder *builder_of(const gr_bench_case *c)
{
    static builder *const passes[] = { [GR_PASS_LAYER_NORM] = build_layer_norm,
                                       [GR_PASS_RMS_NORM] = build_rms_norm,
                                       [GR_PASS_ROPE_PAIRS] = build_rope,
                                       [GR_PASS_ROPE_HALVES] = build_rope,
                                       [GR_PASS_GELU] = build_gelu,
                                       [GR_PASS_SWIGLU] = build_swiglu,
                                       [GR_PASS_ADD] = build_add,
                                       [GR_PASS_SCALE_ADD] = build_scale_add,
                                       [GR_PASS_POOL] = build_pool,
                                       [GR_PASS_ROI_ALIGN] = build_roi_align };
    return c->kind == GR_CASE_PASS        ? passes[c->pass]
           : c->kind == GR_CASE_ATTENTION ? build_attention
           : c->kind == GR_CASE_GRADIENT  ? build_gradient
                                          : build_linear;
}

/* --- memory -------------------------------------------------------------------------------------- */

static gr_status take_inputs(gr_operator *o, gr_error *err)
{
    for (int i = 0; i < o->n_inputs; i++) {
        void *memory = o->run.inputs[i] = o->backend->ops->place(o->backend, o->input_bytes[i], err);
        if (!memory)
            return GR_ERR_MEM;
        if (o->input_values[i])
            memcpy(memory, o->input_values[i], o->input_bytes[i]);
        else
            GR_TRY(fill(o->rt, memory, o->input_bytes[i], GR_DTYPE_F32, err));
    }
    return GR_OK;
}

/* What is stored is only needed until it is prepared. */
static gr_status prepare(gr_operator *o, int i, gr_error *err)
{
    gr_weight *w = &o->weights[i];
    const size_t bytes = w->rows * w->cols * gr_dtype_bytes(w->dtype);
    void *stored = gr_malloc(o->rt, bytes, 1);
    gr_status st = stored ? fill(o->rt, stored, bytes, w->dtype, err)
                          : gr_fail(err, GR_ERR_MEM, "no memory for a weight of %zu x %zu", w->rows, w->cols);
    w->stored = stored;
    if (st == GR_OK)
        st = o->backend->ops->prepare(o->backend, w, gr_graph_param_form(o->graph, i), err);
    gr_free(o->rt, stored);
    w->stored = NULL;
    o->run.params[i] = w;
    return st;
}

/* As many copies of the packed weight as no cache holds. */
static gr_status copy_panels(gr_operator *o, gr_error *err)
{
    gr_weight *w = &o->weights[0];
    const size_t bytes = gr_weight_form_bytes(w, GR_FORM_PANELS);
    const int n = turns(bytes, 256);
    o->panels = gr_calloc(o->rt, (size_t)n, sizeof *o->panels);
    if (!o->panels)
        return gr_fail(err, GR_ERR_MEM, "no memory for %d copies of a weight", n);
    o->panels[o->n_copies++] = w->panels;
    while (o->n_copies < n) {
        void *copy = o->backend->ops->place(o->backend, bytes, err);
        if (!copy)
            return GR_ERR_MEM;
        o->panels[o->n_copies++] = copy;
        o->backend->ops->copy(o->backend, copy, w->panels, bytes);
    }
    return GR_OK;
}

/* One span of rows, of which attention's are the last of all keys; pages in order. */
static gr_status take_rows(gr_operator *o, const gr_bench_case *c, gr_error *err)
{
    const bool paged = c->kind == GR_CASE_ATTENTION && c->layers > 0;
    const int first = paged ? c->inputs - c->rows : 0, n = c->rows,
              n_pages = paged ? (c->inputs + GR_PAGE_TOKENS - 1) / GR_PAGE_TOKENS : 0;
    o->indices = gr_calloc(o->rt, (size_t)(2 * n + n_pages), sizeof *o->indices);
    if (!o->indices)
        return gr_fail(err, GR_ERR_MEM, "no memory for a table of %d rows", n);
    int32_t *position = o->indices + n, *pages = position + n;
    for (int i = 0; i < n; i++)
        position[i] = first + i;
    for (int i = 0; i < n_pages; i++)
        pages[i] = i;
    o->span = (gr_span){ .n_rows = n, .pos = first, .pages = paged ? pages : NULL };
    o->rows = (gr_rows){
        .n_spans = 1, .n_rows = n, .spans = &o->span, .span_of = o->indices, .position = position
    };
    o->run.rows = &o->rows;
    if (!paged)
        return GR_OK;
    o->kv = (gr_kv_pages){ .kv_heads = c->kv_heads, .head_dim = c->head_dim, .n_pages = n_pages };
    const size_t layer = (size_t)n_pages * 2 * gr_kv_half_page(&o->kv) * sizeof(float);
    o->kv.n_layers = turns(layer, c->layers);
    o->kv.memory = o->backend->ops->place(o->backend, layer * (size_t)o->kv.n_layers, err);
    o->run.kv = &o->kv;
    return o->kv.memory ? fill(o->rt, o->kv.memory, layer * (size_t)o->kv.n_layers, GR_DTYPE_F32, err)
                        : GR_ERR_MEM;
}

static gr_status take(gr_operator *o, const gr_bench_case *c, gr_dtype weights, size_t output, gr_error *err)
{
    GR_TRY(take_inputs(o, err));
    if (c->kind == GR_CASE_PRODUCT || c->kind == GR_CASE_ROW ||
        (c->kind == GR_CASE_GRADIENT && c->product == GR_FROZEN_DX))
        o->weights[0].dtype = weights;
    for (int i = 0; i < o->n_params; i++)
        GR_TRY(prepare(o, i, err));
    if (c->kind == GR_CASE_ROW)
        GR_TRY(copy_panels(o, err));
    GR_TRY(take_rows(o, c, err));
    o->run.outputs[0] = o->backend->ops->place(o->backend, output, err);
    o->run.arena = o->backend->ops->place(o->backend, gr_graph_arena_bytes(o->graph) + 64, err);
    return o->run.outputs[0] && o->run.arena ? GR_OK : GR_ERR_MEM;
}

/* --- the operator -------------------------------------------------------------------------------- */

static gr_status open(gr_operator *o, const gr_gar_config *config, gr_bench_case *c, gr_dtype weights,
                      gr_rounding round, gr_error *err)
{
    GR_TRY(gr_graph_new(&o->graph, o->rt, "benchmark", round, err));
    gr_value *y = gr_graph_output(o->graph, builder_of(c)(o, config, c));
    gr_graph_rewrite(o->graph);
    GR_TRY(gr_graph_plan(o->graph, o->backend, err));
    if (c->kind == GR_CASE_PASS)
        gr_graph_cost(o->graph, o->run.extents, &c->flop, &c->bytes);
    return take(o, c, weights, gr_value_max_rows(y) * (size_t)y->cols * sizeof(float), err);
}

gr_status gr_operator_open(gr_operator *o, gr_backend *backend, const gr_gar_config *config, gr_bench_case *c,
                           gr_dtype weights, gr_rounding round, gr_error *err)
{
    *o = (gr_operator){ .rt = backend->rt, .backend = backend };
    const gr_status st = open(o, config, c, weights, round, err);
    if (st != GR_OK)
        gr_operator_close(o);
    return st;
}

void gr_operator_close(gr_operator *o)
{
    const gr_backend_ops *ops = o->backend->ops;
    for (int i = 0; i < o->n_inputs; i++)
        ops->release(o->backend, o->run.inputs[i]);
    if (o->n_copies)
        o->weights[0].panels = o->panels[0];
    for (int i = 1; i < o->n_copies; i++)
        ops->release(o->backend, o->panels[i]);
    gr_free(o->rt, o->panels);
    for (int i = 0; i < o->n_params; i++)
        ops->unprepare(o->backend, &o->weights[i]);
    ops->release(o->backend, o->kv.memory);
    ops->release(o->backend, o->run.outputs[0]);
    ops->release(o->backend, o->run.arena);
    gr_free(o->rt, o->indices);
    gr_graph_free(o->graph);
}

gr_status gr_operator_call(gr_operator *o, gr_error *err)
{
    if (o->n_copies)
        o->weights[0].panels = o->panels[o->turn % (size_t)o->n_copies];
    if (o->kv.n_layers)
        o->run.kv_layer = (int)(o->turn % (size_t)o->kv.n_layers);
    o->turn++;
    return gr_graph_run(o->graph, o->backend, &o->run, err);
}
