/* question_refer.c - instructions about regions in one word, or the other way round: what something is
 * called, which of several fits a description.
 *
 * The kinds are those that a region model is taught to tell apart by a guiding sentence: in one word, as a
 * list, by a template. Wordings are our own. */
#include <stdio.h>
#include "synth/name.h"
#include "synth/question.h"
#include "synth/seen.h"
#include "synth/vocabulary.h"

static bool any_seen(const gr_scene *s, int i) { return gr_seen(s, i); }

/* --- what it is ---------------------------------------------------------------------------------------- */

static const char *const class_questions[] = {
    "what is {p}?",
    "what is {p} called?",
    "what do you see in {p}?",
    "which object is {p}?",
    "give {p} a name.",
    "name what is in {p}.",
    "of what is {p} an image?",
    "what thing does {p} mark?",
    "to which class does {p} belong?",
    "what would you call {p}?",
};
static const char *const class_guides[] = {
    " One word or name is enough.",
    " Say only what it is called.",
    " Give the name of its class alone.",
    " Reply with a noun.",
    " Use no more words than its name needs.",
};

bool gr_ask_class(gr_question *q, gr_asking *a)
{
    const int k = gr_asking_pick(a, any_seen);
    char name[24];
    if (k < 0)
        return false;
    q->about = k;
    snprintf(name, sizeof name, "<Prompt%d>", k);
    const gr_slot slot = { "p", name };
    const gr_noun *noun = gr_object_noun(&a->s->objects[a->shown[k]]);
    const bool guided = gr_draw_below(a->d, 2) != 0;
    gr_phrase_sentence(&q->text, gr_wording_draw(GR_WORDINGS(class_questions), a->d), &slot, 1);
    if (guided)
        gr_phrase_add(&q->text, gr_wording_draw(GR_WORDINGS(class_guides), a->d));
    if (guided)
        gr_phrase_printf(&q->answer, "%s.", noun->word);
    else
        gr_phrase_printf(&q->answer, "It is %s %s.", noun->article, noun->word);
    gr_phrase_capital(&q->answer, 0);
    return true;
}

/* --- which fits a description -------------------------------------------------------------------------- */

/* Whether two objects cannot be told apart by what a name says. */
static bool fits_name(const gr_scene *s, int i, int named, unsigned say)
{
    const gr_object *a = &s->objects[i], *b = &s->objects[named];
    if (gr_object_noun(a) != gr_object_noun(b) || a->entity != b->entity)
        return false;
    if ((say & GR_NAME_COLOUR) && gr_seen_colour(s, named)) {
        const bool pair = b->kind == GR_OBJECT_SHAPE && b->pattern != GR_PATTERN_PLAIN;
        const bool pair_a = a->kind == GR_OBJECT_SHAPE && a->pattern != GR_PATTERN_PLAIN;
        const bool same = a->colour == b->colour && pair == pair_a && (!pair || a->second == b->second);
        const bool swapped = pair && pair_a && a->colour == b->second && a->second == b->colour;
        if (!same && !swapped)
            return false;
    }
    if (!gr_seen_surface(s, named) || !gr_seen_surface(s, i))
        return true; /* it may be */
    return (!(say & GR_NAME_PATTERN) || a->pattern == b->pattern) &&
           (!(say & GR_NAME_MATERIAL) || a->material == b->material);
}

static bool is_shown(const gr_asking *a, int i)
{
    for (int k = 0; k < a->n_shown; k++)
        if (a->shown[k] == i)
            return true;
    return false;
}

/* Fits exactly `want` of the shown. */
static bool draw_named(const gr_asking *a, bool shown, unsigned *say, int *named)
{
    int list[GR_SCENE_OBJECTS_MAX], order[GR_SCENE_OBJECTS_MAX];
    const int n = gr_seen_list(a->s, list);
    gr_draw_order(a->d, order, n);
    for (int k = 0; k < n; k++) {
        const int i = list[order[k]];
        if (is_shown(a, i) != shown)
            continue;
        for (int level = 0; level < 3; level++) {
            static const unsigned levels[] = { 0, GR_NAME_COLOUR, GR_NAME_LOOK };
            int fits = 0;
            for (int j = 0; j < a->n_shown; j++)
                fits += fits_name(a->s, a->shown[j], i, levels[level] | GR_NAME_ENTITY);
            if (fits == (shown ? 1 : 0)) {
                *say = levels[level] | GR_NAME_ENTITY;
                *named = i;
                return true;
            }
        }
    }
    return false;
}

bool gr_ask_refer(gr_question *q, gr_asking *a)
{
    static const char *const questions[] = {
        "which of {list} is {np}?",
        "{list}: where is {np}?",
        "one of {list} may be {np}. Which?",
        "find {np} among {list}.",
        "which region of {list} fits the words \"{np}\"?",
        "look for {np}; choose from {list}.",
        "to which of {list} does \"{np}\" belong?",
        "point out {np} among the regions {list}.",
        "among {list}, what matches \"{np}\"?",
        "say which of {list} shows {np}.",
    };
    static const char *const guides[] = { " Give the answer in the form Region [x].",
                                          " Answer with Region [x], x being its number.",
                                          " Reply in the form: Region [number]." };
    static const char *const none[] = { "None of them.", "None of these regions.",
                                        "There is no such region." };
    int objects[GR_SHOWN_MAX], named;
    unsigned say;
    if (a->n_shown == 0)
        gr_asking_show(a, objects, gr_asking_fill(a, objects, 0, 2 + (int)gr_draw_below(a->d, 4)));
    if (a->n_shown < 2)
        return false;
    const bool nothing = gr_draw_below(a->d, 6) == 0, by_template = gr_draw_below(a->d, 3) == 0;
    if (!draw_named(a, !nothing, &say, &named))
        return false;
    gr_phrase list = { 0 }, np = { 0 };
    gr_prompts_add(&list, ~0U, a->n_shown, gr_draw_below(a->d, 2) ? " and " : " or ");
    gr_name_add(&np, a->s, named, say, a->d);
    const gr_slot slots[] = { { "list", list.text }, { "np", np.text } };
    gr_phrase_sentence(&q->text, gr_wording_draw(GR_WORDINGS(questions), a->d), slots, 2);
    if (by_template)
        gr_phrase_add(&q->text, gr_wording_draw(GR_WORDINGS(guides), a->d));
    for (int k = 0; k < a->n_shown; k++)
        if (!nothing && a->shown[k] == named)
            q->about = k;
    if (nothing)
        gr_phrase_add(&q->answer, gr_wording_draw(GR_WORDINGS(none), a->d));
    else
        gr_phrase_printf(&q->answer, by_template ? "Region [%d]." : "<Prompt%d>.", q->about);
    return true;
}
