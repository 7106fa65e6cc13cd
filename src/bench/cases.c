#include "bench/cases.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bench/row.h"

/* Rows of a prompt that are neither tiles nor a region: the published words of a description, where every
 * letter is a token (the tokenizer of `grasp new`). docs/performance.md counts prompts with it. */
#define TEXT_ROWS 308
/* Prompt rows of a step: gr_engine_options_init. */
#define CHUNK_ROWS 256

/* What shapes are made of. */
typedef struct {
    int one, chunk;                                        /* rows of a step: of an answer, of a prompt */
    int tile_rows, patches, patch, dim, qkv, mlp;          /* tower */
    int hidden, q, kv, ffn, vocab;                         /* decoder */
    int features;                                          /* rows of the tiles, without the thumbnail */
    int own, chunk_keys, prompt_1, prompt_few, prompt_all; /* keys of attention */
} sizes;

static sizes sizes_of(const gr_gar_config *c)
{
    const gr_pe_config *v = &c->vision;
    const gr_llama_config *t = &c->text;
    const int patches = v->grid * v->grid, tokens = c->tokens_side * c->tokens_side,
              around = TEXT_ROWS + c->replay_grid * c->replay_grid;
    return (sizes){ .one = 1,
                    .chunk = CHUNK_ROWS,
                    .tile_rows = patches + v->class_token,
                    .patches = patches,
                    .patch = 3 * v->patch_px * v->patch_px,
                    .dim = v->dim,
                    .qkv = 3 * v->dim,
                    .mlp = v->mlp,
                    .hidden = t->hidden,
                    .q = t->heads * t->head_dim,
                    .kv = t->kv_heads * t->head_dim,
                    .ffn = t->ffn,
                    .vocab = t->vocab,
                    .features = c->max_num_tiles * tokens,
                    .own = patches + v->class_token,
                    .chunk_keys = CHUNK_ROWS,
                    .prompt_1 = 2 * tokens + around,
                    .prompt_few = (1 + c->max_num_tiles / 4) * tokens + around,
                    .prompt_all = (1 + c->max_num_tiles) * tokens + around };
}

#define AT(field) offsetof(sizes, field)

static int size_at(const sizes *s, size_t field)
{
    return *(const int *)(const void *)((const char *)s + field);
}

/* Products: rows x inputs x outputs. The decoder's o is a q, v a k, and up a gate. */
static const struct {
    const char *name;
    size_t rows, inputs, outputs;
} products[] = {
    { "tower/patch", AT(patches), AT(patch), AT(dim) },
    { "tower/qkv", AT(tile_rows), AT(dim), AT(qkv) },
    { "tower/out", AT(tile_rows), AT(dim), AT(dim) },
    { "tower/fc1", AT(tile_rows), AT(dim), AT(mlp) },
    { "tower/fc2", AT(tile_rows), AT(mlp), AT(dim) },
    { "projector/first", AT(patches), AT(dim), AT(hidden) },
    { "projector/second", AT(patches), AT(hidden), AT(hidden) },
    { "prefill/q", AT(chunk), AT(hidden), AT(q) },
    { "prefill/k", AT(chunk), AT(hidden), AT(kv) },
    { "prefill/gate", AT(chunk), AT(hidden), AT(ffn) },
    { "prefill/down", AT(chunk), AT(ffn), AT(hidden) },
    { "decode/q", AT(one), AT(hidden), AT(q) },
    { "decode/k", AT(one), AT(hidden), AT(kv) },
    { "decode/gate", AT(one), AT(hidden), AT(ffn) },
    { "decode/down", AT(one), AT(ffn), AT(hidden) },
    { "decode/head", AT(one), AT(hidden), AT(vocab) },
};

/* Layers whose products of training are run: those of a tile, and of a prompt with one tile. */
static const struct {
    const char *name;
    size_t rows, inputs, outputs;
} trained[] = {
    { "train/qkv", AT(tile_rows), AT(dim), AT(qkv) },    { "train/fc1", AT(tile_rows), AT(dim), AT(mlp) },
    { "train/fc2", AT(tile_rows), AT(mlp), AT(dim) },    { "train/q", AT(prompt_1), AT(hidden), AT(q) },
    { "train/gate", AT(prompt_1), AT(hidden), AT(ffn) }, { "train/down", AT(prompt_1), AT(ffn), AT(hidden) },
};

static const char *const trained_products[] = {
    [GR_TRAINED_Y] = "y", [GR_FROZEN_DX] = "dx-frozen", [GR_TRAINED_DX] = "dx", [GR_TRAINED_DW] = "dw"
};

/* The last rows of so many keys. Those of the tower are the tile's own, the others lie in pages; a name ends
 * with the number of keys. */
static const struct {
    const char *name;
    size_t rows, keys;
    bool tower;
} attentions[] = {
    { "tower/attention", AT(tile_rows), AT(own), true },
    { "prefill/attention", AT(chunk), AT(chunk_keys), false },
    { "prefill/attention", AT(chunk), AT(prompt_few), false },
    { "prefill/attention", AT(chunk), AT(prompt_all), false },
    { "decode/attention", AT(one), AT(prompt_1), false },
    { "decode/attention", AT(one), AT(prompt_all), false },
};

static const struct {
    const char *name;
    gr_pass pass;
    size_t rows, inputs, outputs;
} passes[] = {
    { "tower/norm", GR_PASS_LAYER_NORM, AT(tile_rows), AT(dim), AT(dim) },
    { "tower/rope", GR_PASS_ROPE_PAIRS, AT(tile_rows), AT(dim), AT(dim) },
    { "tower/gelu", GR_PASS_GELU, AT(tile_rows), AT(mlp), AT(mlp) },
    { "tower/scale-add", GR_PASS_SCALE_ADD, AT(tile_rows), AT(dim), AT(dim) },
    { "projector/pool", GR_PASS_POOL, AT(patches), AT(hidden), AT(hidden) },
    { "prefill/norm", GR_PASS_RMS_NORM, AT(chunk), AT(hidden), AT(hidden) },
    { "prefill/rope", GR_PASS_ROPE_HALVES, AT(chunk), AT(q), AT(q) },
    { "prefill/swiglu", GR_PASS_SWIGLU, AT(chunk), AT(ffn), AT(ffn) },
    { "prefill/add", GR_PASS_ADD, AT(chunk), AT(hidden), AT(hidden) },
    { "replay/roi-align", GR_PASS_ROI_ALIGN, AT(features), AT(hidden), AT(hidden) },
};

#define COUNT(table) (sizeof(table) / sizeof *(table))
_Static_assert(COUNT(products) + COUNT(attentions) + COUNT(passes) +
                       COUNT(trained) * COUNT(trained_products) <=
                   GR_MAX_CASES,
               "GR_MAX_CASES");

static gr_bench_case *add(gr_bench_cases *cases, const char *preset, const char *name, gr_case_kind kind)
{
    gr_bench_case *c = &cases->at[cases->n++];
    *c = (gr_bench_case){ .kind = kind };
    snprintf(c->name, sizeof c->name, "%s/%s", preset, name);
    return c;
}

static void add_products(gr_bench_cases *cases, const char *preset, const sizes *s, gr_dtype weights)
{
    for (size_t i = 0; i < COUNT(products); i++) {
        gr_bench_case *c = add(cases, preset, products[i].name, GR_CASE_PRODUCT);
        c->rows = size_at(s, products[i].rows);
        c->inputs = size_at(s, products[i].inputs);
        c->outputs = size_at(s, products[i].outputs);
        c->kind = c->rows == 1 ? GR_CASE_ROW : GR_CASE_PRODUCT;
        const double cells = (double)c->inputs * c->outputs;
        c->flop = 2 * cells * c->rows;
        c->bytes = cells * (double)gr_dtype_bytes(weights) + 4.0 * c->rows * (c->inputs + c->outputs);
    }
}

static void add_attentions(gr_bench_cases *cases, const char *preset, const sizes *s)
{
    const gr_pe_config *v = &cases->config.vision;
    const gr_llama_config *t = &cases->config.text;
    for (size_t i = 0; i < COUNT(attentions); i++) {
        const bool tower = attentions[i].tower;
        gr_bench_case *c = add(cases, preset, attentions[i].name, GR_CASE_ATTENTION);
        c->rows = size_at(s, attentions[i].rows);
        c->inputs = size_at(s, attentions[i].keys);
        c->heads = tower ? v->heads : t->heads;
        c->kv_heads = tower ? v->heads : t->kv_heads;
        c->head_dim = tower ? v->dim / v->heads : t->head_dim;
        c->outputs = c->heads * c->head_dim;
        c->layers = tower ? 0 : t->layers;
        snprintf(c->name + strlen(c->name), sizeof c->name - strlen(c->name), "-%d", c->inputs);
        const double rows = c->rows, keys = c->inputs,
                     pairs = tower ? rows * keys : rows * (keys - rows) + rows * (rows + 1) / 2;
        c->flop = 4 * pairs * c->outputs;
        c->bytes = 4 * (2 * keys * c->kv_heads * c->head_dim + 2 * rows * c->outputs);
    }
}

static void add_passes(gr_bench_cases *cases, const char *preset, const sizes *s)
{
    const gr_pe_config *v = &cases->config.vision;
    const gr_llama_config *t = &cases->config.text;
    for (size_t i = 0; i < COUNT(passes); i++) {
        const bool pairs = passes[i].pass == GR_PASS_ROPE_PAIRS;
        gr_bench_case *c = add(cases, preset, passes[i].name, GR_CASE_PASS);
        c->pass = passes[i].pass;
        c->rows = size_at(s, passes[i].rows);
        c->inputs = size_at(s, passes[i].inputs);
        c->outputs = size_at(s, passes[i].outputs);
        c->heads = pairs ? v->heads : t->heads;
        c->head_dim = pairs ? v->dim / v->heads : t->head_dim;
    }
}

static void add_trained(gr_bench_cases *cases, const char *preset, const sizes *s)
{
    for (size_t i = 0; i < COUNT(trained); i++)
        for (size_t k = 0; k < COUNT(trained_products); k++) {
            char name[48];
            snprintf(name, sizeof name, "%s-%s", trained[i].name, trained_products[k]);
            gr_bench_case *c = add(cases, preset, name, GR_CASE_GRADIENT);
            c->product = (gr_case_product)k;
            c->rows = size_at(s, trained[i].rows);
            c->inputs = size_at(s, trained[i].inputs);
            c->outputs = size_at(s, trained[i].outputs);
            c->flop = 2.0 * c->rows * c->inputs * c->outputs;
            c->bytes = 4.0 * ((double)c->rows * (c->inputs + c->outputs) + (double)c->inputs * c->outputs);
        }
}

/* Keeps the case of exactly that name, or those whose names contain the filter. */
static void keep(gr_bench_cases *cases, const char *filter)
{
    bool exact = false;
    int n = 0;
    for (int i = 0; i < cases->n; i++)
        exact |= strcmp(cases->at[i].name, filter) == 0;
    for (int i = 0; i < cases->n; i++)
        if (exact ? strcmp(cases->at[i].name, filter) == 0 : strstr(cases->at[i].name, filter) != NULL)
            cases->at[n++] = cases->at[i];
    cases->n = n;
}

gr_status gr_bench_cases_make(gr_bench_cases *cases, const char *preset, const char *filter, gr_dtype weights,
                              gr_error *err)
{
    cases->n = 0;
    if (weights != GR_DTYPE_F32 && weights != GR_DTYPE_BF16 && weights != GR_DTYPE_F16)
        return gr_fail(err, GR_ERR_ARG, "weights cannot be %s, expected F32, BF16 or F16",
                       weights < GR_DTYPE_COUNT ? gr_dtype_name(weights) : "of that type");
    GR_TRY(gr_gar_config_preset(&cases->config, preset, err));
    const sizes s = sizes_of(&cases->config);
    add_products(cases, preset, &s, weights);
    add_attentions(cases, preset, &s);
    add_passes(cases, preset, &s);
    add_trained(cases, preset, &s);
    if (filter)
        keep(cases, filter);
    if (cases->n == 0)
        return gr_fail(err, GR_ERR_ARG, "no case of %s has '%.100s' in its name; a list of cases shows them",
                       preset, filter);
    return GR_OK;
}

bool gr_bench_case_reads(const gr_bench_case *c)
{
    return c->kind == GR_CASE_ROW || c->kind == GR_CASE_PASS ||
           (c->kind == GR_CASE_ATTENTION && c->rows == 1);
}

gr_bench_row gr_bench_case_row(const gr_bench_case *c, gr_dtype weights, int threads)
{
    static const char *const kinds[] = { [GR_CASE_PRODUCT] = "product",
                                         [GR_CASE_GRADIENT] = "gradient",
                                         [GR_CASE_ROW] = "row",
                                         [GR_CASE_ATTENTION] = "attention",
                                         [GR_CASE_PASS] = "pass" };
    const bool frozen = c->kind == GR_CASE_GRADIENT && c->product == GR_FROZEN_DX,
               trains = c->kind == GR_CASE_GRADIENT && !frozen && c->product != GR_TRAINED_DW,
               weighted = c->kind == GR_CASE_PRODUCT || c->kind == GR_CASE_ROW || frozen,
               attends = c->kind == GR_CASE_ATTENTION;
    return (gr_bench_row){ .kind = kinds[c->kind],
                           .name = c->name,
                           .rows = c->rows,
                           .inputs = c->inputs,
                           .outputs = c->outputs,
                           .heads = attends ? c->heads : 0,
                           .kv_heads = attends ? c->kv_heads : 0,
                           .weights = weighted ? gr_dtype_name(weights)
                                      : trains ? gr_dtype_name(GR_DTYPE_F32)
                                               : NULL,
                           .threads = threads,
                           .unit = gr_bench_case_reads(c) ? GR_UNIT_READ : GR_UNIT_FLOP,
                           .flop = c->flop,
                           .bytes = c->bytes,
                           .fraction = NAN };
}
