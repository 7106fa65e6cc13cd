#include "synth/synth_scene.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "media/codec.h"
#include "region/mask.h"
#include "region/rle.h"
#include "synth/closeup.h"
#include "synth/describe.h"
#include "synth/name.h"
#include "synth/paint.h"
#include "synth/seen.h"

enum {
    TALK = 0x74616c6b, /* "talk" and the split: the stream of what is said */
    CAPTIONS_MAX = 4,
    TURNS_MAX = 4,
    TRIES = 16
};

struct gr_synth {
    gr_runtime *rt;
    gr_synth_rules rules;
    gr_painter *painter;
    gr_scene scene;
    gr_image *picture;
    uint8_t *map; /* [height][width]: number of the object, plus 1 */
    int shown[GR_SHOWN_MAX], n_shown;
};

void gr_synth_rules_init(gr_synth_rules *rules)
{
    *rules = (gr_synth_rules){ .captions = 0.4, .looking = 0.15 };
}

static void drop_picture(gr_synth *y)
{
    gr_image_free(y->picture);
    gr_free(y->rt, y->map);
    y->picture = NULL;
    y->map = NULL;
}

gr_status gr_synth_new(gr_synth **out, gr_runtime *rt, const gr_synth_rules *rules, gr_error *err)
{
    *out = NULL;
    gr_synth *y = gr_calloc(rt, 1, sizeof *y);
    if (!y)
        return gr_fail(err, GR_ERR_MEM, "no memory for scenes");
    y->rt = rt;
    y->rules = *rules;
    const gr_status st = gr_painter_new(&y->painter, rt, rules->font, err);
    if (st != GR_OK)
        gr_synth_free(y);
    else
        *out = y;
    return st;
}

void gr_synth_free(gr_synth *y)
{
    if (!y)
        return;
    drop_picture(y);
    gr_painter_free(y->painter);
    gr_free(y->rt, y);
}

const gr_image *gr_synth_picture(const gr_synth *y) { return y->picture; }
const gr_scene *gr_synth_scene(const gr_synth *y) { return &y->scene; }

const int *gr_synth_shown(const gr_synth *y, int *n)
{
    *n = y->n_shown;
    return y->shown;
}

/* --- pieces -------------------------------------------------------------------------------------------- */

gr_status gr_synth_paint(gr_synth *y, uint64_t index, const gr_compose_options *options, gr_error *err)
{
    drop_picture(y);
    y->n_shown = 0;
    gr_scene_compose_as(&y->scene, y->rules.seed, (gr_split)y->rules.split, index, options);
    return gr_scene_paint(&y->scene, y->rt, y->painter, &y->picture, &y->map, err);
}

gr_draws gr_synth_draws(const gr_synth *y, uint64_t index, uint32_t use)
{
    return gr_draws_for(y->rules.seed, TALK + (uint32_t)y->rules.split, (uint32_t)(index >> 32),
                        (uint32_t)index, use);
}

gr_status gr_synth_mask(gr_synth *y, int object, gr_buf *out, gr_error *err)
{
    gr_mask *mask;
    gr_rle rle;
    GR_TRY(gr_mask_new(&mask, y->rt, y->scene.width, y->scene.height, err));
    const size_t n = (size_t)y->scene.width * (size_t)y->scene.height;
    for (size_t i = 0; i < n; i++)
        mask->data[i] = y->map[i] == object + 1;
    gr_status st = gr_rle_from_mask(&rle, mask, err);
    gr_mask_free(mask);
    if (st != GR_OK)
        return st;
    st = gr_rle_to_text(out, &rle, err);
    gr_rle_fini(&rle);
    return st;
}

gr_status gr_synth_encode(gr_synth *y, gr_synth_picture_form form, gr_buf *out, gr_error *err)
{
    gr_file_writer w;
    gr_file_writer_to_memory(&w, out);
    if (form == GR_SYNTH_PPM)
        return gr_pnm_encode(&w, y->picture, err);
#ifdef GR_HAVE_SPNG
    return gr_png_encode(&w, y->picture, err);
#else
    return gr_fail(err, GR_ERR_UNSUPPORTED, "this build has no PNG writer");
#endif
}

/* --- what is said -------------------------------------------------------------------------------------- */

static gr_status add_text(gr_record *r, gr_from from, const gr_buf *text, gr_error *err)
{
    return text->failed ? gr_fail(err, GR_ERR_MEM, "no memory for a turn")
                        : gr_record_add_turn(r, from, gr_buf_str(text), text->len, err);
}

static void say_name(gr_phrase *p, const gr_scene *s, int i, unsigned say, gr_draws *d)
{
    gr_name_add(p, s, i, say, d);
    gr_phrase_add(p, ".");
    gr_phrase_capital(p, 0);
}

/* "A red star with white stripes.": what can be told of an object by looking at it alone. */
static void name_look(gr_phrase *p, const gr_scene *s, int i, gr_draws *d)
{
    say_name(p, s, i, GR_NAME_LOOK, d);
}

/* And whether it is a reflection, a shadow, or on a screen, which what is around it tells. */
static void name_region(gr_phrase *p, const gr_scene *s, int i, gr_draws *d)
{
    say_name(p, s, i, GR_NAME_LOOK | GR_NAME_ENTITY, d);
}

static void describe_region(gr_phrase *p, const gr_scene *s, int i, gr_draws *d)
{
    gr_describe(p, s, i, (gr_describe_level)gr_draw_below(d, GR_DESCRIBE_LEVELS), d);
}

typedef void say_region(gr_phrase *p, const gr_scene *s, int i, gr_draws *d);

/* The text for the k-th of what is shown. */
static gr_status add_caption(gr_synth *y, gr_record *r, int k, say_region *say, gr_draws *d, gr_error *err)
{
    gr_phrase text = { 0 };
    say(&text, &y->scene, y->shown[k], d);
    const char *question = k == 0 ? "<image>\nDescribe the region." : "Describe the region.";
    GR_TRY(gr_record_add_turn(r, GR_FROM_HUMAN, question, strlen(question), err));
    return gr_record_add_turn(r, GR_FROM_GPT, text.text, text.n, err);
}

/* Texts for what is seen, in an order that is drawn: `least` regions, where there are so many, or up to
 * CAPTIONS_MAX. The loader makes the questions. */
static gr_status add_captions(gr_synth *y, gr_record *r, gr_draws *d, int least, say_region *say,
                              gr_error *err)
{
    gr_asking a = { .s = &y->scene, .d = d };
    y->n_shown =
        gr_asking_fill(&a, y->shown, 0, least + (int)gr_draw_below(d, (uint32_t)(CAPTIONS_MAX + 1 - least)));
    for (int k = 0; k < y->n_shown; k++)
        GR_TRY(add_caption(y, r, k, say, d, err));
    return GR_OK;
}

static gr_status add_question(gr_synth *y, gr_record *r, const gr_question *q, bool options, gr_error *err)
{
    gr_buf text;
    gr_buf_init(&text, y->rt, 1 << 16);
    gr_buf_text(&text, r->n_turns == 0 ? "<image>\n" : "");
    gr_question_put(&text, q, options);
    gr_status st = add_text(r, GR_FROM_HUMAN, &text, err);
    gr_buf_clear(&text);
    if (options)
        gr_buf_printf(&text, "%c", 'A' + q->right);
    else
        gr_buf_text(&text, q->answer.text);
    if (st == GR_OK)
        st = add_text(r, GR_FROM_GPT, &text, err);
    gr_buf_fini(&text);
    return st;
}

static gr_status add_either_way(gr_synth *y, gr_record *r, const gr_question *q, gr_draws *d, gr_error *err)
{
    const bool options = q->n_options > 0 && (q->answer.n == 0 || gr_draw_below(d, 2) == 0);
    return add_question(y, r, q, options || y->rules.choices, err);
}

/* A question of the family, of the kind that the rules ask for. */
static bool make_question(const gr_synth *y, gr_question *q, gr_asking *a, gr_ask family)
{
    const gr_asking before = *a;
    if (!gr_question_make(q, a, family))
        return false;
    if (q->n_options > 0 || !y->rules.choices)
        return true;
    *a = before; /* what it showed is not shown */
    return false;
}

/* What a scene is asked first: what it was made for, or anything. */
static bool first_question(const gr_synth *y, gr_question *q, gr_asking *a)
{
    static const gr_ask own[GR_SCENE_KINDS] = {
        [GR_SCENE_FREE] = GR_ASK_FAMILIES,    [GR_SCENE_GRID] = GR_ASK_ORDER,
        [GR_SCENE_RELATED] = GR_ASK_RELATION, [GR_SCENE_MIRROR] = GR_ASK_MIRROR,
        [GR_SCENE_SHADOWS] = GR_ASK_MIRROR,   [GR_SCENE_SCREEN] = GR_ASK_MIRROR,
    };
    const gr_ask family = own[a->s->kind];
    if (family < GR_ASK_FAMILIES && gr_draw_below(a->d, 10) < 7)
        for (int tries = 0; tries < 4; tries++)
            if (make_question(y, q, a, family))
                return true;
    for (int tries = 0; tries < TRIES; tries++)
        if (make_question(y, q, a, (gr_ask)gr_draw_below(a->d, GR_ASK_FAMILIES)))
            return true;
    return false;
}

static gr_status add_questions(gr_synth *y, gr_record *r, gr_draws *d, gr_error *err)
{
    gr_asking a = { .s = &y->scene, .d = d };
    gr_question q;
    unsigned asked = 0; /* families, one bit each */
    if (!first_question(y, &q, &a))
        return GR_OK;
    const int wanted = 1 + (int)gr_draw_below(d, TURNS_MAX);
    GR_TRY(add_either_way(y, r, &q, d, err));
    asked |= 1u << q.family;
    for (int tries = 0, n = 1; n < wanted && tries < TRIES; tries++) {
        const gr_ask family = (gr_ask)gr_draw_below(d, GR_ASK_FAMILIES);
        if (asked & 1u << family || !make_question(y, &q, &a, family))
            continue;
        asked |= 1u << family;
        n++;
        GR_TRY(add_either_way(y, r, &q, d, err));
    }
    memcpy(y->shown, a.shown, sizeof y->shown);
    y->n_shown = a.n_shown;
    return GR_OK;
}

/* What all of up to five regions are, their colours, materials and patterns, as lists. */
static gr_status add_lists(gr_synth *y, gr_record *r, gr_draws *d, gr_error *err)
{
    static const gr_ask alone[GR_EACH_KINDS] = { GR_ASK_CLASS, GR_ASK_COLOUR, GR_ASK_MATERIAL,
                                                 GR_ASK_PATTERN };
    gr_asking a = { .s = &y->scene, .d = d };
    int objects[GR_SHOWN_MAX], order[GR_EACH_KINDS];
    const int n = gr_asking_fill(&a, objects, 0, GR_SHOWN_MAX);
    if (n == 0)
        return GR_OK;
    gr_asking_show(&a, objects, n);
    gr_draw_order(d, order, GR_EACH_KINDS);
    for (int k = 0; k < GR_EACH_KINDS; k++) {
        gr_question q;
        if (gr_ask_each_of(&q, &a, (gr_each)order[k]) ||
            (gr_question_make(&q, &a, alone[order[k]]) && q.answer.n > 0))
            GR_TRY(add_question(y, r, &q, false, err));
    }
    memcpy(y->shown, a.shown, sizeof y->shown);
    y->n_shown = a.n_shown;
    return GR_OK;
}

/* --- records ------------------------------------------------------------------------------------------- */

static gr_status add_regions(gr_synth *y, gr_record *r, gr_error *err)
{
    gr_buf text;
    gr_status st = GR_OK;
    gr_buf_init(&text, y->rt, GR_RECORD_BYTES_MAX);
    for (int k = 0; k < y->n_shown && st == GR_OK; k++) {
        gr_record_region *g;
        gr_buf_clear(&text);
        st = gr_synth_mask(y, y->shown[k], &text, err);
        if (st == GR_OK)
            st = gr_record_add_region(r, &g, err);
        if (st != GR_OK)
            break;
        g->has_rle = true;
        g->rle_width = y->scene.width;
        g->rle_height = y->scene.height;
        st = gr_record_text(r, &g->rle, gr_buf_str(&text), text.len, err);
    }
    gr_buf_fini(&text);
    return st;
}

static gr_status add_picture(gr_synth *y, gr_record *r, gr_error *err)
{
    gr_buf file;
    r->width = y->scene.width;
    r->height = y->scene.height;
    if (y->rules.picture == GR_SYNTH_NO_PICTURE)
        return GR_OK;
    gr_buf_init(&file, y->rt, GR_RECORD_BYTES_MAX);
    gr_status st = gr_synth_encode(y, y->rules.picture, &file, err);
    r->form = GR_PICTURE_STORED;
    if (st == GR_OK)
        st = gr_record_text(r, &r->bytes, gr_buf_str(&file), file.len, err);
    gr_buf_fini(&file);
    return st;
}

static gr_status add_key(const gr_synth *y, gr_record *r, uint64_t index, gr_error *err)
{
    static const char *const splits[] = { "train", "validation", "test" };
    char key[64];
    const int n = snprintf(key, sizeof key, "synth-%s/%" PRIu64 "/%" PRIu64, splits[y->rules.split],
                           y->rules.seed, index);
    return gr_record_text(r, &r->key, key, (size_t)n, err);
}

/* One object, cut out with a little of what is around it: of that no region, and no word. */
static gr_status add_closeup(gr_synth *y, gr_record *r, gr_draws *d, gr_error *err)
{
    int list[GR_SCENE_OBJECTS_MAX], n = 0;
    const int n_seen = gr_seen_list(&y->scene, list);
    for (int k = 0; k < n_seen; k++)
        if (y->scene.objects[list[k]].entity == GR_ENTITY)
            list[n++] = list[k];
    if (n == 0)
        return GR_OK;
    y->shown[0] = list[gr_draw_below(d, (uint32_t)n)];
    y->n_shown = 1;
    GR_TRY(add_caption(y, r, 0, name_look, d, err));
    return gr_closeup_cut(&y->scene, &y->picture, y->map, y->shown[0], d, err);
}

/* Names, whose rows stand right before them, and lists, where it has to be found which region is meant. */
static gr_status add_looking(gr_synth *y, gr_record *r, gr_draws *d, gr_error *err)
{
    return gr_draw_below(d, 4) > 0 ? add_captions(y, r, d, CAPTIONS_MAX, name_region, err)
                                   : add_lists(y, r, d, err);
}

static gr_status add_turns(gr_synth *y, gr_record *r, gr_draws *d, gr_error *err)
{
    const double u = gr_draw_unit(d);
    if (y->rules.closeups > 0 && gr_draw_unit(d) < y->rules.closeups)
        return add_closeup(y, r, d, err);
    if (u < y->rules.captions)
        return add_captions(y, r, d, 1, describe_region, err);
    return u < y->rules.captions + (1 - y->rules.captions) * y->rules.looking ? add_looking(y, r, d, err)
                                                                              : add_questions(y, r, d, err);
}

gr_status gr_synth_record(gr_synth *y, uint64_t index, gr_record *out, gr_error *err)
{
    uint64_t at = index;
    gr_record_clear(out);
    for (int tries = 0; out->n_turns == 0; tries++, at += UINT64_C(1) << 48) {
        gr_draws d = gr_synth_draws(y, at, 0);
        if (tries == TRIES)
            return gr_fail(err, GR_ERR_LIMIT, "scene %" PRIu64 " and those in its place show nothing", index);
        GR_TRY(gr_synth_paint(y, at, NULL, err));
        GR_TRY(add_turns(y, out, &d, err));
    }
    GR_TRY(add_key(y, out, index, err));
    GR_TRY(add_regions(y, out, err));
    return add_picture(y, out, err);
}
