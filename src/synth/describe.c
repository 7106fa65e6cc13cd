#include "synth/describe.h"

#include "synth/describe_words.h"
#include "synth/name.h"
#include "synth/seen.h"
#include "synth/truth.h"
#include "synth/vocabulary.h"

void gr_describe_backdrop(gr_phrase *p, const gr_scene *s)
{
    const char *a = gr_colour_word(s->backdrop_colours[0]), *b = gr_colour_word(s->backdrop_colours[1]);
    switch (s->backdrop) {
    case GR_BACKDROP_PLAIN:
        gr_phrase_printf(p, "a plain %s surface", a);
        return;
    case GR_BACKDROP_GRADIENT:
        gr_phrase_printf(p, "a surface that goes from %s to %s", a, b);
        return;
    case GR_BACKDROP_NOISE:
        gr_phrase_printf(p, "a cloudy mix of %s and %s", a, b);
        return;
    default:
        gr_phrase_add(p, gr_backdrop_word(s->backdrop));
    }
}

typedef struct {
    gr_phrase *out;
    const gr_scene *s;
    int i;
    gr_draws *d;
    gr_truths truth;
} telling;

static bool chance(telling *t, int of) { return gr_draw_below(t->d, (uint32_t)of) == 0; }

/* The views of relations from..to-1: "next to a dog, in front of a car and to the left of a tree". */
static void add_views(telling *t, gr_phrase *views, int from, int to)
{
    for (int k = from; k < to; k++) {
        const gr_truth_relation *r = &t->truth.relations[k];
        if (k > from)
            gr_phrase_add(views, k == to - 1 ? " and " : ", ");
        gr_phrase_printf(views, "%s ", r->view);
        gr_name_add(views, t->s, r->with, GR_NAME_COLOUR | GR_NAME_ENTITY, t->d);
    }
}

/* --- the first sentence -------------------------------------------------------------------------------- */

static void identify(telling *t, unsigned say)
{
    gr_phrase np = { 0 };
    gr_name_add(&np, t->s, t->i, say | GR_NAME_ENTITY, t->d);
    const gr_slot slot = { "np", np.text };
    gr_phrase_sentence(t->out, gr_wording_draw(GR_WORDINGS(identities), t->d), &slot, 1);
}

static void identify_placed(telling *t, unsigned say)
{
    gr_phrase np = { 0 };
    const char *place = gr_seen_place(t->s, t->i);
    if (!place) {
        identify(t, say);
        return;
    }
    gr_name_add(&np, t->s, t->i, say | GR_NAME_ENTITY, t->d);
    const gr_slot slots[] = { { "np", np.text }, { "place", place } };
    gr_phrase_sentence(t->out, gr_wording_draw(GR_WORDINGS(placed_identities), t->d), slots, 2);
}

static void identify_related(telling *t, unsigned say)
{
    gr_phrase np = { 0 }, views = { 0 };
    if (t->truth.n_main == 0) {
        identify_placed(t, say);
        return;
    }
    const int k = (int)gr_draw_below(t->d, (uint32_t)t->truth.n_main);
    gr_name_add(&np, t->s, t->i, say | GR_NAME_ENTITY, t->d);
    add_views(t, &views, k, k + 1);
    const gr_slot slots[] = { { "np", np.text }, { "views", views.text } };
    gr_phrase_sentence(t->out, gr_wording_draw(GR_WORDINGS(related_identities), t->d), slots, 2);
}

/* --- more about it ------------------------------------------------------------------------------------- */

/* Clauses that begin with their subject, joined to one sentence. */
typedef struct {
    const char *templates[4];
    int n;
} clauses;

static void add_clause(clauses *c, gr_wordings w, gr_draws *d)
{
    c->templates[c->n++] = gr_wording_draw(w, d);
}

static void tell_clauses(telling *t, const clauses *c)
{
    const gr_object *o = &t->s->objects[t->i];
    const char *place = gr_seen_place(t->s, t->i), *size = gr_seen_size(t->s, t->i);
    const gr_slot slots[] = {
        { "place", place ? place : "" },
        { "size", size ? size : "" },
        { "material", gr_material_word(o->material)->noun },
        { "adjective", gr_pattern_phrase(o->pattern)->adjective },
        { "noun", gr_pattern_phrase(o->pattern)->noun },
    };
    gr_phrase joined = { 0 };
    int order[4];
    if (c->n == 0)
        return;
    gr_draw_order(t->d, order, c->n);
    for (int k = 0; k < c->n; k++) {
        if (k > 0)
            gr_phrase_add(&joined, k == c->n - 1 ? (k > 1 || chance(t, 2) ? ", and " : " and ") : ", ");
        gr_phrase_add(&joined, c->templates[order[k]]);
    }
    gr_phrase_add(&joined, ".");
    gr_phrase_sentence(t->out, joined.text, slots, 5);
}

/* What the first sentence left out of the surface, and sometimes place and size. */
static clauses about_it(telling *t, unsigned left)
{
    clauses c = { .n = 0 };
    const bool surface = gr_seen_surface(t->s, t->i);
    if (surface && (left & GR_NAME_MATERIAL))
        add_clause(&c, GR_WORDINGS(material_clauses), t->d);
    if (surface && (left & GR_NAME_PATTERN))
        add_clause(&c,
                   t->s->objects[t->i].pattern == GR_PATTERN_PLAIN ? GR_WORDINGS(plain_clauses)
                                                                   : GR_WORDINGS(pattern_clauses),
                   t->d);
    if (gr_seen_place(t->s, t->i) && (left & GR_NAME_ENTITY))
        add_clause(&c, GR_WORDINGS(place_clauses), t->d);
    if (gr_seen_size(t->s, t->i) && (left & GR_NAME_SIZE))
        add_clause(&c, GR_WORDINGS(size_clauses), t->d);
    return c;
}

static void tell_views(telling *t)
{
    gr_phrase views = { 0 };
    if (t->truth.n_main == 0)
        return;
    add_views(t, &views, 0, t->truth.n_main);
    /* "the star" would be wrong of its shadow */
    const bool own = t->s->objects[t->i].entity == GR_ENTITY;
    const gr_slot slots[] = { { "views", views.text }, { "noun", own ? t->truth.noun : "region" } };
    gr_phrase_sentence(t->out, gr_wording_draw(GR_WORDINGS(view_sentences), t->d), slots, 2);
}

/* Another object that no relation names. */
static int some_other(telling *t)
{
    int list[GR_SCENE_OBJECTS_MAX];
    const int n = gr_seen_list(t->s, list);
    for (int tries = 0; n > 0 && tries < 8; tries++) {
        const int k = list[gr_draw_below(t->d, (uint32_t)n)];
        bool used = k == t->i;
        for (int r = 0; r < t->truth.n_main; r++)
            used = used || t->truth.relations[r].with == k;
        if (!used)
            return k;
    }
    return -1;
}

static void tell_surroundings(telling *t)
{
    gr_phrase text = { 0 };
    const int other = chance(t, 2) ? some_other(t) : -1;
    if (other >= 0)
        gr_name_add(&text, t->s, other, GR_NAME_COLOUR | GR_NAME_ENTITY, t->d);
    else
        gr_describe_backdrop(&text, t->s);
    const gr_slot slot = { other >= 0 ? "other" : "backdrop", text.text };
    gr_phrase_sentence(
        t->out,
        gr_wording_draw(other >= 0 ? GR_WORDINGS(elsewhere_sentences) : GR_WORDINGS(backdrop_sentences),
                        t->d),
        &slot, 1);
}

/* --- levels -------------------------------------------------------------------------------------------- */

/* Some of the words for its look. */
static unsigned some_look(telling *t)
{
    unsigned look = GR_NAME_COLOUR;
    look |= chance(t, 2) ? GR_NAME_PATTERN : 0u; /* one draw after the other: operands have no order */
    look |= chance(t, 2) ? GR_NAME_MATERIAL : 0u;
    return look;
}

static void tell_plain(telling *t)
{
    unsigned say = some_look(t);
    say |= chance(t, 3) ? GR_NAME_SIZE : 0u;
    switch (gr_draw_below(t->d, 4)) {
    case 0:
        identify_placed(t, say);
        return;
    case 1:
        identify_related(t, say);
        return;
    case 2: {
        const clauses c = (identify(t, say), about_it(t, ~say & GR_NAME_LOOK));
        tell_clauses(t, &c);
        return;
    }
    default:
        identify_placed(t, say);
        tell_surroundings(t);
    }
}

static void tell_full(telling *t)
{
    unsigned say = some_look(t);
    say |= chance(t, 2) ? GR_NAME_SIZE : 0u;
    const bool placed = chance(t, 2);
    if (placed)
        identify_placed(t, say);
    else
        identify(t, say);
    unsigned left = ~say & (GR_NAME_LOOK | GR_NAME_SIZE);
    if (!placed)
        left |= GR_NAME_ENTITY; /* stands for the place */
    const clauses c = about_it(t, left);
    tell_clauses(t, &c);
    tell_views(t);
    if (c.n == 0 || t->truth.n_main == 0)
        tell_surroundings(t);
}

void gr_describe(gr_phrase *p, const gr_scene *s, int i, gr_describe_level level, gr_draws *d)
{
    telling t = { .out = p, .s = s, .i = i, .d = d };
    gr_truth_of(&t.truth, s, i);
    if (level == GR_DESCRIBE_BRIEF)
        identify(&t, chance(&t, 3) ? GR_NAME_LOOK : some_look(&t));
    else if (level == GR_DESCRIBE_PLAIN)
        tell_plain(&t);
    else
        tell_full(&t);
}
