#include "region/scribble.h"

#include <math.h>
#include <string.h>

#define MAX_TOUCHED ((double)((int64_t)1 << 33))

typedef struct {
    double lo, hi; /* empty when lo > hi */
} interval;

static void include_x(interval *i, double lo, double hi)
{
    i->lo = fmin(i->lo, lo);
    i->hi = fmax(i->hi, hi);
}

/* A row at height y through the disc around p. */
static void cut_disc(interval *i, const double p[2], double radius, double y)
{
    const double rest = radius * radius - (y - p[1]) * (y - p[1]);
    if (rest >= 0)
        include_x(i, p[0] - sqrt(rest), p[0] + sqrt(rest));
}

/* The same through the edge from a to b. */
static void cut_edge(interval *i, const double a[2], const double b[2], double y)
{
    if ((a[1] <= y) == (b[1] <= y))
        return;
    const double x = a[0] + (y - a[1]) / (b[1] - a[1]) * (b[0] - a[0]);
    include_x(i, x, x);
}

/* A stroke is convex, so that a row cuts it in one interval: discs at the ends and the rectangle between
 * them. */
static interval cut_stroke(const double a[2], const double b[2], double radius, double y)
{
    interval i = { INFINITY, -INFINITY };
    cut_disc(&i, a, radius, y);
    cut_disc(&i, b, radius, y);
    const double dx = b[0] - a[0], dy = b[1] - a[1], length = sqrt(dx * dx + dy * dy);
    if (length == 0)
        return i;
    const double nx = -dy / length * radius, ny = dx / length * radius;
    const double corner[4][2] = {
        { a[0] + nx, a[1] + ny }, { b[0] + nx, b[1] + ny }, { b[0] - nx, b[1] - ny }, { a[0] - nx, a[1] - ny }
    };
    for (int k = 0; k < 4; k++)
        cut_edge(&i, corner[k], corner[(k + 1) % 4], y);
    return i;
}

static double clamp(double v, double hi) { return v < 0 ? 0 : v > hi ? hi : v; }

static void draw_stroke(gr_mask *mask, const double a[2], const double b[2], double radius)
{
    const int y0 = (int)clamp(floor(fmin(a[1], b[1]) - radius), mask->height);
    const int y1 = (int)clamp(ceil(fmax(a[1], b[1]) + radius), mask->height);
    for (int y = y0; y < y1; y++) {
        const interval i = cut_stroke(a, b, radius, y + 0.5);
        if (i.lo > i.hi)
            continue;
        const int x0 = (int)clamp(ceil(i.lo - 0.5), mask->width),
                  x1 = (int)clamp(floor(i.hi - 0.5) + 1, mask->width);
        if (x0 < x1)
            memset(mask->data + (size_t)y * (size_t)mask->width + x0, 1, (size_t)(x1 - x0));
    }
}

gr_status gr_scribble_draw(gr_mask *mask, const double *xy, size_t n, double width_px, gr_error *err)
{
    const double radius = width_px / 2;
    double touched = 0;
    for (size_t k = 0; k + 1 < n || k == 0; k++) {
        const double *a = xy + 2 * k, *b = k + 1 < n ? a + 2 : a;
        const double w = clamp(fabs(a[0] - b[0]) + width_px, mask->width);
        const double h = clamp(fabs(a[1] - b[1]) + width_px, mask->height);
        touched += (w + 64) * h; /* a row costs something however short it is */
    }
    if (touched > MAX_TOUCHED)
        return gr_fail(err, GR_ERR_LIMIT, "a scribble of %zu points touches over %.0f pixels", n,
                       MAX_TOUCHED);
    for (size_t k = 0; k + 1 < n || k == 0; k++)
        draw_stroke(mask, xy + 2 * k, k + 1 < n ? xy + 2 * k + 2 : xy + 2 * k, radius);
    return GR_OK;
}
