#include <string.h>

#include "base/alloc.h"
#include "base/runtime.h"
#include "engine/internal.h"

static size_t most(size_t a, size_t b) { return a > b ? a : b; }

/* The rotary table is the model's: as long as the engine that prepared it wanted. */
static gr_capacities capacities(const gr_core_limits *l, const gr_gar *m)
{
    return (gr_capacities){ .max_tiles = 1,
                            .max_rows = l->chunk_rows,
                            .max_picks = l->max_sequences,
                            .max_features = l->max_features,
                            .max_regions = l->max_regions,
                            .max_positions = m->backend ? m->max_positions : l->max_context };
}

static gr_status check_limits(const gr_core_limits *l, const gr_gar_config *c, gr_error *err)
{
    if (l->max_sequences < 1 || l->max_sequences > GR_MAX_SEQUENCES || l->chunk_rows < l->max_sequences ||
        l->chunk_rows > 65536)
        return gr_fail(
            err, GR_ERR_ARG,
            "%d conversations in steps of %d rows: expected at least one conversation and a row for each",
            l->max_sequences, l->chunk_rows);
    if (l->max_branches < 0 || l->max_branches >= l->max_sequences)
        return gr_fail(err, GR_ERR_ARG, "%d of %d sequences are branches, expected one that is none",
                       l->max_branches, l->max_sequences);
    if (l->max_context < 1 || l->max_context > c->text.context)
        return gr_fail(err, GR_ERR_LIMIT,
                       "a context of %d tokens, the model has room for 1 to %d (max_position_embeddings)",
                       l->max_context, c->text.context);
    if (l->max_features < 1 || l->max_regions < 1 || l->max_regions > GR_MAX_PROMPTS)
        return gr_fail(err, GR_ERR_ARG,
                       "%d feature rows and %d regions: expected at least 1 of each and at most %d regions",
                       l->max_features, l->max_regions, GR_MAX_PROMPTS);
    return GR_OK;
}

/* A branch shares whole pages with what it was forked from; its own rows touch two at most. */
static int n_pages(const gr_core_limits *l)
{
    const int whole = (l->max_context + GR_PAGE_TOKENS - 1) / GR_PAGE_TOKENS,
              own = (GR_BRANCH_ROWS + GR_PAGE_TOKENS - 1) / GR_PAGE_TOKENS + 1;
    return (l->max_sequences - l->max_branches) * whole + l->max_branches * own;
}

static size_t boundary_floats(const gr_gar_config *c, const gr_core_limits *l)
{
    return most((size_t)gr_pe_rows(&c->vision) * (size_t)c->vision.dim,
                (size_t)l->chunk_rows * (size_t)c->text.hidden);
}

/* One list for measuring and for taking: the two cannot disagree. `place` gets bytes and where the pointer
 * goes; `on_device` says whose space. */
typedef bool (*place_fn)(void *user, void *pointer, size_t bytes, bool on_device);

static bool list_buffers(gr_core *e, const gr_gar_config *c, const gr_core_limits *l, place_fn place,
                         void *user)
{
    const size_t side = (size_t)c->vision.tile_px, rows = (size_t)l->chunk_rows,
                 seqs = (size_t)l->max_sequences;
    const size_t logits = seqs * (size_t)c->text.vocab * 4, pixels = side * side * 4;
    return place(user, &e->boundary[0], boundary_floats(c, l) * 4, true) &&
           place(user, &e->boundary[1], boundary_floats(c, l) * 4, true) &&
           place(user, &e->pixels, 3 * pixels, true) && place(user, &e->mask, pixels, true) &&
           place(user, &e->boxes, (size_t)l->max_regions * 16, true) && place(user, &e->canvas, 12, true) &&
           place(user, &e->ids, rows * 4, true) && place(user, &e->pick, seqs * 4, true) &&
           place(user, &e->logits, logits, true) && place(user, &e->host_pixels, 3 * pixels, false) &&
           place(user, &e->host_mask, pixels, false) && place(user, &e->host_logits, logits, false) &&
           place(user, &e->host_ids, rows * 4, false) && place(user, &e->host_pick, seqs * 4, false) &&
           place(user, &e->position, most(rows, (size_t)gr_pe_rows(&c->vision)) * 4, false) &&
           place(user, &e->span_of, most(rows, (size_t)gr_pe_rows(&c->vision)) * 4, false) &&
           place(user, &e->order, (size_t)c->text.vocab * 4, false) &&
           place(user, &e->spans, most(seqs, 1) * sizeof(gr_span), false) &&
           place(user, &e->sequences, seqs * sizeof(gr_sequence *), false);
}

static bool add_up(void *user, void *pointer, size_t bytes, bool on_device)
{
    (void)pointer, (void)on_device;
    *(size_t *)user += bytes;
    return true;
}

static void fill_memory(gr_core_memory *m, const gr_gar *model, const gr_core_limits *l, size_t arena,
                        int n_workers)
{
    const gr_gar_config *c = &model->config;
    gr_core nobody = { 0 };
    *m = (gr_core_memory){ .weights = gr_gar_prepared_bytes(model, l->max_context), .arena = arena };
    m->kv = gr_kv_bytes(c->text.layers, c->text.kv_heads, c->text.head_dim, n_pages(l));
    m->features = (size_t)l->max_features * (size_t)c->text.hidden * sizeof(float);
    list_buffers(&nobody, c, l, add_up, &m->buffers);
    m->buffers += (size_t)l->max_sequences * (size_t)l->max_context * (sizeof(int32_t) + sizeof(gr_sampled));
    m->buffers += (size_t)l->max_sequences * (size_t)gr_most_tiles(c, l->max_features) * sizeof(gr_hash);
    m->buffers += gr_gar_reading_bytes(model, n_workers); /* while loading, all else is there already */
    m->total = m->weights + m->kv + m->arena + m->features + m->buffers;
}

gr_status gr_core_measure(gr_core_memory *memory, const gr_gar *m, gr_backend *b,
                          const gr_core_limits *limits, gr_error *err)
{
    gr_segments s;
    const gr_capacities cap = capacities(limits, m);
    GR_TRY(check_limits(limits, &m->config, err));
    GR_TRY(gr_segments_init(&s, m->rt, &m->config, b, &cap, m->round, !limits->plain, err));
    fill_memory(memory, m, limits, gr_segments_arena_bytes(&s), b->n_workers);
    gr_segments_fini(&s);
    return GR_OK;
}

typedef struct {
    gr_core *e;
    gr_error *err;
} placing;

static bool take(void *user, void *pointer, size_t bytes, bool on_device)
{
    const placing *p = user;
    void *memory =
        on_device ? p->e->backend->ops->place(p->e->backend, bytes, p->err) : gr_calloc(p->e->rt, bytes, 1);
    memcpy(pointer, &memory, sizeof memory);
    if (!memory)
        gr_fail(p->err, GR_ERR_MEM, "no memory for %zu bytes of the engine", bytes);
    return memory != NULL;
}

static bool give_back(void *user, void *pointer, size_t bytes, bool on_device)
{
    (void)bytes;
    gr_core *e = user;
    void *memory;
    memcpy(&memory, pointer, sizeof memory);
    if (on_device)
        e->backend->ops->release(e->backend, memory);
    else
        gr_free(e->rt, memory);
    return true;
}

static gr_status take_memory(gr_core *e, gr_error *err)
{
    const gr_gar_config *c = &e->model->config;
    const gr_capacities cap = capacities(&e->limits, e->model);
    GR_TRY(
        gr_segments_init(&e->segments, e->rt, c, e->backend, &cap, e->model->round, !e->limits.plain, err));
    placing p = { e, err };
    if (!list_buffers(e, c, &e->limits, take, &p) ||
        !take(&p, &e->arena, gr_segments_arena_bytes(&e->segments) + 64, true) ||
        !take(&p, &e->features, (size_t)e->limits.max_features * (size_t)c->text.hidden * sizeof(float),
              true))
        return GR_ERR_MEM;
    return gr_kv_init(&e->kv, e->backend, c->text.layers, c->text.kv_heads, c->text.head_dim,
                      n_pages(&e->limits), err);
}

gr_status gr_core_new(gr_core **out, gr_gar *m, gr_backend *b, const gr_core_limits *limits,
                      bool (*progress)(void *user, size_t done, size_t total), void *user, gr_error *err)
{
    *out = NULL;
    GR_TRY(check_limits(limits, &m->config, err));
    gr_core *e = gr_calloc(m->rt, 1, sizeof *e);
    if (!e)
        return gr_fail(err, GR_ERR_MEM, "no memory for the engine");
    e->rt = m->rt;
    e->model = m;
    e->backend = b;
    e->limits = *limits;
    gr_status st = take_memory(e, err);
    if (st == GR_OK && !m->backend)
        st = gr_gar_prepare(m, b, limits->max_context, progress, user, err);
    if (st == GR_OK && (m->backend != b || m->max_positions < limits->max_context))
        st = gr_fail(err, GR_ERR_ARG,
                     "the model was prepared for another backend, or for %d positions where %d are wanted",
                     m->max_positions, limits->max_context);
    if (st != GR_OK)
        gr_core_free(e);
    else
        *out = e;
    return st;
}

void gr_core_free(gr_core *e)
{
    if (!e)
        return;
    gr_kv_fini(&e->kv);
    list_buffers(e, &e->model->config, &e->limits, give_back, e);
    give_back(e, &e->arena, 0, true);
    give_back(e, &e->features, 0, true);
    gr_segments_fini(&e->segments);
    gr_free(e->rt, e);
}

gr_status gr_watch_device(const gr_core *e, const gr_core_watch *w, const char *name, const float *data,
                          size_t rows, size_t cols, gr_error *err)
{
    if (!w || !w->put || rows == 0)
        return GR_OK;
    float *host = gr_malloc(e->rt, rows * cols, sizeof *host); /* only when somebody looks */
    if (!host)
        return gr_fail(err, GR_ERR_MEM, "no memory to look at '%s', %zu x %zu numbers", name, rows, cols);
    e->backend->ops->read(e->backend, host, data, rows * cols * sizeof *host);
    w->put(w->user, name, host, rows, cols);
    gr_free(e->rt, host);
    return GR_OK;
}

gr_run gr_core_run(gr_core *e, const gr_core_watch *w)
{
    gr_run run = { .arena = e->arena };
    if (w && w->taps) {
        run.tap = w->put;
        run.tap_user = w->user;
    }
    return run;
}
