/* question_mirror.c - whether a region is a thing itself, or seen in a mirror, on a screen, or a shadow. What
 * comes out is drawn before the regions are chosen, so that no outcome is more frequent than another. */
#include <stdio.h>
#include "synth/question.h"
#include "synth/seen.h"
#include "synth/truth.h"

/* {is}: how a picture of something is put, here of one region and of several. */
typedef struct {
    const char *is, *are, *what;
} medium;

static const medium *medium_of(gr_entity e, gr_draws *d)
{
    static const medium reflections[] = {
        { "seen in the mirror", "seen in the mirror", "a reflection in a mirror" },
        { "a reflection", "reflections", "its mirror image" },
        { "only a mirror image", "only mirror images", "a reflection" },
    };
    static const medium shadows[] = {
        { "a shadow", "shadows", "a shadow" },
        { "only a shadow", "only shadows", "its shadow" },
        { "the shadow of something", "shadows of something", "a shadow on the ground" },
    };
    static const medium screens[] = {
        { "shown on the screen", "shown on the screen", "a picture on a screen" },
        { "only a picture on the screen", "only pictures on the screen", "its picture on a screen" },
        { "on the screen", "on the screen", "something shown on a screen" },
    };
    const uint32_t k = gr_draw_below(d, 3);
    return e == GR_REFLECTION ? &reflections[k] : e == GR_SHADOW ? &shadows[k] : &screens[k];
}

/* Seen objects that are real, and those that are pictures of the kind `e`. */
typedef struct {
    gr_entity e;
    int real[GR_SCENE_OBJECTS_MAX], n_real;
    int not_real[GR_SCENE_OBJECTS_MAX], n_not_real;
} sides;

static bool find_sides(sides *f, const gr_asking *a)
{
    const int n = a->n_shown > 0 ? a->n_shown : a->s->n_objects;
    *f = (sides){ .e = GR_ENTITY };
    for (int k = 0; k < n; k++) {
        const int i = a->n_shown > 0 ? a->shown[k] : k;
        const gr_object *o = &a->s->objects[i];
        if (!gr_seen(a->s, i))
            continue;
        if (o->entity == GR_ENTITY && o->kind != GR_OBJECT_MIRROR && o->kind != GR_OBJECT_SCREEN)
            f->real[f->n_real++] = i;
        else if (o->entity != GR_ENTITY && (f->e == GR_ENTITY || f->e == o->entity)) {
            f->e = o->entity;
            f->not_real[f->n_not_real++] = i;
        }
    }
    return f->n_real > 0 && f->n_not_real > 0;
}

/* Takes n of a list into objects, in an order that is drawn. */
static bool take(const gr_asking *a, const int *list, int n_list, int *objects, int n)
{
    int order[GR_SCENE_OBJECTS_MAX];
    if (n_list < n)
        return false;
    gr_draw_order(a->d, order, n_list);
    for (int k = 0; k < n; k++)
        objects[k] = list[order[k]];
    return true;
}

static int place_of(const gr_asking *a, int object)
{
    for (int k = 0; k < a->n_shown; k++)
        if (a->shown[k] == object)
            return k;
    return -1;
}

static void option(gr_question *q, int k, const char *text)
{
    snprintf(q->options[k], GR_OPTION_BYTES, "%s", text);
    q->n_options = k + 1;
}

static void prompt_list(gr_phrase *p, int n, const char *last)
{
    for (int k = 0; k < n; k++)
        gr_phrase_printf(p, "%s<Prompt%d>", k == 0 ? "" : k == n - 1 ? last : ", ", k);
}

/* --- one region ---------------------------------------------------------------------------------------- */

static bool one_of_four(gr_question *q, gr_asking *a, const sides *f)
{
    static const char *const questions[] = {
        "is {p} something itself, or only an image of it?",
        "what is {p}: a thing, or what is seen of it elsewhere?",
        "how does {p} come to be seen here?",
        "what do you look at when you look at {p}?",
        "which of these is {p}?",
        "say what {p} really is.",
        "does {p} stand there itself?",
        "is {p} real within the scene?",
        "what kind of appearance is {p}?",
        "judge what {p} is.",
    };
    static const char *const real[] = { "the thing itself.", "a real object of the scene.",
                                        "something that is really there." };
    gr_phrase options[GR_OPTIONS_MAX] = { { .n = 0 } };
    char name[24];
    const bool itself = gr_draw_below(a->d, 4) == 0;
    const int i = itself ? f->real[gr_draw_below(a->d, (uint32_t)f->n_real)]
                         : f->not_real[gr_draw_below(a->d, (uint32_t)f->n_not_real)];
    if (a->n_shown == 0)
        gr_asking_show(a, &i, 1);
    q->about = place_of(a, i);
    snprintf(name, sizeof name, "<Prompt%d>", q->about);
    const gr_slot slot = { "p", name };
    gr_phrase_sentence(&q->text, gr_wording_draw(GR_WORDINGS(questions), a->d), &slot, 1);
    for (int e = GR_ENTITY, k = 1; e <= GR_ON_SCREEN; e++) {
        gr_phrase *to = (gr_entity)e == a->s->objects[i].entity ? &options[0] : &options[k++];
        if (e == GR_ENTITY)
            gr_phrase_sentence(to, gr_wording_draw(GR_WORDINGS(real), a->d), NULL, 0);
        else {
            const gr_slot what = { "what", medium_of((gr_entity)e, a->d)->what };
            gr_phrase_sentence(to, "{what}.", &what, 1);
        }
    }
    gr_phrase_add(&q->answer, options[0].text);
    gr_question_options(q, a, options, GR_OPTIONS_MAX);
    return true;
}

static bool yes_or_no(gr_question *q, gr_asking *a, const sides *f)
{
    static const char *const questions[] = { "is {p} {is}?", "would you say that {p} is {is}?",
                                             "is it right that {p} is {is}?", "can one say that {p} is {is}?",
                                             "{p}: is that {is}?" };
    gr_phrase options[2] = { { .n = 0 } };
    char name[24];
    const bool yes = gr_draw_below(a->d, 2) != 0;
    const int i = yes ? f->not_real[gr_draw_below(a->d, (uint32_t)f->n_not_real)]
                      : f->real[gr_draw_below(a->d, (uint32_t)f->n_real)];
    if (a->n_shown == 0)
        gr_asking_show(a, &i, 1);
    q->about = place_of(a, i);
    snprintf(name, sizeof name, "<Prompt%d>", q->about);
    const gr_slot slots[] = { { "p", name }, { "is", medium_of(f->e, a->d)->is } };
    gr_phrase_sentence(&q->text, gr_wording_draw(GR_WORDINGS(questions), a->d), slots, 2);
    gr_phrase_add(&options[0], yes ? "Yes." : "No.");
    gr_phrase_add(&options[1], yes ? "No." : "Yes.");
    gr_phrase_add(&q->answer, options[0].text);
    gr_question_options(q, a, options, 2);
    return true;
}

/* --- several regions ----------------------------------------------------------------------------------- */

static bool two(gr_question *q, gr_asking *a, const sides *f)
{
    static const char *const questions[] = {
        "which of <Prompt0> and <Prompt1> are {are}?",           "are <Prompt0> and <Prompt1> {are}?",
        "<Prompt0> and <Prompt1>: which of the two is {is}?",    "of <Prompt0> and <Prompt1>, what is {is}?",
        "say of <Prompt0> and of <Prompt1> whether it is {is}.",
    };
    const int outcome = (int)gr_draw_below(a->d, 4); /* both, the first, the second, neither */
    int objects[2];
    const medium *m = medium_of(f->e, a->d);
    if (f->n_real < 2 || f->n_not_real < 2)
        return false; /* some outcome could not be had */
    const bool fits = outcome == 0   ? take(a, f->not_real, f->n_not_real, objects, 2)
                      : outcome == 3 ? take(a, f->real, f->n_real, objects, 2)
                                     : take(a, f->not_real, f->n_not_real, &objects[outcome - 1], 1) &&
                                           take(a, f->real, f->n_real, &objects[2 - outcome], 1);
    if (!fits)
        return false;
    a->shown[0] = objects[0];
    a->shown[1] = objects[1];
    a->n_shown = 2;
    static const char *const results[] = { "<Prompt0> and <Prompt1>.", "<Prompt0>, but not <Prompt1>.",
                                           "<Prompt1>, but not <Prompt0>.", "neither of the two." };
    gr_phrase options[GR_OPTIONS_MAX] = { { .n = 0 } };
    const gr_slot slots[] = { { "are", m->are }, { "is", m->is } };
    gr_phrase_sentence(&q->text, gr_wording_draw(GR_WORDINGS(questions), a->d), slots, 2);
    for (int k = 0; k < 4; k++)
        gr_phrase_sentence(&options[k], results[(outcome + k) % 4], NULL, 0);
    gr_phrase_add(&q->answer, options[0].text);
    gr_question_options(q, a, options, GR_OPTIONS_MAX);
    return true;
}

/* Three and none of them, or four. Asked for the only picture, or for the only thing. */
static bool which(gr_question *q, gr_asking *a, const sides *f)
{
    static const char *const pictures[] = {
        "one of {list} may be {is}: which?",   "find among {list} what is {is}.",
        "look at {list}: what of it is {is}?", "of {list}, say what is {is}.",
        "{list}: where is something {is}?",
    };
    static const char *const things[] = {
        "one of {list} may be a thing itself: which?", "find among {list} what is really there.",
        "look at {list}: what is the real object?",    "of {list}, say what is no image but the thing.",
        "{list}: where is the thing itself?",
    };
    static const char *const none[] = { "None of them.", "None of these.", "No such region." };
    const bool for_picture = gr_draw_below(a->d, 3) != 0, four = gr_draw_below(a->d, 2) != 0;
    const int n = four ? 4 : 3;
    const bool nothing = !four && gr_draw_below(a->d, 4) == 0;
    const int *wanted = for_picture ? f->not_real : f->real, *others = for_picture ? f->real : f->not_real;
    int objects[4];
    if ((for_picture ? f->n_real : f->n_not_real) < 3)
        return false; /* none of three could not be had */
    if (!take(a, wanted, for_picture ? f->n_not_real : f->n_real, objects, nothing ? 0 : 1) ||
        !take(a, others, for_picture ? f->n_real : f->n_not_real, objects + !nothing, n - !nothing))
        return false;
    gr_asking_show(a, objects, n);
    gr_phrase list = { 0 };
    prompt_list(&list, n, gr_draw_below(a->d, 2) ? " and " : " or ");
    const gr_slot slots[] = { { "list", list.text }, { "is", medium_of(f->e, a->d)->is } };
    gr_phrase_sentence(
        &q->text, gr_wording_draw(for_picture ? GR_WORDINGS(pictures) : GR_WORDINGS(things), a->d), slots, 2);
    for (int k = 0; k < n; k++) {
        char text[24];
        snprintf(text, sizeof text, "<Prompt%d>", k);
        option(q, k, text);
    }
    if (!four)
        option(q, 3, gr_wording_draw(GR_WORDINGS(none), a->d));
    q->right = nothing ? 3 : place_of(a, objects[0]);
    gr_phrase_printf(&q->answer, "%s%s", q->options[q->right], nothing ? "" : ".");
    return true;
}

bool gr_ask_mirror(gr_question *q, gr_asking *a)
{
    sides f;
    if (!find_sides(&f, a))
        return false;
    if (a->n_shown > 0)
        return gr_draw_below(a->d, 2) ? one_of_four(q, a, &f) : yes_or_no(q, a, &f);
    const uint32_t form = gr_draw_below(a->d, 6);
    return form == 0   ? one_of_four(q, a, &f)
           : form == 1 ? yes_or_no(q, a, &f)
           : form <= 3 ? two(q, a, &f)
                       : which(q, a, &f);
}
