/* question_attribute.c - colour, shape, material and pattern of a region. Wrong options are what other
 * objects of the scene have, then any other value. */
#include <stdio.h>
#include "synth/name.h"
#include "synth/question.h"
#include "synth/seen.h"
#include "synth/vocabulary.h"

/* What an attribute is to the code below: values 0..n-1. */
typedef struct {
    int n;
    bool (*fits)(const gr_scene *s, int i);
    int (*value)(const gr_object *o);
    bool (*alike)(int a, int b);  /* both may be true of one object: never options together */
    const unsigned char *weights; /* of values that no other object has; NULL: all alike */
    int kept_first;               /* of a hundred objects with value 0, how many are asked about; 0: all */
    void (*word)(gr_phrase *p, int value);
    gr_wordings questions, answers; /* {p}: the region; {word} */
} attribute;

/* How often each value is right where the scene has few others, so that a wrong one is offered as often as it
 * is right elsewhere: counted on composed scenes (tests/synth/test_language.c shows them). */
static const unsigned char colour_weights[GR_COLOURS] = {
    215, 199, 240, 153, 213, 139, 100, 127, 250, 91, 130
};
static const unsigned char shape_weights[GR_SHAPES] = {
    205, 171, 228, 250, 90, 88, 99, 111, 72, 92, 82, 158
};
static const unsigned char material_weights[GR_MATERIALS] = { 250, 67, 60, 23, 68, 65 };
static const unsigned char pattern_weights[GR_PATTERNS] = { 250, 2, 2, 2, 2, 2 };

/* The right value first, then n - 1 wrong ones. */
static bool draw_values(const attribute *t, const gr_asking *a, int i, int *values, int n)
{
    int objects[GR_SCENE_OBJECTS_MAX], order[GR_SCENE_OBJECTS_MAX], found = 1;
    int all[256];
    const int n_seen = gr_seen_list(a->s, objects);
    values[0] = t->value(&a->s->objects[i]);
    gr_draw_order(a->d, order, n_seen);
    if (t->weights)
        gr_weighted_order(a->d, t->weights, t->n, all);
    else
        gr_draw_order(a->d, all, t->n);
    for (int k = 0; k < n_seen + t->n && found < n; k++) {
        int v;
        if (k >= n_seen)
            v = all[k - n_seen];
        else if (t->fits(a->s, objects[order[k]]))
            v = t->value(&a->s->objects[objects[order[k]]]);
        else
            continue;
        bool good = true;
        for (int j = 0; j < found; j++)
            good = good && v != values[j];
        good = good && !(t->alike && t->alike(v, values[0]));
        if (good)
            values[found++] = v;
    }
    return found == n;
}

/* One of what may be asked about, each value of the attribute being as likely: what most objects have would
 * else be right most of the time. */
static int pick(gr_asking *a, const attribute *t)
{
    int list[GR_SCENE_OBJECTS_MAX], values[GR_SCENE_OBJECTS_MAX], order[GR_SCENE_OBJECTS_MAX], n = 0,
                                                                                               n_values = 0;
    const int n_all = a->n_shown > 0 ? a->n_shown : a->s->n_objects;
    for (int k = 0; k < n_all; k++) {
        const int i = a->n_shown > 0 ? a->shown[k] : k;
        if (!t->fits(a->s, i))
            continue;
        const int v = t->value(&a->s->objects[i]);
        int j = 0;
        while (j < n_values && values[j] != v)
            j++;
        values[j] = v;
        n_values += j == n_values;
        list[n++] = k;
    }
    if (n == 0)
        return -1;
    const int value = values[gr_draw_below(a->d, (uint32_t)n_values)];
    if (t->kept_first > 0 && value == 0 && (int)gr_draw_below(a->d, 100) >= t->kept_first)
        return -1;
    gr_draw_order(a->d, order, n);
    for (int j = 0; j < n; j++) {
        const int k = list[order[j]], i = a->n_shown > 0 ? a->shown[k] : k;
        if (t->value(&a->s->objects[i]) != value)
            continue;
        if (a->n_shown > 0)
            return k;
        gr_asking_show(a, &i, 1);
        return 0;
    }
    return -1;
}

static bool ask(gr_question *q, gr_asking *a, const attribute *t)
{
    const int k = pick(a, t);
    int values[GR_OPTIONS_MAX];
    gr_phrase options[GR_OPTIONS_MAX] = { { .n = 0 } };
    char name[24];
    if (k < 0 || !draw_values(t, a, a->shown[k], values, GR_OPTIONS_MAX))
        return false;
    q->about = k;
    snprintf(name, sizeof name, "<Prompt%d>", k);
    const char *form = gr_wording_draw(t->answers, a->d);
    for (int v = 0; v < GR_OPTIONS_MAX; v++) {
        gr_phrase word = { 0 };
        t->word(&word, values[v]);
        const gr_slot slots[] = { { "p", name }, { "word", word.text } };
        gr_phrase_sentence(&options[v], form, slots, 2);
    }
    const gr_slot slot = { "p", name };
    gr_phrase_sentence(&q->text, gr_wording_draw(t->questions, a->d), &slot, 1);
    gr_phrase_add(&q->answer, options[0].text);
    gr_question_options(q, a, options, GR_OPTIONS_MAX);
    return true;
}

/* --- colour -------------------------------------------------------------------------------------------- */

/* One colour, or a pair: with its smaller and larger number. Patterned objects have pairs. */
static bool has_pair(const gr_object *o)
{
    return o->kind == GR_OBJECT_SHAPE && o->pattern != GR_PATTERN_PLAIN;
}

static bool one_colour(const gr_scene *s, int i) { return gr_seen_colour(s, i) && !has_pair(&s->objects[i]); }
static bool two_colours(const gr_scene *s, int i) { return gr_seen_colour(s, i) && has_pair(&s->objects[i]); }
static int colour_of(const gr_object *o) { return (int)o->colour; }

static int pair_of(const gr_object *o)
{
    const int a = (int)o->colour, b = (int)o->second;
    return a < b ? a * GR_COLOURS + b : b * GR_COLOURS + a;
}

/* Values of `ask` are drawn from all numbers; those that are no pair are like everything. */
static bool no_pairs(int a, int b)
{
    return a / GR_COLOURS >= a % GR_COLOURS || b / GR_COLOURS >= b % GR_COLOURS;
}

static void colour_word(gr_phrase *p, int v) { gr_phrase_add(p, gr_colour_word((gr_colour)v)); }

static void pair_word(gr_phrase *p, int v)
{
    gr_phrase_printf(p, "%s and %s", gr_colour_word((gr_colour)(v / GR_COLOURS)),
                     gr_colour_word((gr_colour)(v % GR_COLOURS)));
}

bool gr_ask_colour(gr_question *q, gr_asking *a)
{
    static const char *const questions[] = {
        "what colour is {p}?",
        "which colour does {p} have?",
        "name the colour of {p}.",
        "what color do you see on {p}?",
        "in which colour is {p} shown?",
        "how is {p} coloured?",
        "{p} is of which color?",
        "tell me the colour of {p}.",
        "what is the colour that {p} has?",
        "looking at {p}, what colour is it?",
    };
    static const char *const pairs[] = {
        "which two colours does {p} have?",
        "what are the two colours of {p}?",
        "name both colours of {p}.",
        "{p} shows two colors; which are they?",
        "which pair of colours is on {p}?",
        "what colours is {p}?",
        "how is {p} coloured?",
        "tell me which colours you see on {p}.",
        "of which two colors is {p}?",
        "looking at {p}, which colours does it have?",
    };
    static const char *const answers[] = { "{word}.", "it is {word}.", "{word}", "{p} is {word}." };
    const attribute one = { GR_COLOURS,          one_colour, colour_of,   NULL,
                            colour_weights,      0,          colour_word, GR_WORDINGS(questions),
                            GR_WORDINGS(answers) };
    const attribute two = {
        GR_COLOURS * GR_COLOURS, two_colours,         pair_of, no_pairs, NULL, 0, pair_word,
        GR_WORDINGS(pairs),      GR_WORDINGS(answers)
    };
    const bool pair = gr_draw_below(a->d, 2) == 0;
    return ask(q, a, pair ? &two : &one) || ask(q, a, pair ? &one : &two);
}

/* --- shape --------------------------------------------------------------------------------------------- */

static bool has_shape(const gr_scene *s, int i)
{
    const gr_object *o = &s->objects[i];
    return gr_seen(s, i) && o->kind == GR_OBJECT_SHAPE && o->entity != GR_SHADOW &&
           10 * o->visible >= 7 * o->whole;
}

static int shape_of(const gr_object *o) { return (int)o->shape; }

/* A square is a rectangle; people may call a circle an oval, or a ring a circle. */
static bool shapes_alike(int a, int b)
{
    static const int kin[][2] = { { GR_SHAPE_CIRCLE, GR_SHAPE_OVAL },
                                  { GR_SHAPE_CIRCLE, GR_SHAPE_RING },
                                  { GR_SHAPE_SQUARE, GR_SHAPE_RECTANGLE } };
    for (size_t k = 0; k < sizeof kin / sizeof *kin; k++)
        if ((kin[k][0] == a && kin[k][1] == b) || (kin[k][0] == b && kin[k][1] == a))
            return true;
    return false;
}

static void shape_word(gr_phrase *p, int v)
{
    const gr_noun *noun = gr_shape_noun((gr_shape_kind)v);
    gr_phrase_printf(p, "%s %s", noun->article, noun->word);
}

bool gr_ask_shape(gr_question *q, gr_asking *a)
{
    static const char *const questions[] = {
        "what shape is {p}?",
        "which shape does {p} have?",
        "what form does {p} take?",
        "name the shape of {p}.",
        "which figure of geometry is {p}?",
        "how is {p} shaped?",
        "tell me the shape that {p} has.",
        "what does the outline of {p} look like?",
        "looking at its outline, what is {p}?",
        "{p} has the form of what?",
    };
    static const char *const answers[] = { "{word}.", "it is {word}.", "it has the form of {word}.",
                                           "{p} is {word}." };
    const attribute t = { GR_SHAPES,           has_shape, shape_of,   shapes_alike,
                          shape_weights,       0,         shape_word, GR_WORDINGS(questions),
                          GR_WORDINGS(answers) };
    return ask(q, a, &t);
}

/* --- material ------------------------------------------------------------------------------------------ */

static int material_of(const gr_object *o) { return (int)o->material; }
static void material_word(gr_phrase *p, int v) { gr_phrase_add(p, gr_material_word((gr_material)v)->noun); }

bool gr_ask_material(gr_question *q, gr_asking *a)
{
    static const char *const questions[] = {
        "what is {p} made of?",
        "which material is {p} made of?",
        "of what stuff does {p} consist?",
        "what does the surface of {p} look like: which material?",
        "name the material of {p}.",
        "from which material was {p} made?",
        "tell me what {p} is made of.",
        "judging by its surface, of what is {p} made?",
        "{p} seems to be made of what?",
        "which stuff is {p}?",
    };
    static const char *const answers[] = { "{word}.", "it is made of {word}.", "of {word}.",
                                           "{p} is made of {word}." };
    const attribute t = { GR_MATERIALS,  gr_seen_surface,        material_of,
                          NULL,          material_weights,       75,
                          material_word, GR_WORDINGS(questions), GR_WORDINGS(answers) };
    return ask(q, a, &t);
}

/* --- pattern ------------------------------------------------------------------------------------------- */

static int pattern_of(const gr_object *o) { return (int)o->pattern; }
static void pattern_noun(gr_phrase *p, int v) { gr_phrase_add(p, gr_pattern_phrase((gr_pattern)v)->noun); }
static void pattern_adjective(gr_phrase *p, int v)
{
    gr_phrase_add(p, gr_pattern_phrase((gr_pattern)v)->adjective);
}

bool gr_ask_pattern(gr_question *q, gr_asking *a)
{
    static const char *const nouns[] = {
        "what pattern does {p} have?",
        "what is drawn all over {p}?",
        "which pattern is on {p}?",
        "what covers {p}?",
        "name what the surface of {p} shows.",
        "is there a pattern on {p}, and which?",
        "what do you see on the surface of {p}?",
    };
    static const char *const adjectives[] = {
        "how is {p} patterned?",
        "what is the surface of {p} like?",
        "which word fits the pattern of {p}?",
        "how would you call the pattern of {p}?",
        "of what kind is the pattern on {p}?",
        "is {p} plain, or how is it patterned?",
        "tell me how the surface of {p} is patterned.",
    };
    static const char *const noun_answers[] = { "{word}.", "it has {word}.", "{p} has {word}." };
    static const char *const adjective_answers[] = { "{word}.", "it is {word}.", "its surface is {word}.",
                                                     "{p} is {word}." };
    const attribute by_noun = { GR_PATTERNS,  gr_seen_surface,    pattern_of,
                                NULL,         pattern_weights,    45,
                                pattern_noun, GR_WORDINGS(nouns), GR_WORDINGS(noun_answers) };
    const attribute by_adjective = { GR_PATTERNS,
                                     gr_seen_surface,
                                     pattern_of,
                                     NULL,
                                     pattern_weights,
                                     45,
                                     pattern_adjective,
                                     GR_WORDINGS(adjectives),
                                     GR_WORDINGS(adjective_answers) };
    return ask(q, a, gr_draw_below(a->d, 2) ? &by_noun : &by_adjective);
}
