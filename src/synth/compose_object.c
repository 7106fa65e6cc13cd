/* compose_object.c - how a single object looks. */
#include "synth/compose_internal.h"

#include "base/mathx.h"

static float distance2(gr_rgb a, const float b[3])
{
    const float r = a.r - b[0], g = a.g - b[1], l = a.b - b[2];
    return r * r + g * g + l * l;
}

/* Seen against both colours of the backdrop. */
static bool stands_out(const composer *c, gr_colour colour)
{
    for (int i = 0; i < 2; i++) {
        float rgb[3];
        gr_backdrop_rgb(c->s, i, rgb);
        if (distance2(gr_colour_rgb(colour), rgb) < 88.0F * 88.0F)
            return false;
    }
    return true;
}

static gr_colour draw_colour(composer *c)
{
    gr_colour colour = (gr_colour)below(c, GR_COLOURS);
    for (int i = 0; i < 100 && !stands_out(c, colour); i++)
        colour = (gr_colour)below(c, GR_COLOURS);
    return colour;
}

static gr_colour draw_second(composer *c, gr_colour first)
{
    const gr_rgb a = gr_colour_rgb(first);
    const float rgb[3] = { a.r, a.g, a.b };
    gr_colour second = first;
    for (int i = 0; i < 100 && distance2(gr_colour_rgb(second), rgb) < 120.0F * 120.0F; i++)
        second = (gr_colour)below(c, GR_COLOURS);
    return second;
}

/* Glass shows what is behind it, so its own colour has to be one that is seen through it. */
static bool looks_exist(const gr_object *o)
{
    if (o->material != GR_MATERIAL_GLASS)
        return true;
    return o->colour != GR_COLOUR_BLACK && o->colour != GR_COLOUR_GREY && o->colour != GR_COLOUR_WHITE;
}

static void draw_looks(composer *c, gr_object *o)
{
    o->colour = draw_colour(c);
    o->material = (gr_material)below(c, GR_MATERIALS);
    o->pattern = chance(c, 0.4) ? GR_PATTERN_PLAIN : (gr_pattern)(1 + below(c, GR_PATTERNS - 1));
}

void gr_compose_looks(composer *c, gr_object *o)
{
    /* In tests one object in four is of a combination that training has not seen. */
    const bool want_held_out = c->split == GR_SPLIT_TEST && chance(c, 0.25);
    const bool tiny = smaller(o->w, o->h) < GR_COMPOSE_PLAIN_BELOW;
    for (int i = 0; i < 400; i++) {
        draw_looks(c, o);
        if (tiny) {
            o->material = GR_MATERIAL_PLASTIC;
            o->pattern = GR_PATTERN_PLAIN;
        }
        const bool held_out = gr_combination_is_held_out(o->shape, o->colour, o->material, o->pattern);
        if (looks_exist(o) &&
            (want_held_out && i < 100 && !tiny ? held_out : c->split == GR_SPLIT_TEST || !held_out))
            break;
    }
    o->second = draw_second(c, o->colour);
}

gr_object gr_compose_blank(composer *c, gr_object_kind kind)
{
    gr_object o = {
        .kind = kind, .entity = GR_ENTITY, .of = -1, .frame = -1, .thing = -1, .row = -1, .col = -1
    };
    o.seed = (uint32_t)(gr_draw_unit(&c->d) * 4294967296.0);
    return o;
}

/* How far a shape may be turned, in degrees, before another word fits better: a square is no diamond. */
static float most_turned(gr_shape_kind shape)
{
    switch (shape) {
    case GR_SHAPE_SQUARE:
    case GR_SHAPE_DIAMOND:
    case GR_SHAPE_CROSS:
        return 12;
    case GR_SHAPE_HEART:
        return 30;
    default:
        return 180;
    }
}

static void draw_form(composer *c, gr_object *o, float size)
{
    float aspect = gr_outline_aspect(o->shape);
    if (o->shape == GR_SHAPE_OVAL)
        aspect = between(c, 1.45F, 1.9F);
    else if (o->shape == GR_SHAPE_RECTANGLE)
        aspect = between(c, 1.5F, 2.3F);
    o->w = aspect >= 1 ? size : size * aspect;
    o->h = aspect >= 1 ? size / aspect : size;
    const float most = most_turned(o->shape);
    if (chance(c, 0.6))
        o->angle = between(c, -most, most) * 0.01745329F;
}

gr_object gr_compose_shape_of(composer *c, gr_shape_kind shape, float size)
{
    gr_object o = gr_compose_blank(c, GR_OBJECT_SHAPE);
    o.shape = shape;
    draw_form(c, &o, size);
    gr_compose_looks(c, &o);
    return o;
}

gr_object gr_compose_shape(composer *c, float size)
{
    return gr_compose_shape_of(c, (gr_shape_kind)below(c, GR_SHAPES), size);
}

void gr_compose_resize(gr_object *o, float size)
{
    const float factor = size / larger(o->w, o->h);
    o->w *= factor;
    o->h *= factor;
}

gr_object gr_compose_thing(composer *c, unsigned can, float size)
{
    gr_object o = gr_compose_blank(c, GR_OBJECT_THING);
    do
        o.thing = below(c, GR_THINGS);
    while ((gr_thing_at(o.thing)->can & can) != can);
    o.w = gr_thing_at(o.thing)->aspect;
    o.h = 1;
    gr_compose_resize(&o, size);
    return o;
}

gr_object gr_compose_figure(composer *c, float height, bool arms_out)
{
    gr_object o = gr_compose_blank(c, GR_OBJECT_FIGURE);
    o.h = height;
    o.w = height * (arms_out ? 0.98F : 0.44F);
    o.colour = draw_colour(c);
    o.second = o.colour;
    return o;
}

gr_object gr_compose_any(composer *c, float size)
{
    return chance(c, 2.0 / 3) ? gr_compose_shape(c, size) : gr_compose_thing(c, 0, size);
}

gr_object gr_compose_twin(composer *c, const gr_object *o)
{
    if (o->kind != GR_OBJECT_SHAPE) {
        gr_object twin = *o;
        twin.seed = gr_compose_blank(c, o->kind).seed;
        if (o->kind == GR_OBJECT_FIGURE)
            twin.colour = draw_colour(c);
        else if (chance(c, 0.5))
            twin.mirrored = !o->mirrored;
        return twin;
    }
    const float size = larger(o->w, o->h);
    for (int i = 0; i < 40; i++) {
        gr_object twin = chance(c, 0.3) ? gr_compose_shape(c, size) : *o;
        const gr_object other = gr_compose_shape_of(c, twin.shape, size);
        twin.seed = other.seed;
        const int change = below(c, 3);
        if (twin.shape != o->shape) { /* another shape of the same looks */
            twin.colour = o->colour;
            twin.second = o->second;
            twin.material = o->material;
            twin.pattern = o->pattern;
        } else if (change == 0) {
            twin.colour = other.colour;
            twin.second = draw_second(c, twin.colour);
        } else if (change == 1) {
            twin.material = other.material;
        } else {
            twin.pattern = other.pattern;
        }
        const bool held_out =
            gr_combination_is_held_out(twin.shape, twin.colour, twin.material, twin.pattern);
        const bool differs = twin.shape != o->shape || twin.colour != o->colour ||
                             twin.material != o->material || twin.pattern != o->pattern;
        const bool tiny = smaller(twin.w, twin.h) < GR_COMPOSE_PLAIN_BELOW &&
                          (twin.material != GR_MATERIAL_PLASTIC || twin.pattern != GR_PATTERN_PLAIN);
        if (differs && !tiny && looks_exist(&twin) && (c->split == GR_SPLIT_TEST || !held_out))
            return twin;
    }
    return gr_compose_shape_of(c, o->shape, size);
}
