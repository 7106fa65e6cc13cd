/* question_compare.c - yes or no about one region, whether two are alike, how many are so. Yes and no are
 * drawn before the question is made. */
#include <stdio.h>
#include "synth/name.h"
#include "synth/question.h"
#include "synth/seen.h"
#include "synth/vocabulary.h"

/* What may be told of an object and compared. */
typedef struct {
    bool (*fits)(const gr_scene *s, int i);
    int (*value)(const gr_object *o);
    int n;
    void (*is)(gr_phrase *p, int value); /* "red", "made of wood" */
    const char *same;                    /* "of the same colour" */
} trait;

static bool plain_colour(const gr_scene *s, int i)
{
    const gr_object *o = &s->objects[i];
    return gr_seen_colour(s, i) && (o->kind == GR_OBJECT_FIGURE || o->pattern == GR_PATTERN_PLAIN);
}
static int colour_of(const gr_object *o) { return (int)o->colour; }
static void is_colour(gr_phrase *p, int v) { gr_phrase_add(p, gr_colour_word((gr_colour)v)); }

static int material_of(const gr_object *o) { return (int)o->material; }
static void is_material(gr_phrase *p, int v)
{
    gr_phrase_printf(p, "made of %s", gr_material_word((gr_material)v)->noun);
}

static int pattern_of(const gr_object *o) { return (int)o->pattern; }
static void is_pattern(gr_phrase *p, int v) { gr_phrase_add(p, gr_pattern_phrase((gr_pattern)v)->adjective); }

/* Shapes of which none is also another. */
static bool own_shape(const gr_scene *s, int i)
{
    const gr_object *o = &s->objects[i];
    return gr_seen(s, i) && o->kind == GR_OBJECT_SHAPE && o->entity != GR_SHADOW &&
           o->shape >= GR_SHAPE_PENTAGON && o->shape != GR_SHAPE_RING && 10 * o->visible >= 7 * o->whole;
}
static int shape_of(const gr_object *o) { return (int)o->shape; }
static void is_shape(gr_phrase *p, int v)
{
    const gr_noun *noun = gr_shape_noun((gr_shape_kind)v);
    gr_phrase_printf(p, "%s %s", noun->article, noun->word);
}

static const trait traits[] = {
    { plain_colour, colour_of, GR_COLOURS, is_colour, "of the same colour" },
    { gr_seen_surface, material_of, GR_MATERIALS, is_material, "made of the same material" },
    { gr_seen_surface, pattern_of, GR_PATTERNS, is_pattern, "patterned alike" },
    { own_shape, shape_of, GR_SHAPES, is_shape, "of the same shape" },
};
enum { TRAITS = sizeof traits / sizeof *traits };

static void answer_yes_no(gr_question *q, gr_asking *a, bool yes)
{
    gr_phrase options[2] = { { .n = 0 } };
    gr_phrase_add(&options[0], yes ? "Yes." : "No.");
    gr_phrase_add(&options[1], yes ? "No." : "Yes.");
    gr_phrase_add(&q->answer, options[0].text);
    gr_question_options(q, a, options, 2);
}

/* A value of some other object of the scene, or any, that is not `value`. */
static int another_value(const gr_asking *a, const trait *t, int value)
{
    int list[GR_SCENE_OBJECTS_MAX], order[GR_SCENE_OBJECTS_MAX];
    const int n = gr_seen_list(a->s, list);
    gr_draw_order(a->d, order, n);
    for (int k = 0; k < n; k++)
        if (t->fits(a->s, list[order[k]]) && t->value(&a->s->objects[list[order[k]]]) != value)
            return t->value(&a->s->objects[list[order[k]]]);
    const int v = (int)gr_draw_below(a->d, (uint32_t)t->n - 1);
    return v + (v >= value);
}

bool gr_ask_yes_no(gr_question *q, gr_asking *a)
{
    static const char *const questions[] = { "is {p} {is}?",
                                             "would you say that {p} is {is}?",
                                             "{p} is {is}: is that so?",
                                             "is it right to call {p} {is}?",
                                             "can you confirm that {p} is {is}?",
                                             "do you agree that {p} is {is}?" };
    static const char *const guides[] = { " Answer yes or no.", " Say yes or no.", "", "" };
    const trait *t = &traits[gr_draw_below(a->d, TRAITS)];
    const int k = gr_asking_pick(a, t->fits);
    char name[24];
    if (k < 0)
        return false;
    const bool yes = gr_draw_below(a->d, 2) != 0;
    const int value = t->value(&a->s->objects[a->shown[k]]);
    gr_phrase is = { 0 };
    q->about = k;
    snprintf(name, sizeof name, "<Prompt%d>", k);
    t->is(&is, yes ? value : another_value(a, t, value));
    const gr_slot slots[] = { { "p", name }, { "is", is.text } };
    gr_phrase_sentence(&q->text, gr_wording_draw(GR_WORDINGS(questions), a->d), slots, 2);
    gr_phrase_add(&q->text, gr_wording_draw(GR_WORDINGS(guides), a->d));
    answer_yes_no(q, a, yes);
    return true;
}

/* Two objects with this trait, of the shown or, when none are, of the scene, that are alike or not. */
static bool draw_two(gr_asking *a, const trait *t, bool alike, int *one, int *two)
{
    int list[GR_SCENE_OBJECTS_MAX], n = 0, order[GR_SCENE_OBJECTS_MAX];
    if (a->n_shown == 0)
        n = gr_seen_list(a->s, list);
    else
        for (; n < a->n_shown; n++)
            list[n] = a->shown[n];
    gr_draw_order(a->d, order, n);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < i; j++) {
            const int x = list[order[i]], y = list[order[j]];
            if (t->fits(a->s, x) && t->fits(a->s, y) &&
                (t->value(&a->s->objects[x]) == t->value(&a->s->objects[y])) == alike) {
                *one = x;
                *two = y;
                return true;
            }
        }
    return false;
}

bool gr_ask_compare(gr_question *q, gr_asking *a)
{
    static const char *const questions[] = { "are {a} and {b} {same}?",
                                             "is it true that {a} and {b} are {same}?",
                                             "compare {a} with {b}: are they {same}?",
                                             "{a} and {b}: are both {same}?",
                                             "would you say that {a} and {b} are {same}?" };
    const trait *t = &traits[gr_draw_below(a->d, TRAITS)];
    const bool yes = gr_draw_below(a->d, 2) != 0;
    int objects[2], at[2] = { 0 };
    char names[2][24];
    if (!draw_two(a, t, yes, &objects[0], &objects[1]))
        return false;
    if (a->n_shown == 0)
        gr_asking_show(a, objects, 2);
    for (int k = 0; k < a->n_shown; k++)
        for (int j = 0; j < 2; j++)
            if (a->shown[k] == objects[j])
                at[j] = k;
    for (int j = 0; j < 2; j++)
        snprintf(names[j], sizeof names[j], "<Prompt%d>", at[j]);
    const gr_slot slots[] = { { "a", names[0] }, { "b", names[1] }, { "same", t->same } };
    gr_phrase_sentence(&q->text, gr_wording_draw(GR_WORDINGS(questions), a->d), slots, 3);
    answer_yes_no(q, a, yes);
    return true;
}

bool gr_ask_count(gr_question *q, gr_asking *a)
{
    static const char *const questions[] = { "how many of {list} are {is}?",
                                             "count those of {list} that are {is}.",
                                             "of {list}, how many are {is}?",
                                             "{list}: how many of them are {is}?",
                                             "what number of {list} is {is}?" };
    static const char *const words[] = { "None.", "One.", "Two.", "Three.", "Four.", "Five." };
    const trait *t = &traits[gr_draw_below(a->d, TRAITS - 1)];
    int objects[GR_SHOWN_MAX], n = 0;
    if (a->n_shown == 0) {
        const int found = gr_asking_fill(a, objects, 0, GR_SHOWN_MAX);
        for (int k = 0; k < found; k++)
            if (t->fits(a->s, objects[k]))
                objects[n++] = objects[k];
        gr_asking_show(a, objects, n);
    }
    for (int k = 0; k < a->n_shown; k++)
        if (!t->fits(a->s, a->shown[k]))
            return false;
    if (a->n_shown < 2)
        return false;
    const int value = t->value(&a->s->objects[a->shown[gr_draw_below(a->d, (uint32_t)a->n_shown)]]);
    const int asked = gr_draw_below(a->d, 4) == 0 ? another_value(a, t, value) : value;
    gr_phrase list = { 0 }, is = { 0 };
    n = 0;
    for (int k = 0; k < a->n_shown; k++) {
        n += t->value(&a->s->objects[a->shown[k]]) == asked;
        gr_phrase_printf(&list, "%s<Prompt%d>", k == 0 ? "" : k == a->n_shown - 1 ? " and " : ", ", k);
    }
    t->is(&is, asked);
    const gr_slot slots[] = { { "list", list.text }, { "is", is.text } };
    gr_phrase_sentence(&q->text, gr_wording_draw(GR_WORDINGS(questions), a->d), slots, 2);
    gr_phrase_add(&q->answer, words[n]);
    return true;
}
