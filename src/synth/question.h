/* question.h - questions about regions of a scene, with a short answer and, where there are some, options of
 * which exactly one is true.
 *
 * A region is written <PromptK>: the K-th of the objects that are shown. A question makes do with those that
 * are shown already, or, when none are, shows what it needs. One file a family: question_NAME.c.
 *
 * Options are drawn so that their texts alone tell nothing: the right letter is uniform, and what is wrong in
 * one question is right in another about as often. */
#ifndef GR_SYNTH_QUESTION_H
#define GR_SYNTH_QUESTION_H

#include "base/buf.h"
#include "synth/phrase.h"
#include "synth/scene.h"

enum { GR_SHOWN_MAX = 5, GR_OPTIONS_MAX = 4, GR_OPTION_BYTES = 200 };

/* The first ones are GAR-Bench's categories, in its order of groups. */
typedef enum {
    GR_ASK_COLOUR,
    GR_ASK_SHAPE,
    GR_ASK_MATERIAL,
    GR_ASK_PATTERN,
    GR_ASK_ORDER,
    GR_ASK_MIRROR,
    GR_ASK_RELATION,
    GR_ASK_CATEGORIES,
    GR_ASK_CLASS = GR_ASK_CATEGORIES, /* what it is, in a word */
    GR_ASK_EACH,                      /* the same of all that are shown, as a list */
    GR_ASK_YES_NO,
    GR_ASK_REFER,   /* which of them fits a description */
    GR_ASK_COMPARE, /* whether two are alike in something */
    GR_ASK_COUNT,   /* how many of them are so */
    GR_ASK_FAMILIES
} gr_ask;

/* "color", "shape", ... as GAR-Bench's files call them; "class" and so on for the others. */
const char *gr_ask_name(gr_ask family);

typedef struct {
    gr_ask family;
    gr_phrase text;   /* without options */
    gr_phrase answer; /* to the text alone; "" where it needs its options */
    char options[GR_OPTIONS_MAX][GR_OPTION_BYTES];
    int n_options; /* 0, 2, 4 */
    int right;     /* of them */
    /* Which of the shown it is about, for a checker; -1: several */
    int about;
} gr_question;

/* What is asked about. Begin with scene and draws; shown grows while n_shown is 0, and not after. */
typedef struct {
    const gr_scene *s;
    gr_draws *d;
    int shown[GR_SHOWN_MAX]; /* numbers of objects */
    int n_shown;
} gr_asking;

/* False: the scene, or what is shown of it, has no such question. */
bool gr_question_make(gr_question *q, gr_asking *a, gr_ask family);

/* Appends it as it is asked: the text alone, or with its options in the form of evaluation scripts,
 * "Question:
 * ...\nOptions:\nA. ...\nAnswer with the correct option's letter directly.". False: no memory. */
bool gr_question_put(gr_buf *out, const gr_question *q, bool options);

/* The same of all that are shown and of which it can be told, as a list. False: those are fewer than two. */
typedef enum { GR_EACH_CLASS, GR_EACH_COLOUR, GR_EACH_MATERIAL, GR_EACH_PATTERN, GR_EACH_KINDS } gr_each;
bool gr_ask_each_of(gr_question *q, gr_asking *a, gr_each what);

/* --- for the families ---------------------------------------------------------------------------------- */

bool gr_ask_colour(gr_question *q, gr_asking *a);
bool gr_ask_shape(gr_question *q, gr_asking *a);
bool gr_ask_material(gr_question *q, gr_asking *a);
bool gr_ask_pattern(gr_question *q, gr_asking *a);
bool gr_ask_order(gr_question *q, gr_asking *a);
bool gr_ask_mirror(gr_question *q, gr_asking *a);
bool gr_ask_relation(gr_question *q, gr_asking *a);
bool gr_ask_class(gr_question *q, gr_asking *a);
bool gr_ask_each(gr_question *q, gr_asking *a);
bool gr_ask_yes_no(gr_question *q, gr_asking *a);
bool gr_ask_refer(gr_question *q, gr_asking *a);
bool gr_ask_compare(gr_question *q, gr_asking *a);
bool gr_ask_count(gr_question *q, gr_asking *a);

/* One of the shown for which `fits`, or, when none are shown, one of the scene, which is shown then. Its
 * place among the shown; -1: there is none. */
int gr_asking_pick(gr_asking *a, bool (*fits)(const gr_scene *s, int i));
/* Shows n objects in an order that is drawn. */
void gr_asking_show(gr_asking *a, const int *objects, int n);
/* Adds seen objects until n are to be shown, none twice; returns how many there are then. */
int gr_asking_fill(const gr_asking *a, int *objects, int n, int wanted);

/* 0..n-1 as if drawn by their weights one after the other, without putting back. */
void gr_weighted_order(gr_draws *d, const unsigned char *weights, int n, int *order);
/* "<Prompt0>, <Prompt2> and <Prompt3>": those of n whose bit is set; `last` goes before the last of several.
 */
void gr_prompts_add(gr_phrase *p, unsigned which, int n, const char *last);
/* Options in an order that is drawn; the first one given is the right one. */
void gr_question_options(gr_question *q, gr_asking *a, const gr_phrase *options, int n);

#endif
