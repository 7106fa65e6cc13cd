/* compose_related.c - objects that hold, carry, hide and point at each other. A row a relation:
 *
 *   holding      a thing lies at the end of the figure's stretched arm
 *   on top of    rests with its lower edge on the upper edge of a square, a rectangle, a car or a bus
 *   inside       lies in the hole of a ring, within a large plain shape, or looks out of what contains
 *   behind       22 to 58 % of it are hidden by a shape
 *   wearing      a hat sits on the figure's head
 *   pointing at  lies in the direction of the figure's stretched arm, nothing nearer does
 *   next to      beside, at a gap of less than half the smaller one
 *
 * Beside each there are often objects that look like its parts and do nothing. */
#include "synth/compose_internal.h"

static void pair(group *g, gr_relation kind, int subject, int object)
{
    g->relations[g->n_relations++] = (gr_scene_relation){ kind, subject, object };
}

/* Of a figure of height 1 around 0: scene.h has no place for it, and painting draws the same. */
static bool make_holding(composer *c, group *g, float size)
{
    const float side = chance(c, 0.5) ? 1 : -1, held = size * between(c, 0.3F, 0.4F);
    g->at[0] = gr_compose_figure(c, size, true);
    g->at[1] = chance(c, 0.8) ? gr_compose_thing(c, GR_THING_HELD, held) : gr_compose_shape(c, held * 0.85F);
    g->at[1].x = side * (0.42F * size + 0.1F * held);
    g->at[1].y = between(c, -0.3F, 0) * size;
    g->n = 2;
    pair(g, GR_RELATION_HOLDING, 0, 1);
    return true;
}

static bool make_wearing(composer *c, group *g, float size)
{
    g->at[0] = gr_compose_figure(c, size, false);
    gr_object hat = gr_compose_thing(c, GR_THING_WORN, 1);
    const float head = GR_FIGURE_HEAD * size;
    hat.h *= 2.6F * head / hat.w;
    hat.w = 2.6F * head;
    hat.y = -size / 2 + 0.75F * head - hat.h / 2;
    hat.seed = g->at[0].seed;
    g->at[1] = hat;
    g->n = 2;
    pair(g, GR_RELATION_WEARING, 0, 1);
    return true;
}

static bool make_pointing(composer *c, group *g, float size)
{
    const float side = chance(c, 0.5) ? 1 : -1;
    g->at[0] = gr_compose_figure(c, size, true);
    gr_object target = gr_compose_any(c, size * between(c, 0.3F, 0.5F));
    gr_compose_centre(&target, 0, 0);
    target.x += side * (size * between(c, 0.6F, 0.8F) + larger(target.w, target.h) / 2);
    target.y += between(c, -0.35F, 0.1F) * size;
    g->at[1] = target;
    g->n = 2;
    if (chance(c, 0.5)) { /* on the other side, where nobody points */
        gr_object other = gr_compose_twin(c, &target);
        gr_compose_centre(&other, -side * (0.75F * size + larger(target.w, target.h) / 2),
                          between(c, -0.2F, 0.2F) * size);
        g->at[g->n++] = other;
    }
    pair(g, GR_RELATION_POINTING_AT, 0, 1);
    return true;
}

static bool make_on_top(composer *c, group *g, float size)
{
    static const gr_shape_kind standing[] = { GR_SHAPE_SQUARE, GR_SHAPE_RECTANGLE, GR_SHAPE_TRIANGLE,
                                              GR_SHAPE_CIRCLE, GR_SHAPE_OVAL };
    gr_object base =
        chance(c, 0.25) ? gr_compose_thing(c, GR_THING_CARRIES, size)
                        : gr_compose_shape_of(c, chance(c, 0.5) ? GR_SHAPE_SQUARE : GR_SHAPE_RECTANGLE, size);
    base.angle = 0;
    const float above = base.w * between(c, 0.4F, 0.75F);
    gr_object top = chance(c, 0.6) ? gr_compose_thing(c, GR_THING_STANDS, above)
                                   : gr_compose_shape_of(c, standing[below(c, 5)], above);
    top.angle = 0;
    top.y = base.y - base.h / 2 - top.h / 2 + 0.5F;
    top.x = base.kind == GR_OBJECT_SHAPE ? between(c, -0.5F, 0.5F) * (base.w - top.w) : 0.08F * base.w;
    g->at[0] = base;
    g->at[1] = top;
    g->n = 2;
    pair(g, GR_RELATION_ON_TOP_OF, 1, 0);
    return true;
}

/* In what contains, only the front of the opening hides it: painting cuts it there. */
static bool make_contained(composer *c, group *g, float size)
{
    gr_object box = gr_compose_thing(c, GR_THING_CONTAINS, size);
    const gr_thing *t = gr_thing_at(box.thing);
    gr_object in = gr_compose_thing(c, GR_THING_HELD | GR_THING_STANDS, size * between(c, 0.5F, 0.65F));
    if (in.w > 1.5F * t->rim_w * box.w)
        gr_compose_resize(&in, larger(in.w, in.h) * 1.5F * t->rim_w * box.w / in.w);
    in.y = (t->rim_y - 0.5F) * box.h - 0.2F * in.h;
    g->at[0] = box;
    g->at[1] = in;
    g->n = 2;
    pair(g, GR_RELATION_INSIDE, 1, 0);
    return true;
}

static bool make_inside(composer *c, group *g, float size)
{
    static const gr_shape_kind around[] = { GR_SHAPE_CIRCLE, GR_SHAPE_SQUARE, GR_SHAPE_HEXAGON,
                                            GR_SHAPE_RECTANGLE };
    if (chance(c, 0.3))
        return make_contained(c, g, size);
    const bool ring = chance(c, 0.5);
    gr_object outer = gr_compose_shape_of(c, ring ? GR_SHAPE_RING : around[below(c, 4)], size);
    for (int i = 0;
         i < 40 && !ring && (outer.pattern != GR_PATTERN_PLAIN || outer.material == GR_MATERIAL_GLASS); i++)
        outer = gr_compose_shape_of(c, outer.shape, size);
    const float room = ring ? GR_RING_HOLE * size : 0.72F * smaller(outer.w, outer.h);
    gr_object inner = gr_compose_any(c, larger(24, room * between(c, 0.55F, 0.8F)));
    for (int i = 0; i < 40 && !ring && inner.kind == GR_OBJECT_SHAPE &&
                    (inner.colour == outer.colour || inner.material == GR_MATERIAL_GLASS);
         i++)
        inner = gr_compose_any(c, larger(inner.w, inner.h));
    float b[4];
    gr_object_bounds(&inner, b);
    /* Corners stay inside as well. */
    const float across = b[2] - b[0], down = b[3] - b[1];
    const float reach = larger(across, down) * 1.25F;
    if (reach > room)
        gr_compose_resize(&inner, larger(inner.w, inner.h) * room / reach);
    gr_compose_centre(&inner, outer.x, outer.y);
    g->at[0] = outer;
    g->at[1] = inner;
    g->n = 2;
    pair(g, GR_RELATION_INSIDE, 1, 0);
    return true;
}

static bool make_next_to(composer *c, group *g, float size)
{
    gr_object a = gr_compose_any(c, size * between(c, 0.45F, 0.6F));
    gr_object b = gr_compose_any(c, size * between(c, 0.45F, 0.6F));
    float p[4], q[4];
    gr_compose_centre(&a, 0, 0);
    gr_compose_centre(&b, 0, 0);
    gr_object_bounds(&a, p);
    gr_object_bounds(&b, q);
    const float gap = between(c, 0.08F, 0.3F) * smaller(smaller(p[2], p[3]), smaller(q[2], q[3])) * 2;
    b.x += p[2] - q[0] + gap;
    b.y += p[3] - q[3]; /* on the same ground */
    g->at[0] = a;
    g->at[1] = b;
    g->n = 2;
    pair(g, GR_RELATION_NEXT_TO, 0, 1);
    return true;
}

typedef bool (*maker)(composer *c, group *g, float size);

static bool make_group(composer *c, maker make, group *g, float size)
{
    *g = (group){ 0 };
    return make(c, g, size);
}

void gr_compose_related(composer *c)
{
    static const maker makers[] = { make_holding, make_wearing,      make_pointing, make_on_top,
                                    make_inside,  gr_compose_behind, make_next_to };
    float area[4];
    gr_compose_whole(c, area);
    gr_compose_backdrop(c, false);
    const gr_scene *s = c->s;
    const float side = (float)(s->width < s->height ? s->width : s->height);
    const int n = 1 + below(c, side < 150 ? 2 : 4);
    maker make = makers[below(c, 7)];
    for (int i = 0; i < n; i++) {
        group g;
        const float size = larger(52, side * between(c, 0.3F, n == 1 ? 0.65F : 0.5F));
        float smaller_size = size;
        for (int k = 0; k < 4; k++, smaller_size = larger(40, 0.8F * smaller_size))
            if (make_group(c, make, &g, smaller_size) && gr_compose_put_group(c, &g, area, 0.08F * size) >= 0)
                break;
        if (chance(c, 0.6)) /* else the same again, with others */
            make = makers[below(c, 7)];
    }
    for (int i = below(c, 4); i > 0 && s->n_objects; i--) {
        const gr_object *o = &s->objects[below(c, s->n_objects)];
        gr_object twin =
            o->kind == GR_OBJECT_FIGURE ? gr_compose_figure(c, o->h, false) : gr_compose_twin(c, o);
        gr_compose_put(c, &twin, area, 0.1F * larger(twin.w, twin.h));
    }
    if (s->n_objects == 0) {
        gr_object o = gr_compose_any(c, 0.4F * side);
        gr_compose_put(c, &o, area, 2);
    }
    gr_compose_state_plain(c, 6);
}
