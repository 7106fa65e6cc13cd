#include "synth/relation.h"

#include "synth/outline.h"

static float larger(float a, float b) { return a > b ? a : b; }
static float smaller(float a, float b) { return a < b ? a : b; }

static bool stated(const gr_scene *s, gr_relation kind, int subject, int object)
{
    for (int i = 0; i < s->n_relations; i++)
        if (s->relations[i].kind == kind && s->relations[i].subject == subject &&
            (object < 0 || s->relations[i].object == object))
            return true;
    return false;
}

bool gr_relation_state(gr_scene *s, gr_relation kind, int subject, int object)
{
    if (s->n_relations == GR_SCENE_RELATIONS_MAX || stated(s, kind, subject, object))
        return false;
    s->relations[s->n_relations++] = (gr_scene_relation){ kind, subject, object };
    return true;
}

/* A gap of a tenth of the smaller one, and not much higher or lower than it is to the side. */
static gr_truth left_of(const float *a, const float *b)
{
    const float least = smaller(smaller(a[2] - a[0], b[2] - b[0]), smaller(a[3] - a[1], b[3] - b[1]));
    const float gap = b[0] - a[2], margin = larger(0.1F * least, 3);
    const float across = (b[0] + b[2] - a[0] - a[2]) / 2, down = (b[1] + b[3] - a[1] - a[3]) / 2;
    if (gap >= margin && across >= (down < 0 ? -down : down))
        return GR_TRUE;
    return across < -0.5F * margin && b[2] <= a[0] + 0.5F * (a[2] - a[0]) ? GR_FALSE : GR_UNCLEAR;
}

static gr_truth next_to(const float *a, const float *b)
{
    const float across = larger(a[0] - b[2], b[0] - a[2]), down = larger(a[1] - b[3], b[1] - a[3]);
    const float gap = larger(across, down);
    const float la = larger(a[2] - a[0], a[3] - a[1]), lb = larger(b[2] - b[0], b[3] - b[1]);
    if (gap > 1.5F * larger(la, lb))
        return GR_FALSE;
    const float level = smaller(a[3], b[3]) - larger(a[1], b[1]);
    const bool beside = level >= 0.5F * smaller(a[3] - a[1], b[3] - b[1]);
    return across >= 0 && beside && across <= 0.5F * smaller(la, lb) ? GR_TRUE : GR_UNCLEAR;
}

gr_truth gr_relation_truth(const gr_scene *s, gr_relation kind, int subject, int object)
{
    const gr_object *a = &s->objects[subject], *b = &s->objects[object];
    if (stated(s, kind, subject, object))
        return GR_TRUE;
    if (subject == object)
        return GR_FALSE;
    if (a->entity != GR_ENTITY || b->entity != GR_ENTITY)
        return GR_UNCLEAR;
    float p[4], q[4];
    gr_object_bounds(a, p);
    gr_object_bounds(b, q);
    const bool apart = p[2] < q[0] || q[2] < p[0] || p[3] < q[1] || q[3] < p[1];
    switch (kind) {
    case GR_RELATION_LEFT_OF:
        return left_of(p, q);
    case GR_RELATION_NEXT_TO: {
        const gr_truth t = next_to(p, q);
        return t == GR_TRUE && stated(s, kind, object, subject) ? GR_TRUE : t;
    }
    case GR_RELATION_POINTING_AT:
        return a->kind != GR_OBJECT_FIGURE ? GR_FALSE : stated(s, kind, subject, -1) ? GR_UNCLEAR : GR_FALSE;
    case GR_RELATION_HOLDING:
    case GR_RELATION_WEARING:
        if (a->kind != GR_OBJECT_FIGURE)
            return GR_FALSE;
        return apart ? GR_FALSE : GR_UNCLEAR;
    default:
        return apart ? GR_FALSE : GR_UNCLEAR;
    }
}
