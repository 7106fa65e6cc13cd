/* pen_cairo.c - PNG and PDF, through cairo. Text is cairo's simple kind, in whatever sans-serif font the
 * system has. */
#include "media/pen.h"

#include <cairo.h>
#include <cairo-pdf.h>
#include <string.h>

#include "base/alloc.h"

#define PIXELS_A_POINT 2

typedef struct {
    gr_pen head;
    cairo_t *c;
    cairo_surface_t *surface;
    bool is_png; /* written at the end, when all of it is drawn */
} cairo_pen;

static cairo_t *context(gr_pen *p) { return ((cairo_pen *)p)->c; }

static cairo_status_t write_bytes(void *user, const unsigned char *bytes, unsigned n)
{
    gr_file_writer *out = user;
    gr_file_writer_add(out, bytes, n);
    return out->cause ? CAIRO_STATUS_WRITE_ERROR : CAIRO_STATUS_SUCCESS;
}

static void use_ink(cairo_t *c, gr_ink ink)
{
    cairo_set_source_rgba(c, (ink.rgb >> 16 & 255) / 255.0, (ink.rgb >> 8 & 255) / 255.0,
                          (ink.rgb & 255) / 255.0, ink.alpha);
}

static void draw_line(gr_pen *p, const gr_pen_point *at, size_t n, const gr_pen_stroke *s)
{
    cairo_t *c = context(p);
    for (size_t i = 0; i < n; i++)
        cairo_line_to(c, at[i].x, at[i].y);
    use_ink(c, s->ink);
    cairo_set_line_width(c, s->width);
    cairo_set_line_join(c, CAIRO_LINE_JOIN_ROUND);
    cairo_set_dash(c, &s->dash, s->dash > 0, 0);
    cairo_stroke(c);
}

static void draw_area(gr_pen *p, const gr_pen_box *box, gr_ink ink)
{
    cairo_t *c = context(p);
    cairo_rectangle(c, box->x, box->y, box->width, box->height);
    use_ink(c, ink);
    cairo_fill(c);
}

static void draw_dot(gr_pen *p, gr_pen_point at, double radius, gr_ink ink)
{
    cairo_t *c = context(p);
    cairo_new_sub_path(c);
    cairo_arc(c, at.x, at.y, radius, 0, 6.283185307179586);
    use_ink(c, ink);
    cairo_fill(c);
}

static double text_width(gr_pen *p, const gr_pen_type *type, const char *text)
{
    cairo_t *c = context(p);
    cairo_text_extents_t e;
    cairo_select_font_face(c, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                           type->bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(c, type->size);
    cairo_text_extents(c, text, &e);
    return e.x_advance;
}

static void draw_text(gr_pen *p, gr_pen_point at, const gr_pen_type *type, const char *text)
{
    cairo_t *c = context(p);
    const double shift = text_width(p, type, text) * (double)type->align / 2; /* none, half, all of it */
    cairo_move_to(c, at.x - shift, at.y);
    use_ink(c, type->ink);
    cairo_show_text(c, text);
    cairo_new_path(c);
}

static void clip(gr_pen *p, const gr_pen_box *box)
{
    cairo_t *c = context(p);
    cairo_save(c);
    cairo_rectangle(c, box->x, box->y, box->width, box->height);
    cairo_clip(c);
}

static void unclip(gr_pen *p) { cairo_restore(context(p)); }

static gr_status close_cairo(gr_pen *p, gr_error *err)
{
    cairo_pen *k = (cairo_pen *)p;
    cairo_status_t status = cairo_status(k->c);
    if (status == CAIRO_STATUS_SUCCESS && k->is_png)
        status = cairo_surface_write_to_png_stream(k->surface, write_bytes, p->out);
    cairo_surface_finish(k->surface);
    if (status == CAIRO_STATUS_SUCCESS)
        status = cairo_surface_status(k->surface);
    cairo_destroy(k->c);
    cairo_surface_destroy(k->surface);
    gr_status st = gr_file_writer_status(p->out, err);
    if (st == GR_OK && status != CAIRO_STATUS_SUCCESS)
        st = gr_fail(err, status == CAIRO_STATUS_NO_MEMORY ? GR_ERR_MEM : GR_ERR_UNSUPPORTED,
                     "cannot draw: %s", cairo_status_to_string(status));
    gr_free(p->rt, p);
    return st;
}

static const gr_pen_kind kind = { draw_line,  draw_area, draw_dot, draw_text,
                                  text_width, clip,      unclip,   close_cairo };

/* Takes the surface. Letters are placed as they are designed, not by this machine's settings. */
static gr_status open_on(gr_pen **out, gr_runtime *rt, gr_file_writer *to, const gr_pen_page *page,
                         cairo_surface_t *surface, bool is_png, gr_error *err)
{
    cairo_pen *k = gr_calloc(rt, 1, sizeof *k);
    *out = NULL;
    if (!k) {
        cairo_surface_destroy(surface);
        return gr_fail(err, GR_ERR_MEM, "no memory for a drawing");
    }
    *k = (cairo_pen){ .head = { &kind, rt, to }, .surface = surface, .is_png = is_png };
    k->c = cairo_create(surface); /* never NULL; what is wrong with it, closing tells */
    cairo_font_options_t *letters = cairo_font_options_create();
    cairo_font_options_set_antialias(letters, CAIRO_ANTIALIAS_GRAY);
    cairo_font_options_set_hint_style(letters, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(letters, CAIRO_HINT_METRICS_OFF);
    cairo_set_font_options(k->c, letters);
    cairo_font_options_destroy(letters);
    if (is_png)
        cairo_scale(k->c, PIXELS_A_POINT, PIXELS_A_POINT);
    draw_area(&k->head, &(gr_pen_box){ 0, 0, page->width, page->height }, (gr_ink){ 0xffffff, 1 });
    *out = &k->head;
    return GR_OK;
}

gr_status gr_pen_open_png(gr_pen **out, gr_runtime *rt, gr_file_writer *to, const gr_pen_page *page,
                          gr_error *err)
{
    cairo_surface_t *s =
        cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)(page->width * PIXELS_A_POINT + 0.5),
                                   (int)(page->height * PIXELS_A_POINT + 0.5));
    return open_on(out, rt, to, page, s, true, err);
}

gr_status gr_pen_open_pdf(gr_pen **out, gr_runtime *rt, gr_file_writer *to, const gr_pen_page *page,
                          gr_error *err)
{
    cairo_surface_t *s = cairo_pdf_surface_create_for_stream(write_bytes, to, page->width, page->height);
    cairo_pdf_surface_set_metadata(s, CAIRO_PDF_METADATA_TITLE, page->title);
    return open_on(out, rt, to, page, s, false, err);
}
