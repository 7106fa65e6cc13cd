#include "train/passes_internal.h"

#include <string.h>

/* --- rows ---------------------------------------------------------------------------------------------- */

/* `spans` spans of n rows: tiles, or the sequence. */
static gr_rows rows_of(gr_passes *p, int spans, int n)
{
    for (int i = 0; i < spans; i++) {
        p->spans[i] = (gr_span){ .row = i * n, .n_rows = n };
        for (int r = 0; r < n; r++) {
            p->position[i * n + r] = r;
            p->span_of[i * n + r] = i;
        }
    }
    return (gr_rows){ .n_spans = spans,
                      .n_rows = spans * n,
                      .spans = p->spans,
                      .span_of = p->span_of,
                      .position = p->position };
}

/* Tiles t .. t + n - 1 go together. */
typedef struct {
    int t, n;
} group;

static group group_at(const gr_passes *p, int t, int tiles)
{
    return (group){ t, tiles - t < p->group ? tiles - t : p->group };
}

static float *tower_at(const gr_passes *p, group g, int block)
{
    const gr_gar_config *c = &p->m->config;
    return p->tower + ((size_t)g.t * (size_t)(c->vision.depth + 1) + (size_t)block * (size_t)g.n) *
                          gr_pass_tile_floats(c);
}

static float *decoder_at(const gr_passes *p, int layer)
{
    return p->decoder + (size_t)layer * gr_pass_row_floats(&p->limits, &p->m->config);
}

static float *feature_row(const gr_passes *p, float *of, int row)
{
    return of + (size_t)row * (size_t)p->m->config.text.hidden;
}

/* --- forward ------------------------------------------------------------------------------------------- */

static void put(const gr_passes *p, void *to, const void *from, size_t bytes)
{
    p->b->ops->write(p->b, to, from, bytes);
}

static void clear(const gr_passes *p, float *to, size_t n)
{
    static const float zeros[4096];
    for (size_t i = 0; i < n; i += 4096)
        put(p, to + i, zeros, (n - i < 4096 ? n - i : 4096) * sizeof(float));
}

/* Whether a segment's forward pass leaves what its backward pass needs. */
static bool keeps(const gr_passes *p, const gr_train_segment *seg, bool backward)
{
    return backward && p->kept && seg->both;
}

/* The forward pass of a segment whose backward pass may follow; `kept` is its arena where it is kept. */
static gr_status ahead(gr_passes *p, const gr_train_segment *seg, gr_run *run, uint8_t *kept, bool backward,
                       gr_error *err)
{
    if (!keeps(p, seg, backward)) {
        run->arena = p->arena;
        return gr_graph_run(seg->forward, p->b, run, err);
    }
    run->part = GR_RUN_FORWARD;
    run->arena = kept;
    run->scratch = p->arena;
    run->inputs[seg->dy] = p->grad[0]; /* read by nobody yet, as the outputs of gradients are not written */
    for (int i = 0; i < GR_MAX_SLOTS; i++)
        if (seg->input_grad[i] >= 0)
            run->outputs[seg->input_grad[i]] = p->grad[1];
    return gr_graph_run(seg->both, p->b, run, err);
}

static gr_status read_tiles(gr_passes *p, const gr_picture *picture, group g, gr_error *err)
{
    const size_t side = (size_t)p->m->config.vision.tile_px, plane = side * side;
    for (int i = 0; i < g.n; i++) {
        GR_TRY(picture->tile(picture->user, g.t + i, p->host_pixels, p->host_mask, err));
        put(p, p->pixels + (size_t)i * 3 * plane, p->host_pixels, 3 * plane * sizeof(float));
        put(p, p->mask + (size_t)i * plane, p->host_mask, plane * sizeof(float));
    }
    return GR_OK;
}

static gr_run tower_run(const gr_passes *p, const gr_picture *picture, group g, const gr_rows *rows)
{
    return (gr_run){ .arena = p->arena,
                     .rows = rows,
                     .extents = { g.n },
                     .cancelled = picture->cancelled,
                     .cancel_user = picture->cancel_user };
}

static gr_status forward_tiles(gr_passes *p, const gr_picture *picture, group g, bool backward, gr_error *err)
{
    const gr_gar *m = p->m;
    const int depth = m->config.vision.depth;
    const gr_rows rows = rows_of(p, g.n, gr_pe_rows(&m->config.vision));
    GR_TRY(read_tiles(p, picture, g, err));
    gr_run run = tower_run(p, picture, g, &rows);
    run.inputs[0] = p->pixels;
    run.inputs[1] = p->mask;
    run.outputs[0] = tower_at(p, g, 0);
    gr_train_segment_bind(&run, &p->pe_embed, m->pe_embed, GR_PE_EMBED_SLOTS, p->flat, m);
    GR_TRY(gr_graph_run(p->pe_embed.forward, p->b, &run, err));
    for (int l = 0; l < depth; l++) {
        run = tower_run(p, picture, g, &rows);
        run.inputs[0] = tower_at(p, g, l);
        run.outputs[0] = tower_at(p, g, l + 1);
        gr_train_segment_bind(&run, &p->pe_block, m->pe_blocks[l], GR_PE_BLOCK_SLOTS, p->flat, m);
        GR_TRY(ahead(p, &p->pe_block, &run, gr_pass_kept_tower(p, g.t, l), backward, err));
    }
    run = tower_run(p, picture, g, &rows);
    run.inputs[0] = tower_at(p, g, depth);
    run.outputs[0] = feature_row(p, p->features, g.t * gr_pass_tile_tokens(&m->config));
    gr_train_segment_bind(&run, &p->projector, m->projector, GR_PROJ_SLOTS, p->flat, m);
    return ahead(p, &p->projector, &run, gr_pass_kept_tower(p, g.t, depth), backward, err);
}

static int n_tiles(const gr_picture *picture) { return 1 + picture->across * picture->down; }

static int n_features(const gr_passes *p, const gr_picture *picture)
{
    const gr_gar_config *c = &p->m->config;
    return n_tiles(picture) * gr_pass_tile_tokens(c) + picture->n_regions * gr_pass_region_rows(c);
}

/* Features, boxes and canvas of the replay of a picture's regions. */
static gr_run replay_run(gr_passes *p, const gr_picture *picture)
{
    const int tokens = gr_pass_tile_tokens(&p->m->config);
    const int32_t canvas[3] = { picture->across, picture->down, tokens }; /* the thumbnail takes no part */
    put(p, p->boxes, picture->boxes, (size_t)picture->n_regions * 4 * sizeof(float));
    put(p, p->canvas, canvas, sizeof canvas);
    return (gr_run){ .arena = p->arena,
                     .extents = { n_tiles(picture) * tokens, picture->n_regions },
                     .inputs = { p->features, p->boxes, p->canvas } };
}

static gr_status forward_picture(gr_passes *p, const gr_picture *picture, bool backward, gr_error *err)
{
    for (int t = 0; t < n_tiles(picture); t += p->group)
        GR_TRY(forward_tiles(p, picture, group_at(p, t, n_tiles(picture)), backward, err));
    if (picture->n_regions == 0)
        return GR_OK;
    gr_run run = replay_run(p, picture);
    run.outputs[0] = feature_row(p, p->features, run.extents[0]);
    return gr_graph_run(p->replay.forward, p->b, &run, err);
}

static gr_run decoder_run(gr_passes *p, const gr_train_sample *s, const gr_rows *rows)
{
    return (gr_run){ .arena = p->arena,
                     .rows = rows,
                     .extents = { s->n, s->picture ? n_features(p, s->picture) : 0 },
                     .cancelled = s->picture ? s->picture->cancelled : NULL,
                     .cancel_user = s->picture ? s->picture->cancel_user : NULL };
}

static gr_status forward_decoder(gr_passes *p, const gr_train_sample *s, const gr_rows *rows, bool backward,
                                 gr_error *err)
{
    const gr_gar *m = p->m;
    gr_run run = decoder_run(p, s, rows);
    for (int i = 0; i < s->n; i++)
        p->host_ids[i] = s->source && s->source[i] >= 0 ? -1 - s->source[i] : s->ids[i];
    put(p, p->ids, p->host_ids, (size_t)s->n * sizeof *p->ids);
    run.inputs[0] = p->ids;
    run.inputs[1] = p->features;
    run.outputs[0] = decoder_at(p, 0);
    gr_train_segment_bind(&run, &p->embed, m->embed, GR_LLAMA_EMBED_SLOTS, p->flat, m);
    GR_TRY(gr_graph_run(p->embed.forward, p->b, &run, err));
    for (int l = 0; l < m->config.text.layers; l++) {
        run = decoder_run(p, s, rows);
        run.inputs[0] = decoder_at(p, l);
        run.outputs[0] = decoder_at(p, l + 1);
        gr_train_segment_bind(&run, &p->block, m->blocks[l], GR_LLAMA_BLOCK_SLOTS, p->flat, m);
        GR_TRY(ahead(p, &p->block, &run, gr_pass_kept_layer(p, l), backward, err));
    }
    return GR_OK;
}

/* The next piece of scored rows, from row *at on. */
typedef struct {
    int32_t pick[GR_PASSES_PICKS], target[GR_PASSES_PICKS];
    float dlosses[GR_PASSES_PICKS];
    int n;
} piece;

static piece next_piece(const gr_train_sample *s, int *at, float dloss)
{
    piece part = { .n = 0 };
    for (; *at < s->n && part.n < GR_PASSES_PICKS; ++*at)
        if (s->labels[*at] >= 0) {
            part.pick[part.n] = *at - 1;
            part.target[part.n] = s->labels[*at];
            part.dlosses[part.n++] = dloss;
        }
    return part;
}

static gr_status run_piece(gr_passes *p, const gr_train_sample *s, const piece *part, bool backward,
                           gr_passes_score *sum, gr_error *err)
{
    const gr_gar *m = p->m;
    const gr_train_segment *seg = &p->loss;
    float losses[GR_PASSES_PICKS], hits[GR_PASSES_PICKS];
    gr_run run = { .arena = p->arena,
                   .extents = { s->n, part->n },
                   .inputs = { decoder_at(p, m->config.text.layers), p->pick, p->target },
                   .outputs = { p->losses, p->hits } };
    put(p, p->pick, part->pick, sizeof part->pick);
    put(p, p->target, part->target, sizeof part->target);
    put(p, p->dlosses, part->dlosses, sizeof part->dlosses);
    gr_train_segment_bind(&run, seg, m->head, GR_LLAMA_HEAD_SLOTS, p->flat, m);
    if (backward) {
        run.inputs[seg->dy] = p->dlosses;
        if (seg->input_grad[0] >= 0)
            run.outputs[seg->input_grad[0]] = p->grad[0];
    }
    GR_TRY(gr_graph_run(backward ? seg->both : seg->forward, p->b, &run, err));
    p->b->ops->read(p->b, losses, p->losses, sizeof losses);
    p->b->ops->read(p->b, hits, p->hits, sizeof hits);
    for (int i = 0; i < part->n; i++) {
        sum->loss += (double)losses[i];
        sum->hits += hits[i] > 0;
    }
    return GR_OK;
}

/* Scored rows a piece at a time: the logits of all would be the largest thing in memory. With `scale`, the
 * gradient of the last boundary gathers in grad[0]. */
static gr_status run_loss(gr_passes *p, const gr_train_sample *s, int n_scored, float scale,
                          gr_passes_score *score, gr_error *err)
{
    *score = (gr_passes_score){ .scored = n_scored };
    if (scale > 0)
        clear(p, p->grad[0], (size_t)s->n * (size_t)p->m->config.text.hidden);
    for (int at = 1; at < s->n;) {
        const piece part = next_piece(s, &at, scale / (float)n_scored);
        if (part.n > 0)
            GR_TRY(run_piece(p, s, &part, scale > 0, score, err));
    }
    score->loss /= n_scored;
    return GR_OK;
}

/* --- backward ------------------------------------------------------------------------------------------ */

/* Runs a segment again with its backward pass, or that alone where it was kept: from what entered it and the
 * gradient of what left it to the gradient of what entered. `kept`: NULL, or its arena. */
static gr_status back(gr_passes *p, const gr_train_segment *seg, gr_run *run, uint8_t *kept, float *y,
                      float *dy, float *dx, int input, gr_error *err)
{
    if (kept) {
        run->part = GR_RUN_BACKWARD;
        run->arena = kept;
        run->scratch = p->arena;
    }
    run->outputs[0] = y;
    run->inputs[seg->dy] = dy;
    if (seg->input_grad[input] >= 0)
        run->outputs[seg->input_grad[input]] = dx;
    return gr_graph_run(seg->both, p->b, run, err);
}

static gr_status backward_decoder(gr_passes *p, const gr_train_sample *s, const gr_rows *rows, gr_error *err)
{
    const gr_gar *m = p->m;
    float *dy = p->grad[0], *dx = p->grad[1];
    for (int l = m->config.text.layers; l-- > 0;) {
        gr_run run = decoder_run(p, s, rows);
        run.inputs[0] = decoder_at(p, l);
        gr_train_segment_bind(&run, &p->block, m->blocks[l], GR_LLAMA_BLOCK_SLOTS, p->flat, m);
        GR_TRY(back(p, &p->block, &run, gr_pass_kept_layer(p, l), decoder_at(p, l + 1), dy, dx, 0, err));
        float *t = dy;
        dy = dx;
        dx = t;
    }
    if (!p->embed.both)
        return GR_OK;
    gr_run run = decoder_run(p, s, rows);
    run.inputs[0] = p->ids;
    run.inputs[1] = p->features;
    gr_train_segment_bind(&run, &p->embed, m->embed, GR_LLAMA_EMBED_SLOTS, p->flat, m);
    return back(p, &p->embed, &run, NULL, decoder_at(p, 0), dy, p->dfeatures, 1, err);
}

static gr_status backward_tiles(gr_passes *p, const gr_picture *picture, group g, gr_error *err)
{
    const gr_gar *m = p->m;
    const int depth = m->config.vision.depth, row = g.t * gr_pass_tile_tokens(&m->config);
    const gr_rows rows = rows_of(p, g.n, gr_pe_rows(&m->config.vision));
    float *dy = p->grad[0], *dx = p->grad[1];
    gr_run run = tower_run(p, picture, g, &rows);
    run.inputs[0] = tower_at(p, g, depth);
    gr_train_segment_bind(&run, &p->projector, m->projector, GR_PROJ_SLOTS, p->flat, m);
    GR_TRY(back(p, &p->projector, &run, gr_pass_kept_tower(p, g.t, depth), feature_row(p, p->features, row),
                feature_row(p, p->dfeatures, row), dy, 0, err));
    if (!p->in_tower)
        return GR_OK;
    for (int l = depth; l-- > 0;) {
        run = tower_run(p, picture, g, &rows);
        run.inputs[0] = tower_at(p, g, l);
        gr_train_segment_bind(&run, &p->pe_block, m->pe_blocks[l], GR_PE_BLOCK_SLOTS, p->flat, m);
        GR_TRY(back(p, &p->pe_block, &run, gr_pass_kept_tower(p, g.t, l), tower_at(p, g, l + 1), dy, dx, 0,
                    err));
        float *turn = dy;
        dy = dx;
        dx = turn;
    }
    if (!p->pe_embed.both) /* adapters alone: nothing before the blocks is trained */
        return GR_OK;
    GR_TRY(read_tiles(p, picture, g, err));
    run = tower_run(p, picture, g, &rows);
    run.inputs[0] = p->pixels;
    run.inputs[1] = p->mask;
    gr_train_segment_bind(&run, &p->pe_embed, m->pe_embed, GR_PE_EMBED_SLOTS, p->flat, m);
    return back(p, &p->pe_embed, &run, NULL, tower_at(p, g, 0), dy, NULL, 0, err);
}

/* A feature row is read as a token of its tile and by the replay: its gradients add up. */
static gr_status backward_picture(gr_passes *p, const gr_picture *picture, gr_error *err)
{
    if (picture->n_regions > 0) {
        gr_run run = replay_run(p, picture);
        GR_TRY(back(p, &p->replay, &run, NULL, feature_row(p, p->features, run.extents[0]),
                    feature_row(p, p->dfeatures, run.extents[0]), p->dfeatures, 0, err));
    }
    for (int t = 0; t < n_tiles(picture); t += p->group)
        GR_TRY(backward_tiles(p, picture, group_at(p, t, n_tiles(picture)), err));
    return GR_OK;
}

/* --- a sample ------------------------------------------------------------------------------------------ */

static gr_status check_sample(const gr_passes *p, const gr_train_sample *s, int *n_scored, gr_error *err)
{
    const gr_gar_config *c = &p->m->config;
    const gr_picture *picture = s->picture;
    *n_scored = 0;
    if (s->n < 2 || s->n > p->limits.max_rows)
        return gr_fail(err, GR_ERR_LIMIT, "a sample of %d rows, expected 2 to %d", s->n, p->limits.max_rows);
    if (picture && (n_tiles(picture) > p->limits.max_tiles || picture->n_regions > p->limits.max_regions))
        return gr_fail(err, GR_ERR_LIMIT,
                       "a picture of %d tiles and %d regions, at most %d and %d were expected",
                       n_tiles(picture), picture->n_regions, p->limits.max_tiles, p->limits.max_regions);
    const int features = picture ? n_features(p, picture) : 0;
    for (int i = 0; i < s->n; i++) {
        const int source = s->source ? s->source[i] : -1;
        if (source >= features || (source < 0 && (s->ids[i] < 0 || s->ids[i] >= c->text.vocab)) ||
            s->labels[i] >= c->text.vocab)
            return gr_fail(
                err, GR_ERR_ARG,
                "row %d of a sample: id %d, label %d, feature row %d; the vocabulary has %d tokens and "
                "the picture %d feature rows",
                i, s->ids[i], s->labels[i], source, c->text.vocab, features);
        *n_scored += i > 0 && s->labels[i] >= 0;
    }
    return *n_scored > 0 ? GR_OK : gr_fail(err, GR_ERR_ARG, "no row of the sample is scored");
}

static gr_status run_sample(gr_passes *p, const gr_train_sample *s, float scale, gr_passes_score *score,
                            gr_error *err)
{
    int n_scored;
    GR_TRY(check_sample(p, s, &n_scored, err));
    if (s->picture)
        GR_TRY(forward_picture(p, s->picture, scale > 0, err));
    const gr_rows rows = rows_of(p, 1, s->n);
    GR_TRY(forward_decoder(p, s, &rows, scale > 0, err));
    GR_TRY(run_loss(p, s, n_scored, scale, score, err));
    if (scale <= 0 || !p->in_decoder)
        return GR_OK;
    GR_TRY(backward_decoder(p, s, &rows, err));
    return s->picture && p->in_picture ? backward_picture(p, s->picture, err) : GR_OK;
}

gr_status gr_passes_run(gr_passes *p, const gr_train_sample *s, float scale, double *loss, gr_error *err)
{
    gr_passes_score score;
    GR_TRY(run_sample(p, s, scale, &score, err));
    *loss = score.loss;
    return GR_OK;
}

gr_status gr_passes_look(gr_passes *p, const gr_train_sample *s, gr_passes_score *score, gr_error *err)
{
    return run_sample(p, s, 0, score, err);
}

/* --- what it costs ------------------------------------------------------------------------------------- */

static double flop_of(const gr_graph *g, const int extents[GR_MAX_EXTENTS])
{
    double flop = 0;
    if (g)
        gr_graph_cost(g, extents, &flop, NULL);
    return flop;
}

/* Adds `times` calls of a segment; `once`: its forward pass is not made again. */
static void count_segment(gr_passes_work *w, const gr_train_segment *s, int extent_0, int extent_1,
                          double times, bool once)
{
    const int extents[GR_MAX_EXTENTS] = { extent_0, extent_1 };
    const double forward = flop_of(s->forward, extents), both = flop_of(s->both, extents);
    w->forward += times * forward;
    if (s->both) {
        w->backward += times * (both - forward);
        w->again += once ? 0 : times * forward;
    }
}

void gr_passes_count(gr_passes_work *work, const gr_passes *p, const gr_train_sample *s)
{
    const gr_gar_config *c = &p->m->config;
    const int tiles = s->picture ? n_tiles(s->picture) : 0,
              features = s->picture ? n_features(p, s->picture) : 0;
    *work = (gr_passes_work){ 0 };
    count_segment(work, &p->pe_embed, 1, 0, tiles, false);
    count_segment(work, &p->pe_block, 1, 0, (double)tiles * c->vision.depth, p->kept);
    count_segment(work, &p->projector, 1, 0, tiles, p->kept);
    if (s->picture && s->picture->n_regions > 0)
        count_segment(work, &p->replay, tiles * gr_pass_tile_tokens(c), s->picture->n_regions, 1, false);
    count_segment(work, &p->embed, s->n, features, 1, false);
    count_segment(work, &p->block, s->n, 0, c->text.layers, p->kept);
    for (int at = 1; at < s->n;) {
        const piece part = next_piece(s, &at, 0);
        if (part.n > 0)
            count_segment(work, &p->loss, s->n, part.n, 1, true);
    }
}
