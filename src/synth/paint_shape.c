/* paint_shape.c - a shape: coverage by cairo, colour by what it is made of. */
#include "synth/paint_internal.h"

#include <string.h>

#include <cairo.h>

#include "base/alloc.h"

static int floor_of(float v)
{
    const int i = (int)v;
    return (float)i > v ? i - 1 : i;
}

gr_status gr_paint_sprite_begin(gr_painter *p, const gr_object *o, gr_error *err)
{
    gr_paint_sprite *s = &p->sprite;
    float b[4];
    gr_object_bounds(o, b);
    s->x0 = floor_of(b[0]) - 1;
    s->y0 = floor_of(b[1]) - 1;
    s->w = floor_of(b[2]) + 2 - s->x0;
    s->h = floor_of(b[3]) + 2 - s->y0;
    const size_t n = (size_t)s->w * (size_t)s->h;
    if (n > s->capacity) {
        gr_free(p->rt, s->coverage);
        gr_free(p->rt, s->edge);
        gr_free(p->rt, s->colour);
        s->coverage = gr_malloc(p->rt, n, 1);
        s->edge = gr_malloc(p->rt, n, 1);
        s->colour = gr_malloc(p->rt, n, sizeof *s->colour);
        s->capacity = s->coverage && s->edge && s->colour ? n : 0;
    }
    const size_t canvas = (size_t)cairo_format_stride_for_width(CAIRO_FORMAT_ARGB32, s->w) * (size_t)s->h;
    if (canvas > p->canvas_bytes) {
        gr_free(p->rt, p->canvas);
        p->canvas = gr_malloc(p->rt, canvas, 1);
        p->canvas_bytes = p->canvas ? canvas : 0;
    }
    if (!s->capacity || !p->canvas)
        return gr_fail(err, GR_ERR_MEM, "no memory to paint an object of %d x %d pixels", s->w, s->h);
    memset(s->coverage, 0, n);
    return GR_OK;
}

static void trace(cairo_t *c, const gr_outline *outline, const gr_object *o, const gr_paint_sprite *s)
{
    for (int i = 0; i < outline->n; i++) {
        const gr_point at = gr_object_outward(o, outline->at[i].x, outline->at[i].y);
        const double x = (double)(at.x - (float)s->x0), y = (double)(at.y - (float)s->y0);
        if (i == 0 || i == outline->second)
            cairo_move_to(c, x, y);
        else
            cairo_line_to(c, x, y);
        if (i + 1 == outline->second || i + 1 == outline->n)
            cairo_close_path(c);
    }
}

/* Fills the outline, or draws along it with a pen of `pen` pixels where that is above 0. */
static gr_status cover(gr_painter *p, uint8_t *out, const gr_object *o, double pen, gr_error *err)
{
    const gr_paint_sprite *s = &p->sprite;
    const int stride = cairo_format_stride_for_width(CAIRO_FORMAT_A8, s->w);
    gr_outline outline;
    gr_outline_make(&outline, o->shape);
    memset(p->canvas, 0, (size_t)stride * (size_t)s->h);
    cairo_surface_t *surface =
        cairo_image_surface_create_for_data(p->canvas, CAIRO_FORMAT_A8, s->w, s->h, stride);
    cairo_t *c = cairo_create(surface);
    cairo_set_fill_rule(c, CAIRO_FILL_RULE_EVEN_ODD);
    trace(c, &outline, o, s);
    if (pen > 0) {
        cairo_set_line_width(c, pen);
        cairo_stroke(c);
    } else
        cairo_fill(c);
    const cairo_status_t st = cairo_status(c);
    cairo_destroy(c);
    cairo_surface_flush(surface);
    cairo_surface_destroy(surface);
    for (int y = 0; y < s->h; y++)
        memcpy(out + (size_t)y * (size_t)s->w, (const uint8_t *)p->canvas + (size_t)y * (size_t)stride,
               (size_t)s->w);
    if (st != CAIRO_STATUS_SUCCESS)
        return gr_fail(err, GR_ERR_MEM, "cairo cannot draw an outline: %s", cairo_status_to_string(st));
    return GR_OK;
}

gr_status gr_paint_shape(gr_painter *p, const gr_object *o, gr_error *err)
{
    GR_TRY(gr_paint_sprite_begin(p, o, err));
    const float size = o->w < o->h ? o->w : o->h, pen = 0.05F * size;
    GR_TRY(cover(p, p->sprite.coverage, o, 0, err));
    GR_TRY(cover(p, p->sprite.edge, o, (double)(pen < 2 ? 2 : pen > 7 ? 7 : pen), err));
    gr_paint_stuff m;
    gr_paint_stuff_make(&m, o);
    const gr_paint_sprite *s = &p->sprite;
    const gr_point origin = gr_object_inward(o, (float)s->x0 + 0.5F, (float)s->y0 + 0.5F);
    const gr_point right = gr_object_inward(o, (float)s->x0 + 1.5F, (float)s->y0 + 0.5F);
    const gr_point down = gr_object_inward(o, (float)s->x0 + 0.5F, (float)s->y0 + 1.5F);
    for (int y = 0; y < s->h; y++)
        for (int x = 0; x < s->w; x++) {
            const size_t at = (size_t)y * (size_t)s->w + (size_t)x;
            if (!s->coverage[at])
                continue;
            const float fx = (float)x, fy = (float)y;
            const float u = origin.x + fx * (right.x - origin.x) + fy * (down.x - origin.x);
            const float v = origin.y + fx * (right.y - origin.y) + fy * (down.y - origin.y);
            s->colour[at] = gr_paint_stuff_at(&m, u, v, (float)s->edge[at] / 255);
        }
    return GR_OK;
}
