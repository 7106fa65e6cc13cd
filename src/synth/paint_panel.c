/* paint_panel.c - mirrors and screens, without what is seen in them. */
#include "synth/paint_internal.h"

static bool inside(const float b[4], float x, float y)
{
    return x >= b[0] && x < b[2] && y >= b[1] && y < b[3];
}

/* Pale, a little blue, with streaks of light from upper right to lower left. */
static gr_paint_colour mirror_at(float u, float v, const gr_object *o)
{
    const float t = u + 0.8F * v + 0.3F * gr_paint_hash(o->seed, 1, 1);
    const float streak = (t > 0.35F && t < 0.55F) || (t > 0.62F && t < 0.68F) ? 20 : 0;
    return (gr_paint_colour){ 176 + 22 * v + streak, 194 + 20 * v + streak, 206 + 18 * v + streak, 1 };
}

/* Lit, in one of a few colours. */
static gr_paint_colour screen_at(float u, float v, const gr_object *o)
{
    const float k = gr_paint_hash(o->seed, 1, 1);
    const float glow = 1 - 0.18F * (u * u + v * v);
    return (gr_paint_colour){ (170 + 70 * k) * glow, (205 + 35 * (1 - k)) * glow, 238 * glow, 1 };
}

gr_status gr_paint_panel(gr_painter *p, const gr_object *o, gr_error *err)
{
    GR_TRY(gr_paint_sprite_begin(p, o, err));
    gr_paint_sprite *s = &p->sprite;
    const bool screen = o->kind == GR_OBJECT_SCREEN;
    float glass[4];
    gr_panel_glass(o, glass);
    const float border = glass[0] - (o->x - o->w / 2), low = glass[3] + border;
    const float body[4] = { o->x - o->w / 2, o->y - o->h / 2, o->x + o->w / 2,
                            screen ? low : o->y + o->h / 2 };
    const float neck[4] = { o->x - 0.06F * o->w, body[3], o->x + 0.06F * o->w, o->y + o->h / 2 };
    const float foot[4] = { o->x - 0.22F * o->w, o->y + o->h / 2 - 0.05F * o->h, o->x + 0.22F * o->w,
                            o->y + o->h / 2 };
    const gr_rgb frame = gr_colour_rgb(o->colour);
    for (int y = 0; y < s->h; y++)
        for (int x = 0; x < s->w; x++) {
            const float fx = (float)(s->x0 + x) + 0.5F, fy = (float)(s->y0 + y) + 0.5F;
            const bool in =
                inside(body, fx, fy) || (screen && (inside(neck, fx, fy) || inside(foot, fx, fy)));
            if (!in)
                continue;
            const size_t at = (size_t)y * (size_t)s->w + (size_t)x;
            s->coverage[at] = 255;
            if (inside(glass, fx, fy)) {
                const float u = 2 * (fx - glass[0]) / (glass[2] - glass[0]) - 1;
                const float v = 2 * (fy - glass[1]) / (glass[3] - glass[1]) - 1;
                s->colour[at] = screen ? screen_at(u, v, o) : mirror_at(u, v, o);
            } else { /* lighter above and to the left */
                const float light = fx < glass[0] || fy < glass[1] ? 1.15F : 0.85F;
                s->colour[at] = (gr_paint_colour){ light * frame.r, light * frame.g, light * frame.b, 1 };
            }
        }
    return GR_OK;
}
