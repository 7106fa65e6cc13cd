/* passes.h - one sample forward and backward through GAR: its loss, and what every trained weight contributes
 * to it, added to the flat buffer of gradients.
 *
 * The segments are those of inference (docs/graph.md). What enters each tower block of each tile and each
 * decoder block is kept, the rest is made again, or kept as well: the bits are the same. Small tiles go
 * through the tower several at a time. Order of sums: pieces of the loss, blocks from the last to the first,
 * groups of tiles ascending; it does not depend on threads. */
#ifndef GR_TRAIN_PASSES_H
#define GR_TRAIN_PASSES_H

#include "engine/core.h"
#include "train/segment.h"

typedef struct {
    unsigned parts; /* that are trained: bits 1 << gr_train_part */
    int max_rows;   /* of a sample's sequence */
    int max_tiles;  /* of a picture, with the thumbnail and crops */
    int max_regions;
    gr_lora lora; /* adapters, as the flat buffers hold them; targets 0: none */
    bool keeps;   /* all that blocks and projector compute, from the forward pass to the backward */
} gr_passes_limits;

/* A sample: a picture as the engine takes it, and a sequence. Borrowed for the call. */
typedef struct {
    const gr_picture *picture; /* NULL: text alone */
    const int32_t *ids;        /* [n] token of each row; where source >= 0 it does not matter */
    const int32_t *source;     /* [n] feature row of the picture that stands there, or -1; NULL: no row */
    const int32_t *labels; /* [n] the token that row i should be; -1: not scored. Row i - 1 predicts it. */
    int n;
} gr_train_sample;

typedef struct gr_passes gr_passes;

/* Bytes that gr_passes_new takes besides the flat buffers and the prepared weights: saved boundaries, arena,
 * features; what is kept besides boundaries. */
typedef struct {
    size_t saved, arena, features, buffers, kept, total;
} gr_passes_memory;

/* Builds the plans and adds up. GR_ERR_ARG: a limit, rank or alpha out of its range. */
gr_status gr_passes_measure(gr_passes_memory *memory, const gr_gar *m, gr_backend *b,
                            const gr_passes_limits *limits, gr_error *err);

/* `m` is prepared for `b` and holds the weights of `flat`; all are borrowed. Takes all memory. GR_ERR_ARG
 * also: the adapters of the limits are not those of `flat`. */
gr_status gr_passes_new(gr_passes **out, gr_gar *m, gr_backend *b, const gr_flat *flat,
                        const gr_passes_limits *limits, gr_error *err);
void gr_passes_free(gr_passes *p); /* NULL is fine */

/* What a sample comes to: the mean loss over its scored rows. With scale > 0, gradients of scale times that
 * mean are added. GR_ERR_ARG: no row is scored, an id or label outside the vocabulary. GR_ERR_LIMIT: more
 * rows, tiles or regions than the limits. GR_ERR_CANCELLED. */
gr_status gr_passes_run(gr_passes *p, const gr_train_sample *s, float scale, double *loss, gr_error *err);

typedef struct {
    double loss;      /* mean over the scored rows */
    int scored, hits; /* rows, and those whose label was the likeliest token */
} gr_passes_score;

/* Forward alone. Errors as above. */
gr_status gr_passes_look(gr_passes *p, const gr_train_sample *s, gr_passes_score *score, gr_error *err);

/* FLOP of a sample, as the operators count them. */
typedef struct {
    double forward, /* and the loss */
        again,      /* what the backward pass makes once more */
        backward;
} gr_passes_work;

void gr_passes_count(gr_passes_work *work, const gr_passes *p, const gr_train_sample *s);

#endif
