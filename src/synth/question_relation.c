/* question_relation.c - how regions stand to each other. Wrong options are relations that certainly do not
 * hold (seen.h). */
#include <stdio.h>
#include "synth/question.h"
#include "synth/seen.h"
#include "synth/truth.h"

/* a KIND b. */
typedef struct {
    gr_relation kind;
    int a, b; /* objects */
} relation;

enum { PAIRS_MAX = 2048, CROWD = 12, TRIES = 8 };

static bool symmetric(gr_relation kind) { return kind == GR_RELATION_NEXT_TO; }

static gr_truth holds(const gr_asking *a, relation r) { return gr_seen_relation(a->s, r.kind, r.a, r.b); }

/* True relations between objects of the list, of a kind that is drawn among those there are. What is told by
 * places alone is everywhere: it is taken less often where there is something else. */
static bool draw_relation(const gr_asking *a, const int *list, int n, relation *out)
{
    relation found[PAIRS_MAX];
    int n_found[GR_RELATIONS] = { 0 }, total = 0, kinds[GR_RELATIONS], n_kinds = 0;
    for (int kind = 0; kind < GR_RELATIONS; kind++) {
        for (int i = 0; i < n && total < PAIRS_MAX; i++)
            for (int j = 0; j < n && total < PAIRS_MAX; j++) {
                const relation r = { (gr_relation)kind, list[i], list[j] };
                if (i != j && holds(a, r) == GR_TRUE) {
                    found[total++] = r;
                    n_found[kind]++;
                }
            }
        if (n_found[kind] > 0)
            kinds[n_kinds++] = kind;
    }
    if (n_kinds == 0)
        return false;
    int kind = kinds[gr_draw_below(a->d, (uint32_t)n_kinds)];
    if (kind == GR_RELATION_LEFT_OF && n_kinds > 1 && gr_draw_below(a->d, 3) != 0)
        kind = kinds[gr_draw_below(a->d, (uint32_t)n_kinds)];
    int k = (int)gr_draw_below(a->d, (uint32_t)n_found[kind]);
    for (int i = 0; i < total; i++)
        if ((int)found[i].kind == kind && k-- == 0)
            *out = found[i];
    return true;
}

/* Objects that may be shown: of a crowd, a dozen. */
static int candidates(const gr_asking *a, int *list)
{
    if (a->n_shown == 0)
        return gr_asking_fill(a, list, 0, CROWD);
    for (int k = 0; k < a->n_shown; k++)
        list[k] = a->shown[k];
    return a->n_shown;
}

static int place_of(const gr_asking *a, int object)
{
    for (int k = 0; k < a->n_shown; k++)
        if (a->shown[k] == object)
            return k;
    return -1;
}

/* Shows what is given, and sometimes more that has nothing to do with it. */
static void show(gr_asking *a, int *objects, int n)
{
    if (a->n_shown > 0)
        return;
    int more = 0;
    while (n + more < GR_SHOWN_MAX && gr_draw_below(a->d, 3) == 0)
        more++;
    gr_asking_show(a, objects, gr_asking_fill(a, objects, n, n + more));
}

/* "<Prompt0> is holding <Prompt1>", in one of the two voices. */
static void put_statement(gr_phrase *p, const gr_asking *a, relation r, const char *form)
{
    const bool inverse = gr_draw_below(a->d, 2) != 0;
    char subject[24], object[24];
    snprintf(subject, sizeof subject, "<Prompt%d>", place_of(a, inverse ? r.b : r.a));
    snprintf(object, sizeof object, "<Prompt%d>", place_of(a, inverse ? r.a : r.b));
    const gr_slot slots[] = { { "a", subject },
                              { "view", gr_relation_view(r.kind, inverse) },
                              { "b", object } };
    gr_phrase_sentence(p, form, slots, 3);
}

/* --- statements ---------------------------------------------------------------------------------------- */

/* How often a kind is the right one, so that it is offered as a wrong one as often. */
static const unsigned char kind_weights[GR_RELATIONS] = {
    [GR_RELATION_HOLDING] = 45,     [GR_RELATION_ON_TOP_OF] = 110, [GR_RELATION_INSIDE] = 85,
    [GR_RELATION_BEHIND] = 200,     [GR_RELATION_LEFT_OF] = 250,   [GR_RELATION_WEARING] = 30,
    [GR_RELATION_POINTING_AT] = 20, [GR_RELATION_NEXT_TO] = 0,
};

/* Of a hundred, how many are asked with options: what follows from places alone holds in every scene, and
 * would be right more often than anything else. */
static const unsigned char kind_kept[GR_RELATIONS] = {
    [GR_RELATION_HOLDING] = 100,     [GR_RELATION_ON_TOP_OF] = 100, [GR_RELATION_INSIDE] = 100,
    [GR_RELATION_BEHIND] = 35,       [GR_RELATION_LEFT_OF] = 4,     [GR_RELATION_WEARING] = 100,
    [GR_RELATION_POINTING_AT] = 100, [GR_RELATION_NEXT_TO] = 0,
};

/* Two kinds in both directions, so that neither kind nor direction is seen more often than the other. */
static bool by_pairs(const gr_asking *a, relation *r)
{
    int order[GR_RELATIONS];
    gr_weighted_order(a->d, kind_weights, GR_RELATIONS, order);
    r[1] = (relation){ r[0].kind, r[0].b, r[0].a };
    if (symmetric(r[0].kind) || holds(a, r[1]) != GR_FALSE)
        return false;
    for (int k = 0; k < GR_RELATIONS; k++) {
        r[2] = (relation){ (gr_relation)order[k], r[0].a, r[0].b };
        r[3] = (relation){ (gr_relation)order[k], r[0].b, r[0].a };
        if (!symmetric(r[2].kind) && r[2].kind != r[0].kind && holds(a, r[2]) == GR_FALSE &&
            holds(a, r[3]) == GR_FALSE)
            return true;
    }
    return false;
}

/* Four kinds, each in a direction that is drawn. */
static bool by_kinds(const gr_asking *a, relation *r)
{
    int order[GR_RELATIONS], n = 1;
    gr_weighted_order(a->d, kind_weights, GR_RELATIONS, order);
    for (int k = 0; k < GR_RELATIONS && n < GR_OPTIONS_MAX; k++) {
        const bool turned = gr_draw_below(a->d, 2) != 0;
        const relation w = { (gr_relation)order[k], turned ? r[0].b : r[0].a, turned ? r[0].a : r[0].b };
        if (w.kind != r[0].kind && kind_weights[w.kind] > 0 && holds(a, w) == GR_FALSE)
            r[n++] = w;
    }
    return n == GR_OPTIONS_MAX;
}

static bool statements(gr_question *q, gr_asking *a)
{
    static const char *const questions[] = {
        "how does {a} stand to {b}?",
        "what connects {a} and {b}?",
        "what is true of {a} and {b}?",
        "which sentence about {a} and {b} fits the picture?",
        "say how {a} and {b} stand to each other.",
        "in which relation are {a} and {b}?",
        "look at {a} and {b}: what holds?",
        "what can be said about {a} and {b} together?",
        "how are {a} and {b} arranged?",
        "tell what {a} has to do with {b}.",
    };
    static const char *const forms[] = { "one sees {a} {view} {b}.", "{a} can be seen {view} {b}.",
                                         "it is {a} that is {view} {b}.", "{a}, seen {view} {b}." };
    relation r[GR_OPTIONS_MAX];
    int list[GR_SCENE_OBJECTS_MAX];
    gr_phrase options[GR_OPTIONS_MAX] = { { .n = 0 } };
    if (!draw_relation(a, list, candidates(a, list), &r[0]))
        return false;
    const bool options_too = gr_draw_below(a->d, 100) < kind_kept[r[0].kind];
    if (options_too && (gr_draw_below(a->d, 2) ? !by_pairs(a, r) && !by_kinds(a, r) : !by_kinds(a, r)))
        return false;
    int objects[GR_SHOWN_MAX] = { r[0].a, r[0].b };
    show(a, objects, 2);
    const bool turned = gr_draw_below(a->d, 2) != 0;
    char first[24], second[24];
    snprintf(first, sizeof first, "<Prompt%d>", place_of(a, turned ? r[0].b : r[0].a));
    snprintf(second, sizeof second, "<Prompt%d>", place_of(a, turned ? r[0].a : r[0].b));
    const gr_slot slots[] = { { "a", first }, { "b", second } };
    gr_phrase_sentence(&q->text, gr_wording_draw(GR_WORDINGS(questions), a->d), slots, 2);
    const char *form = gr_wording_draw(GR_WORDINGS(forms), a->d);
    put_statement(&q->answer, a, r[0], form);
    for (int k = 0; options_too && k < GR_OPTIONS_MAX; k++)
        put_statement(&options[k], a, r[k], form);
    if (options_too)
        gr_question_options(q, a, options, GR_OPTIONS_MAX);
    return true;
}

static bool yes_or_no(gr_question *q, gr_asking *a)
{
    static const char *const questions[] = { "is it true that {a} is {view} {b}?", "is {a} {view} {b}?",
                                             "does it hold that {a} is {view} {b}?",
                                             "would you say: {a} is {view} {b}?",
                                             "can one see that {a} is {view} {b}?" };
    const bool yes = gr_draw_below(a->d, 2) != 0;
    int list[GR_SCENE_OBJECTS_MAX];
    gr_phrase options[2] = { { .n = 0 } };
    relation r;
    if (!draw_relation(a, list, candidates(a, list), &r))
        return false;
    const relation turned = { r.kind, r.b, r.a };
    if (symmetric(r.kind) || holds(a, turned) != GR_FALSE) /* also of what is asked with yes */
        return false;
    int objects[GR_SHOWN_MAX] = { r.a, r.b };
    show(a, objects, 2);
    put_statement(&q->text, a, yes ? r : turned, gr_wording_draw(GR_WORDINGS(questions), a->d));
    gr_phrase_add(&options[0], yes ? "Yes." : "No.");
    gr_phrase_add(&options[1], yes ? "No." : "Yes.");
    gr_phrase_add(&q->answer, options[0].text);
    gr_question_options(q, a, options, 2);
    return true;
}

/* --- which of them ------------------------------------------------------------------------------------- */

/* One side of relations to an object, x KIND object or object KIND x. */
typedef struct {
    gr_relation kind;
    bool inverse;
    int object;
} role;

static gr_truth plays(const gr_asking *a, role r, int x)
{
    return r.inverse ? gr_seen_relation(a->s, r.kind, r.object, x)
                     : gr_seen_relation(a->s, r.kind, x, r.object);
}

/* Picks n objects of the list, none of them `objects[0..have)`, for which the role is `want`. */
static bool pick(const gr_asking *a, role r, const int *list, int n_list, gr_truth want, int *objects,
                 int have, int n)
{
    int order[GR_SCENE_OBJECTS_MAX];
    gr_draw_order(a->d, order, n_list);
    for (int k = 0; k < n_list && n > 0; k++) {
        const int x = list[order[k]];
        bool used = false;
        for (int j = 0; j < have; j++)
            used = used || objects[j] == x;
        if (used || plays(a, r, x) != want)
            continue;
        objects[have++] = x;
        n--;
    }
    return n == 0;
}

/* A role that so many certainly play and so many certainly do not, so that every outcome can be had. */
static bool draw_role(const gr_asking *a, const int *list, int n, int least_yes, int least_no, role *out)
{
    for (int tries = 0; tries < TRIES; tries++) {
        relation r;
        if (!draw_relation(a, list, n, &r))
            return false;
        const bool inverse = gr_draw_below(a->d, 2) != 0;
        *out = (role){ r.kind, inverse, inverse ? r.a : r.b };
        int yes = 0, no = 0;
        for (int k = 0; k < n; k++) {
            const gr_truth t = plays(a, *out, list[k]);
            yes += t == GR_TRUE;
            no += t == GR_FALSE;
        }
        if (yes >= least_yes && no >= least_no)
            return true;
    }
    return false;
}

static void ask_which(gr_question *q, gr_asking *a, role r, const int *of, int n)
{
    static const char *const questions[] = {
        "of {list}, what is {view} {b}?",
        "one looks for what is {view} {b}: choose from {list}.",
        "choose from {list}: what is {view} {b}?",
        "{list}: say what is {view} {b}.",
        "what is {view} {b}, if you look at {list}?",
        "is there something {view} {b} among {list}, and what?",
    };
    gr_phrase list = { 0 };
    char object[24];
    for (int k = 0; k < n; k++)
        gr_phrase_printf(&list, "%s<Prompt%d>", k == 0 ? "" : k == n - 1 ? " and " : ", ", of[k]);
    snprintf(object, sizeof object, "<Prompt%d>", place_of(a, r.object));
    const gr_slot slots[] = { { "list", list.text },
                              { "view", gr_relation_view(r.kind, r.inverse) },
                              { "b", object } };
    gr_phrase_sentence(&q->text, gr_wording_draw(GR_WORDINGS(questions), a->d), slots, 3);
}

static void option(gr_question *q, const char *text)
{
    snprintf(q->options[q->n_options++], GR_OPTION_BYTES, "%s", text);
}

static void prompt_option(gr_question *q, int k)
{
    char text[24];
    snprintf(text, sizeof text, "<Prompt%d>", k);
    option(q, text);
}

static const char *none_text(const gr_asking *a)
{
    static const char *const none[] = { "None of them", "Nothing of this", "No region that is named" };
    return gr_wording_draw(GR_WORDINGS(none), a->d);
}

/* Two regions, both of them, none of them. */
static bool two_or_none(gr_question *q, gr_asking *a)
{
    const int outcome = (int)gr_draw_below(a->d, 4); /* one, the other, both, none */
    int list[GR_SCENE_OBJECTS_MAX], objects[GR_SHOWN_MAX];
    const int n = candidates(a, list);
    role r;
    if (!draw_role(a, list, n, 2, 2, &r))
        return false;
    objects[0] = r.object;
    const int n_true = outcome == 2 ? 2 : outcome == 3 ? 0 : 1;
    if (!pick(a, r, list, n, GR_TRUE, objects, 1, n_true) ||
        !pick(a, r, list, n, GR_FALSE, objects, 1 + n_true, 2 - n_true))
        return false;
    const int x = objects[outcome == 1 ? 2 : 1], y = objects[outcome == 1 ? 1 : 2];
    show(a, objects, 3);
    const int of[] = { place_of(a, x), place_of(a, y) };
    int order[GR_OPTIONS_MAX];
    ask_which(q, a, r, of, 2);
    gr_draw_order(a->d, order, GR_OPTIONS_MAX);
    for (int k = 0; k < GR_OPTIONS_MAX; k++) {
        if (order[k] == outcome)
            q->right = k;
        if (order[k] < 2)
            prompt_option(q, of[order[k]]);
        else if (order[k] == 3)
            option(q, none_text(a));
        else {
            char both[64];
            snprintf(both, sizeof both, "Both <Prompt%d> and <Prompt%d>", of[0], of[1]);
            option(q, both);
        }
    }
    gr_phrase_printf(&q->answer, "%s.", q->options[q->right]);
    return true;
}

/* Four regions; or three, and none of them. */
static bool one_of(gr_question *q, gr_asking *a)
{
    const bool four = gr_draw_below(a->d, 2) != 0;
    const bool nothing = !four && gr_draw_below(a->d, 4) == 0;
    const int n_of = four ? 4 : 3;
    int list[GR_SCENE_OBJECTS_MAX], objects[GR_SHOWN_MAX], of[4] = { 0 }, k = 0;
    const int n = candidates(a, list);
    role r;
    if (!draw_role(a, list, n, 1, 3, &r))
        return false;
    objects[0] = r.object;
    if (!pick(a, r, list, n, GR_TRUE, objects, 1, !nothing) ||
        !pick(a, r, list, n, GR_FALSE, objects, 1 + !nothing, n_of - !nothing))
        return false;
    const int right = objects[1];
    gr_asking_show(a, objects, 1 + n_of);
    for (int i = 0; i < a->n_shown; i++)
        if (a->shown[i] != r.object)
            of[k++] = i;
    ask_which(q, a, r, of, n_of);
    for (int i = 0; i < n_of; i++) {
        if (!nothing && a->shown[of[i]] == right)
            q->right = i;
        prompt_option(q, of[i]);
    }
    if (!four)
        option(q, none_text(a));
    if (nothing)
        q->right = 3;
    gr_phrase_printf(&q->answer, "%s.", q->options[q->right]);
    return true;
}

bool gr_ask_relation(gr_question *q, gr_asking *a)
{
    if (a->n_shown > 0)
        return gr_draw_below(a->d, 3) ? statements(q, a) : yes_or_no(q, a);
    switch (gr_draw_below(a->d, 6)) {
    case 0:
    case 1:
        return statements(q, a);
    case 2:
    case 3:
        return two_or_none(q, a);
    case 4:
        return one_of(q, a);
    default:
        return gr_draw_below(a->d, 2) ? yes_or_no(q, a) : one_of(q, a);
    }
}
