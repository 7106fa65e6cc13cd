/* compose_free.c - objects here and there: apart, or one partly behind another; tiny ones, cut ones, and now
 * and then one that fills the picture. */
#include "synth/compose_internal.h"

static float side_of(const composer *c)
{
    return (float)(c->s->width < c->s->height ? c->s->width : c->s->height);
}

static void fill_picture(composer *c)
{
    gr_object o = gr_compose_any(c, larger(24, side_of(c) * between(c, 0.85F, 1.15F)));
    gr_compose_centre(&o, (float)c->s->width / 2, (float)c->s->height / 2);
    gr_compose_add(c, &o);
}

static void put_one(composer *c, float size)
{
    float area[4];
    gr_compose_whole(c, area);
    const gr_scene *s = c->s;
    gr_object o;
    if (s->n_objects && chance(c, 0.45)) {
        o = gr_compose_twin(c, &s->objects[below(c, s->n_objects)]);
    } else {
        o = gr_compose_any(c, size);
    }
    o.row = o.col = -1;
    if (chance(c, 0.12)) { /* may be cut by the picture's edge */
        const float out = 0.3F * smaller(o.w, o.h);
        area[0] -= out;
        area[1] -= out;
        area[2] += out;
        area[3] += out;
    }
    gr_compose_put(c, &o, area, 2);
}

void gr_compose_free(composer *c)
{
    float area[4];
    gr_compose_whole(c, area);
    gr_compose_backdrop(c, false);
    if (chance(c, 0.04)) {
        fill_picture(c);
        return;
    }
    const float side = side_of(c);
    const int n = 2 + below(c, side < 120 ? 4 : side < 200 ? 6 : 9);
    for (int i = 0; i < n; i++) {
        const float size = larger(25, side * between(c, 0.16F, n < 5 ? 0.55F : 0.36F));
        group g;
        if (chance(c, 0.2) && gr_compose_behind(c, &g, larger(30, size)))
            gr_compose_put_group(c, &g, area, 2);
        else if (chance(c, 0.08)) {
            const gr_object figure = gr_compose_figure(c, larger(40, 1.4F * size), false);
            gr_object o = figure;
            gr_compose_put(c, &o, area, 2);
        } else
            put_one(c, size);
    }
    if (chance(c, 0.15))
        for (int i = 1 + below(c, 3); i > 0; i--) {
            gr_object o = gr_compose_shape(c, between(c, 5, 13));
            gr_compose_put(c, &o, area, 3);
        }
    if (c->s->n_objects == 0)
        fill_picture(c);
    gr_compose_state_plain(c, 6);
}
