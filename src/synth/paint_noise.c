#include "synth/paint_internal.h"

#include "base/alloc.h"

float gr_paint_hash(uint32_t seed, int x, int y)
{
    uint32_t h = seed ^ (uint32_t)x * 0x9e3779b1U ^ (uint32_t)y * 0x85ebca77U;
    h = (h ^ h >> 15) * 0x2c1b3c6dU;
    h = (h ^ h >> 12) * 0x297a2d39U;
    h ^= h >> 15;
    return (float)(h >> 8) * 0x1p-24F;
}

static float smooth(float t) { return t * t * (3 - 2 * t); }

static int floor_of(float x)
{
    const int i = (int)x;
    return (float)i > x ? i - 1 : i;
}

float gr_paint_noise(uint32_t seed, float x, float y)
{
    const int ix = floor_of(x), iy = floor_of(y);
    const float u = smooth(x - (float)ix), v = smooth(y - (float)iy);
    const float a = gr_paint_hash(seed, ix, iy), b = gr_paint_hash(seed, ix + 1, iy);
    const float c = gr_paint_hash(seed, ix, iy + 1), d = gr_paint_hash(seed, ix + 1, iy + 1);
    const float top = a + u * (b - a), low = c + u * (d - c);
    return top + v * (low - top);
}

float *gr_paint_floats(gr_painter *p, size_t n)
{
    if (n > p->backdrop_floats) {
        gr_free(p->rt, p->backdrop);
        p->backdrop = gr_malloc(p->rt, n, sizeof *p->backdrop);
        p->backdrop_floats = p->backdrop ? n : 0;
    }
    return p->backdrop;
}
