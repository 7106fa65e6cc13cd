#include "dataset/record.h"

#include <math.h>
#include <string.h>

#include "grasp/region.h"

static const gr_chars nothing = { "", 0 };

void gr_record_init(gr_record *r, gr_runtime *rt)
{
    *r = (gr_record){ .key = nothing, .path = nothing, .bytes = nothing, .task = nothing, .meta = nothing };
    gr_arena_init(&r->arena, rt, GR_RECORD_BYTES_MAX);
}

void gr_record_fini(gr_record *r)
{
    gr_arena_fini(&r->arena);
    gr_record_init(r, r->arena.rt);
}

void gr_record_clear(gr_record *r)
{
    gr_arena kept = r->arena;
    gr_arena_clear(&kept);
    gr_record_init(r, kept.rt);
    r->arena = kept;
}

gr_status gr_record_no_room(const gr_record *r, gr_error *err)
{
    if (r->arena.over)
        return gr_fail(err, GR_ERR_LIMIT, "a row of more than %zu bytes", r->arena.max);
    return gr_fail(err, GR_ERR_MEM, "no memory for a row, of which %zu bytes are read", r->arena.taken);
}

static gr_status too_many(const char *what, size_t max, gr_error *err)
{
    return gr_fail(err, GR_ERR_LIMIT, "a row with more than %zu %s", max, what);
}

gr_status gr_record_text(gr_record *r, gr_chars *to, const char *text, size_t n, gr_error *err)
{
    const char *copy = gr_arena_text(&r->arena, text, n);
    if (!copy)
        return gr_record_no_room(r, err);
    *to = (gr_chars){ copy, n };
    return GR_OK;
}

gr_status gr_record_add_region(gr_record *r, gr_record_region **region, gr_error *err)
{
    if (r->n_regions == GR_RECORD_REGIONS_MAX)
        return too_many("regions", GR_RECORD_REGIONS_MAX, err);
    *region = gr_arena_append(&r->arena, &r->regions, &r->regions_capacity, r->n_regions, sizeof **region);
    if (!*region)
        return gr_record_no_room(r, err);
    **region = (gr_record_region){
        .id = (int32_t)r->n_regions, .rle = nothing, .label = nothing, .source = nothing, .score = NAN
    };
    r->n_regions++;
    return GR_OK;
}

gr_status gr_record_add_turn(gr_record *r, gr_from from, const char *text, size_t n, gr_error *err)
{
    if (r->n_turns == GR_RECORD_TURNS_MAX)
        return too_many("turns", GR_RECORD_TURNS_MAX, err);
    gr_record_turn *t = gr_arena_append(&r->arena, &r->turns, &r->turns_capacity, r->n_turns, sizeof *t);
    if (!t)
        return gr_record_no_room(r, err);
    t->from = from;
    GR_TRY(gr_record_text(r, &t->value, text, n, err));
    r->n_turns++;
    return GR_OK;
}

gr_status gr_record_add_span(gr_record *r, gr_record_span **span, gr_error *err)
{
    if (r->n_spans == GR_RECORD_SPANS_MAX)
        return too_many("spans", GR_RECORD_SPANS_MAX, err);
    *span = gr_arena_append(&r->arena, &r->spans, &r->spans_capacity, r->n_spans, sizeof **span);
    if (!*span)
        return gr_record_no_room(r, err);
    r->n_spans++;
    return GR_OK;
}

gr_status gr_record_list(gr_record *r, gr_region_list *to, const int32_t *v, size_t n, gr_error *err)
{
    int32_t *copy = gr_arena_take(&r->arena, n, sizeof *copy);
    if (!copy)
        return gr_record_no_room(r, err);
    if (n)
        memcpy(copy, v, n * sizeof *copy);
    *to = (gr_region_list){ copy, n };
    return GR_OK;
}

static const char *const from_names[] = { [GR_FROM_HUMAN] = "human", [GR_FROM_GPT] = "gpt" };

gr_status gr_from_parse(gr_from *out, const char *word, size_t n, gr_error *err)
{
    for (size_t i = 0; i < sizeof from_names / sizeof *from_names; i++)
        if (strlen(from_names[i]) == n && memcmp(from_names[i], word, n) == 0) {
            *out = (gr_from)i;
            return GR_OK;
        }
    return gr_fail(err, GR_ERR_FORMAT, "a turn from '%.*s', expected human or gpt", (int)(n < 40 ? n : 40),
                   word);
}

const char *gr_from_name(gr_from from) { return from_names[from]; }

/* --- checks -------------------------------------------------------------------------------------------- */

static gr_status check_list(const gr_record *r, const char *what, size_t number, const gr_region_list *list,
                            gr_error *err)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->v[i] < 0 || (size_t)list->v[i] >= r->n_regions)
            return gr_fail(err, GR_ERR_FORMAT, "%s %zu names region %d, the row has %zu", what, number,
                           list->v[i], r->n_regions);
    return GR_OK;
}

static gr_status check_region(const gr_record *r, size_t number, gr_error *err)
{
    const gr_record_region *g = &r->regions[number];
    const float *b = g->box;
    if (g->has_box && !(isfinite(b[0]) && isfinite(b[1]) && isfinite(b[2]) && isfinite(b[3]) &&
                        b[0] <= b[2] && b[1] <= b[3]))
        return gr_fail(err, GR_ERR_FORMAT,
                       "region %zu has the box (%g, %g, %g, %g), expected x0, y0, x1, y1 with x0 <= x1 and "
                       "y0 <= y1",
                       number, (double)b[0], (double)b[1], (double)b[2], (double)b[3]);
    if (g->has_rle &&
        (g->rle_height < 1 || g->rle_width < 1 || (int64_t)g->rle_height * g->rle_width > GR_MASK_MAX_PIXELS))
        return gr_fail(err, GR_ERR_FORMAT, "region %zu has a mask of [%d, %d], expected [height, width]",
                       number, g->rle_height, g->rle_width);
    return GR_OK;
}

static gr_status check_span(const gr_record *r, size_t number, gr_error *err)
{
    const gr_record_span *s = &r->spans[number];
    if (s->turn < 0 || (size_t)s->turn >= r->n_turns)
        return gr_fail(err, GR_ERR_FORMAT, "span %zu is of turn %d, the row has %zu", number, s->turn,
                       r->n_turns);
    const size_t n = r->turns[s->turn].value.n;
    if (s->start < 0 || s->end < s->start || (size_t)s->end > n)
        return gr_fail(err, GR_ERR_FORMAT, "span %zu is bytes %d to %d of turn %d, which has %zu", number,
                       s->start, s->end, s->turn, n);
    return check_list(r, "span", number, &s->regions, err);
}

gr_status gr_record_check(const gr_record *r, gr_error *err)
{
    if (r->width < 0 || r->height < 0 || (r->width == 0) != (r->height == 0))
        return gr_fail(err, GR_ERR_FORMAT, "a picture of %d x %d pixels", r->width, r->height);
    for (size_t i = 0; i < r->n_regions; i++)
        GR_TRY(check_region(r, i, err));
    for (size_t i = 0; i < r->n_turns; i++)
        GR_TRY(check_list(r, "turn", i, &r->turns[i].regions, err));
    for (size_t i = 0; i < r->n_spans; i++)
        GR_TRY(check_span(r, i, err));
    return GR_OK;
}

/* --- comparing ----------------------------------------------------------------------------------------- */

static bool same_chars(gr_chars a, gr_chars b) { return a.n == b.n && memcmp(a.at, b.at, a.n) == 0; }

static bool same_list(gr_region_list a, gr_region_list b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.v, b.v, a.n * sizeof *a.v) == 0);
}

static bool same_region(const gr_record_region *a, const gr_record_region *b)
{
    if (a->id != b->id || a->has_box != b->has_box || a->has_rle != b->has_rle)
        return false;
    for (int i = 0; i < 4 && a->has_box; i++)
        if (a->box[i] != b->box[i])
            return false;
    if (a->has_rle &&
        (a->rle_height != b->rle_height || a->rle_width != b->rle_width || !same_chars(a->rle, b->rle)))
        return false;
    const bool scores = a->score == b->score || (isnan(a->score) && isnan(b->score));
    return scores && same_chars(a->label, b->label) && same_chars(a->source, b->source);
}

bool gr_record_same(const gr_record *a, const gr_record *b)
{
    bool same = a->form == b->form && a->width == b->width && a->height == b->height &&
                a->n_regions == b->n_regions && a->n_turns == b->n_turns && a->n_spans == b->n_spans &&
                same_chars(a->key, b->key) && same_chars(a->path, b->path) &&
                same_chars(a->bytes, b->bytes) && same_chars(a->task, b->task) &&
                same_chars(a->meta, b->meta);
    for (size_t i = 0; same && i < a->n_regions; i++)
        same = same_region(&a->regions[i], &b->regions[i]);
    for (size_t i = 0; same && i < a->n_turns; i++)
        same = a->turns[i].from == b->turns[i].from && same_chars(a->turns[i].value, b->turns[i].value) &&
               same_list(a->turns[i].regions, b->turns[i].regions);
    for (size_t i = 0; same && i < a->n_spans; i++)
        same = a->spans[i].turn == b->spans[i].turn && a->spans[i].start == b->spans[i].start &&
               a->spans[i].end == b->spans[i].end && same_list(a->spans[i].regions, b->spans[i].regions);
    return same;
}
