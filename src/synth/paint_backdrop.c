/* paint_backdrop.c - what is behind all objects. */
#include "synth/compose.h"
#include "synth/paint_internal.h"

static void mix(float out[3], const float a[3], const float b[3], float t)
{
    for (int k = 0; k < 3; k++)
        out[k] = a[k] + t * (b[k] - a[k]);
}

static uint8_t byte_of(float v) { return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v + 0.5F); }

static float smooth(float t) { return t * t * (3 - 2 * t); }

/* Adds one octave of noise along row y to row[0..w): lattice constant `cell` pixels. The lattice is drawn
 * once a cell, not once a pixel. */
static void add_octave(float *row, int w, uint32_t seed, float y, float cell, float weight)
{
    const float v = y / cell;
    const int iy = (int)v;
    const float fy = smooth(v - (float)iy), step = 1 / cell;
    int ix = 0;
    float u = 0, left = 0, right = 0;
    bool fresh = true;
    for (int x = 0; x < w; x++, u += step) {
        if (u >= 1) {
            u -= 1;
            ix++;
            fresh = true;
        }
        if (fresh) {
            const float a = gr_paint_hash(seed, ix, iy), b = gr_paint_hash(seed, ix, iy + 1);
            const float c = gr_paint_hash(seed, ix + 1, iy), d = gr_paint_hash(seed, ix + 1, iy + 1);
            left = a + fy * (b - a);
            right = c + fy * (d - c);
            fresh = false;
        }
        row[x] += weight * (left + smooth(u) * (right - left));
    }
}

static void fill_noise(float *row, int w, int y, uint32_t seed, float cell)
{
    for (int x = 0; x < w; x++)
        row[x] = 0;
    float weight = 0.5F;
    for (uint32_t octave = 0; octave < 4 && cell >= 1.5F; octave++, cell /= 2, weight /= 2)
        add_octave(row, w, seed + octave, (float)y, cell, weight);
}

static float clamp01(float t) { return t < 0 ? 0 : t > 1 ? 1 : t; }

/* Where the hill line is at column x, in parts of the height. */
static float hill_at(uint32_t seed, float x)
{
    return 0.42F + 0.2F * gr_paint_noise(seed, 3.2F * x, 0.5F) +
           0.05F * gr_paint_noise(seed + 1, 9 * x, 0.5F);
}

void gr_paint_backdrop(const gr_scene *s, gr_image *image, float *scratch)
{
    const uint32_t seed = s->backdrop_seed;
    const float w = (float)s->width, h = (float)s->height;
    const float longer = w > h ? w : h;
    float a[3], b[3], far[3];
    gr_backdrop_rgb(s, 0, a);
    gr_backdrop_rgb(s, 1, b);
    mix(far, a, b, 0.55F);
    const float edge = h * (0.55F + 0.25F * gr_paint_hash(seed, 1, 0));
    const float steep = 2 * gr_paint_hash(seed, 2, 0) - 1;
    for (int y = 0; y < s->height; y++) {
        fill_noise(scratch, s->width, y, seed ^ 0x51, s->backdrop == GR_BACKDROP_NOISE ? longer / 4 : 24);
        for (int x = 0; x < s->width; x++) {
            float rgb[3], light = 1;
            const float fx = (float)x / w, fy = (float)y / h, n = scratch[x] - 0.47F;
            switch (s->backdrop) {
            case GR_BACKDROP_GRADIENT:
                mix(rgb, a, b, clamp01(0.5F + (fy - 0.5F) + steep * (fx - 0.5F)));
                break;
            case GR_BACKDROP_NOISE:
                mix(rgb, a, b, smooth(clamp01(0.5F + 2.2F * n)));
                break;
            case GR_BACKDROP_ROOM:
                if ((float)y < edge) {
                    mix(rgb, a, b, 0);
                    light = (1 - 0.12F * fy) * (edge - (float)y < 0.03F * h ? 0.84F : 1) + 0.05F * n;
                } else {
                    mix(rgb, a, b, 1);
                    light = 0.9F + 0.1F * (fy - edge / h) + 0.14F * n;
                }
                break;
            case GR_BACKDROP_LANDSCAPE: {
                const float hill = hill_at(seed, fx);
                if (fy < hill) {
                    mix(rgb, a, b, 0);
                    light = 0.92F + 0.1F * fy / hill + 0.1F * n;
                } else if (fy < 0.62F + 0.03F * gr_paint_hash(seed, 3, 0)) {
                    mix(rgb, far, b, 0.4F);
                    light = 0.92F + 0.2F * n;
                } else {
                    mix(rgb, a, b, 1);
                    light = 0.96F + 0.1F * (fy - 0.62F) + 0.25F * n;
                }
                break;
            }
            default:
                mix(rgb, a, b, 0);
                light = 1 + 0.03F * n;
            }
            uint8_t *p = image->pixels + 3 * ((size_t)y * (size_t)s->width + (size_t)x);
            for (int k = 0; k < 3; k++)
                p[k] = byte_of(rgb[k] * light);
        }
    }
}
