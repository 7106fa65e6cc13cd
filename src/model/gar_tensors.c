/* gar_tensors.c - the inventory; gar_bind.c finds it in checkpoints. */
#include "model/gar_tensors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "model/gar_tensors_table.h"

#define NAME_BYTES 128 /* bytes of the longest name, with its zero */

static const char *const part_prefix[GR_GAR_PART_COUNT] = {
    [GR_GAR_VISION] = "model.vision_tower.timm_model.",
    [GR_GAR_MASK] = "",
    [GR_GAR_PROJECTOR] = "model.multi_modal_projector.",
    [GR_GAR_TEXT] = "model.language_model.",
    [GR_GAR_HEAD] = "",
};

const gr_gar_row gr_gar_rows[GR_GAR_T_COUNT] = {
#define X(id, part, repeated, suffix, ...) \
    [GR_GAR_T_##id] = { GR_GAR_##part, GR_GAR_##repeated, suffix, { __VA_ARGS__ } },
#define D1     GR_GAR_DIM_1
#define D3     GR_GAR_DIM_3
#define DIM    GR_GAR_DIM_D
#define DIM3   GR_GAR_DIM_3D
#define ROWS   GR_GAR_DIM_ROWS
#define PATCH  GR_GAR_DIM_PATCH
#define MLP    GR_GAR_DIM_MLP
#define HIDDEN GR_GAR_DIM_HIDDEN
#define QUERY  GR_GAR_DIM_QUERY
#define KEY    GR_GAR_DIM_KEY
#define FFN    GR_GAR_DIM_FFN
#define VOCAB  GR_GAR_DIM_VOCAB
    GR_GAR_TENSOR_TABLE(X)
#undef X
};

int64_t gr_gar_dim_value(const gr_gar_config *c, gr_gar_dim dim)
{
    const gr_pe_config *v = &c->vision;
    const gr_llama_config *t = &c->text;
    switch (dim) {
    case GR_GAR_DIM_1:
        return 1;
    case GR_GAR_DIM_3:
        return 3;
    case GR_GAR_DIM_D:
        return v->dim;
    case GR_GAR_DIM_3D:
        return 3 * (int64_t)v->dim;
    case GR_GAR_DIM_ROWS:
        return (int64_t)v->grid * v->grid + v->class_token;
    case GR_GAR_DIM_PATCH:
        return v->patch_px;
    case GR_GAR_DIM_MLP:
        return v->mlp;
    case GR_GAR_DIM_HIDDEN:
        return t->hidden;
    case GR_GAR_DIM_QUERY:
        return (int64_t)t->heads * t->head_dim;
    case GR_GAR_DIM_KEY:
        return (int64_t)t->kv_heads * t->head_dim;
    case GR_GAR_DIM_FFN:
        return t->ffn;
    case GR_GAR_DIM_VOCAB:
        return t->vocab;
    case GR_GAR_DIM_NONE:
        break;
    }
    return 0;
}

int gr_gar_repeats(const gr_gar_config *c, gr_gar_tensor_id id)
{
    switch (gr_gar_rows[id].repeated) {
    case GR_GAR_BLOCK:
        return c->vision.depth;
    case GR_GAR_LAYER:
        return c->text.layers;
    case GR_GAR_ONE:
        break;
    }
    return (id == GR_GAR_T_CLASS_TOKEN && !c->vision.class_token) || (id == GR_GAR_T_MASK_W && c->base_only)
               ? 0
               : 1;
}

const char *gr_gar_key(const char *name)
{
    static const char *const prefixes[] = { "mllm.", "model." };
    for (size_t i = 0; i < 2; i++)
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
            return gr_gar_key(name + strlen(prefixes[i]));
    return name;
}

const char *gr_gar_part_name(gr_gar_part part)
{
    static const char *const names[GR_GAR_PART_COUNT] = { "vision", "mask", "projector", "text", "head" };
    return (unsigned)part < GR_GAR_PART_COUNT ? names[part] : "unknown";
}

/* --- building ------------------------------------------------------------------------------------------ */

static void add(gr_gar_tensors *list, gr_gar_tensor_id id, int layer)
{
    const gr_gar_config *c = &list->config;
    const gr_gar_row *row = &gr_gar_rows[id];
    gr_gar_tensor *t = &list->at[list->n];
    char *name = list->names + list->n * NAME_BYTES;
    const char *wrapper = c->base_only || row->part == GR_GAR_MASK ? "" : "mllm.";
    if (layer < 0)
        snprintf(name, NAME_BYTES, "%s%s%s", wrapper, part_prefix[row->part], row->suffix);
    else
        snprintf(name, NAME_BYTES, "%s%s%s.%d.%s", wrapper, part_prefix[row->part],
                 row->repeated == GR_GAR_BLOCK ? "blocks" : "layers", layer, row->suffix);
    *t = (gr_gar_tensor){ .id = id, .part = row->part, .layer = layer, .name = name };
    int64_t count = 1;
    for (; t->rank < 4 && row->dims[t->rank] != GR_GAR_DIM_NONE; t->rank++) {
        t->shape[t->rank] = gr_gar_dim_value(c, row->dims[t->rank]);
        count *= t->shape[t->rank];
    }
    t->optional = id == GR_GAR_T_LM_HEAD && c->text.tied;
    list->n++;
    if (!t->optional) {
        list->n_required++;
        list->n_parameters += count;
        list->part_parameters[t->part] += count;
    }
}

/* Rows from..to of the table, layer by layer. */
static void add_group(gr_gar_tensors *list, int from, int to)
{
    const bool once = gr_gar_rows[from].repeated == GR_GAR_ONE;
    for (int id = from; id < to; id++) {
        const bool any = gr_gar_repeats(&list->config, (gr_gar_tensor_id)id) > 0;
        list->first[id] = any ? (int)list->n + id - from : -1;
        list->stride[id] = once ? 0 : to - from;
    }
    for (int layer = 0; layer < gr_gar_repeats(&list->config, (gr_gar_tensor_id)from); layer++)
        for (int id = from; id < to; id++)
            add(list, (gr_gar_tensor_id)id, once ? -1 : layer);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorts the names without prefixes, so that stored names can be looked up. */
static void index_names(gr_gar_tensors *list)
{
    for (size_t i = 0; i < list->n; i++)
        list->keys[i] = gr_gar_key(list->at[i].name);
    qsort(list->keys, list->n, sizeof *list->keys, by_text);
    for (size_t i = 0; i < list->n; i++) /* a key points into the name of its tensor */
        list->key_index[i] = (int)((size_t)(list->keys[i] - list->names) / NAME_BYTES);
}

gr_status gr_gar_tensors_build(gr_gar_tensors *list, gr_runtime *rt, const gr_gar_config *config,
                               gr_error *err)
{
    size_t n = 0;
    *list = (gr_gar_tensors){ .rt = rt, .config = *config };
    for (int id = 0; id < GR_GAR_T_COUNT; id++)
        n += (size_t)gr_gar_repeats(config, (gr_gar_tensor_id)id);
    list->at = gr_calloc(rt, n, sizeof *list->at);
    list->names = gr_calloc(rt, n, NAME_BYTES);
    list->keys = gr_calloc(rt, n, sizeof *list->keys);
    list->key_index = gr_calloc(rt, n, sizeof *list->key_index);
    if (!list->at || !list->names || !list->keys || !list->key_index) {
        gr_gar_tensors_fini(list);
        return gr_fail(err, GR_ERR_MEM, "no memory for the list of %zu tensors", n);
    }
    for (int from = 0, to; from < GR_GAR_T_COUNT; from = to) {
        to = from + 1;
        while (gr_gar_rows[from].repeated != GR_GAR_ONE && to < GR_GAR_T_COUNT &&
               gr_gar_rows[to].repeated == gr_gar_rows[from].repeated)
            to++;
        add_group(list, from, to);
    }
    index_names(list);
    return GR_OK;
}

void gr_gar_tensors_fini(gr_gar_tensors *list)
{
    if (!list->rt)
        return;
    gr_free(list->rt, list->at);
    gr_free(list->rt, list->names);
    gr_free(list->rt, list->keys);
    gr_free(list->rt, list->key_index);
    memset(list, 0, sizeof *list);
}

int gr_gar_tensors_find(const gr_gar_tensors *list, gr_gar_tensor_id id, int layer)
{
    if ((unsigned)id >= GR_GAR_T_COUNT || list->first[id] < 0)
        return -1;
    if (gr_gar_rows[id].repeated == GR_GAR_ONE)
        return list->first[id];
    if (layer < 0 || layer >= gr_gar_repeats(&list->config, id))
        return -1;
    return list->first[id] + layer * list->stride[id];
}
