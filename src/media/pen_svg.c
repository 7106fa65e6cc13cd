/* pen_svg.c - SVG 1.1: text stays text, so that it can be searched and read aloud, and needs no font here. */
#include "media/pen.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

typedef struct {
    gr_pen head;
    int clips;
} svg_pen;

static void put(gr_pen *p, const char *text) { gr_file_writer_add(p->out, text, strlen(text)); }

/* Hundredths are enough of a point. Not by printf, whose comma depends on the locale. */
static void put_number(gr_pen *p, double x)
{
    char text[32];
    const long long n = llround(fmin(fmax(x, -1e6), 1e6) * 100), whole = llabs(n) / 100,
                    rest = llabs(n) % 100;
    const char *sign = n < 0 ? "-" : "";
    if (rest == 0)
        snprintf(text, sizeof text, "%s%lld", sign, whole);
    else if (rest % 10 == 0)
        snprintf(text, sizeof text, "%s%lld.%lld", sign, whole, rest / 10);
    else
        snprintf(text, sizeof text, "%s%lld.%02lld", sign, whole, rest);
    put(p, text);
}

/* ` name="x"` */
static void put_attribute(gr_pen *p, const char *name, double x)
{
    put(p, " ");
    put(p, name);
    put(p, "=\"");
    put_number(p, x);
    put(p, "\"");
}

/* ` fill="#123456"`, and its opacity. */
static void put_ink(gr_pen *p, const char *what, gr_ink ink)
{
    char text[64];
    snprintf(text, sizeof text, " %s=\"#%06x\"", what, (unsigned)ink.rgb & 0xffffff);
    put(p, text);
    if (ink.alpha < 1) {
        snprintf(text, sizeof text, "%s-opacity", what);
        put_attribute(p, text, ink.alpha);
    }
}

static void put_box(gr_pen *p, const gr_pen_box *b)
{
    put(p, "<rect");
    put_attribute(p, "x", b->x);
    put_attribute(p, "y", b->y);
    put_attribute(p, "width", b->width);
    put_attribute(p, "height", b->height);
}

static void put_escaped(gr_pen *p, const char *text)
{
    for (; *text; text++)
        switch (*text) {
        case '&':
            put(p, "&amp;");
            break;
        case '<':
            put(p, "&lt;");
            break;
        case '>':
            put(p, "&gt;");
            break;
        default:
            gr_file_writer_add(p->out, text, 1);
        }
}

static void draw_line(gr_pen *p, const gr_pen_point *at, size_t n, const gr_pen_stroke *s)
{
    put(p, "<polyline fill=\"none\" stroke-linejoin=\"round\"");
    put_ink(p, "stroke", s->ink);
    put_attribute(p, "stroke-width", s->width);
    if (s->dash > 0)
        put_attribute(p, "stroke-dasharray", s->dash);
    put(p, " points=\"");
    for (size_t i = 0; i < n; i++) {
        put(p, i ? " " : "");
        put_number(p, at[i].x);
        put(p, ",");
        put_number(p, at[i].y);
    }
    put(p, "\"/>\n");
}

static void draw_area(gr_pen *p, const gr_pen_box *box, gr_ink ink)
{
    put_box(p, box);
    put_ink(p, "fill", ink);
    put(p, "/>\n");
}

static void draw_dot(gr_pen *p, gr_pen_point at, double radius, gr_ink ink)
{
    put(p, "<circle");
    put_attribute(p, "cx", at.x);
    put_attribute(p, "cy", at.y);
    put_attribute(p, "r", radius);
    put_ink(p, "fill", ink);
    put(p, "/>\n");
}

static void draw_text(gr_pen *p, gr_pen_point at, const gr_pen_type *type, const char *text)
{
    static const char *const anchors[] = { "", " text-anchor=\"middle\"", " text-anchor=\"end\"" };
    put(p, "<text");
    put_attribute(p, "x", at.x);
    put_attribute(p, "y", at.y);
    put_attribute(p, "font-size", type->size);
    put_ink(p, "fill", type->ink);
    put(p, type->bold ? " font-weight=\"bold\"" : "");
    put(p, anchors[type->align]);
    put(p, ">");
    put_escaped(p, text);
    put(p, "</text>\n");
}

/* Which font a reader has is not known here: a wide one is assumed, so that nothing overlaps. */
static double text_width(gr_pen *p, const gr_pen_type *type, const char *text)
{
    (void)p;
    double ems = 0;
    for (; *text; text++) {
        const unsigned char c = (unsigned char)*text;
        if ((c & 0xc0) == 0x80)
            continue; /* goes on with a character that is counted */
        ems += strchr("ijlI.,:;'|!()[] ", c)      ? 0.4
               : strchr("mwMW@%", c) || c >= 0xe0 ? 1
               : c < 'a'                          ? 0.67
                                                  : 0.62;
    }
    return ems * type->size * (type->bold ? 1.1 : 1);
}

static void clip(gr_pen *p, const gr_pen_box *box)
{
    svg_pen *s = (svg_pen *)p;
    char text[64];
    snprintf(text, sizeof text, "<clipPath id=\"clip%d\">", ++s->clips);
    put(p, text);
    put_box(p, box);
    snprintf(text, sizeof text, "/></clipPath>\n<g clip-path=\"url(#clip%d)\">\n", s->clips);
    put(p, text);
}

static void unclip(gr_pen *p) { put(p, "</g>\n"); }

static gr_status close_svg(gr_pen *p, gr_error *err)
{
    put(p, "</svg>\n");
    const gr_status st = gr_file_writer_status(p->out, err);
    gr_free(p->rt, p);
    return st;
}

static const gr_pen_kind svg = { draw_line,  draw_area, draw_dot, draw_text,
                                 text_width, clip,      unclip,   close_svg };

gr_status gr_pen_open_svg(gr_pen **out, gr_runtime *rt, gr_file_writer *to, const gr_pen_page *page,
                          gr_error *err)
{
    svg_pen *s = gr_calloc(rt, 1, sizeof *s);
    *out = NULL;
    if (!s)
        return gr_fail(err, GR_ERR_MEM, "no memory for a drawing");
    gr_pen *p = *out = &s->head;
    *p = (gr_pen){ &svg, rt, to };
    put(p, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\"");
    put_attribute(p, "width", page->width);
    put_attribute(p, "height", page->height);
    put(p, " viewBox=\"0 0 ");
    put_number(p, page->width);
    put(p, " ");
    put_number(p, page->height);
    put(p, "\" font-family=\"'DejaVu Sans', Verdana, sans-serif\">\n<title>");
    put_escaped(p, page->title);
    put(p, "</title>\n");
    draw_area(p, &(gr_pen_box){ 0, 0, page->width, page->height }, (gr_ink){ 0xffffff, 1 });
    return GR_OK;
}
