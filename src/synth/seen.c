#include "synth/seen.h"

#include <math.h>
#include <stddef.h>

enum { LEAST_PIXELS = 150, SURFACE_PIXELS = 600 };

bool gr_seen(const gr_scene *s, int i)
{
    const gr_object *o = &s->objects[i];
    return o->visible >= LEAST_PIXELS && 2 * o->visible >= o->whole;
}

int gr_seen_list(const gr_scene *s, int *out)
{
    int n = 0;
    for (int i = 0; i < s->n_objects; i++)
        if (gr_seen(s, i))
            out[n++] = i;
    return n;
}

bool gr_seen_colour(const gr_scene *s, int i)
{
    const gr_object *o = &s->objects[i];
    return gr_seen(s, i) && o->entity != GR_SHADOW &&
           (o->kind == GR_OBJECT_SHAPE || o->kind == GR_OBJECT_FIGURE);
}

bool gr_seen_surface(const gr_scene *s, int i)
{
    const gr_object *o = &s->objects[i];
    return gr_seen(s, i) && o->kind == GR_OBJECT_SHAPE && o->entity != GR_SHADOW &&
           o->visible >= SURFACE_PIXELS;
}

/* --- relations ----------------------------------------------------------------------------------------- */

static int side(const gr_object *o, int axis) { return o->box[2 + axis] - o->box[axis]; }
static int larger(int a, int b) { return a > b ? a : b; }
static int smaller(int a, int b) { return a < b ? a : b; }

/* Pixels between two along an axis; negative: they overlap by so many. */
static int gap(const gr_object *a, const gr_object *b, int axis)
{
    return larger(a->box[axis], b->box[axis]) - smaller(a->box[2 + axis], b->box[2 + axis]);
}

static gr_truth is_on_top_of(const gr_object *a, const gr_object *b)
{
    const int rise = b->box[1] - a->box[3]; /* of the lower edge of a over the upper one of b */
    const bool beside = gap(a, b, 0) >= 0;
    const bool lower = a->box[1] + a->box[3] > b->box[1] + b->box[3];
    const bool floats = rise > larger(8, side(a, 1) / 2);
    return beside || lower || floats ? GR_FALSE : GR_UNCLEAR;
}

static gr_truth is_inside(const gr_object *a, const gr_object *b)
{
    const bool apart = gap(a, b, 0) >= 0 || gap(a, b, 1) >= 0;
    const bool over = side(a, 0) > side(b, 0) || side(a, 1) > 2 * side(b, 1);
    return apart || over ? GR_FALSE : GR_UNCLEAR;
}

/* What is painted later cannot be behind; what is apart is neither behind nor before. */
static gr_truth is_behind(const gr_scene *s, int a, int b)
{
    const gr_object *p = &s->objects[a], *q = &s->objects[b];
    return a > b || gap(p, q, 0) > 0 || gap(p, q, 1) > 0 ? GR_FALSE : GR_UNCLEAR;
}

/* What relation.h leaves unclear because the two touch. */
static gr_truth by_boxes(const gr_scene *s, gr_relation kind, int subject, int object)
{
    const gr_object *a = &s->objects[subject], *b = &s->objects[object];
    switch (kind) {
    case GR_RELATION_ON_TOP_OF:
        return is_on_top_of(a, b);
    case GR_RELATION_INSIDE:
        return is_inside(a, b);
    case GR_RELATION_BEHIND:
        return is_behind(s, subject, object);
    default:
        return GR_UNCLEAR;
    }
}

static bool stated(const gr_scene *s, gr_relation kind, int subject, int object)
{
    for (int k = 0; k < s->n_relations; k++)
        if (s->relations[k].kind == kind && s->relations[k].subject == subject &&
            s->relations[k].object == object)
            return true;
    return false;
}

/* Of two entities. What needs no outlines is asked first: they take most of the time. */
static gr_truth by_place(const gr_scene *s, gr_relation kind, int subject, int object)
{
    const gr_object *a = &s->objects[subject], *b = &s->objects[object];
    switch (kind) {
    case GR_RELATION_HOLDING:
    case GR_RELATION_WEARING:
    case GR_RELATION_POINTING_AT:
        return a->kind == GR_OBJECT_FIGURE ? gr_relation_truth(s, kind, subject, object) : GR_FALSE;
    case GR_RELATION_LEFT_OF: /* side by side, or nothing is said */
        return gap(a, b, 0) < 0 ? GR_UNCLEAR : gr_relation_truth(s, kind, subject, object);
    case GR_RELATION_NEXT_TO: {
        const int far = larger(larger(side(a, 0), side(a, 1)), larger(side(b, 0), side(b, 1)));
        if (gap(a, b, 0) > 3 * far || gap(a, b, 1) > 3 * far)
            return GR_FALSE;
        const gr_truth one = gr_relation_truth(s, kind, subject, object);
        const gr_truth other = gr_relation_truth(s, kind, object, subject);
        return one == GR_TRUE || other == GR_TRUE ? GR_TRUE : one == other ? one : GR_UNCLEAR;
    }
    default: {
        const gr_truth seen = by_boxes(s, kind, subject, object);
        return seen == GR_FALSE ? seen : gr_relation_truth(s, kind, subject, object);
    }
    }
}

gr_truth gr_seen_relation(const gr_scene *s, gr_relation kind, int subject, int object)
{
    if (subject == object || !gr_seen(s, subject) || !gr_seen(s, object))
        return GR_UNCLEAR;
    if (stated(s, kind, subject, object))
        return GR_TRUE;
    if (stated(s, kind, object, subject))
        return kind == GR_RELATION_NEXT_TO ? GR_TRUE : GR_FALSE;
    if (s->objects[subject].entity != GR_ENTITY || s->objects[object].entity != GR_ENTITY)
        return GR_UNCLEAR;
    return by_place(s, kind, subject, object);
}

/* --- place and size ------------------------------------------------------------------------------------ */

/* Which third of `n` pixels; -1: within 4 % of a border. */
static int third(double at, int n)
{
    const double x = 3 * at / n;
    const int k = (int)x > 2 ? 2 : (int)x;
    return fabs(x - 1) < 0.12 || fabs(x - 2) < 0.12 ? -1 : k;
}

const char *gr_seen_place(const gr_scene *s, int i)
{
    static const char *const places[3][3] = {
        { "in the upper left", "at the top", "in the upper right" },
        { "on the left side", "in the middle", "on the right side" },
        { "in the lower left", "at the bottom", "in the lower right" },
    };
    const int *b = s->objects[i].box;
    const int col = third((b[0] + b[2]) / 2.0, s->width), row = third((b[1] + b[3]) / 2.0, s->height);
    return col < 0 || row < 0 ? NULL : places[row][col];
}

const char *gr_seen_size(const gr_scene *s, int i)
{
    static const struct {
        double from, to; /* of the picture's area */
        const char *word;
    } sizes[] = {
        { 0, 0.007, "tiny" }, { 0.01, 0.03, "small" }, { 0.045, 0.11, "medium-sized" }, { 0.15, 1, "large" }
    };
    const gr_object *o = &s->objects[i];
    const double part = (double)side(o, 0) * side(o, 1) / ((double)s->width * s->height);
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
        if (part >= sizes[k].from && part <= sizes[k].to)
            return sizes[k].word;
    return NULL;
}
