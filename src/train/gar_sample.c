#include "train/gar_sample.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "model/gar_cut.h"
#include "model/gar_profile.h"
#include "region/box.h"
#include "region/mask.h"
#include "region/rle.h"

#define LEAST_SIDE         10                /* pixels of a picture; the published data set class */
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
    gr_image_options_init(&rules->images);
}

/* What is being made. */
typedef struct {
    gr_runtime *rt;
    const gr_record *record;
    const gr_gar_sample_rules *rules;
    gr_draws *draws;
    gr_skip *skip;
    gr_error *err;
    gr_gar_sample *s;
    gr_arena arena;
    gr_conversation talk;
    gr_image *image;
    gr_gar_marked regions[GR_MAX_PROMPTS]; /* masks are owned */
} making;

/* The row's fault, for the reason given, unless memory is what is missing. */
static gr_status refuse(making *m, gr_skip why, gr_status st, const gr_error *cause)
{
    if (st != GR_ERR_MEM)
        *m->skip = why;
    return gr_fail(m->err, st, "%.200s: %s", m->record->key.at, cause->msg);
}

static gr_status GR_PRINTF(3, 4) reject(making *m, gr_skip why, const char *fmt, ...)
{
    gr_error cause = { 0 };
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(cause.msg, sizeof cause.msg, fmt, ap);
    va_end(ap);
    return refuse(m, why, GR_ERR_FORMAT, &cause);
}

/* --- the picture --------------------------------------------------------------------------------------- */

/* Whether a path leads out of the folder it is taken from. */
static bool leaves(const char *path)
{
    if (path[0] == '/')
        return true;
    for (const char *at = path; at; at = strchr(at, '/'), at = at ? at + 1 : NULL)
        if (strncmp(at, "..", 2) == 0 && (at[2] == '/' || at[2] == '\0'))
            return true;
    return false;
}

static gr_status open_file(making *m, const gr_image_options *o)
{
    char path[4096];
    gr_error cause = { 0 };
    const gr_chars *name = &m->record->path;
    const char *root = m->rules->image_root;
    if (name->n == 0)
        return reject(m, GR_SKIP_NO_IMAGE, "the row has neither bytes nor a path of a picture");
    if (strlen(name->at) != name->n || name->n >= sizeof path)
        return reject(m, GR_SKIP_NO_IMAGE, "the picture's path is not one: %zu bytes", name->n);
    if (root && leaves(name->at))
        return reject(m, GR_SKIP_NO_IMAGE, "the picture '%.200s' is not below the folder of pictures",
                      name->at);
    if (!root)
        memcpy(path, name->at, name->n + 1);
    else if (!gr_path_join(path, sizeof path, root, name->at))
        return reject(m, GR_SKIP_NO_IMAGE, "the path of the picture '%.200s' is too long", name->at);
    const gr_status st = gr_image_open(&m->image, m->rt, path, o, &cause);
    return st == GR_OK ? st : refuse(m, st == GR_ERR_IO ? GR_SKIP_NO_IMAGE : GR_SKIP_BAD_IMAGE, st, &cause);
}

static gr_status decode_bytes(making *m, const gr_image_options *o)
{
    gr_error cause = { 0 };
    const gr_chars *bytes = &m->record->bytes;
    const gr_status st = gr_image_decode(&m->image, m->rt, bytes->at, bytes->n, o, &cause);
    return st == GR_OK ? st : refuse(m, GR_SKIP_BAD_IMAGE, st, &cause);
}

static gr_status open_picture(making *m)
{
    gr_image_options o = m->rules->images;
    const gr_picture_form form = m->record->form;
    o.exif = form == GR_PICTURE_STORED ? GR_EXIF_APPLY : GR_EXIF_IGNORE;
    if (form == GR_PICTURE_NONE)
        return reject(m, GR_SKIP_NO_IMAGE, "the row has no picture");
    const bool bytes = form == GR_PICTURE_DATA || (form == GR_PICTURE_STORED && m->record->bytes.n > 0);
    GR_TRY(bytes ? decode_bytes(m, &o) : open_file(m, &o));
    if (m->image->width < LEAST_SIDE || m->image->height < LEAST_SIDE)
        return reject(m, GR_SKIP_SMALL_IMAGE, "a picture of %d x %d pixels, at least %d x %d are expected",
                      m->image->width, m->image->height, LEAST_SIDE, LEAST_SIDE);
    return GR_OK;
}

/* --- masks --------------------------------------------------------------------------------------------- */

/* Makes a mask of the picture's shape as large as the picture. */
static gr_status fit(making *m, gr_mask **mask)
{
    gr_mask *fitted;
    if ((*mask)->width == m->image->width && (*mask)->height == m->image->height)
        return GR_OK;
    GR_TRY(gr_mask_resize(&fitted, *mask, m->image->width, m->image->height, m->err));
    gr_mask_free(*mask);
    *mask = fitted;
    m->s->n_resized++;
    return GR_OK;
}

static gr_status mask_of_box(making *m, const gr_record_region *g, size_t number, gr_mask **mask)
{
    gr_bounds bounds;
    gr_error cause = { 0 };
    const double box[4] = { (double)g->box[0], (double)g->box[1], (double)g->box[2], (double)g->box[3] };
    const gr_status st = gr_box_to_bounds(&bounds, box, m->image->width, m->image->height, &cause);
    if (st != GR_OK)
        return reject(m, GR_SKIP_EMPTY_MASK, "region %zu: %s", number, cause.msg);
    GR_TRY(gr_mask_new(mask, m->rt, m->image->width, m->image->height, m->err));
    gr_mask_fill(*mask, bounds);
    return GR_OK;
}

/* The mask of a region, drawn when it is wanted; every mask of a row has to be good, used or not. */
static gr_status mask_of_rle(making *m, const gr_record_region *g, size_t number, bool wanted, gr_mask **mask)
{
    gr_rle rle;
    gr_error cause = { 0 };
    gr_status st = gr_rle_from_text(&rle, m->rt, g->rle_height, g->rle_width, g->rle.at, g->rle.n, &cause);
    if (st != GR_OK)
        return refuse(m, GR_SKIP_BAD_MASK, st, &cause);
    if (gr_rle_area(&rle) == 0)
        st = reject(m, GR_SKIP_EMPTY_MASK, "mask %zu has no pixel", number);
    else if (wanted)
        st = gr_rle_to_mask(mask, &rle, m->err);
    gr_rle_fini(&rle);
    return st;
}

/* Where region `number` of the record is shown, or -1. */
static int shown_as(const making *m, size_t number)
{
    for (int i = 0; i < m->talk.n_regions; i++)
        if ((size_t)m->talk.of[i] == number)
            return i;
    return -1;
}

static gr_status make_mask(making *m, size_t number)
{
    const gr_record_region *g = &m->record->regions[number];
    const int i = shown_as(m, number);
    gr_mask *mask = NULL;
    if (!g->has_rle && !g->has_box)
        return reject(m, GR_SKIP_BAD_MASK, "region %zu has neither a mask nor a box", number);
    gr_status st = GR_OK;
    if (g->has_rle)
        st = mask_of_rle(m, g, number, i >= 0, &mask);
    else if (i >= 0)
        st = mask_of_box(m, g, number, &mask);
    if (st == GR_OK && mask)
        st = fit(m, &mask);
    if (st == GR_OK && mask && !gr_mask_area(mask))
        st = reject(m, GR_SKIP_EMPTY_MASK, "mask %zu has no pixel once it fits the picture", number);
    if (i >= 0)
        m->regions[i] = (gr_gar_marked){ mask, m->talk.regions[i].prompt };
    else
        gr_mask_free(mask);
    return st;
}

/* Of every mask, used or not: the picture's shape, within 1 %. */
static gr_status check_shape(making *m, size_t number)
{
    const gr_record_region *g = &m->record->regions[number];
    const gr_image *p = m->image;
    if (!g->has_rle || fabs((double)g->rle_width * p->height / ((double)g->rle_height * p->width) - 1) < 0.01)
        return GR_OK;
    return reject(m, GR_SKIP_MASK_SIZE, "mask %zu is %d x %d pixels, the picture %d x %d", number,
                  g->rle_width, g->rle_height, p->width, p->height);
}

static gr_status make_masks(making *m)
{
    for (size_t i = 0; i < m->record->n_regions; i++) {
        GR_TRY(check_shape(m, i));
        GR_TRY(make_mask(m, i));
    }
    return GR_OK;
}

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
    const size_t tile = (size_t)c->tokens_side * (size_t)c->tokens_side;
    const gr_gar_dialog d = { .system = m->rules->system,
                              .turns = m->talk.turns,
                              .n_turns = m->talk.n_turns,
                              .regions = m->talk.regions,
                              .n_regions = m->talk.n_regions,
                              .image_rows = (1 + (size_t)(m->s->canvas.cols * m->s->canvas.rows)) * tile,
                              .region_rows = (size_t)c->replay_grid * (size_t)c->replay_grid,
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
        return refuse(m, why, st, &cause);
    }
    GR_TRY(gr_gar_sample_labels(&m->s->labels, &m->s->n_labels, m->rt, m->rules->markers, m->rules->tokenizer,
                                m->s->ids.v, m->s->ids.n, m->err));
    return m->s->n_labels ? GR_OK : reject(m, GR_SKIP_NO_LABELS, "no answer in the conversation");
}

/* --- cutting ------------------------------------------------------------------------------------------- */

static gr_status cut(making *m)
{
    gr_gar_sample *s = m->s;
    const int n = m->talk.n_regions;
    const gr_gar_cut how = { m->rt, m->rules->config, &m->rules->profile, s->canvas };
    int order[GR_MAX_PROMPTS];
    for (int i = 0; i < n; i++) {
        order[i] = i; /* painted as they are shown */
        s->prompts[i] = m->talk.regions[i].prompt;
    }
    s->n_regions = n;
    GR_TRY(gr_gar_cut_pixels(&s->pixels, &how, m->image, m->err));
    if (m->talk.whole >= 0)
        return gr_gar_cut_whole(&s->mask, &how, m->image->width, m->image->height, m->talk.whole, m->err);
    if (n == 0)
        return GR_OK;
    GR_TRY(gr_gar_cut_masks(&s->mask, &how, m->regions, order, n, m->err));
    return gr_gar_cut_boxes(s->boxes, &s->n_boxes, &how, m->regions, order, n, m->err);
}

/* Turns, canvas and rows of a picture of that size: too long is known before anything is resized. */
static gr_status make_text(making *m, int width, int height)
{
    const gr_gar_config *c = m->rules->config;
    const int max_tiles = m->rules->max_tiles ? m->rules->max_tiles : c->max_num_tiles;
    GR_TRY(gr_canvas_choose(&m->s->canvas, width, height, max_tiles, c->vision.tile_px, m->err));
    return make_rows(m);
}

static gr_status make(making *m)
{
    GR_TRY(open_picture(m));
    GR_TRY(make_masks(m));
    GR_TRY(make_text(m, m->image->width, m->image->height));
    return cut(m);
}

static gr_status measure(making *m)
{
    const bool stated = m->record->width > 0;
    if (!stated)
        GR_TRY(open_picture(m));
    return make_text(m, stated ? m->record->width : m->image->width,
                     stated ? m->record->height : m->image->height);
}

static gr_status begin(making *m)
{
    *m->skip = GR_SKIP_NONE;
    m->s = gr_calloc(m->rt, 1, sizeof *m->s);
    if (!m->s)
        return gr_fail(m->err, GR_ERR_MEM, "no memory for a sample");
    m->s->rt = m->rt;
    gr_ids_init(&m->s->ids, m->rt, m->rules->max_rows);
    gr_ids_init(&m->s->source, m->rt, m->rules->max_rows);
    gr_arena_init(&m->arena, m->rt, ARENA_BYTES);
    const gr_status st = gr_conversation_make(&m->talk, &m->arena, m->record, &m->rules->conversation,
                                              m->draws, m->skip, m->err);
    m->s->kind = m->talk.kind;
    return st;
}

/* Everything but the sample. */
static void end(making *m)
{
    for (int i = 0; i < m->talk.n_regions; i++)
        gr_mask_free((gr_mask *)m->regions[i].mask);
    gr_image_free(m->image);
    gr_arena_fini(&m->arena);
}

gr_status gr_gar_sample_make(gr_gar_sample **out, gr_runtime *rt, const gr_record *record,
                             const gr_gar_sample_rules *rules, gr_draws *draws, gr_skip *skip, gr_error *err)
{
    making m = { .rt = rt, .record = record, .rules = rules, .draws = draws, .skip = skip, .err = err };
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
    making m = { .rt = rt, .record = record, .rules = rules, .draws = draws, .skip = skip, .err = err };
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
    gr_free(s->rt, s);
}
