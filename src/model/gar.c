#include "model/gar.h"

#include <string.h>

#include "base/alloc.h"
#include "nn/rope_table.h"

/* Which stored tensor stands in which slot. */
static const gr_gar_tensor_id pe_embed_slots[GR_PE_EMBED_SLOTS] = {
    [GR_PE_PATCH] = GR_GAR_T_PATCH_W,    [GR_PE_MASK] = GR_GAR_T_MASK_W,
    [GR_PE_POS] = GR_GAR_T_POSITION,     [GR_PE_PRE_W] = GR_GAR_T_NORM_PRE_W,
    [GR_PE_PRE_B] = GR_GAR_T_NORM_PRE_B, [GR_PE_CLASS] = GR_GAR_T_CLASS_TOKEN,
};
static const gr_gar_tensor_id pe_block_slots[GR_PE_BLOCK_SLOTS] = {
    [GR_PE_NORM1_W] = GR_GAR_T_NORM1_W, [GR_PE_NORM1_B] = GR_GAR_T_NORM1_B, [GR_PE_QKV_W] = GR_GAR_T_QKV_W,
    [GR_PE_QKV_B] = GR_GAR_T_QKV_B,     [GR_PE_ROPE] = GR_GAR_T_COUNT, /* the tower's table */
    [GR_PE_PROJ_W] = GR_GAR_T_PROJ_W,   [GR_PE_PROJ_B] = GR_GAR_T_PROJ_B,   [GR_PE_GAMMA1] = GR_GAR_T_GAMMA_1,
    [GR_PE_NORM2_W] = GR_GAR_T_NORM2_W, [GR_PE_NORM2_B] = GR_GAR_T_NORM2_B, [GR_PE_FC1_W] = GR_GAR_T_FC1_W,
    [GR_PE_FC1_B] = GR_GAR_T_FC1_B,     [GR_PE_FC2_W] = GR_GAR_T_FC2_W,     [GR_PE_FC2_B] = GR_GAR_T_FC2_B,
    [GR_PE_GAMMA2] = GR_GAR_T_GAMMA_2,
};
static const gr_gar_tensor_id projector_slots[GR_PROJ_SLOTS] = {
    [GR_PROJ_1_W] = GR_GAR_T_LINEAR_1_W,
    [GR_PROJ_1_B] = GR_GAR_T_LINEAR_1_B,
    [GR_PROJ_2_W] = GR_GAR_T_LINEAR_2_W,
    [GR_PROJ_2_B] = GR_GAR_T_LINEAR_2_B,
};
static const gr_gar_tensor_id block_slots[GR_LLAMA_BLOCK_SLOTS] = {
    [GR_LLAMA_NORM1] = GR_GAR_T_INPUT_NORM,
    [GR_LLAMA_Q] = GR_GAR_T_Q,
    [GR_LLAMA_K] = GR_GAR_T_K,
    [GR_LLAMA_V] = GR_GAR_T_V,
    [GR_LLAMA_ROPE] = GR_GAR_T_COUNT, /* the decoder's table */
    [GR_LLAMA_O] = GR_GAR_T_O,
    [GR_LLAMA_NORM2] = GR_GAR_T_POST_NORM,
    [GR_LLAMA_GATE] = GR_GAR_T_GATE,
    [GR_LLAMA_UP] = GR_GAR_T_UP,
    [GR_LLAMA_DOWN] = GR_GAR_T_DOWN,
};

/* Weights after the stored ones that the model makes itself. */
enum { TOWER_ROPE, TEXT_ROPE, ZERO_MASK, N_EXTRA };

static gr_weight *extra_weight(gr_gar *m, int which) { return &m->weights[m->tensors.n + (size_t)which]; }

/* A convolution's weight is [outputs, all the rest]; other tensors end in their columns. */
static void set_shape(gr_weight *w, const gr_gar_tensor *t)
{
    size_t all = 1;
    for (int i = 0; i < t->rank; i++)
        all *= (size_t)t->shape[i];
    w->rows = t->rank == 4 ? (size_t)t->shape[0] : all / (size_t)t->shape[t->rank - 1];
    w->cols = all / w->rows;
}

static void make_weights(gr_gar *m)
{
    for (size_t i = 0; i < m->tensors.n; i++) {
        const gr_stored *stored = m->bound[i].stored;
        gr_weight *w = &m->weights[i];
        if (!stored)
            continue;
        *w = (gr_weight){ .name = stored->name,
                          .file = stored->file,
                          .dtype = stored->dtype,
                          .source = stored->source,
                          .offset = stored->offset,
                          .paired_rows = m->bound[i].paired_rows,
                          .round_bf16 = m->round == GR_ROUND_BF16 };
        set_shape(w, &m->tensors.at[i]);
    }
}

static const gr_weight *weight_of(gr_gar *m, gr_gar_tensor_id id, int layer)
{
    const int i = gr_gar_tensors_find(&m->tensors, id, layer);
    return i >= 0 && gr_weight_is_stored(&m->weights[i]) ? &m->weights[i] : NULL;
}

static void fill_slots(gr_gar *m, const gr_weight **slots, const gr_gar_tensor_id *ids, int n, int layer,
                       int rope)
{
    for (int i = 0; i < n; i++)
        slots[i] = ids[i] == GR_GAR_T_COUNT ? extra_weight(m, rope) : weight_of(m, ids[i], layer);
}

static gr_status bind_slots(gr_gar *m, gr_error *err)
{
    const gr_gar_config *c = &m->config;
    m->pe_blocks = gr_calloc(m->rt, (size_t)c->vision.depth, sizeof *m->pe_blocks);
    m->blocks = gr_calloc(m->rt, (size_t)c->text.layers, sizeof *m->blocks);
    if (!m->pe_blocks || !m->blocks)
        return gr_fail(err, GR_ERR_MEM, "%s: no memory for the tables of weights", m->dir);
    fill_slots(m, m->pe_embed, pe_embed_slots, GR_PE_EMBED_SLOTS, -1, 0);
    if (!m->pe_embed[GR_PE_MASK])
        m->pe_embed[GR_PE_MASK] = extra_weight(m, ZERO_MASK); /* a base model: as GAR's training begins */
    for (int l = 0; l < c->vision.depth; l++)
        fill_slots(m, m->pe_blocks[l], pe_block_slots, GR_PE_BLOCK_SLOTS, l, TOWER_ROPE);
    fill_slots(m, m->projector, projector_slots, GR_PROJ_SLOTS, -1, 0);
    for (int l = 0; l < c->text.layers; l++)
        fill_slots(m, m->blocks[l], block_slots, GR_LLAMA_BLOCK_SLOTS, l, TEXT_ROPE);
    m->embed[GR_LLAMA_EMBED] = weight_of(m, GR_GAR_T_EMBED, -1);
    m->head[GR_LLAMA_NORM] = weight_of(m, GR_GAR_T_NORM, -1);
    m->head[GR_LLAMA_HEAD] = weight_of(m, GR_GAR_T_LM_HEAD, -1);
    if (!m->head[GR_LLAMA_HEAD])
        m->head[GR_LLAMA_HEAD] = m->embed[GR_LLAMA_EMBED];
    return GR_OK;
}

static gr_status open_files(gr_gar *m, gr_error *err)
{
    GR_TRY(gr_gar_config_load(&m->config, m->rt, m->dir, err));
    GR_TRY(gr_checkpoint_open(&m->files, m->rt, m->dir, err));
    GR_TRY(gr_gar_tensors_build(&m->tensors, m->rt, &m->config, err));
    m->n_weights = m->tensors.n + N_EXTRA;
    m->bound = gr_calloc(m->rt, m->tensors.n, sizeof *m->bound);
    m->weights = gr_calloc(m->rt, m->n_weights, sizeof *m->weights);
    if (!m->bound || !m->weights)
        return gr_fail(err, GR_ERR_MEM, "%s: no memory for %zu weights", m->dir, m->n_weights);
    GR_TRY(gr_gar_tensors_bind(&m->tensors, m->files, m->bound, NULL, err));
    make_weights(m);
    return bind_slots(m, err);
}

gr_status gr_gar_open(gr_gar **out, gr_runtime *rt, const char *dir, gr_rounding round, gr_error *err)
{
    *out = NULL;
    gr_gar *m = gr_calloc(rt, 1, sizeof *m);
    if (!m)
        return gr_fail(err, GR_ERR_MEM, "%s: no memory for the model", dir);
    m->rt = rt;
    m->round = round;
    m->dir = gr_strdup(rt, dir);
    const gr_status st =
        m->dir ? open_files(m, err) : gr_fail(err, GR_ERR_MEM, "%s: no memory for the model", dir);
    if (st != GR_OK)
        gr_gar_close(m);
    else
        *out = m;
    return st;
}

static bool is_held(const gr_gar *m, size_t i) { return m->held && i < m->tensors.n && m->held[i]; }

static void unprepare(gr_gar *m)
{
    for (size_t i = 0; m->backend && i < m->n_weights; i++)
        if (!is_held(m, i))
            m->backend->ops->unprepare(m->backend, &m->weights[i]);
    gr_free(m->rt, m->tower_rope);
    gr_free(m->rt, m->text_rope);
    gr_free(m->rt, m->zero_mask);
    m->tower_rope = m->text_rope = m->zero_mask = NULL;
    m->backend = NULL;
}

void gr_gar_close(gr_gar *m)
{
    if (!m)
        return;
    unprepare(m);
    gr_free(m->rt, m->pe_blocks);
    gr_free(m->rt, m->blocks);
    gr_free(m->rt, m->weights);
    gr_free(m->rt, m->bound);
    gr_gar_tensors_fini(&m->tensors);
    gr_checkpoint_close(m->files);
    gr_free(m->rt, m->dir);
    gr_free(m->rt, m);
}

/* --- preparing
 * ------------------------------------------------------------------------------------------------------- */

static bool is_tied(const gr_gar *m) { return m->head[GR_LLAMA_HEAD] == m->embed[GR_LLAMA_EMBED]; }

/* Every weight with the form that its segment reads: slots of linear layers are panels, the embedding rows,
 * the rest vectors. */
static gr_form form_of(const gr_gar *m, const gr_weight *w)
{
    if (w == m->embed[GR_LLAMA_EMBED])
        return GR_FORM_ROWS;
    const bool table = w == m->pe_embed[GR_PE_POS] || w >= m->weights + m->tensors.n;
    if (w == m->pe_embed[GR_PE_MASK])
        return GR_FORM_PANELS;
    return w->rows > 1 && !table ? GR_FORM_PANELS : GR_FORM_VECTOR;
}

static void describe_extra(gr_gar *m, int max_positions)
{
    const gr_gar_config *c = &m->config;
    const size_t tower_dim = (size_t)(c->vision.dim / c->vision.heads);
    *extra_weight(m, TOWER_ROPE) = (gr_weight){ .name = "rotary table of the tower",
                                                .dtype = GR_DTYPE_F32,
                                                .rows = (size_t)gr_pe_rows(&c->vision),
                                                .cols = tower_dim };
    *extra_weight(m, TEXT_ROPE) = (gr_weight){ .name = "rotary table of the decoder",
                                               .dtype = GR_DTYPE_F32,
                                               .rows = (size_t)max_positions,
                                               .cols = (size_t)c->text.head_dim };
    if (m->pe_embed[GR_PE_MASK] == extra_weight(m, ZERO_MASK))
        *extra_weight(m, ZERO_MASK) =
            (gr_weight){ .name = "mask embedding of a base model",
                         .dtype = GR_DTYPE_F32,
                         .rows = (size_t)c->vision.dim,
                         .cols = 3 * (size_t)c->vision.patch_px * (size_t)c->vision.patch_px };
}

size_t gr_gar_prepared_bytes(const gr_gar *m, int max_positions)
{
    const gr_gar_config *c = &m->config;
    size_t sum = 0;
    for (size_t i = 0; i < m->tensors.n; i++)
        if (gr_weight_is_stored(&m->weights[i]) && !is_held(m, i))
            sum += gr_weight_form_bytes(&m->weights[i], form_of(m, &m->weights[i]));
    if (is_tied(m) &&
        !is_held(m, (size_t)(m->embed[GR_LLAMA_EMBED] - m->weights))) /* multiplied, and looked up
                                                                          in the same panels */
        sum += gr_weight_form_bytes(m->embed[GR_LLAMA_EMBED], GR_FORM_PANELS);
    if (!weight_of((gr_gar *)(uintptr_t)m, GR_GAR_T_MASK_W, -1))
        sum += (size_t)c->vision.dim * 3 * (size_t)c->vision.patch_px * (size_t)c->vision.patch_px * 4;
    /* The tables are made once and kept beside their prepared form. */
    return sum + 2 * sizeof(float) *
                     ((size_t)gr_pe_rows(&c->vision) * (size_t)(c->vision.dim / c->vision.heads) +
                      (size_t)max_positions * (size_t)c->text.head_dim);
}

size_t gr_gar_reading_bytes(const gr_gar *m, int n_workers)
{
    size_t most = 0;
    for (size_t i = 0; i < m->tensors.n; i++) {
        const size_t bytes = gr_weight_is_stored(&m->weights[i]) ? gr_weight_buffer_bytes(&m->weights[i]) : 0;
        most = bytes > most ? bytes : most;
    }
    return most * (size_t)n_workers;
}

static gr_status make_tables(gr_gar *m, int max_positions, gr_error *err)
{
    const gr_gar_config *c = &m->config;
    const int tower_dim = c->vision.dim / c->vision.heads;
    describe_extra(m, max_positions);
    gr_weight *tower = extra_weight(m, TOWER_ROPE), *text = extra_weight(m, TEXT_ROPE),
              *zero = extra_weight(m, ZERO_MASK);
    m->tower_rope = gr_malloc(m->rt, tower->rows * tower->cols, sizeof(float));
    m->text_rope = gr_malloc(m->rt, text->rows * text->cols, sizeof(float));
    m->zero_mask = zero->name ? gr_calloc(m->rt, zero->rows * zero->cols, sizeof(float)) : NULL;
    if (!m->tower_rope || !m->text_rope || (zero->name && !m->zero_mask))
        return gr_fail(err, GR_ERR_MEM, "no memory for rotary tables of %d positions", max_positions);
    const gr_rope_scaling scaling = { c->text.rope_theta, c->text.rope_llama3, c->text.rope_factor,
                                      c->text.rope_low,   c->text.rope_high,   c->text.rope_original };
    gr_rope_table_2d(m->tower_rope, c->vision.grid, tower_dim, c->vision.rope_offset, c->vision.class_token);
    gr_rope_table_llama(m->text_rope, (size_t)max_positions, c->text.head_dim, &scaling,
                        m->round == GR_ROUND_BF16);
    tower->stored = m->tower_rope;
    text->stored = m->text_rope;
    zero->stored = m->zero_mask;
    return GR_OK;
}

static gr_status prepare_one(gr_gar *m, gr_backend *b, size_t i, gr_error *err)
{
    gr_weight *w = &m->weights[i];
    if (!gr_weight_is_stored(w) || is_held(m, i))
        return GR_OK;
    if (is_tied(m) && w == m->head[GR_LLAMA_HEAD]) /* first, so that rows are looked up in them */
        GR_TRY(b->ops->prepare(b, w, GR_FORM_PANELS, err));
    return b->ops->prepare(b, w, form_of(m, w), err);
}

static gr_status prepare_all(gr_gar *m, gr_backend *b,
                             bool (*progress)(void *user, size_t done, size_t total), void *user,
                             gr_error *err)
{
    size_t total = 0, done = 0;
    for (size_t i = 0; i < m->tensors.n; i++)
        total += m->bound[i].stored ? m->bound[i].stored->bytes : 0;
    for (size_t i = 0; i < m->n_weights; i++) {
        if (progress && !progress(user, done, total))
            return gr_fail(err, GR_ERR_CANCELLED, "cancelled while loading");
        GR_TRY(prepare_one(m, b, i, err));
        done += i < m->tensors.n && m->bound[i].stored ? m->bound[i].stored->bytes : 0;
    }
    if (progress)
        progress(user, total, total);
    return GR_OK;
}

gr_status gr_gar_prepare(gr_gar *m, gr_backend *b, int max_positions,
                         bool (*progress)(void *user, size_t done, size_t total), void *user, gr_error *err)
{
    if (m->backend)
        return gr_fail(err, GR_ERR_ARG, "%s: the weights are already prepared", m->dir);
    m->backend = b;
    m->max_positions = max_positions;
    gr_status st = make_tables(m, max_positions, err);
    if (st == GR_OK)
        st = prepare_all(m, b, progress, user, err);
    if (st != GR_OK)
        unprepare(m); /* half the weights are none: it can be tried again */
    return st;
}
