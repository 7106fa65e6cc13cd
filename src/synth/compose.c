#include "synth/compose.h"

#include <string.h>

#include "base/rng.h"
#include "synth/compose_internal.h"

void gr_compose_options_init(gr_compose_options *options)
{
    *options = (gr_compose_options){ .kind = GR_SCENE_KINDS, .least_px = 112, .most_px = 448 };
}

bool gr_combination_is_held_out(gr_shape_kind shape, gr_colour colour, gr_material material,
                                gr_pattern pattern)
{
    const uint8_t bytes[4] = { (uint8_t)shape, (uint8_t)colour, (uint8_t)material, (uint8_t)pattern };
    const uint64_t hash = gr_fnv1a64(bytes, sizeof bytes, 0);
    return (hash ^ hash >> 32) % 20 == 0;
}

/* A photograph's ratio, and its longer side: as many small ones as large ones. */
static void draw_size(composer *c, int least, int most)
{
    static const unsigned char ratios[][2] = { { 4, 3 }, { 3, 2 }, { 16, 9 }, { 1, 1 },
                                               { 3, 4 }, { 2, 3 }, { 9, 16 } };
    least = least < 96 ? 96 : least > 1024 ? 1024 : least;
    most = most < least ? least : most > 1024 ? 1024 : most;
    const double u = gr_draw_unit(&c->d);
    const int longer = least + (int)((most - least) * (0.35 * u + 0.65 * u * u) + 0.5);
    const unsigned char *r = ratios[below(c, (int)(sizeof ratios / sizeof *ratios))];
    c->s->width = r[0] >= r[1] ? longer : longer * r[0] / r[1];
    c->s->height = r[1] >= r[0] ? longer : longer * r[1] / r[0];
}

/* Scenes of parts need room: a shorter side of so many pixels, where the limits allow it. */
static void widen(gr_scene *s, int wanted_px, int most)
{
    const int shorter = s->width < s->height ? s->width : s->height;
    const int longer = s->width < s->height ? s->height : s->width;
    if (shorter >= wanted_px || longer >= most)
        return;
    const int wanted = longer * wanted_px / shorter, to = wanted < most ? wanted : most;
    s->width = s->width * to / longer;
    s->height = s->height * to / longer;
}

static gr_scene_kind draw_kind(composer *c)
{
    static const unsigned char shares[GR_SCENE_KINDS] = {
        [GR_SCENE_FREE] = 34,  [GR_SCENE_GRID] = 12,   [GR_SCENE_RELATED] = 30,
        [GR_SCENE_MIRROR] = 9, [GR_SCENE_SHADOWS] = 8, [GR_SCENE_SCREEN] = 7
    };
    int at = below(c, 100);
    for (int k = 0; k < GR_SCENE_KINDS; k++)
        if ((at -= shares[k]) < 0)
            return (gr_scene_kind)k;
    return GR_SCENE_FREE;
}

static void draw_damage(composer *c)
{
    const float side = (float)(c->s->width < c->s->height ? c->s->width : c->s->height);
    if (chance(c, 0.2))
        c->s->blur = between(c, 0.4F, smaller(1.6F, 0.006F * side));
    if (chance(c, 0.4))
        c->s->quality = 40 + below(c, 56);
}

void gr_scene_compose_as(gr_scene *s, uint64_t seed, gr_split split, uint64_t index,
                         const gr_compose_options *options)
{
    static void (*const kinds[GR_SCENE_KINDS])(composer *) = {
        [GR_SCENE_FREE] = gr_compose_free,       [GR_SCENE_GRID] = gr_compose_grid,
        [GR_SCENE_RELATED] = gr_compose_related, [GR_SCENE_MIRROR] = gr_compose_mirror,
        [GR_SCENE_SHADOWS] = gr_compose_shadows, [GR_SCENE_SCREEN] = gr_compose_screen,
    };
    gr_compose_options o;
    gr_compose_options_init(&o);
    if (options)
        o = *options;
    *s = (gr_scene){ 0 };
    composer c = { .s = s, .split = split };
    /* "wrld" and the split: no other use of the seed draws from this stream. */
    c.d = gr_draws_for(seed, 0x77726c64U + (uint32_t)split, (uint32_t)(index >> 32), (uint32_t)index, 0);
    draw_size(&c, o.least_px, o.most_px);
    const gr_scene_kind drawn = draw_kind(&c);
    s->kind = o.kind < GR_SCENE_KINDS ? o.kind : drawn;
    if (s->kind != GR_SCENE_FREE)
        widen(s, s->kind == GR_SCENE_MIRROR || s->kind == GR_SCENE_SCREEN ? 168 : 128,
              o.most_px > 1024 ? 1024 : o.most_px);
    kinds[s->kind](&c);
    draw_damage(&c);
    if (o.clean) {
        s->blur = 0;
        s->quality = 0;
    }
}

void gr_scene_compose(gr_scene *s, uint64_t seed, gr_split split, uint64_t index)
{
    gr_scene_compose_as(s, seed, split, index, NULL);
}
