#include "synth/name.h"

#include "synth/seen.h"
#include "synth/vocabulary.h"

const gr_pattern_words *gr_pattern_phrase(gr_pattern pattern)
{
    static const gr_pattern_words words[GR_PATTERNS] = {
        [GR_PATTERN_PLAIN] = { "plain", "no pattern" },     [GR_PATTERN_STRIPED] = { "striped", "stripes" },
        [GR_PATTERN_DOTTED] = { "dotted", "dots" },         [GR_PATTERN_CHECKED] = { "checked", "checks" },
        [GR_PATTERN_ZIGZAG] = { "zigzag", "zigzag lines" }, [GR_PATTERN_NET] = { "netted", "a net of lines" },
    };
    return &words[pattern];
}

void gr_name_colours(gr_phrase *p, const gr_object *o, bool swapped)
{
    const bool two = o->kind == GR_OBJECT_SHAPE && o->pattern != GR_PATTERN_PLAIN;
    const gr_colour first = two && swapped ? o->second : o->colour;
    gr_phrase_add(p, gr_colour_word(first));
    if (two)
        gr_phrase_printf(p, " and %s", gr_colour_word(first == o->colour ? o->second : o->colour));
}

/* How a name is built: what stands before the noun and what follows it. */
typedef struct {
    bool size, colour, pattern_before, pattern_after, material_before, material_after;
} plan;

static plan make_plan(const gr_scene *s, int i, unsigned say, gr_draws *d)
{
    const gr_object *o = &s->objects[i];
    const bool surface = gr_seen_surface(s, i);
    const bool patterned = surface && (say & GR_NAME_PATTERN) && o->pattern != GR_PATTERN_PLAIN;
    const bool plain = surface && (say & GR_NAME_PATTERN) && o->pattern == GR_PATTERN_PLAIN;
    const bool material = surface && (say & GR_NAME_MATERIAL) != 0;
    const bool colour = gr_seen_colour(s, i) && (say & GR_NAME_COLOUR) != 0;
    plan p = { .size = (say & GR_NAME_SIZE) != 0, .colour = colour };
    p.pattern_after =
        patterned && colour && gr_draw_below(d, 2) == 0; /* "with white stripes" names a colour */
    p.pattern_before = plain || (patterned && !p.pattern_after);
    p.material_after = material && !p.pattern_after && gr_draw_below(d, 3) == 0;
    p.material_before = material && !p.material_after;
    return p;
}

/* Without article. */
static void add_noun(gr_phrase *out, const gr_scene *s, int i, const plan *p, gr_draws *d)
{
    const gr_object *o = &s->objects[i];
    const char *size = p->size ? gr_seen_size(s, i) : NULL;
    if (size)
        gr_phrase_printf(out, "%s ", size);
    if (p->colour && o->kind == GR_OBJECT_SHAPE) {
        if (p->pattern_after)
            gr_phrase_add(out, gr_colour_word(o->colour));
        else
            gr_name_colours(out, o, gr_draw_below(d, 2) == 0);
        gr_phrase_add(out, " ");
    }
    if (p->pattern_before)
        gr_phrase_printf(out, "%s ", gr_pattern_phrase(o->pattern)->adjective);
    if (p->material_before)
        gr_phrase_printf(out, "%s ", gr_material_word(o->material)->adjective);
    gr_phrase_add(out, gr_object_noun(o)->word);
    if (p->colour && o->kind == GR_OBJECT_FIGURE)
        gr_phrase_printf(out, gr_draw_below(d, 2) ? " in %s" : " in %s clothes", gr_colour_word(o->colour));
    if (p->material_after)
        gr_phrase_printf(out, " made of %s", gr_material_word(o->material)->noun);
    if (p->pattern_after && o->pattern == GR_PATTERN_NET)
        gr_phrase_printf(out, " with a net of %s lines", gr_colour_word(o->second));
    else if (p->pattern_after)
        gr_phrase_printf(out, " with %s %s", gr_colour_word(o->second), gr_pattern_phrase(o->pattern)->noun);
}

void gr_name_add(gr_phrase *p, const gr_scene *s, int i, unsigned say, gr_draws *d)
{
    static const char *const reflections[] = { "the reflection of {it} in a mirror",
                                               "the mirror image of {it}", "{it} that is seen in a mirror",
                                               "{it} reflected in a mirror" };
    static const char *const shadows[] = { "the shadow of {it}", "the shadow that {it} casts" };
    static const char *const pictures[] = { "{it} shown on a screen", "the picture of {it} on a screen",
                                            "{it} that appears on a screen" };
    const gr_wordings entities[] = { [GR_REFLECTION] = GR_WORDINGS(reflections),
                                     [GR_SHADOW] = GR_WORDINGS(shadows),
                                     [GR_ON_SCREEN] = GR_WORDINGS(pictures) };
    const gr_object *o = &s->objects[i];
    gr_phrase noun = { 0 }, it = { 0 };
    const plan made = make_plan(s, i, say, d);
    add_noun(&noun, s, i, &made, d);
    gr_phrase_printf(&it, "%s %s", gr_article_of(noun.text), noun.text);
    const gr_slot slot = { "it", it.text };
    const bool entity = (say & GR_NAME_ENTITY) && o->entity != GR_ENTITY;
    gr_phrase_fill(p, entity ? gr_wording_draw(entities[o->entity], d) : "{it}", &slot, 1);
}
