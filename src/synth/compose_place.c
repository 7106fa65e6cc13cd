/* compose_place.c - where objects go. */
#include "synth/compose_internal.h"

int gr_compose_add(composer *c, const gr_object *o)
{
    if (c->s->n_objects == GR_SCENE_OBJECTS_MAX)
        return -1;
    c->s->objects[c->s->n_objects] = *o;
    return c->s->n_objects++;
}

void gr_compose_take(composer *c, const float box[4], float margin)
{
    if (c->n_taken == GR_SCENE_OBJECTS_MAX * 2)
        return;
    float *t = c->taken[c->n_taken++];
    t[0] = box[0] - margin;
    t[1] = box[1] - margin;
    t[2] = box[2] + margin;
    t[3] = box[3] + margin;
}

static bool is_free(const composer *c, const float box[4])
{
    for (int i = 0; i < c->n_taken; i++) {
        const float *t = c->taken[i];
        if (box[0] < t[2] && t[0] < box[2] && box[1] < t[3] && t[1] < box[3])
            return false;
    }
    return true;
}

bool gr_compose_find(composer *c, const float area[4], float w, float h, float margin, float *x, float *y)
{
    if (w > area[2] - area[0] || h > area[3] - area[1])
        return false;
    for (int i = 0; i < 60; i++) {
        *x = between(c, area[0] + w / 2, area[2] - w / 2);
        *y = between(c, area[1] + h / 2, area[3] - h / 2);
        const float box[4] = { *x - w / 2, *y - h / 2, *x + w / 2, *y + h / 2 };
        if (is_free(c, box)) {
            gr_compose_take(c, box, margin);
            return true;
        }
    }
    return false;
}

void gr_compose_centre(gr_object *o, float x, float y)
{
    float b[4];
    gr_object_bounds(o, b);
    o->x += x - (b[0] + b[2]) / 2;
    o->y += y - (b[1] + b[3]) / 2;
}

int gr_compose_put(composer *c, gr_object *o, const float area[4], float margin)
{
    float b[4], x, y;
    gr_object_bounds(o, b);
    if (c->s->n_objects == GR_SCENE_OBJECTS_MAX ||
        !gr_compose_find(c, area, b[2] - b[0], b[3] - b[1], margin, &x, &y))
        return -1;
    gr_compose_centre(o, x, y);
    return gr_compose_add(c, o);
}

void gr_compose_whole(const composer *c, float area[4])
{
    area[0] = area[1] = 1;
    area[2] = (float)c->s->width - 1;
    area[3] = (float)c->s->height - 1;
}

void gr_compose_state_plain(composer *c, int most)
{
    gr_scene *s = c->s;
    int order[GR_SCENE_OBJECTS_MAX], of[2] = { 0, 0 };
    gr_draw_order(&c->d, order, s->n_objects);
    static const gr_relation kinds[2] = { GR_RELATION_LEFT_OF, GR_RELATION_NEXT_TO };
    for (int i = 0; i < s->n_objects; i++)
        for (int k = 0; k < s->n_objects; k++)
            for (int r = 0; r < 2; r++)
                if (of[r] < most && gr_relation_truth(s, kinds[r], order[i], order[k]) == GR_TRUE)
                    of[r] += gr_relation_state(s, kinds[r], order[i], order[k]);
}

int gr_compose_put_group(composer *c, const group *g, const float area[4], float margin)
{
    float b[4] = { 0 }, x, y;
    for (int i = 0; i < g->n; i++) {
        float one[4];
        gr_object_bounds(&g->at[i], one);
        b[0] = i == 0 ? one[0] : smaller(b[0], one[0]);
        b[1] = i == 0 ? one[1] : smaller(b[1], one[1]);
        b[2] = i == 0 ? one[2] : larger(b[2], one[2]);
        b[3] = i == 0 ? one[3] : larger(b[3], one[3]);
    }
    if (c->s->n_objects + g->n > GR_SCENE_OBJECTS_MAX ||
        !gr_compose_find(c, area, b[2] - b[0], b[3] - b[1], margin, &x, &y))
        return -1;
    const int first = c->s->n_objects;
    for (int i = 0; i < g->n; i++) {
        gr_object o = g->at[i];
        o.x += x - (b[0] + b[2]) / 2;
        o.y += y - (b[1] + b[3]) / 2;
        if (o.of >= 0)
            o.of += first;
        gr_compose_add(c, &o);
    }
    for (int i = 0; i < g->n_relations; i++)
        gr_relation_state(c->s, g->relations[i].kind, first + g->relations[i].subject,
                          first + g->relations[i].object);
    return first;
}

/* On one side at least by a sixth of its size and 3 pixels: what lies within the other's bounds looks inside,
 * not before.
 */
static bool reaches_beyond(const gr_object *front, const gr_object *rear)
{
    float f[4], r[4];
    gr_object_bounds(front, f);
    gr_object_bounds(rear, r);
    const float across = larger(3, (f[2] - f[0]) / 6), down = larger(3, (f[3] - f[1]) / 6);
    return f[0] < r[0] - across || f[1] < r[1] - down || f[2] > r[2] + across || f[3] > r[3] + down;
}

bool gr_compose_behind(composer *c, group *g, float size)
{
    static const gr_shape_kind solid[] = { GR_SHAPE_CIRCLE,    GR_SHAPE_OVAL,    GR_SHAPE_SQUARE,
                                           GR_SHAPE_RECTANGLE, GR_SHAPE_HEXAGON, GR_SHAPE_PENTAGON,
                                           GR_SHAPE_DIAMOND };
    *g = (group){ .n = 2, .n_relations = 1, .relations = { { GR_RELATION_BEHIND, 0, 1 } } };
    for (int i = 0; i < 60; i++) {
        gr_object rear = gr_compose_any(c, size);
        const gr_shape_kind shape = solid[below(c, 7)];
        gr_object front = gr_compose_shape_of(c, shape, size * between(c, 0.6F, 1.1F));
        if (front.material == GR_MATERIAL_GLASS ||
            (rear.kind == GR_OBJECT_SHAPE && rear.colour == front.colour))
            continue;
        front.x = between(c, -0.7F, 0.7F) * size;
        front.y = between(c, -0.6F, 0.6F) * size;
        const float hidden = gr_object_hidden(&rear, &front, 1);
        if (hidden < 0.22F || hidden > 0.58F || !reaches_beyond(&front, &rear))
            continue;
        g->at[0] = rear;
        g->at[1] = front;
        return true;
    }
    return false;
}
