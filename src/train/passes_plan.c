#include "train/passes_internal.h"

#include <string.h>

#include "base/alloc.h"

#define GROUP_ROWS                                                                           \
    1024 /* of small tiles that go through the tower together: weights are laid side by side \
            once for all of them */

static size_t most(size_t a, size_t b) { return a > b ? a : b; }

/* As many tiles as GROUP_ROWS allow, at least one. */
static int group_of(const gr_passes_limits *l, const gr_gar_config *c)
{
    const int fit = GROUP_ROWS / gr_pe_rows(&c->vision);
    return fit < 1 ? 1 : fit < l->max_tiles ? fit : l->max_tiles;
}

static size_t kept_bytes(const gr_passes *p)
{
    return gr_pass_n_groups(p) * gr_pass_tower_kept(p) +
           (size_t)p->m->config.text.layers * gr_pass_values_of(&p->block);
}

/* One list for measuring and for taking, as in engine/core.c. */
typedef enum { SAVED, FEATURES, BUFFERS, HOST, KEPT } kind_of_memory;
typedef bool (*place_fn)(void *user, void *pointer, size_t bytes, kind_of_memory kind);

static bool list_buffers(gr_passes *p, const gr_gar_config *c, place_fn place, void *user)
{
    const gr_passes_limits *l = &p->limits;
    const size_t side = (size_t)c->vision.tile_px, plane = side * side * sizeof(float),
                 group = (size_t)p->group,
                 rows = most((size_t)l->max_rows, group * (size_t)gr_pe_rows(&c->vision)),
                 boundary = most(group * gr_pass_tile_floats(c), gr_pass_row_floats(l, c)) * sizeof(float),
                 features = (size_t)gr_pass_most_features(l, c) * (size_t)c->text.hidden * sizeof(float);
    const size_t tower = (size_t)l->max_tiles * (size_t)(c->vision.depth + 1) * gr_pass_tile_floats(c) *
                         sizeof(float),
                 decoder = (size_t)(c->text.layers + 1) * gr_pass_row_floats(l, c) * sizeof(float);
    return place(user, &p->tower, tower, SAVED) && place(user, &p->decoder, decoder, SAVED) &&
           place(user, &p->grad[0], boundary, SAVED) && place(user, &p->grad[1], boundary, SAVED) &&
           place(user, &p->features, features, FEATURES) && place(user, &p->dfeatures, features, FEATURES) &&
           place(user, &p->pixels, 3 * group * plane, BUFFERS) &&
           place(user, &p->mask, group * plane, BUFFERS) &&
           place(user, &p->boxes, (size_t)l->max_regions * 16, BUFFERS) &&
           place(user, &p->losses, GR_PASSES_PICKS * 4, BUFFERS) &&
           place(user, &p->hits, GR_PASSES_PICKS * 4, BUFFERS) &&
           place(user, &p->dlosses, GR_PASSES_PICKS * 4, BUFFERS) && place(user, &p->canvas, 12, BUFFERS) &&
           place(user, &p->pick, GR_PASSES_PICKS * 4, BUFFERS) &&
           place(user, &p->target, GR_PASSES_PICKS * 4, BUFFERS) && place(user, &p->ids, rows * 4, BUFFERS) &&
           place(user, &p->host_pixels, 3 * plane, HOST) && place(user, &p->host_mask, plane, HOST) &&
           place(user, &p->host_ids, rows * 4, HOST) && place(user, &p->position, rows * 4, HOST) &&
           place(user, &p->span_of, rows * 4, HOST) &&
           place(user, &p->spans, group * sizeof *p->spans, HOST) &&
           (!p->limits.keeps || kept_bytes(p) == 0 || place(user, &p->kept, kept_bytes(p), KEPT));
}

/* --- segments ------------------------------------------------------------------------------------------ */

typedef struct {
    const gr_gar *m;
    const gr_passes_limits *l;
} arguments;

static gr_status build_pe_embed(gr_graph **out, const void *user, gr_error *err)
{
    const arguments *a = user;
    return gr_pe_embed_segment(out, a->m->rt, &a->m->config.vision, group_of(a->l, &a->m->config),
                               a->m->round, err);
}
static gr_status build_pe_block(gr_graph **out, const void *user, gr_error *err)
{
    const arguments *a = user;
    return gr_pe_adapted_block_segment(out, a->m->rt, &a->m->config.vision, group_of(a->l, &a->m->config),
                                       &a->l->lora, a->m->round, err);
}
static gr_status build_projector(gr_graph **out, const void *user, gr_error *err)
{
    const arguments *a = user;
    return gr_gar_adapted_projector_segment(out, a->m->rt, &a->m->config, group_of(a->l, &a->m->config),
                                            &a->l->lora, a->m->round, err);
}
static gr_status build_replay(gr_graph **out, const void *user, gr_error *err)
{
    const arguments *a = user;
    return gr_gar_replay_segment(out, a->m->rt, &a->m->config, gr_pass_most_features(a->l, &a->m->config),
                                 a->l->max_regions, a->m->round, err);
}
static gr_status build_embed(gr_graph **out, const void *user, gr_error *err)
{
    const arguments *a = user;
    return gr_llama_embed_segment(out, a->m->rt, &a->m->config.text, a->l->max_rows,
                                  gr_pass_most_features(a->l, &a->m->config), a->m->round, err);
}
static gr_status build_block(gr_graph **out, const void *user, gr_error *err)
{
    const arguments *a = user;
    return gr_llama_adapted_block_segment(out, a->m->rt, &a->m->config.text, a->l->max_rows,
                                          a->m->backend ? a->m->max_positions : a->l->max_rows, &a->l->lora,
                                          a->m->round, err);
}
static gr_status build_loss(gr_graph **out, const void *user, gr_error *err)
{
    const arguments *a = user;
    return gr_llama_loss_segment(out, a->m->rt, &a->m->config.text, a->l->max_rows, GR_PASSES_PICKS,
                                 a->m->round, err);
}

static unsigned bits(bool set, unsigned all) { return set ? all : 0; }

/* The adapters of a part, as bits of the parameters after the segment's own n. */
static unsigned adapter_slots(const gr_lora *l, gr_train_part part, int n)
{
    unsigned slots = 0;
    for (int t = 0; t < GR_LORA_TARGET_COUNT; t++)
        if (l->targets >> t & 1 && gr_train_part_of(gr_lora_target_tensor((gr_lora_target)t)) == part) {
            slots |= 3u << n;
            n += 2;
        }
    return slots;
}

/* What is trained decides how far gradients go down and which of them are made. */
static gr_status make_segments(gr_passes *p, gr_error *err)
{
    const gr_gar *m = p->m;
    const unsigned parts = p->limits.parts;
    const bool tower = gr_trains(parts, GR_TRAIN_TOWER), mask = gr_trains(parts, GR_TRAIN_MASK),
               projector = gr_trains(parts, GR_TRAIN_PROJECTOR), embed = gr_trains(parts, GR_TRAIN_EMBED),
               decoder = gr_trains(parts, GR_TRAIN_DECODER), head = gr_trains(parts, GR_TRAIN_HEAD),
               tied = m->head[GR_LLAMA_HEAD] == m->embed[GR_LLAMA_EMBED];
    const gr_lora *lora = &p->limits.lora;
    const unsigned tower_lora = adapter_slots(lora, GR_TRAIN_TOWER, GR_PE_BLOCK_SLOTS),
                   projector_lora = adapter_slots(lora, GR_TRAIN_PROJECTOR, GR_PROJ_SLOTS),
                   decoder_lora = adapter_slots(lora, GR_TRAIN_DECODER, GR_LLAMA_BLOCK_SLOTS);
    p->in_tower = tower || mask || tower_lora;
    p->in_picture = p->in_tower || projector || projector_lora;
    p->in_decoder = p->in_picture || embed || decoder || decoder_lora;
    const unsigned tower_slots = ((1u << GR_PE_EMBED_SLOTS) - 1) & ~(1u << GR_PE_MASK) &
                                 ~(m->config.vision.class_token ? 0 : 1u << GR_PE_CLASS),
                   block_slots = ((1u << GR_LLAMA_BLOCK_SLOTS) - 1) & ~(1u << GR_LLAMA_ROPE),
                   pe_slots = ((1u << GR_PE_BLOCK_SLOTS) - 1) & ~(1u << GR_PE_ROPE);
    const gr_train_wants wants[] = {
        { .params = bits(tower, tower_slots) | bits(mask, 1u << GR_PE_MASK) },
        { .inputs = bits(p->in_tower, 1), .params = bits(tower, pe_slots) | tower_lora },
        { .inputs = bits(p->in_tower, 1),
          .params = bits(projector, (1u << GR_PROJ_SLOTS) - 1) | projector_lora },
        { .inputs = bits(p->in_picture, 1), .sum_inputs = 1 },
        { .inputs = bits(p->in_picture, 2), .params = bits(embed, 1u << GR_LLAMA_EMBED) },
        { .inputs = bits(p->in_decoder, 1), .params = bits(decoder, block_slots) | decoder_lora },
        { .inputs = bits(p->in_decoder, 1),
          .sum_inputs = 1,
          .params = bits(decoder, 1u << GR_LLAMA_NORM) | bits(tied ? embed : head, 1u << GR_LLAMA_HEAD) },
    };
    static const gr_build_fn builds[] = { build_pe_embed, build_pe_block, build_projector, build_replay,
                                          build_embed,    build_block,    build_loss };
    gr_train_segment *segments[] = { &p->pe_embed, &p->pe_block, &p->projector, &p->replay,
                                     &p->embed,    &p->block,    &p->loss };
    const arguments a = { m, &p->limits };
    for (size_t i = 0; i < sizeof builds / sizeof *builds; i++)
        GR_TRY(gr_train_segment_init(segments[i], builds[i], &a, &wants[i], p->b, err));
    return GR_OK;
}

static size_t arena_bytes(const gr_passes *p)
{
    const gr_train_segment *segments[] = { &p->pe_embed, &p->pe_block, &p->projector, &p->replay,
                                           &p->embed,    &p->block,    &p->loss };
    size_t bytes = 0;
    for (size_t i = 0; i < sizeof segments / sizeof *segments; i++)
        bytes = most(bytes, gr_train_segment_arena(segments[i]));
    return bytes;
}

static void free_segments(gr_passes *p)
{
    gr_train_segment *segments[] = { &p->pe_embed, &p->pe_block, &p->projector, &p->replay,
                                     &p->embed,    &p->block,    &p->loss };
    for (size_t i = 0; i < sizeof segments / sizeof *segments; i++)
        gr_train_segment_fini(segments[i]);
}

/* --- life ---------------------------------------------------------------------------------------------- */

static gr_status check_limits(const gr_passes_limits *l, const gr_gar_config *c, gr_error *err)
{
    if (l->max_rows < 2 || l->max_rows > c->text.context || l->max_tiles < 1 || l->max_regions < 1 ||
        l->max_regions > GR_MAX_PROMPTS)
        return gr_fail(
            err, GR_ERR_ARG,
            "samples of %d rows, %d tiles and %d regions: expected 2 to %d rows, at least one tile and "
            "1 to %d regions",
            l->max_rows, l->max_tiles, l->max_regions, c->text.context, GR_MAX_PROMPTS);
    return gr_lora_check(&l->lora, err);
}

static bool add_up(void *user, void *pointer, size_t bytes, kind_of_memory kind)
{
    (void)pointer;
    gr_passes_memory *m = user;
    *(kind == SAVED      ? &m->saved
      : kind == FEATURES ? &m->features
      : kind == KEPT     ? &m->kept
                         : &m->buffers) += bytes;
    return true;
}

gr_status gr_passes_measure(gr_passes_memory *memory, const gr_gar *m, gr_backend *b,
                            const gr_passes_limits *limits, gr_error *err)
{
    gr_passes p = { .rt = m->rt, .m = (gr_gar *)(uintptr_t)m, .b = b, .limits = *limits };
    *memory = (gr_passes_memory){ 0 };
    GR_TRY(check_limits(limits, &m->config, err));
    p.group = group_of(limits, &m->config);
    const gr_status st = make_segments(&p, err);
    memory->arena = arena_bytes(&p);
    list_buffers(&p, &m->config, add_up, memory);
    free_segments(&p);
    memory->total = memory->saved + memory->arena + memory->features + memory->buffers + memory->kept;
    return st;
}

typedef struct {
    gr_passes *p;
    gr_error *err;
} placing;

static bool take(void *user, void *pointer, size_t bytes, kind_of_memory kind)
{
    const placing *t = user;
    void *memory = kind == HOST ? gr_malloc(t->p->rt, bytes, 1) : t->p->b->ops->place(t->p->b, bytes, t->err);
    memcpy(pointer, &memory, sizeof memory);
    if (!memory)
        gr_fail(t->err, GR_ERR_MEM, "no memory for %zu bytes of training", bytes);
    return memory != NULL;
}

static bool give_back(void *user, void *pointer, size_t bytes, kind_of_memory kind)
{
    (void)bytes;
    gr_passes *p = user;
    void *memory;
    memcpy(&memory, pointer, sizeof memory);
    if (kind == HOST)
        gr_free(p->rt, memory);
    else
        p->b->ops->release(p->b, memory);
    return true;
}

static bool same_adapters(const gr_lora *a, const gr_lora *b)
{
    return a->targets == b->targets && (a->targets == 0 || (a->rank == b->rank && a->alpha == b->alpha));
}

gr_status gr_passes_new(gr_passes **out, gr_gar *m, gr_backend *b, const gr_flat *flat,
                        const gr_passes_limits *limits, gr_error *err)
{
    *out = NULL;
    GR_TRY(check_limits(limits, &m->config, err));
    if (!same_adapters(&limits->lora, &flat->lora))
        return gr_fail(
            err, GR_ERR_ARG,
            "the limits ask for adapters %#x of rank %d, and the flat buffers hold %#x of rank %d: "
            "both must be planned with the same",
            limits->lora.targets, limits->lora.rank, flat->lora.targets, flat->lora.rank);
    gr_passes *p = gr_calloc(m->rt, 1, sizeof *p);
    if (!p)
        return gr_fail(err, GR_ERR_MEM, "no memory for training");
    *p = (gr_passes){ .rt = m->rt, .m = m, .b = b, .flat = flat, .limits = *limits };
    p->group = group_of(limits, &m->config);
    placing t = { p, err };
    gr_status st = make_segments(p, err);
    if (st == GR_OK &&
        (!list_buffers(p, &m->config, take, &t) || !take(&t, &p->arena, arena_bytes(p), BUFFERS)))
        st = GR_ERR_MEM;
    if (st != GR_OK)
        gr_passes_free(p);
    else
        *out = p;
    return st;
}

void gr_passes_free(gr_passes *p)
{
    if (!p)
        return;
    list_buffers(p, &p->m->config, give_back, p);
    give_back(p, &p->arena, 0, BUFFERS);
    free_segments(p);
    gr_free(p->rt, p);
}
