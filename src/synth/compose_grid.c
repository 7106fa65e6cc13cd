/* compose_grid.c - objects in rows, which may differ in length. */
#include "synth/compose_internal.h"

#include <stddef.h>

static gr_object draw_cell(composer *c, const gr_object *model, float size)
{
    if (model && chance(c, 0.7))
        return gr_compose_twin(c, model);
    return gr_compose_any(c, size);
}

void gr_compose_grid(composer *c)
{
    gr_scene *s = c->s;
    gr_compose_backdrop(c, true);
    const float w = (float)s->width, h = (float)s->height, least = 30;
    s->rows = 1 + below(c, 5);
    s->cols = s->rows == 1 ? 3 + below(c, 4) : 2 + below(c, 5);
    while (s->rows > 1 && h / (float)s->rows < least)
        s->rows--;
    while (s->cols > 1 && w / (float)s->cols < least)
        s->cols--;
    const float cell_w = w / (float)s->cols, cell_h = h / (float)s->rows;
    const float cell = smaller(cell_w, cell_h), size = cell * between(c, 0.6F, 0.74F);
    const bool ragged = s->cols > 2 && chance(c, 0.3), alike = chance(c, 0.6);
    const gr_object model = gr_compose_any(c, size);
    for (int r = 0; r < s->rows; r++) {
        s->cell_count[r] = ragged ? s->cols - below(c, 3) : s->cols;
        if (s->cell_count[r] < 1)
            s->cell_count[r] = 1;
        for (int k = 0; k < s->cell_count[r]; k++) {
            gr_object o = draw_cell(c, alike ? &model : NULL, size);
            float b[4];
            gr_object_bounds(&o, b); /* turned, it may be larger than its size */
            const float most = 0.8F * cell, is = larger(b[2] - b[0], b[3] - b[1]);
            if (is > most)
                gr_compose_resize(&o, larger(o.w, o.h) * most / is);
            o.row = r;
            o.col = k;
            const float right = between(c, -0.05F, 0.05F), down = between(c, -0.05F, 0.05F);
            gr_compose_centre(&o, ((float)k + 0.5F + right) * cell_w, ((float)r + 0.5F + down) * cell_h);
            gr_compose_add(c, &o);
        }
    }
    gr_compose_state_plain(c, 4);
}
