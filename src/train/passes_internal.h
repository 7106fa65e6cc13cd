/* passes_internal.h - the inside of gr_passes, shared by passes.c, which runs samples, and passes_plan.c,
 * which builds segments and takes memory. */
#ifndef GR_TRAIN_PASSES_INTERNAL_H
#define GR_TRAIN_PASSES_INTERNAL_H

#include "train/passes.h"

#define GR_PASSES_PICKS 64 /* scored rows whose logits are in memory at a time */

struct gr_passes {
    gr_runtime *rt;
    gr_gar *m;
    gr_backend *b;
    const gr_flat *flat;
    gr_passes_limits limits;
    gr_train_segment pe_embed, pe_block, projector, replay, embed, block, loss;
    bool in_picture, in_tower, in_decoder; /* something in the picture's path, in the tower, before the loss
                                              is trained: so far gradients must go down */
    int group;                             /* most tiles that go through the tower together */
    uint8_t *arena;                        /* of what is not kept; scratch */
    uint8_t *kept;  /* arenas of blocks, projector and decoder; NULL: nothing is kept */
    float *tower;   /* of each group [depth + 1][tiles][rows][D]: what enters each block, and the end */
    float *decoder; /* [layers + 1][max_rows][H] */
    float *grad[2]; /* gradients of a boundary, in turns */
    float *features, *dfeatures; /* [tiles and regions][H] */
    float *pixels, *mask, *boxes, *losses, *hits, *dlosses;
    int32_t *canvas, *pick, *target, *ids;
    /* On the host. */
    float *host_pixels, *host_mask;
    int32_t *host_ids, *position, *span_of;
    gr_span *spans;
};

/* --- sizes ------------------------------------------------------------------------------------------- */

static inline size_t gr_pass_tile_floats(const gr_gar_config *c)
{
    return (size_t)gr_pe_rows(&c->vision) * (size_t)c->vision.dim;
}
static inline size_t gr_pass_row_floats(const gr_passes_limits *l, const gr_gar_config *c)
{
    return (size_t)l->max_rows * (size_t)c->text.hidden;
}
static inline int gr_pass_tile_tokens(const gr_gar_config *c) { return c->tokens_side * c->tokens_side; }
static inline int gr_pass_region_rows(const gr_gar_config *c) { return c->replay_grid * c->replay_grid; }
static inline int gr_pass_most_features(const gr_passes_limits *l, const gr_gar_config *c)
{
    return l->max_tiles * gr_pass_tile_tokens(c) + l->max_regions * gr_pass_region_rows(c);
}

static inline size_t gr_pass_n_groups(const gr_passes *p)
{
    return ((size_t)p->limits.max_tiles + (size_t)p->group - 1) / (size_t)p->group;
}

/* --- what is kept -------------------------------------------------------------------------------------- */

static inline size_t gr_pass_values_of(const gr_train_segment *s)
{
    return s->both ? gr_graph_values_bytes(s->both) : 0;
}

static inline size_t gr_pass_tower_kept(const gr_passes *p)
{
    return (size_t)p->m->config.vision.depth * gr_pass_values_of(&p->pe_block) +
           gr_pass_values_of(&p->projector);
}

/* The arena of tower block l, or behind the last one of the projector, for the group that begins with tile t;
 * of decoder layer l. NULL: nothing is kept. */
static inline uint8_t *gr_pass_kept_tower(const gr_passes *p, int t, int l)
{
    return !p->kept ? NULL
                    : p->kept + (size_t)(t / p->group) * gr_pass_tower_kept(p) +
                          (size_t)l * gr_pass_values_of(&p->pe_block);
}
static inline uint8_t *gr_pass_kept_layer(const gr_passes *p, int l)
{
    return !p->kept ? NULL
                    : p->kept + gr_pass_n_groups(p) * gr_pass_tower_kept(p) +
                          (size_t)l * gr_pass_values_of(&p->block);
}

#endif
