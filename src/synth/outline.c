#include "synth/outline.h"

#include "base/mathx.h"
#include "synth/vocabulary.h"

#define PI 3.14159265358979323846

enum { CURVE = 96 }; /* corners of a circle */

static void add(gr_outline *o, double x, double y)
{
    o->at[o->n].x = (float)x;
    o->at[o->n].y = (float)y;
    o->n++;
}

static void add_circle(gr_outline *o, double radius)
{
    for (int i = 0; i < CURVE; i++)
        add(o, radius * gr_cos(2 * PI * i / CURVE), radius * gr_sin(2 * PI * i / CURVE));
}

/* Corners on a circle, the first at the top; with `inner` below 1 every second one lies that far out. */
static void add_corners(gr_outline *o, int corners, double inner, double turn)
{
    for (int i = 0; i < corners; i++) {
        const double a = 2 * PI * i / corners - PI / 2 + turn, r = i & 1 ? inner : 1;
        add(o, r * gr_cos(a), r * gr_sin(a));
    }
}

static void add_heart(gr_outline *o)
{
    for (int i = 0; i < CURVE; i++) {
        const double t = 2 * PI * i / CURVE, s = gr_sin(t);
        add(o, 16 * s * s * s, -(13 * gr_cos(t) - 5 * gr_cos(2 * t) - 2 * gr_cos(3 * t) - gr_cos(4 * t)));
    }
}

static void add_cross(gr_outline *o)
{
    static const signed char corners[12][2] = { { -1, -3 }, { 1, -3 }, { 1, -1 },  { 3, -1 },
                                                { 3, 1 },   { 1, 1 },  { 1, 3 },   { -1, 3 },
                                                { -1, 1 },  { -3, 1 }, { -3, -1 }, { -1, -1 } };
    for (int i = 0; i < 12; i++)
        add(o, corners[i][0], corners[i][1]);
}

/* Width over height before it fills the box. */
static float fill_box(gr_outline *o)
{
    float x0 = o->at[0].x, x1 = x0, y0 = o->at[0].y, y1 = y0;
    for (int i = 1; i < o->n; i++) {
        const gr_point p = o->at[i];
        x0 = p.x < x0 ? p.x : x0;
        x1 = p.x > x1 ? p.x : x1;
        y0 = p.y < y0 ? p.y : y0;
        y1 = p.y > y1 ? p.y : y1;
    }
    for (int i = 0; i < o->n; i++) {
        o->at[i].x = (2 * o->at[i].x - x0 - x1) / (x1 - x0);
        o->at[i].y = (2 * o->at[i].y - y0 - y1) / (y1 - y0);
    }
    return (x1 - x0) / (y1 - y0);
}

static float make(gr_outline *o, gr_shape_kind shape)
{
    o->n = 0;
    o->second = GR_OUTLINE_MAX;
    switch (shape) {
    case GR_SHAPE_SQUARE:
    case GR_SHAPE_RECTANGLE:
        add(o, -1, -1);
        add(o, 1, -1);
        add(o, 1, 1);
        add(o, -1, 1);
        break;
    case GR_SHAPE_TRIANGLE:
        add_corners(o, 3, 1, 0);
        break;
    case GR_SHAPE_DIAMOND:
        add_corners(o, 4, 1, 0);
        break;
    case GR_SHAPE_PENTAGON:
        for (int i = 0; i < 5; i++)
            add(o, gr_cos(2 * PI * i / 5 - PI / 2), gr_sin(2 * PI * i / 5 - PI / 2));
        break;
    case GR_SHAPE_HEXAGON:
        for (int i = 0; i < 6; i++)
            add(o, gr_cos(2 * PI * i / 6), gr_sin(2 * PI * i / 6));
        break;
    case GR_SHAPE_STAR:
        add_corners(o, 10, 0.42, 0);
        break;
    case GR_SHAPE_CROSS:
        add_cross(o);
        break;
    case GR_SHAPE_HEART:
        add_heart(o);
        break;
    case GR_SHAPE_RING:
        add_circle(o, 1);
        o->second = o->n;
        add_circle(o, (double)GR_RING_HOLE);
        break;
    default: /* circle, oval */
        add_circle(o, 1);
    }
    if (o->second > o->n)
        o->second = o->n;
    return fill_box(o);
}

void gr_outline_make(gr_outline *out, gr_shape_kind shape) { make(out, shape); }

float gr_outline_aspect(gr_shape_kind shape)
{
    gr_outline o;
    const float natural = make(&o, shape);
    return shape == GR_SHAPE_OVAL        ? 1.6F
           : shape == GR_SHAPE_RECTANGLE ? 1.8F
           : shape == GR_SHAPE_DIAMOND   ? 0.72F
                                         : natural;
}

bool gr_outline_has(const gr_outline *o, float x, float y)
{
    bool in = false;
    for (int start = 0; start < o->n;) {
        const int end = start < o->second ? o->second : o->n;
        for (int i = start, k = end - 1; i < end; k = i++) {
            const gr_point a = o->at[i], b = o->at[k];
            if ((a.y > y) != (b.y > y) && x < (b.x - a.x) * (y - a.y) / (b.y - a.y) + a.x)
                in = !in;
        }
        start = end;
    }
    return in;
}

static float ring_area(const gr_point *at, int n)
{
    float twice = 0;
    for (int i = 0, k = n - 1; i < n; k = i++)
        twice += at[k].x * at[i].y - at[i].x * at[k].y;
    return (twice < 0 ? -twice : twice) / 2;
}

float gr_outline_area(const gr_outline *o)
{
    return (ring_area(o->at, o->second) - ring_area(o->at + o->second, o->n - o->second)) / 4;
}

gr_point gr_object_inward(const gr_object *o, float x, float y)
{
    const float c = (float)gr_cos((double)o->angle), s = (float)gr_sin((double)o->angle);
    const float dx = x - o->x, dy = y - o->y;
    const float u = 2 * (c * dx + s * dy) / o->w;
    return (gr_point){ o->mirrored ? -u : u, 2 * (c * dy - s * dx) / o->h };
}

gr_point gr_object_outward(const gr_object *o, float u, float v)
{
    const float c = (float)gr_cos((double)o->angle), s = (float)gr_sin((double)o->angle);
    const float a = (o->mirrored ? -u : u) * o->w / 2, b = v * o->h / 2;
    return (gr_point){ o->x + c * a - s * b, o->y + s * a + c * b };
}

static void corners_of(const gr_object *o, gr_outline *out)
{
    gr_outline_make(out, o->kind == GR_OBJECT_SHAPE ? o->shape : GR_SHAPE_SQUARE);
}

void gr_object_bounds(const gr_object *o, float box[4])
{
    gr_outline outline;
    corners_of(o, &outline);
    for (int i = 0; i < outline.second; i++) {
        const gr_point p = gr_object_outward(o, outline.at[i].x, outline.at[i].y);
        box[0] = i == 0 || p.x < box[0] ? p.x : box[0];
        box[1] = i == 0 || p.y < box[1] ? p.y : box[1];
        box[2] = i == 0 || p.x > box[2] ? p.x : box[2];
        box[3] = i == 0 || p.y > box[3] ? p.y : box[3];
    }
}

static bool takes(const gr_object *o, const gr_outline *outline, float u, float v)
{
    switch (o->kind) {
    case GR_OBJECT_SHAPE: /* a circle needs not all its corners */
        if (o->shape == GR_SHAPE_CIRCLE || o->shape == GR_SHAPE_OVAL)
            return u * u + v * v < 1;
        return gr_outline_has(outline, u, v);
    case GR_OBJECT_THING: { /* cells of 8 x 8 */
        const int x = (int)(4 * (u + 1)), y = (int)(4 * (v + 1));
        return x >= 0 && y >= 0 && x < 8 && y < 8 && gr_thing_at(o->thing)->cells >> (8 * y + x) & 1;
    }
    case GR_OBJECT_FIGURE:
        return u > -0.5F && u < 0.5F && v > -1 && v < 1;
    default:
        return u > -1 && u < 1 && v > -1 && v < 1;
    }
}

float gr_object_hidden(const gr_object *o, const gr_object *others, int n)
{
    enum { SIDE = 24 };
    gr_outline own, other;
    bool in[SIDE][SIDE], hidden[SIDE][SIDE] = { { false } };
    corners_of(o, &own);
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            in[y][x] = takes(o, &own, (2 * (float)x + 1) / SIDE - 1, (2 * (float)y + 1) / SIDE - 1);
    for (int i = 0; i < n; i++) {
        corners_of(&others[i], &other);
        /* From the one's coordinates to the other's is linear: three points tell all. */
        const gr_point corner = gr_object_outward(o, -1, -1), right = gr_object_outward(o, 1, -1),
                       down = gr_object_outward(o, -1, 1);
        const gr_point a = gr_object_inward(&others[i], corner.x, corner.y),
                       b = gr_object_inward(&others[i], right.x, right.y),
                       c = gr_object_inward(&others[i], down.x, down.y);
        for (int y = 0; y < SIDE; y++)
            for (int x = 0; x < SIDE; x++) {
                if (!in[y][x] || hidden[y][x])
                    continue;
                const float s = ((float)x + 0.5F) / SIDE, t = ((float)y + 0.5F) / SIDE;
                const float u = a.x + s * (b.x - a.x) + t * (c.x - a.x);
                const float v = a.y + s * (b.y - a.y) + t * (c.y - a.y);
                hidden[y][x] = u > -1 && u < 1 && v > -1 && v < 1 && takes(&others[i], &other, u, v);
            }
    }
    int all = 0, covered = 0;
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            all += in[y][x];
            covered += hidden[y][x];
        }
    return all ? (float)covered / (float)all : 0;
}

void gr_panel_glass(const gr_object *o, float box[4])
{
    const float border = 1.5F + 0.05F * (o->w < o->h ? o->w : o->h);
    box[0] = o->x - o->w / 2 + border;
    box[1] = o->y - o->h / 2 + border;
    box[2] = o->x + o->w / 2 - border;
    /* A screen stands on a foot. */
    box[3] = o->y + o->h / 2 - border - (o->kind == GR_OBJECT_SCREEN ? 0.16F * o->h : 0);
}
