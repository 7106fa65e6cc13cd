#include "region/polygon.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "region/mask.h"

#define FAR_AWAY  1e6
#define FIFTHS    5.0
#define MAX_STEPS ((int64_t)1 << 27)

static gr_status check_points(const double *xy, size_t n, gr_error *err)
{
    if (n < 1)
        return gr_fail(err, GR_ERR_ARG, "a polygon without points");
    for (size_t i = 0; i < 2 * n; i++)
        if (!(fabs(xy[i]) <= FAR_AWAY)) /* NaN too */
            return gr_fail(err, GR_ERR_ARG, "%s of polygon point %zu is %g, expected -1e6 to 1e6",
                           i % 2 ? "y" : "x", i / 2, xy[i]);
    return GR_OK;
}

/* --- as COCO ------------------------------------------------------------------------------------- */

/* The crossings of an outline with the middles of columns, as pixel numbers down the columns. */
typedef struct {
    gr_runtime *rt;
    int height, width;
    uint32_t *at;
    size_t n, capacity;
    bool has_last;
    int last_u, last_v; /* the outline's point before, in fifths */
} crossings;

/* The outline goes on to (u, v). A step across the middle of a column is a crossing. */
static bool walk_to(crossings *c, int u, int v)
{
    const int from_u = c->last_u, from_v = c->last_v;
    const bool moved = c->has_last && u != from_u;
    c->has_last = true;
    c->last_u = u;
    c->last_v = v;
    if (!moved)
        return true;
    const double x = ((double)(u < from_u ? u : u - 1) + 0.5) / FIFTHS - 0.5;
    if (floor(x) != x || x < 0 || x > c->width - 1)
        return true;
    double y = ((double)(v < from_v ? v : from_v) + 0.5) / FIFTHS - 0.5;
    y = ceil(y < 0 ? 0 : y > c->height ? c->height : y);
    if (!gr_grow(c->rt, &c->at, &c->capacity, c->n, c->n + 2, sizeof *c->at))
        return false;
    c->at[c->n++] = (uint32_t)x * (uint32_t)c->height + (uint32_t)y;
    return true;
}

/* One edge, end points included. Points are computed from the end with the smaller coordinate along the
 * longer side, so that an edge and its reverse give the same points. */
static bool walk_edge(crossings *c, int x0, int y0, int x1, int y1)
{
    const int dx = abs(x1 - x0), dy = abs(y1 - y0);
    const bool flat = dx >= dy, reverse = flat ? x0 > x1 : y0 > y1;
    const int xs = reverse ? x1 : x0, xe = reverse ? x0 : x1, ys = reverse ? y1 : y0, ye = reverse ? y0 : y1;
    const int n = flat ? dx : dy;
    const double slope = n == 0 ? 0 : flat ? (double)(ye - ys) / dx : (double)(xe - xs) / dy;
    for (int d = 0; d <= n; d++) {
        const int t = reverse ? n - d : d;
        const int u = flat ? t + xs : (int)(xs + slope * t + 0.5);
        const int v = flat ? (int)(ys + slope * t + 0.5) : t + ys;
        if (!walk_to(c, u, v))
            return false;
    }
    return true;
}

static int in_fifths(double v) { return (int)(FIFTHS * v + 0.5); } /* towards zero, as the original casts */

static int compare_u32(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* Sorted crossings are where runs change; two at one place cancel. */
static gr_status runs_between(gr_rle *out, crossings *c, gr_error *err)
{
    c->at[c->n++] = (uint32_t)c->height * (uint32_t)c->width; /* room for it was kept */
    qsort(c->at, c->n, sizeof *c->at, compare_u32);
    for (size_t i = c->n; i-- > 1;)
        c->at[i] -= c->at[i - 1];
    size_t m = 1;
    for (size_t i = 1; i < c->n; i++)
        if (c->at[i] > 0)
            c->at[m++] = c->at[i];
        else if (++i < c->n)
            c->at[m - 1] += c->at[i];
    return gr_rle_from_runs(out, c->rt, c->height, c->width, c->at, m, err);
}

gr_status gr_polygon_to_rle(gr_rle *out, gr_runtime *rt, int height, int width, const double *xy, size_t n,
                            gr_error *err)
{
    *out = (gr_rle){ 0 };
    GR_TRY(gr_mask_check_size("a mask", width, height, err));
    GR_TRY(check_points(xy, n, err));
    int64_t steps = 0;
    for (size_t i = 0; i < n; i++) {
        const double *a = xy + 2 * i, *b = xy + 2 * ((i + 1) % n);
        const int dx = abs(in_fifths(a[0]) - in_fifths(b[0])), dy = abs(in_fifths(a[1]) - in_fifths(b[1]));
        steps += (dx > dy ? dx : dy) + 1;
    }
    if (steps > MAX_STEPS)
        return gr_fail(err, GR_ERR_LIMIT,
                       "a polygon outline of %lld fifths of a pixel is over the limit of %lld",
                       (long long)steps, (long long)MAX_STEPS);
    crossings c = { .rt = rt, .height = height, .width = width };
    bool ok = gr_grow(rt, &c.at, &c.capacity, 0, 1, sizeof *c.at);
    for (size_t i = 0; i < n && ok; i++) {
        const double *a = xy + 2 * i, *b = xy + 2 * ((i + 1) % n);
        ok = walk_edge(&c, in_fifths(a[0]), in_fifths(a[1]), in_fifths(b[0]), in_fifths(b[1]));
    }
    const gr_status st = ok ? runs_between(out, &c, err)
                            : gr_fail(err, GR_ERR_MEM, "no memory for a polygon of %zu points", n);
    gr_free(rt, c.at);
    return st;
}

gr_status gr_coco_box_to_rle(gr_rle *out, gr_runtime *rt, int height, int width, const double xywh[4],
                             gr_error *err)
{
    const double x0 = xywh[0], y0 = xywh[1], x1 = x0 + xywh[2], y1 = y0 + xywh[3];
    const double ring[8] = { x0, y0, x0, y1, x1, y1, x1, y0 };
    return gr_polygon_to_rle(out, rt, height, width, ring, 4, err);
}

/* --- by pixel centres ---------------------------------------------------------------------------- */

/* Toggles, in every row whose centre the edge passes, the pixel from which on centres lie to the right of it.
 */
static void toggle_edge(uint8_t *toggles, int width, int height, const double a[2], const double b[2])
{
    const double *top = a[1] <= b[1] ? a : b, *bottom = a[1] <= b[1] ? b : a;
    const double first = ceil(top[1] - 0.5), end = ceil(bottom[1] - 0.5);
    const int y0 = first > 0 ? (int)first : 0, y1 = end < height ? (int)end : height;
    for (int y = y0; y < y1; y++) {
        const double x = top[0] + (y + 0.5 - top[1]) / (bottom[1] - top[1]) * (bottom[0] - top[0]);
        const double column = ceil(x - 0.5);
        if (column < width)
            toggles[(size_t)y * (size_t)width + (size_t)(column > 0 ? column : 0)] ^= 1;
    }
}

gr_status gr_polygon_even_odd(gr_mask *mask, const double *xy, const size_t *first, size_t n_rings,
                              gr_error *err)
{
    for (size_t r = 0; r < n_rings; r++)
        GR_TRY(check_points(xy + 2 * first[r], first[r + 1] - first[r], err));
    for (size_t r = 0; r < n_rings; r++)
        for (size_t i = first[r]; i < first[r + 1]; i++) {
            const size_t j = i + 1 < first[r + 1] ? i + 1 : first[r];
            toggle_edge(mask->data, mask->width, mask->height, xy + 2 * i, xy + 2 * j);
        }
    for (int y = 0; y < mask->height; y++) {
        uint8_t *row = mask->data + (size_t)y * (size_t)mask->width;
        for (int x = 1; x < mask->width; x++)
            row[x] ^= row[x - 1];
    }
    return GR_OK;
}
