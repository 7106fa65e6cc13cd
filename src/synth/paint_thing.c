/* paint_thing.c - a thing: its drawing in the emoji font, at any size and turn. */
#include "synth/paint_internal.h"

#include <string.h>

#include <ft2build.h>
#include FT_FREETYPE_H

#include "base/alloc.h"

enum { LEVELS = 5 };

/* A drawing without its margins, and halved again and again; colours are multiplied by alpha. */
typedef struct {
    int n; /* levels; 0: not yet read */
    int w[LEVELS], h[LEVELS];
    uint8_t *bgra[LEVELS];
} drawing;

struct gr_paint_glyphs {
    gr_runtime *rt;
    FT_Library library;
    FT_Face face;
    drawing drawings[GR_THINGS];
};

gr_status gr_paint_glyphs_new(gr_paint_glyphs **out, gr_runtime *rt, const char *font, gr_error *err)
{
    *out = NULL;
    gr_paint_glyphs *g = gr_calloc(rt, 1, sizeof *g);
    if (!g || FT_Init_FreeType(&g->library)) {
        gr_free(rt, g);
        return gr_fail(err, GR_ERR_MEM, "no memory for the emoji font");
    }
    g->rt = rt;
    gr_status st = GR_OK;
    if (FT_New_Face(g->library, font, 0, &g->face)) {
        g->face = NULL;
        st = gr_fail(err, GR_ERR_IO,
                     "%s: cannot open it as a font (Debian: apt-get install fonts-noto-color-emoji)", font);
    } else if (!FT_HAS_COLOR(g->face) || FT_Select_Size(g->face, 0))
        st = gr_fail(err, GR_ERR_FORMAT, "%s: not a font of coloured pictures", font);
    if (st != GR_OK)
        gr_paint_glyphs_free(g);
    else
        *out = g;
    return st;
}

void gr_paint_glyphs_free(gr_paint_glyphs *g)
{
    if (!g)
        return;
    for (int i = 0; i < GR_THINGS; i++)
        for (int l = 0; l < g->drawings[i].n; l++)
            gr_free(g->rt, g->drawings[i].bgra[l]);
    if (g->face)
        FT_Done_Face(g->face);
    FT_Done_FreeType(g->library);
    gr_free(g->rt, g);
}

static void bounds_of(const FT_Bitmap *b, int box[4])
{
    box[0] = (int)b->width;
    box[1] = (int)b->rows;
    box[2] = box[3] = 0;
    for (int y = 0; y < (int)b->rows; y++)
        for (int x = 0; x < (int)b->width; x++)
            if (b->buffer[y * b->pitch + 4 * x + 3] >= 64) {
                box[0] = x < box[0] ? x : box[0];
                box[1] = y < box[1] ? y : box[1];
                box[2] = x + 1 > box[2] ? x + 1 : box[2];
                box[3] = y + 1 > box[3] ? y + 1 : box[3];
            }
}

static void halve(uint8_t *out, int w, int h, const uint8_t *in, int in_w, int in_h)
{
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            for (int k = 0; k < 4; k++) {
                const int x1 = 2 * x + 1 < in_w ? 2 * x + 1 : in_w - 1,
                          y1 = 2 * y + 1 < in_h ? 2 * y + 1 : in_h - 1;
                const int sum = in[4 * (2 * y * in_w + 2 * x) + k] + in[4 * (2 * y * in_w + x1) + k] +
                                in[4 * (y1 * in_w + 2 * x) + k] + in[4 * (y1 * in_w + x1) + k];
                out[4 * (y * w + x) + k] = (uint8_t)((sum + 2) / 4);
            }
}

static gr_status read_drawing(gr_paint_glyphs *g, int thing, gr_error *err)
{
    drawing *d = &g->drawings[thing];
    const gr_thing *t = gr_thing_at(thing);
    if (!FT_Get_Char_Index(g->face, t->code) || FT_Load_Char(g->face, t->code, FT_LOAD_COLOR) ||
        g->face->glyph->bitmap.pixel_mode != FT_PIXEL_MODE_BGRA)
        return gr_fail(err, GR_ERR_FORMAT, "the emoji font has no drawing of '%s' (U+%04X)", t->noun.word,
                       (unsigned)t->code);
    const FT_Bitmap *b = &g->face->glyph->bitmap;
    int box[4];
    bounds_of(b, box);
    if (box[2] <= box[0])
        return gr_fail(err, GR_ERR_FORMAT, "the emoji font's drawing of '%s' is empty", t->noun.word);
    int w = box[2] - box[0], h = box[3] - box[1];
    for (d->n = 0; d->n < LEVELS; d->n++) {
        uint8_t *out = gr_malloc(g->rt, (size_t)w * (size_t)h, 4);
        if (!out)
            return gr_fail(err, GR_ERR_MEM, "no memory for the drawing of '%s'", t->noun.word);
        if (d->n == 0)
            for (int y = 0; y < h; y++)
                memcpy(out + 4 * y * w, b->buffer + (box[1] + y) * b->pitch + 4 * box[0], 4 * (size_t)w);
        else
            halve(out, w, h, d->bgra[d->n - 1], d->w[d->n - 1], d->h[d->n - 1]);
        d->bgra[d->n] = out;
        d->w[d->n] = w;
        d->h[d->n] = h;
        w = (w + 1) / 2;
        h = (h + 1) / 2;
    }
    return GR_OK;
}

/* Between four pixels; outside all is transparent. */
static void sample(const drawing *d, int level, float x, float y, float out[4])
{
    const int w = d->w[level], h = d->h[level];
    const int ix = (int)(x + 1) - 1, iy = (int)(y + 1) - 1; /* floor, from -1 on */
    const float fx = x - (float)ix, fy = y - (float)iy;
    out[0] = out[1] = out[2] = out[3] = 0;
    for (int k = 0; k < 4; k++) {
        const int px = ix + (k & 1), py = iy + (k >> 1);
        if (px < 0 || py < 0 || px >= w || py >= h)
            continue;
        const float weight = (k & 1 ? fx : 1 - fx) * (k >> 1 ? fy : 1 - fy);
        const uint8_t *p = d->bgra[level] + 4 * (py * w + px);
        for (int c = 0; c < 4; c++)
            out[c] += weight * (float)p[c];
    }
}

gr_status gr_paint_thing(gr_painter *p, const gr_object *o, gr_error *err)
{
    const drawing *d = &p->glyphs->drawings[o->thing];
    if (d->n < LEVELS)
        GR_TRY(read_drawing(p->glyphs, o->thing, err));
    GR_TRY(gr_paint_sprite_begin(p, o, err));
    int level = 0;
    while (level + 1 < LEVELS && (float)d->w[level] > 1.5F * o->w)
        level++;
    const gr_paint_sprite *s = &p->sprite;
    const gr_point origin = gr_object_inward(o, (float)s->x0 + 0.5F, (float)s->y0 + 0.5F);
    const gr_point right = gr_object_inward(o, (float)s->x0 + 1.5F, (float)s->y0 + 0.5F);
    const gr_point down = gr_object_inward(o, (float)s->x0 + 0.5F, (float)s->y0 + 1.5F);
    for (int y = 0; y < s->h; y++)
        for (int x = 0; x < s->w; x++) {
            const float fx = (float)x, fy = (float)y;
            const float u = origin.x + fx * (right.x - origin.x) + fy * (down.x - origin.x);
            const float v = origin.y + fx * (right.y - origin.y) + fy * (down.y - origin.y);
            const float gx = (u + 1) / 2 * (float)d->w[level] - 0.5F,
                        gy = (v + 1) / 2 * (float)d->h[level] - 0.5F;
            if (gx <= -1 || gy <= -1 || gx >= (float)d->w[level] || gy >= (float)d->h[level])
                continue;
            float bgra[4];
            sample(d, level, gx, gy, bgra);
            if (bgra[3] < 0.5F)
                continue;
            const size_t at = (size_t)y * (size_t)s->w + (size_t)x;
            const float scale = 255 / bgra[3];
            s->coverage[at] = (uint8_t)(bgra[3] + 0.5F);
            s->colour[at] = (gr_paint_colour){ bgra[2] * scale, bgra[1] * scale, bgra[0] * scale, 1 };
        }
    return GR_OK;
}
