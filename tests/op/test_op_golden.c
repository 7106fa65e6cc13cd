/* Operators and whole blocks against the published PyTorch code: tests/golden/ops, made by tests/golden/make.
 *
 * f32: expected values were computed in double and rounded, so what differs is our own f32 rounding: relative
 * RMS below 2e-6 for one operator and 1e-5 for a block, gradients included (the README of the golden files;
 * measured: 6.4e-7 and 8.0e-7). bf16: inputs were chosen so that no exact value lies near the middle between
 * two bf16 numbers, so that every place rounded where the published code rounds has the very same bits. */
#include "support/rig.h"

#include "base/half.h"
#include "graph/internal.h"
#include "io/checkpoint.h"
#include "io/json.h"
#include "op/ops.h"

#define ONE_OPERATOR 2e-6
#define WHOLE_BLOCK  1e-5
#define PI           3.14159265358979323846

/* One case of ops.json, and the graph that is built for it. */
typedef struct {
    char name[64], op[32];
    double eps, scale, theta, spatial_scale, offset, low, high, factor, original;
    int heads, kv_heads, head_dim, grid, reference_grid, prefix_rows, output, ratio, first_position;
    bool causal, scaled;

    const gr_checkpoint *file;
    gr_rounding round;
    double tolerance;
    gr_graph *g;
    rig_data data;
    rig_rows rows;
    gr_span span;
    struct {
        const char *name; /* of the golden tensor */
        gr_value *value;
        float *host;
        size_t n;
        size_t skip;   /* elements of ours before the golden ones: rows that only fill up */
        int transpose; /* > 0: golden has this many rows of columns: [C, n], ours [n, C] */
    } bound[GR_MAX_SLOTS];
    int n_bound;
    int transpose_out;
    int out_rows; /* the last rows of ours that golden has; 0: all */
} golden;

/* --- golden tensors
 * ------------------------------------------------------------------------------------------ */

static const gr_stored *tensor(const golden *c, const char *kind, const char *name)
{
    char full[160];
    snprintf(full, sizeof full, "%s.%s%s%s", c->name, kind, name[0] ? "." : "", name);
    return gr_checkpoint_find(c->file, full);
}

static const gr_stored *must_tensor(const golden *c, const char *kind, const char *name)
{
    const gr_stored *t = tensor(c, kind, name);
    if (!t)
        fail_msg("%s: no tensor %s.%s", c->name, kind, name);
    return t;
}

static size_t count(const gr_stored *t) { return t->bytes / gr_dtype_bytes(t->dtype); }

static void read_at(const gr_stored *t, size_t from, void *to, size_t bytes)
{
    gr_error err = { 0 };
    MUST(gr_stored_read(t, from, to, bytes, &err));
}

/* A copy of a tensor, perhaps transposed from [rows, n / rows]. */
static float *load(const gr_stored *t, size_t skip, int rows)
{
    const size_t n = count(t), cols = rows ? n / (size_t)rows : 1;
    float *to = calloc(skip + n + 1, sizeof *to);
    assert_non_null(to);
    assert_int_equal(t->dtype, GR_DTYPE_F32);
    read_at(t, 0, to + skip, n * sizeof *to);
    for (size_t i = 0; rows && i < n; i++)
        read_at(t, 4 * i, &to[skip + i % cols * (size_t)rows + i / cols], 4);
    return to;
}

static void bind(golden *c, const char *name, gr_value *v, float *host, size_t n, size_t skip, int transpose)
{
    c->bound[c->n_bound].name = name;
    c->bound[c->n_bound].value = v;
    c->bound[c->n_bound].host = host;
    c->bound[c->n_bound].n = n;
    c->bound[c->n_bound].skip = skip;
    c->bound[c->n_bound++].transpose = transpose;
}

/* Input `name` as rows of `cols`, with `fill` rows of zeros before them; transpose: stored [cols, rows]. */
static gr_value *input_with(golden *c, const char *name, int cols, int fill, bool transpose)
{
    const gr_stored *t = must_tensor(c, "in", name);
    const size_t n = count(t), skip = (size_t)fill * (size_t)cols;
    float *host = load(t, skip, transpose ? cols : 0);
    gr_value *v = gr_graph_input(c->g, name, GR_FIXED, (int)(n / (size_t)cols) + fill, cols);
    c->data.inputs[v->slot] = host;
    bind(c, name, v, host, n, skip, transpose ? cols : 0);
    return v;
}

static gr_value *input(golden *c, const char *name, int cols) { return input_with(c, name, cols, 0, false); }

static gr_value *param(golden *c, const char *name)
{
    const gr_stored *t = must_tensor(c, "in", name);
    const int rows = t->rank == 1 ? 1 : (int)t->shape[0], cols = (int)count(t) / rows;
    gr_value *v = gr_graph_param(c->g, name, rows, cols);
    float *host = load(t, 0, 0);
    c->data.params[v->slot] = host;
    bind(c, name, v, host, count(t), 0, 0);
    return v;
}

static int last_dim(const golden *c, const char *name)
{
    const gr_stored *t = must_tensor(c, "in", name);
    return (int)t->shape[t->rank - 1];
}

/* Something made here, not a golden tensor. */
static gr_value *own_input(golden *c, const char *name, int rows, int cols, const void *values, bool index)
{
    float *host = malloc((size_t)rows * (size_t)cols * 4);
    assert_non_null(host);
    memcpy(host, values, (size_t)rows * (size_t)cols * 4);
    gr_value *v = index ? gr_graph_input_index(c->g, name, GR_FIXED, rows, cols)
                        : gr_graph_input(c->g, name, GR_FIXED, rows, cols);
    c->data.inputs[v->slot] = host;
    bind(c, "", v, host, 0, 0, 0);
    return v;
}

static void one_span(golden *c, int rows)
{
    c->span = (gr_span){ .row = 0, .n_rows = rows };
    rig_make_rows(&c->rows, &c->span, 1);
    c->data.rows = &c->rows.table;
}

/* --- rotary tables
 * ----------------------------------------------------------------------------------------------- */

static gr_value *rope_table(golden *c, int rows, float (*angle)(const golden *c, int row, int i))
{
    const int half = c->head_dim / 2;
    float *host = malloc((size_t)rows * (size_t)c->head_dim * sizeof *host);
    assert_non_null(host);
    for (int r = 0; r < rows; r++)
        for (int i = 0; i < half; i++) {
            const float a = angle(c, r, i);
            host[r * c->head_dim + i] = (float)cos(a);
            host[r * c->head_dim + half + i] = (float)sin(a);
        }
    gr_value *v = gr_graph_param(c->g, "rope", rows, c->head_dim);
    c->data.params[v->slot] = host;
    bind(c, "", v, host, 0, 0, 0);
    return v;
}

/* transformers modeling_rope_utils.py: default and llama3; angles in float32, as published. */
static float llama_angle(const golden *c, int row, int i)
{
    double f = 1.0f / (float)pow(c->theta, 2.0 * i / c->head_dim); /* rounded twice, as published */
    const double wave = 2 * PI / f;
    if (c->scaled && wave > c->original / c->low)
        f /= c->factor;
    else if (c->scaled && wave >= c->original / c->high) {
        const double smooth = (c->original / wave - c->low) / (c->high - c->low);
        f = (1 - smooth) * f / c->factor + smooth * f;
    }
    const gr_stored *at = tensor(c, "in", "position");
    int64_t first = c->first_position;
    if (at)
        read_at(at, 0, &first, sizeof first);
    return (float)f * (float)(first + row);
}

/* timm pos_embed_sincos.py, RotaryEmbeddingCat in cells: first half of the bands by x, the other by y. */
static float vit_angle(const golden *c, int row, int i)
{
    const int bands = c->head_dim / 4, cell = row - c->prefix_rows;
    if (cell < 0)
        return 0;
    const double band = pow(c->theta, -(double)(i % bands) / bands);
    const double at = (i < bands ? cell % c->grid : cell / c->grid) + c->offset;
    return (float)(at / c->grid * c->reference_grid) * (float)band;
}

/* --- one builder an operator
 * ------------------------------------------------------------------------------------ */

static gr_value *layer_norm(golden *c)
{
    gr_value *x = input(c, "x", last_dim(c, "x"));
    return gr_layer_norm(x, param(c, "weight"), param(c, "bias"), (float)c->eps);
}

static gr_value *rms_norm(golden *c)
{
    gr_value *x = input(c, "x", last_dim(c, "x"));
    return gr_scale_columns(gr_rms_norm(x, (float)c->eps), param(c, "weight"));
}

static gr_value *gelu(golden *c) { return gr_gelu(input(c, "x", last_dim(c, "x"))); }

static gr_value *silu_mul(golden *c)
{
    gr_value *gate = input(c, "gate", last_dim(c, "gate"));
    return gr_mul(gr_silu(gate), input(c, "up", last_dim(c, "up")));
}

static gr_value *layer_scale(golden *c)
{
    gr_value *x = input(c, "x", last_dim(c, "x")), *branch = input(c, "branch", last_dim(c, "x"));
    return gr_add(x, gr_scale_columns(branch, param(c, "gamma")));
}

static gr_value *add(golden *c)
{
    gr_value *x = input(c, "x", last_dim(c, "x"));
    return gr_add(x, input(c, "y", last_dim(c, "y")));
}

static gr_value *linear(golden *c)
{
    gr_value *x = input(c, "x", last_dim(c, "x")), *w = param(c, "weight");
    return gr_linear(x, w, tensor(c, "in", "bias") ? param(c, "bias") : NULL);
}

/* Pictures of one width; patchify takes squares, so they are made square by rows of zeros at the bottom. */
static gr_value *patch_conv(golden *c)
{
    const gr_stored *t = must_tensor(c, "in", "x");
    const int channels = (int)t->shape[1], height = (int)t->shape[2], width = (int)t->shape[3];
    const int across = width / 14, down = height / 14;
    float *square = calloc((size_t)(channels * width * width), sizeof *square);
    assert_non_null(square);
    for (int k = 0; k < channels; k++)
        read_at(t, (size_t)(4 * k * height * width), square + k * width * width,
                4 * (size_t)(height * width));
    gr_value *x = own_input(c, "x", 1, channels * width * width, square, false);
    free(square);
    gr_value *y = gr_linear(gr_patchify(x, channels, 1, width, 14), param(c, "weight"), NULL);
    return gr_slice_rows(y, across * across, 0, across * down);
}

static gr_value *pool(golden *c)
{
    gr_value *x = input(c, "x", last_dim(c, "x"));
    return gr_mean_pool(x, (int)lround(sqrt((double)must_tensor(c, "in", "x")->shape[1])), c->ratio);
}

static gr_value *embedding(golden *c)
{
    const gr_stored *t = must_tensor(c, "in", "ids");
    int32_t ids[64];
    assert_true(count(t) <= 64);
    for (size_t i = 0; i < count(t); i++) {
        int64_t id;
        read_at(t, 8 * i, &id, 8);
        ids[i] = (int32_t)id;
    }
    return gr_embed(own_input(c, "ids", (int)count(t), 1, ids, true), param(c, "weight"), NULL);
}

/* Fewer queries than keys: they are the last rows, so rows of zeros stand before them and are not compared.
 */
static gr_value *attention(golden *c)
{
    const gr_stored *q = must_tensor(c, "in", "q"), *k = must_tensor(c, "in", "k");
    const int heads = (int)q->shape[1], kv = (int)k->shape[1], d = (int)q->shape[2], rows = (int)k->shape[0];
    gr_value *in_q = input_with(c, "q", heads * d, rows - (int)q->shape[0], false);
    gr_value *in_k = input(c, "k", kv * d), *in_v = input(c, "v", kv * d);
    c->out_rows = (int)q->shape[0];
    one_span(c, rows);
    return gr_attention(in_q, in_k, in_v, heads, kv, (float)c->scale, c->causal, false);
}

static gr_value *llama_rope(golden *c)
{
    const gr_stored *x = must_tensor(c, "in", "x");
    const int rows = (int)x->shape[0], heads = (int)x->shape[1];
    one_span(c, rows);
    gr_value *in = input(c, "x", heads * c->head_dim), *turn = rope_table(c, rows, llama_angle);
    if (c->round == GR_ROUND_BF16)
        c->data.round_params |=
            1u << turn->slot; /* Llama rounds cosine and sine in bf16, the tower does not */
    return gr_rope(in, turn, heads, false);
}

static gr_value *vit_rope(golden *c)
{
    const gr_stored *x = must_tensor(c, "in", "x");
    const int rows = (int)x->shape[0], heads = (int)x->shape[1];
    one_span(c, rows);
    gr_value *in = input(c, "x", heads * c->head_dim);
    return gr_rope(in, rope_table(c, rows, vit_angle), heads, true);
}

/* A rectangular map is a canvas of tiles of one cell. */
static gr_value *roi_align(golden *c)
{
    const gr_stored *map = must_tensor(c, "in", "map"), *box = must_tensor(c, "in", "box");
    const int32_t canvas[] = { (int32_t)map->shape[2], (int32_t)map->shape[1], 0 };
    float shifted[4];
    for (int i = 0; i < 4; i++) {
        read_at(box, 4 * i, &shifted[i], 4);
        shifted[i] = shifted[i] * (float)c->spatial_scale - 0.5f;
    }
    c->transpose_out = (int)map->shape[0];
    gr_value *features = input_with(c, "map", (int)map->shape[0], 0, true);
    return gr_roi_align(features, own_input(c, "box", 1, 4, shifted, false),
                        own_input(c, "canvas", 1, 3, canvas, true), 1, c->output);
}

static gr_value *vit_block(golden *c)
{
    const int dim = last_dim(c, "x"), h = c->heads, rows = (int)must_tensor(c, "in", "x")->shape[0];
    c->head_dim = dim / h;
    c->reference_grid = c->grid;
    c->tolerance = WHOLE_BLOCK;
    one_span(c, rows);
    gr_value *x = input(c, "x", dim), *turn = rope_table(c, rows, vit_angle);
    gr_value *y = gr_layer_norm(x, param(c, "norm1.weight"), param(c, "norm1.bias"), (float)c->eps);
    y = gr_linear(y, param(c, "attn.qkv.weight"), param(c, "attn.qkv.bias"));
    gr_value *q = gr_rope(gr_graph_columns(y, 0, dim), turn, h, true);
    gr_value *k = gr_rope(gr_graph_columns(y, dim, dim), turn, h, true);
    const float scale = (float)(1 / sqrt(c->head_dim));
    y = gr_attention(q, k, gr_graph_columns(y, 2 * dim, dim), h, h, scale, false, false);
    y = gr_linear(y, param(c, "attn.proj.weight"), param(c, "attn.proj.bias"));
    x = gr_add(x, gr_scale_columns(y, param(c, "gamma_1")));
    y = gr_layer_norm(x, param(c, "norm2.weight"), param(c, "norm2.bias"), (float)c->eps);
    y = gr_gelu(gr_linear(y, param(c, "mlp.fc1.weight"), param(c, "mlp.fc1.bias")));
    y = gr_linear(y, param(c, "mlp.fc2.weight"), param(c, "mlp.fc2.bias"));
    return gr_add(x, gr_scale_columns(y, param(c, "gamma_2")));
}

static gr_value *llama_layer(golden *c)
{
    const int dim = last_dim(c, "x"), rows = (int)must_tensor(c, "in", "x")->shape[0];
    c->tolerance = WHOLE_BLOCK;
    one_span(c, rows);
    gr_value *x = input(c, "x", dim), *turn = rope_table(c, rows, llama_angle);
    gr_value *y = gr_scale_columns(gr_rms_norm(x, (float)c->eps), param(c, "input_layernorm.weight"));
    gr_value *q = gr_rope(gr_linear(y, param(c, "self_attn.q_proj.weight"), NULL), turn, c->heads, false);
    gr_value *k = gr_rope(gr_linear(y, param(c, "self_attn.k_proj.weight"), NULL), turn, c->kv_heads, false);
    gr_value *v = gr_linear(y, param(c, "self_attn.v_proj.weight"), NULL);
    y = gr_attention(q, k, v, c->heads, c->kv_heads, (float)(1 / sqrt(c->head_dim)), true, false);
    x = gr_add(x, gr_linear(y, param(c, "self_attn.o_proj.weight"), NULL));
    y = gr_scale_columns(gr_rms_norm(x, (float)c->eps), param(c, "post_attention_layernorm.weight"));
    gr_value *gate = gr_linear(y, param(c, "mlp.gate_proj.weight"), NULL);
    y = gr_mul(gr_silu(gate), gr_linear(y, param(c, "mlp.up_proj.weight"), NULL));
    return gr_add(x, gr_linear(y, param(c, "mlp.down_proj.weight"), NULL));
}

static const struct {
    const char *op;
    gr_value *(*build)(golden *c);
} builders[] = {
    { "layer_norm", layer_norm },
    { "rms_norm", rms_norm },
    { "gelu", gelu },
    { "silu_mul", silu_mul },
    { "layer_scale_residual", layer_scale },
    { "add", add },
    { "linear", linear },
    { "patch_conv", patch_conv },
    { "pool", pool },
    { "embedding", embedding },
    { "attention", attention },
    { "llama_rope", llama_rope },
    { "vit_rope", vit_rope },
    { "roi_align", roi_align },
    { "vit_block", vit_block },
    { "llama_layer", llama_layer },
    /* Not operators: tables that the models make (tests/nn/test_rope_table.c), and the loss of the trainer.
     */
    { "llama_inv_freq", NULL },
    { "vit_rope_table", NULL },
    { "cross_entropy", NULL },
};

/* --- running and comparing
 * --------------------------------------------------------------------------------------- */

static double worst_seen;
static int n_compared;

static void compare_f32(const golden *c, const char *what, const float *got, const float *want, size_t n)
{
    double off = 0, size = 0;
    for (size_t i = 0; i < n; i++) {
        off += ((double)got[i] - want[i]) * ((double)got[i] - want[i]);
        size += (double)want[i] * want[i];
    }
    const double error = size > 0 ? sqrt(off / size) : off > 0 ? INFINITY : 0;
    if (getenv("GR_SHOW"))
        printf("%-24s %-34s %.2e\n", c->name, what, error);
    worst_seen = error > worst_seen ? error : worst_seen;
    n_compared++;
    if (!(error < c->tolerance))
        fail_msg("%s: %s: relative RMS error %.3g, allowed %.3g", c->name, what, error, c->tolerance);
}

static void compare_golden(const golden *c, const char *what, const float *got, const gr_stored *t,
                           int transpose)
{
    float *want = load(t, 0, transpose);
    if (c->round == GR_ROUND_BF16) {
        n_compared++;
        rig_same_bits(got, want, count(t), c->name);
    } else {
        compare_f32(c, what, got, want, count(t));
    }
    free(want);
}

static void run_case(golden *c, gr_value *(*build)(golden *c), rig *r)
{
    gr_error err = { 0 };
    gr_value *wants[GR_MAX_SLOTS], *dx[GR_MAX_SLOTS];
    int which[GR_MAX_SLOTS], n_wants = 0;
    c->tolerance = ONE_OPERATOR;
    MUST(gr_graph_new(&c->g, r->rt, c->name, c->round, &err));
    gr_value *y = gr_graph_output(c->g, build(c));
    MUST(gr_graph_status(c->g, &err));
    const gr_stored *out = must_tensor(c, "out", ""), *dout = tensor(c, "dout", "");
    const size_t n_y = rig_size(y, c->data.extents), skip = c->out_rows ? n_y - count(out) : 0;
    assert_int_equal(n_y - skip, count(out));
    if (dout) {
        gr_value *dy = gr_graph_input(c->g, "dy", GR_FIXED, y->factor, y->cols);
        float *host = load(dout, skip, c->transpose_out);
        c->data.inputs[dy->slot] = host;
        for (int i = 0; i < c->n_bound; i++)
            if (c->bound[i].name[0] && tensor(c, "grad", c->bound[i].name))
                which[n_wants] = i, wants[n_wants++] = c->bound[i].value;
        bind(c, "", dy, host, 0, 0, 0);
        gr_graph_backward(c->g, &y, &dy, 1, wants, dx, n_wants);
        for (int i = 0; i < n_wants; i++)
            gr_graph_output(c->g, dx[i]);
        assert_true(n_wants > 0);
    }
    rig_call(r, c->g, &c->data);
    compare_golden(c, "forward", c->data.outputs[0] + skip, out, c->transpose_out);
    for (int i = 0; i < n_wants; i++)
        compare_golden(c, c->bound[which[i]].name, c->data.outputs[1 + i] + c->bound[which[i]].skip,
                       tensor(c, "grad", c->bound[which[i]].name), c->bound[which[i]].transpose);
    rig_release_outputs(&c->data);
    for (int i = 0; i < c->n_bound; i++)
        free(c->bound[i].host);
    gr_graph_free(c->g);
}

static void copy_text(char *to, size_t size, const char *from)
{
    assert_true(strlen(from) < size);
    memcpy(to, from, strlen(from) + 1);
}

static void read_scaling(gr_json *j, golden *c)
{
    const char *key;
    if (gr_json_null(j))
        return;
    c->scaled = true;
    for (gr_json_object(j); gr_json_key(j, &key);) {
        double *to = strcmp(key, "factor") == 0                             ? &c->factor
                     : strcmp(key, "low_freq_factor") == 0                  ? &c->low
                     : strcmp(key, "high_freq_factor") == 0                 ? &c->high
                     : strcmp(key, "original_max_position_embeddings") == 0 ? &c->original
                                                                            : NULL;
        if (to)
            *to = gr_json_number(j);
        else
            gr_json_skip(j); /* rope_type */
    }
}

static void read_case(gr_json *j, golden *c)
{
    const char *key;
    const struct {
        const char *key;
        double *to;
    } numbers[] = { { "eps", &c->eps },
                    { "scale", &c->scale },
                    { "rope_theta", &c->theta },
                    { "theta", &c->theta },
                    { "spatial_scale", &c->spatial_scale },
                    { "offset", &c->offset } };
    const struct {
        const char *key;
        int *to;
    } ints[] = { { "heads", &c->heads },
                 { "kv_heads", &c->kv_heads },
                 { "head_dim", &c->head_dim },
                 { "grid", &c->grid },
                 { "reference_grid", &c->reference_grid },
                 { "prefix_rows", &c->prefix_rows },
                 { "output", &c->output },
                 { "ratio", &c->ratio },
                 { "first_position", &c->first_position } };
    for (gr_json_object(j); gr_json_key(j, &key);) {
        bool known = true;
        if (strcmp(key, "name") == 0)
            copy_text(c->name, sizeof c->name, gr_json_string(j, NULL));
        else if (strcmp(key, "op") == 0)
            copy_text(c->op, sizeof c->op, gr_json_string(j, NULL));
        else if (strcmp(key, "causal") == 0)
            c->causal = gr_json_bool(j);
        else if (strcmp(key, "rope_scaling") == 0)
            read_scaling(j, c);
        else
            known = false;
        for (size_t i = 0; !known && i < sizeof numbers / sizeof *numbers; i++)
            if (strcmp(key, numbers[i].key) == 0)
                *numbers[i].to = gr_json_number(j), known = true;
        for (size_t i = 0; !known && i < sizeof ints / sizeof *ints; i++)
            if (strcmp(key, ints[i].key) == 0)
                *ints[i].to = (int)gr_json_int(j, -1000, 100000), known = true;
        if (!known)
            gr_json_skip(j); /* what is the same in all cases: patch, sampling_ratio, aligned, ... */
    }
}

static char *read_text(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    char *text = malloc(1 << 20);
    assert_non_null(text);
    *n = fread(text, 1, 1 << 20, f);
    assert_true(*n > 0 && *n < 1 << 20);
    fclose(f);
    return text;
}

static int run_list(const char *list, const char *path, gr_rounding round, rig_kind kind)
{
    gr_error err = { 0 };
    rig r;
    gr_checkpoint *file;
    gr_json j;
    size_t n;
    int ran = 0;
    const char *key;
    rig_open(&r, kind, 2);
    char *text = read_text(TEST_FILE("golden/ops/ops.json"), &n);
    MUST(gr_checkpoint_open(&file, r.rt, path, &err));
    gr_json_init(&j, r.rt, text, n, "ops.json", 256);
    for (gr_json_object(&j); gr_json_key(&j, &key);) {
        if (strcmp(key, list) != 0) {
            gr_json_skip(&j);
            continue;
        }
        for (gr_json_array(&j); gr_json_item(&j);) {
            golden c = { .file = file, .round = round };
            read_case(&j, &c);
            size_t i = 0;
            while (i < sizeof builders / sizeof *builders && strcmp(builders[i].op, c.op) != 0)
                i++;
            if (i == sizeof builders / sizeof *builders)
                fail_msg("%s: nobody builds %s", c.name, c.op);
            if (builders[i].build) {
                run_case(&c, builders[i].build, &r);
                ran++;
            }
        }
    }
    MUST(gr_json_status(&j, true, &err));
    gr_json_fini(&j);
    gr_checkpoint_close(file);
    free(text);
    rig_close(&r);
    return ran;
}

static void f32_operators_equal_pytorch(void **state)
{
    (void)state;
    worst_seen = n_compared = 0;
    assert_int_equal(run_list("f32", TEST_FILE("golden/ops/f32.safetensors"), GR_ROUND_NONE, RIG_CPU), 40);
    printf("f32: %d tensors, worst relative RMS %.2e\n", n_compared, worst_seen);
    assert_int_equal(n_compared, 146); /* 40 outputs and every gradient but that of a picture */
}

static void bf16_operators_round_where_pytorch_rounds(void **state)
{
    (void)state;
    n_compared = 0;
    assert_int_equal(run_list("bf16", TEST_FILE("golden/ops/bf16.safetensors"), GR_ROUND_BF16, RIG_CPU), 25);
    assert_int_equal(n_compared, 25);
}

static void the_checking_backend_agrees(void **state)
{
    (void)state;
    run_list("f32", TEST_FILE("golden/ops/f32.safetensors"), GR_ROUND_NONE, RIG_CHECK);
    run_list("bf16", TEST_FILE("golden/ops/bf16.safetensors"), GR_ROUND_BF16, RIG_CHECK);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(f32_operators_equal_pytorch),
                                        cmocka_unit_test(bf16_operators_round_where_pytorch_rounds),
                                        cmocka_unit_test(the_checking_backend_agrees) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
