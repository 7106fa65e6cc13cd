/* paint_figure.c - a person of few strokes. Its own coordinates: the height is 1, the middle 0, 0. */
#include "synth/paint_internal.h"

#include <string.h>

#include <cairo.h>

#define SHOULDER_X 0.105
#define SHOULDER_Y (-0.185)
#define REACH      0.35
#define WIDTH_OUT  0.98F /* of the box, with and without arms stretched: as compose makes it */
#define WIDTH_DOWN 0.44F

typedef struct {
    double r, g, b;
} ink;

static void set(cairo_t *c, ink i) { cairo_set_source_rgb(c, i.r, i.g, i.b); }

static void stroke(cairo_t *c, double x0, double y0, double x1, double y1, double pen)
{
    cairo_set_line_width(c, pen);
    cairo_move_to(c, x0, y0);
    cairo_line_to(c, x1, y1);
    cairo_stroke(c);
}

static void disc(cairo_t *c, double x, double y, double radius)
{
    cairo_arc(c, x, y, radius, 0, 6.283185307179586);
    cairo_fill(c);
}

static ink of_colour(gr_colour colour, uint32_t seed)
{
    const gr_rgb pure = gr_colour_rgb(colour);
    const double light = 0.93 + 0.12 * (double)gr_paint_hash(seed, 1, 1);
    const double r = pure.r * light / 255, g = pure.g * light / 255, b = pure.b * light / 255;
    return (ink){ r > 1 ? 1 : r, g > 1 ? 1 : g, b > 1 ? 1 : b };
}

static ink pick(const ink *of, int n, uint32_t seed, int which)
{
    return of[(int)((float)n * gr_paint_hash(seed, which, 2))];
}

typedef struct {
    double x, y; /* of the hand */
    bool points;
} arm;

static void draw_arm(cairo_t *c, double side, arm a, ink clothes, ink skin)
{
    set(c, clothes);
    stroke(c, side * SHOULDER_X, SHOULDER_Y, a.x, a.y, 0.07);
    set(c, skin);
    disc(c, a.x, a.y, 0.042);
    if (a.points) {
        const double dx = a.x - side * SHOULDER_X, dy = a.y - SHOULDER_Y, length = REACH;
        stroke(c, a.x, a.y, a.x + 0.085 * dx / length, a.y + 0.085 * dy / length, 0.03);
    }
}

static void draw_head(cairo_t *c, uint32_t seed, ink skin)
{
    static const ink hairs[] = {
        { 0.12, 0.09, 0.07 }, { 0.35, 0.2, 0.1 }, { 0.82, 0.62, 0.25 }, { 0.55, 0.55, 0.55 }
    };
    const double radius = (double)GR_FIGURE_HEAD, y = -0.5 + radius;
    set(c, skin);
    stroke(c, 0, y, 0, SHOULDER_Y, 0.07);
    disc(c, 0, y, radius);
    set(c, pick(hairs, 4, seed, 5));
    cairo_arc(c, 0, y, radius, 3.3, 6.12);
    cairo_fill(c);
    cairo_set_source_rgb(c, 0.1, 0.1, 0.1);
    disc(c, -0.045, y + 0.015, 0.016);
    disc(c, 0.045, y + 0.015, 0.016);
    cairo_set_line_width(c, 0.014);
    cairo_arc(c, 0, y + 0.035, 0.045, 0.5, 2.64);
    cairo_stroke(c);
}

static void draw(cairo_t *c, const gr_object *o, const arm arms[2])
{
    static const ink skins[] = {
        { 0.98, 0.82, 0.68 }, { 0.9, 0.7, 0.52 }, { 0.72, 0.5, 0.34 }, { 0.45, 0.3, 0.2 }
    };
    static const ink trousers[] = {
        { 0.15, 0.17, 0.3 }, { 0.2, 0.2, 0.2 }, { 0.36, 0.28, 0.2 }, { 0.3, 0.36, 0.42 }
    };
    const ink skin = pick(skins, 4, o->seed, 3), clothes = of_colour(o->colour, o->seed);
    cairo_set_line_cap(c, CAIRO_LINE_CAP_ROUND);
    cairo_set_line_join(c, CAIRO_LINE_JOIN_ROUND);
    set(c, pick(trousers, 4, o->seed, 4));
    stroke(c, -0.055, 0.12, -0.075, 0.45, 0.095);
    stroke(c, 0.055, 0.12, 0.075, 0.45, 0.095);
    draw_head(c, o->seed, skin);
    set(c, clothes);
    cairo_set_line_width(c, 0.05);
    cairo_move_to(c, -0.105, -0.205);
    cairo_line_to(c, 0.105, -0.205);
    cairo_line_to(c, 0.125, 0.145);
    cairo_line_to(c, -0.125, 0.145);
    cairo_close_path(c);
    cairo_fill_preserve(c);
    cairo_stroke(c);
    draw_arm(c, -1, arms[0], clothes, skin);
    draw_arm(c, 1, arms[1], clothes, skin);
}

/* One arm goes where the object of a relation is; true: one does. */
static bool pose(const gr_scene *s, int figure, arm arms[2])
{
    arms[0] = (arm){ -0.165, 0.1, false };
    arms[1] = (arm){ 0.165, 0.1, false };
    bool out = false;
    for (int i = 0; figure >= 0 && i < s->n_relations; i++) {
        const gr_scene_relation *r = &s->relations[i];
        if (r->subject != figure || (r->kind != GR_RELATION_HOLDING && r->kind != GR_RELATION_POINTING_AT))
            continue;
        const gr_object *f = &s->objects[figure], *o = &s->objects[r->object];
        const gr_point at = gr_object_inward(f, o->x, o->y);
        const double x = (double)(at.x * WIDTH_OUT / 2), y = (double)(at.y / 2);
        const int right = x > 0;
        const double dx = x - (right ? SHOULDER_X : -SHOULDER_X), dy = y - SHOULDER_Y;
        /* The square root by Newton: the length is between a tenth and a few heights. */
        double length = 1;
        for (int k = 0; k < 8; k++)
            length = (length + (dx * dx + dy * dy) / length) / 2;
        const double reach =
            length < REACH ? length : REACH - (r->kind == GR_RELATION_POINTING_AT ? 0.05 : 0);
        arms[right].x = (right ? SHOULDER_X : -SHOULDER_X) + dx * reach / length;
        arms[right].y = SHOULDER_Y + dy * reach / length;
        arms[right].points = r->kind == GR_RELATION_POINTING_AT;
        out = true;
    }
    return out;
}

static void take(gr_paint_sprite *s, const uint8_t *canvas, int stride)
{
    for (int y = 0; y < s->h; y++)
        for (int x = 0; x < s->w; x++) {
            uint32_t argb;
            memcpy(&argb, canvas + (size_t)y * (size_t)stride + 4 * (size_t)x, 4);
            const uint32_t a = argb >> 24;
            if (!a)
                continue;
            const size_t at = (size_t)y * (size_t)s->w + (size_t)x;
            const float scale = 255.0F / (float)a;
            s->coverage[at] = (uint8_t)a;
            s->colour[at] =
                (gr_paint_colour){ (float)(argb >> 16 & 255) * scale, (float)(argb >> 8 & 255) * scale,
                                   (float)(argb & 255) * scale, 1 };
        }
}

gr_status gr_paint_figure(gr_painter *p, const gr_scene *s, const gr_object *o, gr_error *err)
{
    arm arms[2];
    const bool out = pose(s, o->entity == GR_ENTITY ? (int)(o - s->objects) : o->of, arms);
    GR_TRY(gr_paint_sprite_begin(p, o, err));
    gr_paint_sprite *sprite = &p->sprite;
    const int stride = cairo_format_stride_for_width(CAIRO_FORMAT_ARGB32, sprite->w);
    memset(p->canvas, 0, (size_t)stride * (size_t)sprite->h);
    cairo_surface_t *surface =
        cairo_image_surface_create_for_data(p->canvas, CAIRO_FORMAT_ARGB32, sprite->w, sprite->h, stride);
    cairo_t *c = cairo_create(surface);
    cairo_translate(c, (double)(o->x - (float)sprite->x0), (double)(o->y - (float)sprite->y0));
    cairo_rotate(c, (double)o->angle);
    const double across = (double)(o->w / (out ? WIDTH_OUT : WIDTH_DOWN));
    cairo_scale(c, o->mirrored ? -across : across, (double)o->h);
    draw(c, o, arms);
    const cairo_status_t st = cairo_status(c);
    cairo_destroy(c);
    cairo_surface_flush(surface);
    cairo_surface_destroy(surface);
    take(sprite, p->canvas, stride);
    if (st != CAIRO_STATUS_SUCCESS)
        return gr_fail(err, GR_ERR_MEM, "cairo cannot draw a figure: %s", cairo_status_to_string(st));
    return GR_OK;
}
