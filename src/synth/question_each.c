/* question_each.c - the same of all that are shown, as a list: what they are, their colours, materials,
 * patterns. */
#include "synth/name.h"
#include "synth/question.h"
#include "synth/seen.h"
#include "synth/vocabulary.h"

static const char *const names[] = { "what are {list}?", "name {list} in this order.",
                                     "give the class of each of {list}.", "say what {list} are, one by one.",
                                     "list what {list} are." };
static const char *const colours[] = { "which colours do {list} have?",
                                       "name the colours of {list} in this order.",
                                       "give the colour of each of {list}.", "list the colours of {list}.",
                                       "what colors are {list}, one by one?" };
static const char *const materials[] = { "what are {list} made of?",
                                         "name the materials of {list} in this order.",
                                         "give the material of each of {list}.",
                                         "list the materials of {list}.", "of what is each of {list} made?" };
static const char *const patterns[] = { "which patterns do {list} have?",
                                        "name the patterns of {list} in this order.",
                                        "give the pattern of each of {list}.", "list the patterns of {list}.",
                                        "how are {list} patterned, one by one?" };

static void add_noun(gr_phrase *p, const gr_object *o) { gr_phrase_add(p, gr_object_noun(o)->word); }
static void add_colours(gr_phrase *p, const gr_object *o) { gr_name_colours(p, o, false); }
static void add_material(gr_phrase *p, const gr_object *o)
{
    gr_phrase_add(p, gr_material_word(o->material)->noun);
}
static void add_pattern(gr_phrase *p, const gr_object *o)
{
    gr_phrase_add(p, gr_pattern_phrase(o->pattern)->adjective);
}

static const struct {
    gr_wordings questions;
    bool (*told)(const gr_scene *s, int i);
    void (*add)(gr_phrase *p, const gr_object *o);
} all[GR_EACH_KINDS] = {
    [GR_EACH_CLASS] = { { names, 5 }, gr_seen, add_noun },
    [GR_EACH_COLOUR] = { { colours, 5 }, gr_seen_colour, add_colours },
    [GR_EACH_MATERIAL] = { { materials, 5 }, gr_seen_surface, add_material },
    [GR_EACH_PATTERN] = { { patterns, 5 }, gr_seen_surface, add_pattern },
};

/* Those of the shown of which it can be told, one bit each; returns how many. */
static int told_of(const gr_asking *a, gr_each what, unsigned *which)
{
    int n = 0;
    *which = 0;
    for (int k = 0; k < a->n_shown; k++)
        if (all[what].told(a->s, a->shown[k])) {
            *which |= 1U << k;
            n++;
        }
    return n;
}

bool gr_ask_each_of(gr_question *q, gr_asking *a, gr_each what)
{
    static const char *const guides[] = { " Separate them by commas.", " Answer with a list.", "" };
    unsigned which;
    const int n = told_of(a, what, &which);
    if (n < 2)
        return false;
    gr_phrase list = { 0 };
    gr_prompts_add(&list, which, a->n_shown, " and ");
    const gr_slot slot = { "list", list.text };
    *q = (gr_question){ .family = GR_ASK_EACH, .about = -1 };
    gr_phrase_sentence(&q->text, gr_wording_draw(all[what].questions, a->d), &slot, 1);
    gr_phrase_add(&q->text, gr_wording_draw(GR_WORDINGS(guides), a->d));
    for (int k = 0; k < a->n_shown; k++) {
        if (!(which & 1U << k))
            continue;
        gr_phrase_add(&q->answer, q->answer.n > 0 ? ", " : "");
        all[what].add(&q->answer, &a->s->objects[a->shown[k]]);
    }
    gr_phrase_add(&q->answer, ".");
    gr_phrase_capital(&q->answer, 0);
    return true;
}

bool gr_ask_each(gr_question *q, gr_asking *a)
{
    int objects[GR_SHOWN_MAX], kinds[GR_EACH_KINDS], n = 0;
    unsigned which;
    if (a->n_shown == 0) {
        const int wanted = 2 + (int)gr_draw_below(a->d, 3);
        gr_asking_show(a, objects, gr_asking_fill(a, objects, 0, wanted));
    }
    for (int what = 0; what < GR_EACH_KINDS; what++)
        if (told_of(a, (gr_each)what, &which) >= 2)
            kinds[n++] = what;
    return n > 0 && gr_ask_each_of(q, a, (gr_each)kinds[gr_draw_below(a->d, (uint32_t)n)]);
}
