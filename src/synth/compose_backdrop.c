/* compose_backdrop.c - what is behind the objects: its kind and its colours. */
#include "synth/compose_internal.h"

/* Backdrops are pale or dark versions of their colours, so that objects of the full colour stand out. */
void gr_backdrop_rgb(const gr_scene *s, int i, float rgb[3])
{
    const gr_rgb pure = gr_colour_rgb(s->backdrop_colours[i]);
    const float p[3] = { pure.r, pure.g, pure.b };
    /* The seed's lowest bit: pale or dark. Landscapes are always pale above and of middle brightness below.
     */
    const bool dark = s->backdrop == GR_BACKDROP_LANDSCAPE ? i == 1 : s->backdrop_seed & 1;
    const float own = s->backdrop == GR_BACKDROP_LANDSCAPE && i == 1 ? 0.6F : 0.42F;
    const float other = dark ? 60 : 236;
    for (int k = 0; k < 3; k++)
        rgb[k] = own * p[k] + (1 - own) * other;
}

static void draw_landscape(composer *c)
{
    static const gr_colour skies[] = { GR_COLOUR_BLUE, GR_COLOUR_BLUE, GR_COLOUR_PINK, GR_COLOUR_ORANGE,
                                       GR_COLOUR_GREY };
    static const gr_colour grounds[] = { GR_COLOUR_GREEN, GR_COLOUR_GREEN, GR_COLOUR_BROWN, GR_COLOUR_YELLOW,
                                         GR_COLOUR_GREY };
    c->s->backdrop_colours[0] = skies[below(c, 5)];
    c->s->backdrop_colours[1] = grounds[below(c, 5)];
}

void gr_compose_backdrop(composer *c, bool calm)
{
    gr_scene *s = c->s;
    s->backdrop = (gr_backdrop)below(c, calm ? GR_BACKDROP_ROOM : GR_BACKDROPS);
    s->backdrop_seed = (uint32_t)(gr_draw_unit(&c->d) * 4294967296.0);
    s->backdrop_colours[0] = (gr_colour)below(c, GR_COLOURS);
    do
        s->backdrop_colours[1] = (gr_colour)below(c, GR_COLOURS);
    while (s->backdrop_colours[1] == s->backdrop_colours[0]);
    if (s->backdrop == GR_BACKDROP_LANDSCAPE)
        draw_landscape(c);
}
