#include "train/gar_sample.h"

#include "base/alloc.h"
#include "model/gar_cut.h"
#include "model/gar_profile.h"
#include "train/region_crop.h"

#define ARENA_BYTES        ((size_t)1 << 30) /* of texts of one sample */
#define PUBLISHED_MAX_ROWS 16384             /* max_length of configs/gar_1b.py */

void gr_gar_sample_rules_init(gr_gar_sample_rules *rules, const gr_gar_config *config,
                              const gr_gar_markers *markers, const gr_tokenizer *tokenizer,
                              const gr_profile *profile)
{
    *rules = (gr_gar_sample_rules){ .config = config,
                                    .markers = markers,
                                    .tokenizer = tokenizer,
                                    .profile = *profile,
                                    .max_rows = PUBLISHED_MAX_ROWS };
    gr_conversation_rules_init(&rules->conversation, markers->n_prompts);
    rules->conversation.extra = gr_gar_extra_prompts(profile);
    rules->profile.value[GR_SWITCH_MULTI_BBOX] = 1;
    rules->profile.value[GR_SWITCH_DOUBLE_BOS] = 0;
    gr_row_picture_rules_init(&rules->picture);
}

gr_status gr_gar_sample_rules_check(const gr_gar_sample_rules *rules, gr_error *err)
{
    const gr_gar_config *c = rules->config;
    if (rules->no_picture && rules->regions != GR_REGION_CROP)
        return gr_fail(err, GR_ERR_ARG,
                       "samples without picture need crops of the regions, or nothing is seen");
    if (rules->regions == GR_REGION_CROP && c->tokens_side != c->replay_grid)
        return gr_fail(err, GR_ERR_UNSUPPORTED,
                       "a crop gives %d x %d rows and replay %d x %d: crops take the place of replay only "
                       "where both are as many",
                       c->tokens_side, c->tokens_side, c->replay_grid, c->replay_grid);
    return GR_OK;
}

/* What is being made. */
typedef struct {
    gr_runtime *rt;
    const gr_record *record;
    const gr_gar_sample_rules *rules;
    gr_draws *draws;
    gr_skip_note note;
    gr_error *err;
    gr_gar_sample *s;
    gr_arena arena;
    gr_conversation talk;
    gr_row_picture picture;
} making;

/* --- rows and labels ----------------------------------------------------------------------------------- */

gr_status gr_gar_sample_labels(int32_t **labels, size_t *n_labels, gr_runtime *rt,
                               const gr_gar_markers *markers, const gr_tokenizer *tokenizer,
                               const int32_t *ids, size_t n, gr_error *err)
{
    uint8_t *supervised = gr_malloc(rt, n, 1);
    *labels = gr_malloc(rt, n, sizeof **labels);
    *n_labels = 0;
    gr_status st = supervised && *labels ? gr_gar_supervise(markers, tokenizer, ids, n, supervised, err)
                                         : gr_fail(err, GR_ERR_MEM, "no memory for %zu labels", n);
    for (size_t i = 0; i < n && st == GR_OK; i++) {
        (*labels)[i] = supervised[i] ? ids[i] : GR_LABEL_NONE;
        *n_labels += supervised[i];
    }
    gr_free(rt, supervised);
    if (st != GR_OK) {
        gr_free(rt, *labels);
        *labels = NULL;
    }
    return st;
}

static gr_status build_prompt(making *m, gr_prompt *p, gr_error *err)
{
    const gr_gar_config *c = m->rules->config;
    const size_t tile = (size_t)c->tokens_side * (size_t)c->tokens_side,
                 tiles = m->rules->no_picture ? 0 : 1 + (size_t)(m->s->canvas.cols * m->s->canvas.rows),
                 region = (size_t)c->replay_grid * (size_t)c->replay_grid;
    const gr_gar_dialog d = { .system = m->rules->system,
                              .turns = m->talk.turns,
                              .n_turns = m->talk.n_turns,
                              .regions = m->talk.regions,
                              .n_regions = m->talk.n_regions,
                              .image_rows = tiles * tile,
                              .region_rows = m->rules->regions == GR_REGION_NOTHING ? 0 : region,
                              .fewer_rows = m->rules->regions != GR_REGION_REPLAY,
                              .double_bos = m->rules->profile.value[GR_SWITCH_DOUBLE_BOS],
                              .all_markers = true,
                              .prompts_only = true,
                              .extra = m->rules->conversation.extra };
    GR_TRY(gr_gar_prompt_build(p, m->rules->markers, &d, err));
    return gr_prompt_rows(p, m->rules->tokenizer, &m->s->ids, &m->s->source, err);
}

static gr_status make_rows(making *m)
{
    gr_prompt p;
    gr_error cause = { 0 };
    gr_prompt_init(&p, m->rt);
    const gr_status st = build_prompt(m, &p, &cause);
    gr_prompt_fini(&p);
    if (st != GR_OK) {
        const gr_skip why = st == GR_ERR_LIMIT         ? GR_SKIP_TOO_LONG
                            : st == GR_ERR_UNSUPPORTED ? GR_SKIP_TOO_MANY_REGIONS
                                                       : GR_SKIP_BAD_TURNS;
        return gr_skip_because(&m->note, why, &cause);
    }
    GR_TRY(gr_gar_sample_labels(&m->s->labels, &m->s->n_labels, m->rt, m->rules->markers, m->rules->tokenizer,
                                m->s->ids.v, m->s->ids.n, m->err));
    return m->s->n_labels ? GR_OK : gr_skip_row(&m->note, GR_SKIP_NO_LABELS, "no answer in the conversation");
}

/* --- cutting ------------------------------------------------------------------------------------------- */

/* One of each region whose rows are features; the others', which the model has no prompt for, are not. */
static gr_status cut_crops(making *m, const gr_gar_marked *regions, int n)
{
    gr_gar_sample *s = m->s;
    const gr_gar_config *c = m->rules->config;
    const gr_image *image = m->picture.image;
    const int side = c->vision.tile_px;
    for (int i = 0; i < n; i++) {
        gr_bounds where;
        if (regions[i].prompt >= c->n_prompts && m->rules->conversation.extra == GR_EXTRA_RELEASED)
            continue;
        gr_mask_bounds(regions[i].mask, &where); /* row_picture.h: no mask is empty */
        where = gr_region_crop_place(where, image->width, image->height);
        const int k = s->n_crops++;
        GR_TRY(gr_region_crop_pixels(&s->crops[k], image, where, side, m->err));
        GR_TRY(gr_region_crop_mask(&s->crop_masks[k], regions[i].mask, where, side, m->err));
    }
    return GR_OK;
}

static gr_status cut(making *m)
{
    gr_gar_sample *s = m->s;
    const int n = m->talk.n_regions;
    const gr_gar_cut how = { m->rt, m->rules->config, &m->rules->profile, s->canvas };
    gr_gar_marked regions[GR_MAX_PROMPTS];
    int order[GR_MAX_PROMPTS];
    for (int i = 0; i < n; i++) {
        order[i] = i; /* painted as they are shown */
        s->prompts[i] = m->talk.regions[i].prompt;
        regions[i] = (gr_gar_marked){ m->picture.masks[i], s->prompts[i] };
    }
    s->n_regions = n;
    s->n_resized = m->picture.n_resized;
    if (m->rules->regions == GR_REGION_CROP)
        GR_TRY(cut_crops(m, regions, n));
    if (m->rules->no_picture)
        return GR_OK;
    GR_TRY(gr_gar_cut_pixels(&s->pixels, &how, m->picture.image, m->err));
    if (m->talk.whole >= 0)
        return gr_gar_cut_whole(&s->mask, &how, m->picture.image->width, m->picture.image->height,
                                m->talk.whole, m->err);
    if (n == 0)
        return GR_OK;
    GR_TRY(gr_gar_cut_masks(&s->mask, &how, regions, order, n, m->err));
    return m->rules->regions == GR_REGION_REPLAY
               ? gr_gar_cut_boxes(s->boxes, &s->n_boxes, &how, regions, order, n, m->err)
               : GR_OK;
}

/* Turns, canvas and rows of a picture of that size: too long is known before anything is resized. */
static gr_status make_text(making *m, int width, int height)
{
    const gr_gar_config *c = m->rules->config;
    const int max_tiles = m->rules->max_tiles ? m->rules->max_tiles : c->max_num_tiles;
    if (m->rules->no_picture)
        return make_rows(m);
    GR_TRY(gr_canvas_choose(&m->s->canvas, width, height, max_tiles, c->vision.tile_px, m->err));
    return make_rows(m);
}

static gr_status make(making *m)
{
    GR_TRY(gr_row_picture_open(&m->picture, m->rt, m->record, &m->rules->picture, &m->note));
    GR_TRY(gr_row_picture_masks(&m->picture, m->record, m->talk.of, m->talk.n_regions, &m->note));
    GR_TRY(make_text(m, m->picture.image->width, m->picture.image->height));
    return cut(m);
}

static gr_status measure(making *m)
{
    const bool stated = m->record->width > 0;
    if (!stated)
        GR_TRY(gr_row_picture_open(&m->picture, m->rt, m->record, &m->rules->picture, &m->note));
    return make_text(m, stated ? m->record->width : m->picture.image->width,
                     stated ? m->record->height : m->picture.image->height);
}

static making making_of(gr_runtime *rt, const gr_record *record, const gr_gar_sample_rules *rules,
                        gr_draws *draws, gr_skip *skip, gr_error *err)
{
    return (making){ .rt = rt,
                     .record = record,
                     .rules = rules,
                     .draws = draws,
                     .note = { record->key.at, skip, err },
                     .err = err };
}

static gr_status begin(making *m)
{
    *m->note.skip = GR_SKIP_NONE;
    GR_TRY(gr_gar_sample_rules_check(m->rules, m->err));
    m->s = gr_calloc(m->rt, 1, sizeof *m->s);
    if (!m->s)
        return gr_fail(m->err, GR_ERR_MEM, "no memory for a sample");
    m->s->rt = m->rt;
    gr_ids_init(&m->s->ids, m->rt, m->rules->max_rows);
    gr_ids_init(&m->s->source, m->rt, m->rules->max_rows);
    gr_arena_init(&m->arena, m->rt, ARENA_BYTES);
    const gr_status st = gr_conversation_make(&m->talk, &m->arena, m->record, &m->rules->conversation,
                                              m->draws, m->note.skip, m->err);
    m->s->kind = m->talk.kind;
    return st;
}

/* Everything but the sample. */
static void end(making *m)
{
    gr_row_picture_fini(&m->picture);
    gr_arena_fini(&m->arena);
}

gr_status gr_gar_sample_make(gr_gar_sample **out, gr_runtime *rt, const gr_record *record,
                             const gr_gar_sample_rules *rules, gr_draws *draws, gr_skip *skip, gr_error *err)
{
    making m = making_of(rt, record, rules, draws, skip, err);
    *out = NULL;
    gr_status st = begin(&m);
    if (st == GR_OK)
        st = make(&m);
    end(&m);
    if (st == GR_OK)
        *out = m.s;
    else
        gr_gar_sample_free(m.s);
    return st;
}

gr_status gr_gar_sample_measure(size_t *n_rows, gr_runtime *rt, const gr_record *record,
                                const gr_gar_sample_rules *rules, gr_draws *draws, gr_skip *skip,
                                gr_error *err)
{
    making m = making_of(rt, record, rules, draws, skip, err);
    gr_status st = begin(&m);
    if (st == GR_OK)
        st = measure(&m);
    *n_rows = st == GR_OK ? m.s->ids.n : 0;
    end(&m);
    gr_gar_sample_free(m.s);
    return st;
}

void gr_gar_sample_free(gr_gar_sample *s)
{
    if (!s)
        return;
    gr_ids_fini(&s->ids);
    gr_ids_fini(&s->source);
    gr_free(s->rt, s->labels);
    gr_tiles_free(s->pixels);
    gr_tiles_free(s->mask);
    for (int i = 0; i < s->n_crops; i++) {
        gr_tiles_free(s->crops[i]);
        gr_tiles_free(s->crop_masks[i]);
    }
    gr_free(s->rt, s);
}

/* --- tiles --------------------------------------------------------------------------------------------- */

static int picture_tiles(const gr_gar_sample *s) { return s->pixels ? s->pixels->n : 0; }

int gr_gar_sample_tiles(const gr_gar_sample *s) { return picture_tiles(s) + s->n_crops; }

void gr_gar_sample_tile(const gr_gar_sample *s, int i, const gr_tiles **pixels, const gr_tiles **mask,
                        int *at)
{
    const int crop = i - picture_tiles(s);
    *pixels = crop < 0 ? s->pixels : s->crops[crop];
    *mask = crop < 0 ? s->mask : s->crop_masks[crop];
    *at = crop < 0 ? i : 0;
}
