/* compose_shadows.c - objects with their shadows, all from one light; dark objects that are none; and shadows
 * of what is outside the picture. */
#include "synth/compose_internal.h"

typedef struct {
    float x, y;    /* way of the shadow, in parts of the object's size */
    bool on_floor; /* flat, from the object's foot; else on the wall behind, in full size */
} light;

static gr_object shadow_of(const gr_object *o, const light *l)
{
    gr_object s = *o;
    s.entity = GR_SHADOW;
    s.of = 1; /* within its group */
    const float size = larger(o->w, o->h);
    if (l->on_floor && o->kind == GR_OBJECT_FIGURE) { /* it lies, its feet at the figure's */
        s.w = 0.9F * o->w;
        s.h = 0.75F * o->h;
        s.angle = l->x > 0 ? 1.2F : -1.2F;
        const gr_point feet = gr_object_outward(&s, 0, 0.96F);
        s.x += o->x - feet.x;
        s.y += o->y + 0.48F * o->h - feet.y;
    } else if (l->on_floor) {
        s.h = 0.42F * o->h;
        s.angle = 0;
        s.x = o->x + l->x * 0.9F * o->w;
        s.y = o->y + o->h / 2 - s.h / 2 + 0.02F * o->h;
    } else {
        s.x = o->x + l->x * size;
        s.y = o->y + l->y * size;
    }
    return s;
}

static gr_object draw_caster(composer *c, float size)
{
    gr_object o = chance(c, 0.15) ? gr_compose_figure(c, 1.3F * size, false) : gr_compose_any(c, size);
    for (int i = 0; i < 40 && o.kind == GR_OBJECT_SHAPE && o.material == GR_MATERIAL_GLASS; i++)
        o = gr_compose_any(c, size);
    return o;
}

static void put_caster(composer *c, gr_object *o, const light *l)
{
    float area[4];
    gr_compose_whole(c, area);
    if (l->on_floor)
        o->angle = 0;
    group g = { .n = 2, .at = { shadow_of(o, l), *o } };
    gr_compose_put_group(c, &g, area, 3);
}

/* It reaches into the picture from one side, as much as two thirds. */
static void put_stray(composer *c, const light *l, float size)
{
    gr_object o = draw_caster(c, size), s;
    s = shadow_of(&o, l);
    s.of = -1;
    float b[4];
    gr_compose_centre(&s, 0, 0);
    gr_object_bounds(&s, b);
    const float w = b[2] - b[0], y = between(c, 0.2F, 0.8F) * (float)c->s->height;
    const float x = l->x > 0 ? 0.2F * w : (float)c->s->width - 0.2F * w;
    float at[4] = { x - w / 2, y - b[3], x + w / 2, y + b[3] }, fx, fy;
    if (!gr_compose_find(c, at, at[2] - at[0], at[3] - at[1], 3, &fx, &fy))
        return;
    gr_compose_centre(&s, fx, fy);
    gr_compose_add(c, &s);
}

void gr_compose_shadows(composer *c)
{
    gr_scene *s = c->s;
    do
        gr_compose_backdrop(c, true);
    while (s->backdrop_colours[0] == GR_COLOUR_BLACK || s->backdrop_colours[1] == GR_COLOUR_BLACK ||
           s->backdrop_colours[0] == GR_COLOUR_BROWN || s->backdrop_colours[1] == GR_COLOUR_BROWN);
    s->backdrop_seed &= ~1U; /* pale: shadows are seen */
    const float way = chance(c, 0.5) ? 1 : -1;
    light l;
    l.x = way * between(c, 0.4F, 0.65F);
    l.y = between(c, 0.05F, 0.4F);
    l.on_floor = chance(c, 0.5);
    const float side = (float)(s->width < s->height ? s->width : s->height);
    const int n = 2 + below(c, side < 150 ? 2 : 4);
    for (int i = 0; i < n; i++) {
        gr_object o = draw_caster(c, larger(26, side * between(c, 0.16F, 0.34F)));
        put_caster(c, &o, &l);
    }
    if (chance(c, 0.6)) { /* as dark as a shadow */
        gr_object dark = gr_compose_shape(c, larger(26, side * between(c, 0.16F, 0.28F)));
        dark.colour = GR_COLOUR_BLACK;
        dark.material = GR_MATERIAL_PLASTIC;
        dark.pattern = GR_PATTERN_PLAIN;
        if (c->split == GR_SPLIT_TEST ||
            !gr_combination_is_held_out(dark.shape, dark.colour, dark.material, dark.pattern))
            put_caster(c, &dark, &l);
    }
    if (chance(c, 0.35))
        put_stray(c, &l, larger(30, side * between(c, 0.2F, 0.35F)));
    gr_compose_state_plain(c, 4);
}
