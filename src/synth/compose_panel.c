/* compose_panel.c - mirrors and screens: what is seen in them, what it is of, and what only looks like it.
 *
 * An entity before a panel always reaches over the panel's border, so that it can be told from what is seen
 * in it. A reflection shows its original the other way round and a little smaller. */
#include "synth/compose_internal.h"

static gr_object draw_panel(composer *c, gr_object_kind kind)
{
    const gr_scene *s = c->s;
    const float w = (float)s->width, h = (float)s->height;
    gr_object o = gr_compose_blank(c, kind);
    o.w = w * between(c, 0.4F, 0.52F);
    o.h = kind == GR_OBJECT_MIRROR ? h * between(c, 0.6F, 0.85F)
                                   : smaller(0.85F * h, o.w * between(c, 0.75F, 0.9F));
    const float room = w - o.w;
    o.x = (chance(c, 0.5) ? between(c, 0.02F, 0.12F) : between(c, 0.88F, 0.98F)) * room + o.w / 2;
    o.y = between(c, 0.3F, 0.7F) * (h - o.h) + o.h / 2;
    o.colour = kind == GR_OBJECT_SCREEN ? GR_COLOUR_BLACK : chance(c, 0.5) ? GR_COLOUR_BROWN : GR_COLOUR_GREY;
    o.second = o.colour;
    return o;
}

/* What may be seen in a panel: not glass, which would show the panel. */
static gr_object draw_seen(composer *c, float size)
{
    gr_object o = gr_compose_any(c, size);
    for (int i = 0; i < 40 && o.kind == GR_OBJECT_SHAPE && o.material == GR_MATERIAL_GLASS; i++)
        o = gr_compose_any(c, size);
    return o;
}

static int put_image(composer *c, const gr_object *original, int of, int panel, gr_entity entity, float scale)
{
    float glass[4];
    gr_panel_glass(&c->s->objects[panel], glass);
    gr_object image = *original;
    image.entity = entity;
    image.of = of;
    image.frame = panel;
    gr_compose_resize(&image, larger(image.w, image.h) * scale);
    if (entity == GR_REFLECTION) {
        image.mirrored = !image.mirrored;
        image.angle = -image.angle;
        /* At about the height of the original. */
        float b[4];
        gr_object_bounds(&image, b);
        const float half = (b[3] - b[1]) / 2 + 0.1F * (glass[3] - glass[1]);
        const float band[4] = { glass[0], larger(glass[1], image.y - half), glass[2],
                                smaller(glass[3], image.y + half) };
        const int at = gr_compose_put(c, &image, band, 2);
        if (at >= 0)
            return at;
    }
    return gr_compose_put(c, &image, glass, 2);
}

/* An entity over the panel's border that hides nothing that is seen in it. */
static void put_before(composer *c, int panel, float size)
{
    const gr_object *p = &c->s->objects[panel];
    gr_object o = draw_seen(c, size);
    const float low = p->y + p->h / 2, half = o.h / 2;
    float area[4] = { larger(1, p->x - p->w / 2), low - half - 0.3F * o.h,
                      smaller((float)c->s->width - 1, p->x + p->w / 2),
                      smaller((float)c->s->height - 1, low + half + 0.2F * o.h) };
    float b[4];
    gr_object_bounds(&o, b);
    area[1] = larger(area[1], low - 0.75F * (b[3] - b[1]));
    gr_compose_put(c, &o, area, 2);
}

/* The part of the picture beside the panel. */
static void beside(const composer *c, int panel, float area[4])
{
    const gr_object *p = &c->s->objects[panel];
    gr_compose_whole(c, area);
    if (p->x < (float)c->s->width / 2)
        area[0] = p->x + p->w / 2 + 2;
    else
        area[2] = p->x - p->w / 2 - 2;
}

static void put_scene(composer *c, gr_object_kind kind, gr_entity entity)
{
    gr_scene *s = c->s;
    gr_compose_backdrop(c, true);
    const gr_object drawn = draw_panel(c, kind);
    const int panel = gr_compose_add(c, &drawn);
    float area[4], glass[4];
    beside(c, panel, area);
    gr_panel_glass(&drawn, glass);
    const float room = smaller(smaller(area[2] - area[0], area[3] - area[1]),
                               smaller(glass[2] - glass[0], glass[3] - glass[1]));
    const int n = 1 + below(c, 3);
    const float most = n == 1 ? 0.7F : 0.5F;
    /* Images first: they are painted first, and their originals are added when all images are. */
    gr_object originals[4];
    int images[4], n_images = 0;
    for (int i = 0; i < n; i++) {
        gr_object o = i && chance(c, 0.6) ? gr_compose_twin(c, &originals[0])
                                          : draw_seen(c, larger(24, room * between(c, 0.3F, most)));
        if (o.kind == GR_OBJECT_SHAPE && o.material == GR_MATERIAL_GLASS)
            o = draw_seen(c, larger(o.w, o.h));
        float b[4];
        gr_object_bounds(&o, b);
        const float is = larger(b[2] - b[0], b[3] - b[1]);
        if (is > 0.95F * room)
            gr_compose_resize(&o, larger(o.w, o.h) * 0.95F * room / is);
        gr_object_bounds(&o, b);
        if (!gr_compose_find(c, area, b[2] - b[0], b[3] - b[1], 2, &o.x, &o.y))
            break;
        gr_compose_centre(&o, o.x, o.y);
        const int at = put_image(c, &o, -1, panel, entity,
                                 entity == GR_REFLECTION ? between(c, 0.8F, 0.92F) : between(c, 0.7F, 1));
        if (at < 0)
            continue;
        originals[n_images] = o;
        images[n_images++] = at;
    }
    for (int i = 0; i < n_images; i++) {
        /* One in five mirrors, and most screens, show what is not there. */
        if (chance(c, entity == GR_REFLECTION ? 0.15 : 0.6))
            continue;
        s->objects[images[i]].of = gr_compose_add(c, &originals[i]);
    }
    if (chance(c, 0.6)) /* looks like what is seen in the panel, but is not of it */
        for (int i = 1 + below(c, 2); i > 0 && n_images; i--) {
            gr_object twin = gr_compose_twin(c, &originals[below(c, n_images)]);
            if (twin.kind != GR_OBJECT_SHAPE || twin.material != GR_MATERIAL_GLASS)
                gr_compose_put(c, &twin, area, 2);
        }
    if (chance(c, 0.5))
        put_before(c, panel, larger(24, room * between(c, 0.25F, 0.35F)));
    gr_compose_state_plain(c, 4);
}

void gr_compose_mirror(composer *c) { put_scene(c, GR_OBJECT_MIRROR, GR_REFLECTION); }

void gr_compose_screen(composer *c) { put_scene(c, GR_OBJECT_SCREEN, GR_ON_SCREEN); }
