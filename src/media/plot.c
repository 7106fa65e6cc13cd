#include "media/plot.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/target.h"
#include "media/ticks.h"

/* The page, in points. */
enum { PAGE_WIDTH = 800, PAGE_HEIGHT = 640, LEFT = 60, RIGHT = 24, TOP = 34, BOTTOM = 50 };
enum { LINE_HEIGHT = 18, HEADING = 24, GAP = 18 };
#define COLUMN 0.5 /* a pixel of a PNG */
#define TEXT   256

static const gr_ink pale = { 0xe6e6ea, 1 }, axis = { 0x9a9aa4, 1 }, mark_ink = { 0x77777f, 1 };
static const gr_pen_type title_type = { 16, true, GR_PEN_LEFT, { 0x1c1c22, 1 } },
                         text_type = { 11, false, GR_PEN_LEFT, { 0x55555f, 1 } },
                         heading_type = { 11, true, GR_PEN_LEFT, { 0x33333b, 1 } },
                         tick_type = { 10, false, GR_PEN_LEFT, { 0x55555f, 1 } };

typedef struct {
    double lo, hi;
    gr_ticks ticks;
} scale;

typedef struct {
    gr_runtime *rt;
    const gr_plot *plot;
    gr_pen *pen;
    gr_pen_point *points; /* of one curve */
    double y;             /* where the next thing may stand */
    scale x;
} drawing;

/* --- texts --------------------------------------------------------------------------------------------- */

/* Bytes of the character at `text`, which no pen refuses; 0: it is none. */
static int character(const unsigned char *text)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    const unsigned char c = *text;
    const int n = c < 0x80                ? 1
                  : c >= 0xc2 && c < 0xe0 ? 2
                  : (c & 0xf0) == 0xe0    ? 3
                  : (c & 0xf8) == 0xf0    ? 4
                                          : 0;
    uint32_t code = n == 1 ? c : c & (0xffu >> (n + 1));
    for (int i = 1; i < n; i++) {
        if ((text[i] & 0xc0) != 0x80) /* also the closing zero */
            return 0;
        code = code << 6 | (text[i] & 0x3f);
    }
    const bool control = code < 0x20 || (code >= 0x7f && code < 0xa0);
    const bool none = (code >= 0xd800 && code < 0xe000) || (code & 0xfffe) == 0xfffe || code > 0x10ffff;
    return n == 0 || code < least[n] || control || none ? 0 : n;
}

void gr_pen_clean(char *out, size_t n, const char *text)
{
    size_t used = 0;
    while (*text) {
        const int bytes = character((const unsigned char *)text), take = bytes ? bytes : 1;
        if (used + (size_t)take >= n)
            break;
        memcpy(out + used, bytes ? text : "?", (size_t)take);
        used += (size_t)take;
        text += take;
    }
    out[used] = '\0';
}

/* A text cut to a width. */
static void put_text(drawing *d, double x, double y, double width, const gr_pen_type *type, const char *text)
{
    char clean[TEXT];
    gr_pen_clean(clean, sizeof clean - 4, text);
    size_t n = strlen(clean);
    while (n > 0 && d->pen->kind->text_width(d->pen, type, clean) > width) {
        do
            n--;
        while (n > 0 && (clean[n] & 0xc0) == 0x80);
        memcpy(clean + n, "...", 4);
    }
    if (clean[0])
        d->pen->kind->text(d->pen, (gr_pen_point){ x, y }, type, clean);
}

static void put_line(drawing *d, double x0, double y0, double x1, double y1, gr_pen_stroke stroke)
{
    const gr_pen_point at[2] = { { x0, y0 }, { x1, y1 } };
    d->pen->kind->line(d->pen, at, 2, &stroke);
}

/* --- places -------------------------------------------------------------------------------------------- */

static double share(const scale *s, double v)
{
    if (s->ticks.log)
        return (log(v) - log(s->lo)) / (log(s->hi) - log(s->lo));
    return (v - s->lo) / (s->hi - s->lo);
}

static double x_of(const drawing *d, double v)
{
    return LEFT + share(&d->x, v) * (PAGE_WIDTH - LEFT - RIGHT);
}

static double y_of(const gr_pen_box *b, const scale *s, double v)
{
    return b->y + (1 - share(s, v)) * b->height;
}

/* Takes the values into lo..hi; true when there was one. */
static bool extend(double *lo, double *hi, const double *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        *lo = fmin(*lo, v[i]);
        *hi = fmax(*hi, v[i]);
    }
    return n > 0;
}

static bool y_scale(scale *s, const gr_plot_panel *p, double height)
{
    const int most = height < 120 ? 5 : 8;
    double lo = INFINITY, hi = -INFINITY;
    bool any = false;
    for (size_t i = 0; i < p->n_series; i++)
        any |= extend(&lo, &hi, p->series[i].y, p->series[i].n);
    if (!any)
        return false;
    const bool is_log = p->log_from > 0 && lo > 0 && hi / lo >= p->log_from;
    gr_axis_fit(&lo, &hi, is_log);
    if (is_log)
        gr_ticks_log(&s->ticks, lo, hi, most);
    else
        gr_ticks_linear(&s->ticks, lo, hi, most, 0);
    s->lo = lo;
    s->hi = hi;
    return true;
}

static void x_scale(drawing *d)
{
    double lo = INFINITY, hi = -INFINITY;
    bool any = false;
    for (size_t k = 0; k < d->plot->n_panels; k++)
        for (size_t i = 0; i < d->plot->panels[k].n_series; i++)
            any |= extend(&lo, &hi, d->plot->panels[k].series[i].x, d->plot->panels[k].series[i].n);
    if (!any)
        lo = 0, hi = 1;
    if (lo >= 0 && lo < 0.1 * hi)
        lo = 0;
    const double room = hi > lo ? 0.01 * (hi - lo) : 1;
    d->x.lo = lo == 0 && hi > 0 ? 0 : lo - room;
    d->x.hi = hi + room;
    gr_ticks_linear(&d->x.ticks, d->x.lo, d->x.hi, 9, d->plot->x_whole ? 1 : 0);
}

/* --- curves -------------------------------------------------------------------------------------------- */

size_t gr_plot_thin(gr_pen_point *at, size_t n, double column)
{
    size_t kept = 0;
    for (size_t i = 0, end; i < n; i = end) {
        const double column_ends = (floor(at[i].x / column) + 1) * column;
        size_t lowest = i, highest = i;
        for (end = i + 1; end < n && at[end].x < column_ends; end++) {
            lowest = at[end].y < at[lowest].y ? end : lowest;
            highest = at[end].y > at[highest].y ? end : highest;
        }
        const size_t a = lowest < highest ? lowest : highest, b = lowest < highest ? highest : lowest;
        const size_t keep[] = { i, a, b, end - 1 };
        for (int k = 0; k < 4; k++)
            if (k == 0 || keep[k] > keep[k - 1])
                at[kept++] = at[keep[k]]; /* never ahead of what is read */
    }
    return kept;
}

static void put_dots(drawing *d, const gr_pen_point *at, size_t n, gr_ink ink)
{
    const gr_ink white = { 0xffffff, 1 };
    const double radius = n > 120 ? 1.8 : n > 40 ? 2.4 : 3.2;
    for (size_t i = 0; i < n; i++) {
        d->pen->kind->dot(d->pen, at[i], radius + 0.9, white); /* a rim that sets it off */
        d->pen->kind->dot(d->pen, at[i], radius, ink);
    }
}

static void put_series(drawing *d, const gr_pen_box *b, const scale *s, const gr_plot_series *v)
{
    for (size_t i = 0; i < v->n; i++)
        d->points[i] = (gr_pen_point){ x_of(d, v->x[i]), y_of(b, s, v->y[i]) };
    const size_t n = gr_plot_thin(d->points, v->n, COLUMN);
    const gr_pen_stroke stroke = { v->ink, v->width, 0 };
    if (v->mark != GR_PLOT_DOTS && n > 1) {
        d->pen->kind->clip(d->pen, b);
        d->pen->kind->line(d->pen, d->points, n, &stroke);
        d->pen->kind->unclip(d->pen);
    }
    if (v->mark != GR_PLOT_LINE || n == 1) /* one point is no line */
        put_dots(d, d->points, n, v->ink);
}

/* --- a panel ------------------------------------------------------------------------------------------- */

static void put_grid(drawing *d, const gr_pen_box *b, const scale *s)
{
    const double right = b->x + b->width, bottom = b->y + b->height;
    gr_pen_type type = tick_type;
    type.align = GR_PEN_RIGHT;
    for (int i = 0; i < d->x.ticks.n; i++) {
        const double x = x_of(d, d->x.ticks.at[i].value);
        put_line(d, x, b->y, x, bottom, (gr_pen_stroke){ pale, 0.75, 0 });
    }
    for (int i = 0; s && i < s->ticks.n; i++) {
        char label[GR_TICK_LABEL_MAX];
        const double y = y_of(b, s, s->ticks.at[i].value);
        put_line(d, b->x, y, right, y, (gr_pen_stroke){ pale, 0.75, 0 });
        gr_ticks_label(label, &s->ticks, i);
        put_text(d, b->x - 8, y + 3.5, LEFT - 10, &type, label);
    }
    put_line(d, b->x, bottom, right, bottom, (gr_pen_stroke){ axis, 1, 0 });
}

static void put_panel(drawing *d, const gr_plot_panel *p, double height)
{
    const gr_pen_box b = { LEFT, d->y + HEADING, PAGE_WIDTH - LEFT - RIGHT, height };
    scale s;
    char heading[TEXT];
    const bool any = y_scale(&s, p, height);
    snprintf(heading, sizeof heading, "%s%s", p->heading, any && s.ticks.log ? ", log scale" : "");
    put_text(d, LEFT, d->y + HEADING - 9, b.width, &heading_type, heading);
    put_grid(d, &b, any ? &s : NULL);
    gr_pen_type type = text_type;
    type.align = GR_PEN_MIDDLE;
    if (!any)
        put_text(d, b.x + b.width / 2, b.y + b.height / 2 + 4, b.width, &type, "no values");
    for (size_t i = 0; i < d->plot->n_marks; i++) {
        const double x = x_of(d, d->plot->marks[i]);
        if (x >= b.x && x <= b.x + b.width)
            put_line(d, x, b.y, x, b.y + height, (gr_pen_stroke){ mark_ink, 0.9, 3 });
    }
    for (size_t i = 0; i < p->n_series; i++)
        put_series(d, &b, &s, &p->series[i]);
    d->y = b.y + height;
}

/* --- around them --------------------------------------------------------------------------------------- */

static void put_key(drawing *d, const gr_plot_key *k, double x, double width)
{
    enum { SWATCH = 20 };
    const gr_plot_series *v = &k->like;
    const double y = d->y - 4;
    if (v->mark != GR_PLOT_DOTS)
        put_line(d, x, y, x + SWATCH, y, (gr_pen_stroke){ v->ink, v->width, k->dash });
    if (v->mark != GR_PLOT_LINE)
        put_dots(d, &(gr_pen_point){ x + SWATCH / 2.0, y }, 1, v->ink);
    put_text(d, x + SWATCH + 6, d->y, width - SWATCH - 6, &text_type, k->name);
}

/* From left to right, and on another line where one is full. */
static void put_legend(drawing *d)
{
    enum { BESIDES = 46 }; /* a swatch, and the space to the next */
    const double most = PAGE_WIDTH - LEFT - RIGHT;
    double x = LEFT;
    for (size_t i = 0; i < d->plot->n_keys; i++) {
        const gr_plot_key *k = &d->plot->keys[i];
        char clean[TEXT];
        gr_pen_clean(clean, sizeof clean, k->name);
        const double width = fmin(BESIDES + d->pen->kind->text_width(d->pen, &text_type, clean), most);
        if (x > LEFT && x + width - 20 > LEFT + most) {
            x = LEFT;
            d->y += LINE_HEIGHT;
        }
        put_key(d, k, x, most);
        x += width;
    }
    d->y += d->plot->n_keys ? 8 : 0;
}

static void put_head(drawing *d)
{
    const double most = PAGE_WIDTH - LEFT - RIGHT;
    d->y = TOP;
    put_text(d, LEFT, d->y, most, &title_type, d->plot->title);
    if (d->plot->subtitle) {
        d->y += LINE_HEIGHT;
        put_text(d, LEFT, d->y, most, &text_type, d->plot->subtitle);
    }
    d->y += LINE_HEIGHT + 4;
    put_legend(d);
}

static void put_foot(drawing *d)
{
    gr_pen_type type = tick_type;
    type.align = GR_PEN_MIDDLE;
    for (int i = 0; i < d->x.ticks.n; i++) {
        char label[GR_TICK_LABEL_MAX];
        gr_ticks_label(label, &d->x.ticks, i);
        put_text(d, x_of(d, d->x.ticks.at[i].value), d->y + 15, LEFT, &type, label);
    }
    type = heading_type;
    type.align = GR_PEN_MIDDLE;
    put_text(d, (LEFT + PAGE_WIDTH - RIGHT) / 2.0, d->y + 34, PAGE_WIDTH, &type, d->plot->x_label);
}

static void put_all(drawing *d)
{
    const gr_plot *p = d->plot;
    double shares = 0;
    x_scale(d);
    put_head(d);
    for (size_t i = 0; i < p->n_panels; i++)
        shares += p->panels[i].height;
    const double gaps = (double)p->n_panels * HEADING + (double)(p->n_panels - 1) * GAP;
    const double room = PAGE_HEIGHT - BOTTOM - d->y - gaps;
    for (size_t i = 0; i < p->n_panels; i++) {
        d->y += i ? GAP : 0;
        put_panel(d, &p->panels[i], room * p->panels[i].height / shares);
    }
    put_foot(d);
}

/* --- the file ------------------------------------------------------------------------------------------ */

typedef gr_status open_pen(gr_pen **, gr_runtime *, gr_file_writer *, const gr_pen_page *, gr_error *);

#ifdef GR_HAVE_CAIRO
#define OPEN_PNG gr_pen_open_png
#define OPEN_PDF gr_pen_open_pdf
#else
#define OPEN_PNG NULL
#define OPEN_PDF NULL
#endif

static const struct {
    const char *ending;
    open_pen *open;
} formats[] = { { ".svg", gr_pen_open_svg }, { ".png", OPEN_PNG }, { ".pdf", OPEN_PDF } };

static gr_status find_format(open_pen **open, const char *path, gr_error *err)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        const size_t n = strlen(path), m = strlen(formats[i].ending);
        if (n < m || strcmp(path + n - m, formats[i].ending) != 0)
            continue;
        *open = formats[i].open;
        return *open ? GR_OK
                     : gr_fail(err, GR_ERR_UNSUPPORTED,
                               "%s: this build was made without cairo and draws no %s; choose a name that "
                               "ends in .svg",
                               path, formats[i].ending);
    }
    return gr_fail(err, GR_ERR_ARG, "%s: a plot is written to a name that ends in .png, .svg or .pdf", path);
}

gr_status gr_plot_check(const char *path, gr_error *err)
{
    open_pen *open;
    GR_TRY(find_format(&open, path, err));
    return gr_target_check(path, err);
}

static gr_status draw_to(drawing *d, open_pen *open, gr_file_writer *to, gr_error *err)
{
    char title[TEXT];
    gr_pen_clean(title, sizeof title, d->plot->title);
    GR_TRY(open(&d->pen, d->rt, to, &(gr_pen_page){ PAGE_WIDTH, PAGE_HEIGHT, title }, err));
    put_all(d);
    return d->pen->kind->close(d->pen, err);
}

gr_status gr_plot_write(gr_runtime *rt, const gr_plot *plot, const char *path, gr_error *err)
{
    open_pen *open;
    gr_file_writer to;
    GR_TRY(gr_plot_check(path, err));
    GR_TRY(find_format(&open, path, err));
    drawing d = { .rt = rt, .plot = plot };
    size_t longest = 0;
    for (size_t k = 0; k < plot->n_panels; k++)
        for (size_t i = 0; i < plot->panels[k].n_series; i++)
            longest = plot->panels[k].series[i].n > longest ? plot->panels[k].series[i].n : longest;
    d.points = gr_malloc(rt, longest, sizeof *d.points);
    if (!d.points)
        return gr_fail(err, GR_ERR_MEM, "%s: no memory to draw curves of %zu points", path, longest);
    gr_error why = { 0 };
    gr_status st = gr_file_writer_open(&to, path, &why);
    if (st == GR_OK) {
        st = draw_to(&d, open, &to, &why);
        if (st == GR_OK)
            st = gr_file_writer_commit(&to, &why);
        else
            gr_file_writer_abort(&to);
    }
    gr_free(rt, d.points);
    return st == GR_OK ? GR_OK : gr_fail(err, st, "%s", why.msg);
}
