/* paint_scene.c - object after object onto the backdrop, and who owns which pixel. */
#include "synth/paint_internal.h"

#include "base/alloc.h"

static gr_status make_sprite(gr_painter *p, const gr_scene *s, const gr_object *o, gr_error *err)
{
    switch (o->kind) {
    case GR_OBJECT_SHAPE:
        return gr_paint_shape(p, o, err);
    case GR_OBJECT_THING:
        return gr_paint_thing(p, o, err);
    case GR_OBJECT_FIGURE:
        return gr_paint_figure(p, s, o, err);
    default:
        return gr_paint_panel(p, o, err);
    }
}

/* What keeps an object from being seen where it is: the panel's border, the front of what it is in. */
typedef struct {
    float box[4];            /* nothing is seen outside it */
    const gr_object *around; /* NULL: in nothing */
} window;

static window window_of(const gr_scene *s, int i)
{
    window w = { { 0, 0, (float)s->width, (float)s->height }, NULL };
    if (s->objects[i].frame >= 0)
        gr_panel_glass(&s->objects[s->objects[i].frame], w.box);
    for (int r = 0; r < s->n_relations; r++) {
        const gr_scene_relation *relation = &s->relations[r];
        const gr_object *o = &s->objects[relation->object];
        if (relation->kind == GR_RELATION_INSIDE && relation->subject == i && o->kind == GR_OBJECT_THING &&
            gr_thing_at(o->thing)->can & GR_THING_CONTAINS)
            w.around = o;
    }
    return w;
}

static bool sees(const window *w, float x, float y)
{
    if (x < w->box[0] || y < w->box[1] || x >= w->box[2] || y >= w->box[3])
        return false;
    if (!w->around)
        return true;
    const gr_thing *t = gr_thing_at(w->around->thing);
    const gr_point at = gr_object_inward(w->around, x, y);
    const float v = (at.y + 1) / 2 - t->rim_y;
    if (v <= 0)
        return true;
    const float a = at.x / 2 / t->rim_w, b = v / t->rim_h;
    return a * a + b * b < 1;
}

/* How it looks where it is. */
static gr_paint_colour seen(const gr_object *o, gr_paint_colour c, int y)
{
    switch (o->entity) {
    case GR_SHADOW:
        return (gr_paint_colour){ 12, 12, 26, 0.52F };
    case GR_REFLECTION: /* the mirror's own colour over it */
        return (gr_paint_colour){ c.r + 0.2F * (196 - c.r), c.g + 0.2F * (212 - c.g),
                                  c.b + 0.2F * (224 - c.b), c.a };
    case GR_ON_SCREEN: { /* lit, in lines */
        const float line = y % 3 == 0 ? 0.78F : 1;
        return (gr_paint_colour){ line * (20 + 0.86F * c.r), line * (26 + 0.88F * c.g),
                                  line * (34 + 0.86F * c.b), c.a };
    }
    default:
        return c;
    }
}

static uint8_t over(uint8_t under, float colour, float part)
{
    const float v = (float)under + part * (colour - (float)under);
    return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v + 0.5F);
}

static void lay(const gr_painter *p, gr_scene *s, int i, gr_image *image, uint8_t *map)
{
    const gr_paint_sprite *sprite = &p->sprite;
    gr_object *o = &s->objects[i];
    const window w = window_of(s, i);
    o->whole = 0;
    for (int y = 0; y < sprite->h; y++)
        for (int x = 0; x < sprite->w; x++) {
            const size_t from = (size_t)y * (size_t)sprite->w + (size_t)x;
            const uint8_t coverage = sprite->coverage[from];
            if (!coverage)
                continue;
            o->whole += coverage >= 128;
            const int px = sprite->x0 + x, py = sprite->y0 + y;
            if (px < 0 || py < 0 || px >= s->width || py >= s->height ||
                !sees(&w, (float)px + 0.5F, (float)py + 0.5F))
                continue;
            const size_t to = (size_t)py * (size_t)s->width + (size_t)px;
            const gr_paint_colour c = seen(o, sprite->colour[from], py);
            const float part = c.a * (float)coverage / 255;
            uint8_t *pixel = image->pixels + 3 * to;
            pixel[0] = over(pixel[0], c.r, part);
            pixel[1] = over(pixel[1], c.g, part);
            pixel[2] = over(pixel[2], c.b, part);
            if (coverage >= 128)
                map[to] = (uint8_t)(i + 1);
        }
}

static void count(gr_scene *s, const uint8_t *map)
{
    for (int i = 0; i < s->n_objects; i++) {
        s->objects[i].visible = 0;
        for (int k = 0; k < 4; k++)
            s->objects[i].box[k] = 0;
    }
    for (int y = 0; y < s->height; y++)
        for (int x = 0; x < s->width; x++) {
            const uint8_t number = map[(size_t)y * (size_t)s->width + (size_t)x];
            if (!number)
                continue;
            gr_object *o = &s->objects[number - 1];
            if (o->visible++ == 0) {
                o->box[0] = x;
                o->box[1] = y;
                o->box[2] = x + 1;
            }
            o->box[0] = x < o->box[0] ? x : o->box[0];
            o->box[2] = x + 1 > o->box[2] ? x + 1 : o->box[2];
            o->box[3] = y + 1;
        }
}

static gr_status gr_paint_all(gr_painter *p, gr_scene *s, gr_image **image, uint8_t *map, gr_error *err)
{
    float *row = gr_paint_floats(p, (size_t)s->width);
    if (!row)
        return gr_fail(err, GR_ERR_MEM, "no memory for a row of %d pixels", s->width);
    gr_paint_backdrop(s, *image, row);
    for (int i = 0; i < s->n_objects; i++) {
        GR_TRY(make_sprite(p, s, &s->objects[i], err));
        lay(p, s, i, *image, map);
    }
    count(s, map);
    return gr_paint_finish(p, s, image, err);
}

gr_status gr_paint_scene(gr_painter *p, gr_runtime *rt, gr_scene *s, gr_image **picture, uint8_t **map,
                         gr_error *err)
{
    gr_image *image = NULL;
    GR_TRY(gr_image_new(&image, rt, s->width, s->height, 3, err));
    uint8_t *owners = gr_calloc(rt, (size_t)s->width * (size_t)s->height, 1);
    const gr_status st = owners ? gr_paint_all(p, s, &image, owners, err)
                                : gr_fail(err, GR_ERR_MEM, "no memory for the index map of a scene");
    if (st == GR_OK) {
        *picture = image;
        *map = owners;
        return GR_OK;
    }
    gr_image_free(image);
    gr_free(rt, owners);
    return st;
}
