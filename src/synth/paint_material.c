/* paint_material.c - what a shape is made of, and the pattern on it.
 *
 * The pattern picks one of two colours, the material changes its brightness, and light falls from the upper
 * left of the picture. */
#include "synth/paint_internal.h"

#include "base/mathx.h"

static float clamp(float v, float a, float b) { return v < a ? a : v > b ? b : v; }

/* The colour of that name, a little lighter or darker and of a slightly other hue. */
static void vary(float out[3], gr_colour colour, uint32_t seed)
{
    const gr_rgb pure = gr_colour_rgb(colour);
    const float bright = 0.93F + 0.14F * gr_paint_hash(seed, 1, (int)colour);
    const float p[3] = { pure.r, pure.g, pure.b };
    for (int k = 0; k < 3; k++)
        out[k] = clamp(p[k] * bright + 14 * (gr_paint_hash(seed, 2 + k, (int)colour) - 0.5F), 0, 255);
}

void gr_paint_stuff_make(gr_paint_stuff *m, const gr_object *o)
{
    *m = (gr_paint_stuff){ .seed = o->seed, .material = o->material, .pattern = o->pattern };
    vary(m->first, o->colour, o->seed);
    vary(m->second, o->second, o->seed);
    m->half_w = o->w / 2;
    m->half_h = o->h / 2;
    m->size_px = o->w < o->h ? o->w : o->h;
    m->period = clamp(m->size_px / (3.2F + 2.2F * gr_paint_hash(o->seed, 9, 0)), 7, 60);
    m->phase = gr_paint_hash(o->seed, 8, 0);
    m->sin = (float)gr_sin((double)o->angle);
    m->cos = (float)gr_cos((double)o->angle);
    m->flip = o->mirrored ? -1 : 1;
}

static float part_of(float v)
{
    const float whole = (float)(int)v;
    return v < whole ? v - whole + 1 : v - whole;
}

static bool is_odd(float v) { return part_of(v / 2) >= 0.5F; }

/* Whether the second colour is at (x, y), pixels in the object's own directions. */
static bool second_at(const gr_paint_stuff *m, float x, float y)
{
    const float p = m->period, u = x / p + m->phase + 64, v = y / p + 0.5F + 64;
    switch (m->pattern) {
    case GR_PATTERN_STRIPED:
        return part_of(u + (m->seed & 1 ? v : 0) * (m->seed & 2 ? 1.0F : -1.0F) + 64) < 0.5F;
    case GR_PATTERN_DOTTED: {
        const float a = part_of(u) - 0.5F, b = part_of(v + (is_odd(u) ? 0.5F : 0)) - 0.5F;
        return a * a + b * b < 0.3F * 0.3F;
    }
    case GR_PATTERN_CHECKED:
        return is_odd(1.6F * u) != is_odd(1.6F * v);
    case GR_PATTERN_ZIGZAG: {
        const float a = part_of(u);
        return part_of(v + (a < 0.5F ? a : 1 - a)) < 0.45F;
    }
    case GR_PATTERN_NET:
        return part_of(u + v) < 0.22F || part_of(u - v + 64) < 0.22F;
    default:
        return false;
    }
}

static float light_of(const gr_paint_stuff *m, float x, float y, float slope)
{
    switch (m->material) {
    case GR_MATERIAL_METAL: { /* bands of reflected light across */
        const float t = (float)gr_sin((double)(6.5F * (slope + m->phase)));
        return 0.93F + 0.28F * t * t * t + 0.2F * (float)gr_sin((double)(15 * slope + 3 * m->phase));
    }
    case GR_MATERIAL_WOOD: { /* rings, cut along */
        const float cell = clamp(0.16F * m->size_px, 5, 26);
        const float bend = gr_paint_noise(m->seed, x / (5 * cell), y / (1.4F * cell));
        const float ring = part_of(y / cell + 2.2F * bend + 64);
        const float fibre = gr_paint_noise(m->seed + 1, x / 9, y / 1.3F);
        return 1.09F - 0.42F * ring * ring + 0.16F * (fibre - 0.5F);
    }
    case GR_MATERIAL_STONE: {
        const float speckle = gr_paint_noise(m->seed, x / 1.5F, y / 1.5F);
        const float cloud = gr_paint_noise(m->seed + 1, x / 11, y / 11);
        const float spots = speckle > 0.72F ? 0.34F : speckle < 0.28F ? -0.42F : 0;
        return 1.0F + spots + 0.22F * (cloud - 0.5F) - 0.06F * slope;
    }
    case GR_MATERIAL_FABRIC: { /* threads over and under */
        const float thread = clamp(0.06F * m->size_px, 2, 5);
        const float u = x / thread + 128, v = y / thread + 128;
        const bool over = is_odd(u) != is_odd(v);
        const float a = part_of(over ? v : u) - 0.5F;
        return (over ? 1.1F : 0.9F) - 0.9F * a * a + 0.08F * (gr_paint_hash(m->seed, (int)u, (int)v) - 0.5F);
    }
    case GR_MATERIAL_GLASS:
        return 1.05F - 0.1F * slope;
    default: /* plastic */
        return 1.03F - 0.14F * slope;
    }
}

/* White light on top, 0..1. */
static float gloss_of(const gr_paint_stuff *m, float a, float b, float edge)
{
    switch (m->material) {
    case GR_MATERIAL_PLASTIC: { /* one soft spot */
        const float x = (a + 0.36F) / 0.3F, y = (b + 0.38F) / 0.22F, r = x * x + y * y;
        return r < 1 ? 0.62F * (1 - r) * (1 - r) : 0;
    }
    case GR_MATERIAL_METAL: { /* a sharp streak */
        const float t = (a + b + 0.42F) / 0.1F;
        return t * t < 1 ? 0.7F * (1 - t * t) : 0;
    }
    case GR_MATERIAL_GLASS: { /* two panes of light, and a bright rim */
        const float t = a + b;
        const float pane = (t > -0.75F && t < -0.5F) || (t > -0.42F && t < -0.34F) ? 0.5F : 0;
        const float rim = 0.75F * edge;
        return pane > rim ? pane : rim;
    }
    default:
        return 0;
    }
}

gr_paint_colour gr_paint_stuff_at(const gr_paint_stuff *m, float u, float v, float edge)
{
    const float x = u * m->half_w, y = v * m->half_h;
    const float *base = second_at(m, x, y) ? m->second : m->first;
    /* In the directions of the picture, in parts of the half size. */
    const float a = m->cos * m->flip * u - m->sin * v, b = m->sin * m->flip * u + m->cos * v;
    float light = light_of(m, x, y, 0.7F * (a + b));
    if (m->material != GR_MATERIAL_GLASS)
        light *= 1 - 0.38F * edge; /* a darker rim keeps it apart from others of its colour */
    const float gloss = gloss_of(m, a, b, edge);
    gr_paint_colour c = { base[0] * light, base[1] * light, base[2] * light, 1 };
    c.r += gloss * (255 - c.r);
    c.g += gloss * (255 - c.g);
    c.b += gloss * (255 - c.b);
    if (m->material == GR_MATERIAL_GLASS)
        c.a = clamp(0.62F + gloss, 0, 0.95F);
    return c;
}
