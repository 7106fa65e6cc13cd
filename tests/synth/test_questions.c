/* One option of each question is true, as a checker sees it (support/said.h); options give nothing away. */
#include "test.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/rng.h"
#include "support/said.h"
#include "synth/compose.h"
#include "synth/describe.h"
#include "synth/name.h"
#include "synth/name.h"
#include "synth/question.h"
#include "synth/score.h"
#include "synth/seen.h"
#include "synth/vocabulary.h"

#define WORDS                                                                                             \
    0xe6bc03d18e8ed045ULL /* of every_compiler_gives_the_same_words: another one where scenes or wordings \
                             change */

/* --- questions ----------------------------------------------------------------------------------------- */

/* <PromptK> in order of appearance. */
static int prompts_of(const char *text, int *k, int max)
{
    int n = 0;
    for (const char *at = text; (at = strstr(at, "<Prompt")) != NULL && n < max; at++)
        k[n++] = at[7] - '0';
    return n;
}

/* "<PromptA> is VIEW <PromptB>", not "both <PromptA> and <PromptB>". */
static bool is_statement(const char *option)
{
    int k[4];
    return prompts_of(option, k, 4) == 2 && strncmp(option, "Both", 4) != 0;
}

/* Whether "<PromptA> is VIEW <PromptB>" is said and true; 2: it says nothing of that kind. */
static gr_truth statement_truth(const gr_scene *s, const int *shown, const char *text)
{
    said_view v;
    int k[2];
    char all[GR_PHRASE_BYTES];
    said_lower(all, sizeof all, text);
    assert_non_null(said_next_view(all, &v));
    assert_int_equal(prompts_of(text, k, 2), 2);
    return gr_seen_relation(s, v.kind, shown[k[v.inverse]], shown[k[!v.inverse]]);
}

static int ordinal_in(const char *text, const char *before, const char *after)
{
    static const char *const words[] = { "first",   "second", "third", "fourth", "fifth",    "sixth",
                                         "seventh", "eighth", "ninth", "tenth",  "eleventh", "twelfth" };
    char phrase[64];
    for (int k = 0; k < 12; k++) {
        snprintf(phrase, sizeof phrase, "%s%s%s", before, words[k], after);
        if (strstr(text, phrase))
            return k;
    }
    return -1;
}

static bool place_of_grid_is(const gr_scene *s, const gr_object *o, const char *option)
{
    char text[GR_OPTION_BYTES];
    said_lower(text, sizeof text, option);
    static const char *const sides[] = { "left", "right" };
    int row = -1, col = -1;
    const bool bottom = strstr(text, "bottom") != NULL;
    /* rows: "the R row", "row R", "R row"; else the ordinal beside a side is that of the column */
    row = ordinal_in(text, "", " row");
    if (row < 0)
        row = ordinal_in(text, "row ", "");
    for (int side = 0; side < 2; side++) {
        char after[48];
        const char *const forms[] = { " from the %s", " counting from the %s",
                                      " when one counts from the %s" };
        for (int f = 0; f < 3; f++) {
            snprintf(after, sizeof after, forms[f], sides[side]);
            const int k = ordinal_in(text, "", after);
            if (k >= 0)
                col = side ? s->cell_count[o->row] - 1 - k : k;
        }
        snprintf(after, sizeof after, "counted from the %s it is the ", sides[side]);
        const int k = ordinal_in(text, after, "");
        if (k >= 0)
            col = side ? s->cell_count[o->row] - 1 - k : k;
    }
    if (!strstr(text, "left") && !strstr(text, "right")) { /* one column */
        row = ordinal_in(text, "the ", bottom ? " from the bottom" : " from the top");
        if (row < 0)
            row = ordinal_in(text, "the ", bottom ? " counting from the bottom" : " counting from the top");
        col = 0;
    }
    if (row < 0)
        row = 0;
    else if (bottom)
        row = s->rows - 1 - row;
    return row == o->row && col == o->col;
}

static bool attribute_is(const gr_scene *s, const gr_question *q, const gr_object *o, const char *option)
{
    char text[GR_OPTION_BYTES];
    (void)s;
    said_lower(text, sizeof text, option);
    if (q->family == GR_ASK_SHAPE)
        return said_words(text, gr_shape_noun(o->shape)->word) != NULL;
    if (q->family == GR_ASK_MATERIAL)
        return said_words(text, gr_material_word(o->material)->noun) != NULL;
    if (q->family == GR_ASK_PATTERN)
        return said_words(text, gr_pattern_word(o->pattern)) ||
               said_words(text, gr_pattern_phrase(o->pattern)->noun);
    bool good = said_words(text, gr_colour_word(o->colour)) != NULL;
    if (o->kind == GR_OBJECT_SHAPE && o->pattern != GR_PATTERN_PLAIN)
        good = good && said_words(text, gr_colour_word(o->second));
    return good;
}

/* Whether a mirror option is true, of the forms there are. */
static bool mirror_is(const gr_scene *s, const gr_question *q, const int *shown, int n_shown,
                      const char *option)
{
    char text[GR_OPTION_BYTES], asked[GR_PHRASE_BYTES];
    int k[4];
    said_lower(text, sizeof text, option);
    said_lower(asked, sizeof asked, q->text.text);
    const bool for_thing = strstr(asked, "thing itself") || strstr(asked, "really there") ||
                           strstr(asked, "real object") || strstr(asked, "no image but");
    const int n = prompts_of(option, k, 4);
    int n_true = 0;
    for (int j = 0; j < n_shown; j++)
        n_true += (s->objects[shown[j]].entity == GR_ENTITY) == for_thing;
    const gr_object *o = &s->objects[shown[q->about < 0 ? 0 : q->about]];
    if (strncmp(text, "yes", 3) == 0 || strncmp(text, "no.", 3) == 0)
        return (o->entity != GR_ENTITY) == (text[0] == 'y');
    if (q->about >= 0)
        return o->entity == GR_ENTITY ? strstr(text, "thing itself") || strstr(text, "real object") ||
                                            strstr(text, "really there")
               : o->entity == GR_ON_SCREEN ? strstr(text, "screen") != NULL
               : o->entity == GR_SHADOW    ? strstr(text, "shadow") != NULL
                                           : strstr(text, "reflection") || strstr(text, "mirror image");
    if (n == 0)
        return n_true == 0;
    if (n == 1)
        return n_true == 1 && (s->objects[shown[k[0]]].entity == GR_ENTITY) == for_thing;
    const bool first = s->objects[shown[k[0]]].entity != GR_ENTITY,
               second = s->objects[shown[k[1]]].entity != GR_ENTITY;
    return strstr(text, "but not") ? first && !second : first && second;
}

/* "what is VIEW <PromptN>", with one, both or none of the regions. */
static bool which_is(const gr_scene *s, const gr_question *q, const int *shown, const char *option)
{
    char asked[GR_PHRASE_BYTES];
    said_view v;
    int of[8], k[8], n_true = 0;
    said_lower(asked, sizeof asked, q->text.text);
    const char *at = said_next_view(asked, &v);
    assert_non_null(at);
    const int object = strstr(at, "<prompt")[7] - '0';
    const int n_of = prompts_of(q->text.text, of, 8), n = prompts_of(option, k, 8);
    for (int j = 0; j < n_of; j++) {
        if (of[j] == object)
            continue;
        const int x = shown[of[j]], b = shown[object];
        const gr_truth t = v.inverse ? gr_seen_relation(s, v.kind, b, x) : gr_seen_relation(s, v.kind, x, b);
        assert_int_not_equal(t, GR_UNCLEAR);
        n_true += t == GR_TRUE;
    }
    for (int j = 0; j < n; j++) {
        const int x = shown[k[j]], b = shown[object];
        if ((v.inverse ? gr_seen_relation(s, v.kind, b, x) : gr_seen_relation(s, v.kind, x, b)) != GR_TRUE)
            return false;
    }
    return n == n_true;
}

static gr_truth relation_option(const gr_scene *s, const gr_question *q, const int *shown, const char *option)
{
    const bool yes = strcmp(option, "Yes.") == 0;
    if (yes || strcmp(option, "No.") == 0) {
        const gr_truth t = statement_truth(s, shown, q->text.text);
        return t == GR_UNCLEAR ? t : (t == GR_TRUE) == yes ? GR_TRUE : GR_FALSE;
    }
    if (is_statement(option))
        return statement_truth(s, shown, option);
    return which_is(s, q, shown, option) ? GR_TRUE : GR_FALSE;
}

static gr_truth option_truth(const gr_scene *s, const gr_question *q, const gr_asking *a, const char *option)
{
    const gr_object *o = q->about >= 0 ? &s->objects[a->shown[q->about]] : NULL;
    bool is;
    switch (q->family) {
    case GR_ASK_ORDER:
        is = place_of_grid_is(s, o, option);
        break;
    case GR_ASK_MIRROR:
        is = mirror_is(s, q, a->shown, a->n_shown, option);
        break;
    case GR_ASK_RELATION:
        return relation_option(s, q, a->shown, option);
    default:
        is = attribute_is(s, q, o, option);
    }
    return is ? GR_TRUE : GR_FALSE;
}

static void print_question(char *to, size_t n, const gr_question *q)
{
    size_t at = (size_t)snprintf(to, n, "%s", q->text.text);
    for (int k = 0; k < q->n_options && at < n; k++)
        at += (size_t)snprintf(to + at, n - at, " | %s%s", k == q->right ? "*" : "", q->options[k]);
}

static void one_option_of_each_question_is_true(void **state)
{
    (void)state;
    static gr_scene s;
    int made[GR_ASK_CATEGORIES] = { 0 };
    for (uint64_t index = 0; index < SAID_SCENES; index++) {
        said_scene(&s, index);
        for (int family = 0; family < GR_ASK_CATEGORIES; family++) {
            gr_draws d = gr_draws_for(5, 2, 0, (uint32_t)index, (uint32_t)family);
            gr_asking a = { .s = &s, .d = &d };
            gr_question q;
            if (!gr_question_make(&q, &a, (gr_ask)family))
                continue;
            char text[4096];
            print_question(text, sizeof text, &q);
            made[family]++;
            if (q.n_options == 0) { /* a statement about places is its own answer */
                assert_int_equal(family, GR_ASK_RELATION);
                assert_int_equal(statement_truth(&s, a.shown, q.answer.text), GR_TRUE);
                continue;
            }
            assert_true(q.n_options == 4 || q.n_options == 2);
            assert_false(q.text.full || q.answer.full);
            assert_in_range(a.n_shown, 1, GR_SHOWN_MAX);
            for (int k = 0; k < q.n_options; k++) {
                for (int j = 0; j < k; j++)
                    assert_string_not_equal(q.options[j], q.options[k]);
                if (option_truth(&s, &q, &a, q.options[k]) != (k == q.right ? GR_TRUE : GR_FALSE))
                    fail_msg("scene %d, %s: option %c: %s", (int)index, gr_ask_name((gr_ask)family), 'A' + k,
                             text);
            }
        }
    }
    for (int family = 0; family < GR_ASK_CATEGORIES; family++)
        if (made[family] < SAID_SCENES / 20)
            fail_msg("only %d questions of %s", made[family], gr_ask_name((gr_ask)family));
}

/* --- statistics ---------------------------------------------------------------------------------------- */

/* What the options of a category say, apart from the region they name. */
typedef struct {
    char text[GR_OPTION_BYTES];
    int offered, right;
    double expected; /* how often it would be right by chance */
} said;

enum { SAID_MAX = 400 };

typedef struct {
    said v[SAID_MAX];
    int n, letters[4], four, longest_right, decided;
} counts;

static void note(counts *c, const char *option, bool right, int n_options)
{
    int k = 0;
    while (k < c->n && strcmp(c->v[k].text, option) != 0)
        k++;
    if (k == SAID_MAX)
        return;
    if (k == c->n) {
        c->v[k] = (said){ .offered = 0 };
        snprintf(c->v[c->n++].text, GR_OPTION_BYTES, "%s", option);
    }
    c->v[k].offered++;
    c->v[k].right += right;
    c->v[k].expected += 1.0 / n_options;
}

static const char *colour_name(int k) { return gr_colour_word((gr_colour)k); }
static const char *shape_name(int k) { return gr_shape_noun((gr_shape_kind)k)->word; }
static const char *material_name(int k) { return gr_material_word((gr_material)k)->noun; }
static const char *pattern_name(int k)
{
    static const char *const stems[] = { "no pattern", "strip", "dot", "check", "zigzag", "net" };
    return stems[k];
}

/* "<Prompt1> is holding <Prompt0>." -> its relation and voice; attributes -> their word. */
static void essence(char *to, const gr_question *q, const char *option)
{
    char all[GR_PHRASE_BYTES];
    said_view v;
    said_lower(all, sizeof all, option);
    if (q->family == GR_ASK_RELATION && is_statement(option) && said_next_view(all, &v)) {
        snprintf(to, GR_OPTION_BYTES, "%s", v.words);
        return;
    }
    const struct {
        gr_ask family;
        int n;
        const char *(*word)(int k);
    } words[] = { { GR_ASK_COLOUR, GR_COLOURS, colour_name },
                  { GR_ASK_SHAPE, GR_SHAPES, shape_name },
                  { GR_ASK_MATERIAL, GR_MATERIALS, material_name },
                  { GR_ASK_PATTERN, GR_PATTERNS, pattern_name } };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        for (int k = 0; k < words[i].n && q->family == words[i].family && !strstr(all, " and "); k++)
            if (strstr(all, words[i].word(k)) ||
                (words[i].family == GR_ASK_PATTERN && k == 0 && strstr(all, "plain"))) {
                snprintf(to, GR_OPTION_BYTES, "%s", words[i].word(k));
                return;
            }
    /* places and pairs of colours are too many to be counted one by one */
    snprintf(to, GR_OPTION_BYTES, "%s",
             q->family == GR_ASK_ORDER || q->family == GR_ASK_COLOUR ? "other" : option);
}

static void count_question(counts *c, const gr_question *q)
{
    size_t most = 0;
    int at = 0, same = 0;
    for (int k = 0; k < q->n_options; k++) {
        char text[GR_OPTION_BYTES];
        const size_t n = strlen(q->options[k]);
        essence(text, q, q->options[k]);
        note(c, text, k == q->right, q->n_options);
        same = n == most ? same + 1 : n > most ? 0 : same;
        at = n > most ? k : at;
        most = n > most ? n : most;
    }
    if (q->n_options != 4)
        return;
    c->letters[q->right]++;
    c->four++;
    c->decided += same == 0;
    c->longest_right += same == 0 && at == q->right;
}

/* What an option's text alone tells beyond chance: at most this much more or less often right. */
#define TELLS_MOST 0.08

static void judge_counts(const counts *c, const char *name)
{
    for (int k = 0; k < 4; k++)
        if (fabs(c->letters[k] - c->four / 4.0) > 4 * sqrt(c->four * 0.25 * 0.75))
            fail_msg("%s: %c is right %d times of %d", name, 'A' + k, c->letters[k], c->four);
    const double off = c->longest_right - c->decided / 4.0;
    if (fabs(off) > TELLS_MOST * c->decided + 4 * sqrt(c->decided * 0.25 * 0.75))
        fail_msg("%s: the longest option is right %d times of %d", name, c->longest_right, c->decided);
    for (int k = 0; k < c->n; k++) {
        const said *w = &c->v[k];
        const double more = fabs(w->right - w->expected) / w->offered,
                     noise = 4 * sqrt(0.25 * 0.75 / w->offered);
        if (getenv("GR_TEST_SHOW") && w->offered >= 40)
            printf("%-16s %-40s %5d offered %.3f right, %.3f by chance\n", name, w->text, w->offered,
                   (double)w->right / w->offered, w->expected / w->offered);
        else if (more > TELLS_MOST + noise)
            fail_msg("%s: '%s' is right %d times of %d, by chance %.0f", name, w->text, w->right, w->offered,
                     w->expected);
    }
}

static void options_give_nothing_away(void **state)
{
    (void)state;
    static gr_scene s;
    static counts all[GR_ASK_CATEGORIES];
    for (uint64_t index = 0; index < 2 * SAID_SCENES; index++) {
        said_scene(&s, index);
        for (int family = 0; family < GR_ASK_CATEGORIES; family++) {
            gr_draws d = gr_draws_for(6, 2, 0, (uint32_t)index, (uint32_t)family);
            gr_asking a = { .s = &s, .d = &d };
            gr_question q;
            if (gr_question_make(&q, &a, (gr_ask)family))
                count_question(&all[family], &q);
        }
    }
    for (int family = 0; family < GR_ASK_CATEGORIES; family++)
        judge_counts(&all[family], gr_ask_name((gr_ask)family));
}

/* --- more ---------------------------------------------------------------------------------------------- */

static void questions_about_what_is_shown_keep_it(void **state)
{
    (void)state;
    static gr_scene s;
    int made[GR_ASK_FAMILIES] = { 0 };
    for (uint64_t index = 0; index < SAID_SCENES; index++) {
        said_scene(&s, index);
        gr_draws d = gr_draws_for(7, 2, 0, (uint32_t)index, 0);
        gr_asking a = { .s = &s, .d = &d };
        int objects[GR_SHOWN_MAX];
        const int n = gr_asking_fill(&a, objects, 0, 1 + (int)(index % 5));
        for (int family = 0; family < GR_ASK_FAMILIES; family++) {
            gr_question q;
            memcpy(a.shown, objects, sizeof objects);
            a.n_shown = n;
            if (n == 0 || !gr_question_make(&q, &a, (gr_ask)family))
                continue;
            int k[32];
            made[family]++;
            assert_int_equal(a.n_shown, n);
            assert_memory_equal(a.shown, objects, (size_t)n * sizeof *objects);
            const int named = prompts_of(q.text.text, k, 32);
            assert_true(named > 0);
            for (int j = 0; j < named; j++)
                assert_true(k[j] < n);
            assert_true(q.answer.n > 0);
        }
    }
    for (int family = 0; family < GR_ASK_FAMILIES; family++)
        if (made[family] < SAID_SCENES / 30)
            fail_msg("only %d questions of %s", made[family], gr_ask_name((gr_ask)family));
}

static void free_answers_fit_the_regions(void **state)
{
    (void)state;
    static gr_scene s;
    for (uint64_t index = 0; index < SAID_SCENES; index++) {
        said_scene(&s, index);
        gr_draws d = gr_draws_for(8, 2, 0, (uint32_t)index, 0);
        gr_asking a = { .s = &s, .d = &d };
        gr_question q;
        char answer[GR_PHRASE_BYTES], asked[GR_PHRASE_BYTES];
        if (gr_question_make(&q, &a, GR_ASK_CLASS)) {
            said_lower(answer, sizeof answer, q.answer.text);
            assert_non_null(said_words(answer, gr_object_noun(&s.objects[a.shown[q.about]])->word));
        }
        a.n_shown = 0;
        if (gr_question_make(&q, &a,
                             GR_ASK_REFER)) { /* as many of the shown fit the words as the answer says */
            int fits = 0;
            said_lower(asked, sizeof asked, q.text.text);
            for (int k = 0; k < a.n_shown; k++) {
                const gr_object *o = &s.objects[a.shown[k]];
                fits += said_fits(asked, o) && said_words(asked, gr_object_noun(o)->word) &&
                        said_entity(asked, o->entity) &&
                        (o->entity != GR_ENTITY ||
                         !(said_entity(asked, GR_REFLECTION) || said_entity(asked, GR_SHADOW) ||
                           said_entity(asked, GR_ON_SCREEN)));
            }
            if (fits < (q.about >= 0))
                fail_msg("none fits: %s %s", q.text.text, q.answer.text);
            if (q.about < 0)
                assert_true(strstr(q.answer.text, "None") || strstr(q.answer.text, "no such"));
        }
    }
}

/* "Red, white and black." */
static int split_list(char *answer, char **item, int max)
{
    int n = 0;
    answer[strcspn(answer, ".")] = '\0';
    for (char *at = answer; at && n < max; n++) {
        item[n] = at;
        if ((at = strstr(at, ", ")) != NULL) {
            *at = '\0';
            at += 2;
        }
    }
    return n;
}

static bool item_names(const char *item, const gr_object *o, gr_each what)
{
    switch (what) {
    case GR_EACH_CLASS:
        return strcmp(item, gr_object_noun(o)->word) == 0;
    case GR_EACH_COLOUR:
        return said_words(item, gr_colour_word(o->colour)) && said_fits(item, o);
    case GR_EACH_MATERIAL:
        return strcmp(item, gr_material_word(o->material)->noun) == 0;
    default:
        return strcmp(item, gr_pattern_phrase(o->pattern)->adjective) == 0;
    }
}

/* Whom the question names is answered for, in that order; who is not named has nothing to be told. */
static void a_list_answers_for_those_it_names(void **state)
{
    (void)state;
    static gr_scene s;
    static bool (*const told[])(const gr_scene *, int) = { gr_seen, gr_seen_colour, gr_seen_surface,
                                                           gr_seen_surface };
    int made[GR_EACH_KINDS] = { 0 }, left_out = 0;
    for (uint64_t index = 0; index < SAID_SCENES; index++) {
        said_scene(&s, index);
        gr_draws d = gr_draws_for(9, 2, 0, (uint32_t)index, 0);
        gr_asking a = { .s = &s, .d = &d };
        a.n_shown = gr_asking_fill(&a, a.shown, 0, 1 + (int)(index % 5));
        for (int what = 0; what < GR_EACH_KINDS; what++) {
            gr_question q;
            char answer[GR_PHRASE_BYTES], *item[GR_SHOWN_MAX + 1];
            int k[32], n_told = 0;
            for (int j = 0; j < a.n_shown; j++)
                n_told += told[what](&s, a.shown[j]);
            assert_int_equal(gr_ask_each_of(&q, &a, (gr_each)what), n_told >= 2);
            if (n_told < 2)
                continue;
            made[what]++;
            left_out += n_told < a.n_shown;
            said_lower(answer, sizeof answer, q.answer.text);
            const int n = split_list(answer, item, GR_SHOWN_MAX + 1);
            assert_int_equal(n, n_told);
            assert_int_equal(prompts_of(q.text.text, k, 32), n);
            for (int j = 0; j < n; j++) {
                assert_true(j == 0 || k[j] > k[j - 1]);
                assert_true(told[what](&s, a.shown[k[j]]));
                if (!item_names(item[j], &s.objects[a.shown[k[j]]], (gr_each)what))
                    fail_msg("%s %s: %d", q.text.text, q.answer.text, j);
            }
        }
    }
    for (int what = 0; what < GR_EACH_KINDS; what++)
        assert_true(made[what] > SAID_SCENES / 20);
    assert_true(left_out > SAID_SCENES / 20);
}

/* Our questions are measured with a published benchmark: its sentences must not be among ours. */
static void no_question_is_one_of_the_published_benchmark(void **state)
{
    (void)state;
    NEED_SHARED("GAR-Bench/annotations/GAR-Bench-VQA.json");
    static gr_scene s;
    gr_runtime *rt = test_runtime();
    gr_error err = { 0 };
    char *file;
    size_t size;
    MUST(gr_file_read(rt, SHARED_FILE("GAR-Bench/annotations/GAR-Bench-VQA.json"), 1 << 24, &file, &size,
                      &err));
    for (uint64_t index = 0; index < 400; index++) {
        said_scene(&s, index);
        for (int family = 0; family < GR_ASK_FAMILIES; family++) {
            gr_draws d = gr_draws_for(9, 2, 0, (uint32_t)index, (uint32_t)family);
            gr_asking a = { .s = &s, .d = &d };
            gr_question q;
            if (!gr_question_make(&q, &a, (gr_ask)family))
                continue;
            char text[GR_PHRASE_BYTES + 16];
            snprintf(text, sizeof text, "\"%s\"", q.text.text);
            if (strstr(file, text))
                fail_msg("the benchmark asks %s too", text);
            for (int k = 0; k < q.n_options; k++)
                if (strlen(q.options[k]) > 32 && strstr(file, q.options[k]))
                    fail_msg("the benchmark has '%s' too", q.options[k]);
        }
    }
    gr_free(rt, file);
    gr_runtime_free(rt);
}

/* Arguments and operands have no order in C, so that two draws in one of them would be another scene or
 * another text from another compiler. The number is gcc's and clang's. */
static void every_compiler_gives_the_same_words(void **state)
{
    (void)state;
    static gr_scene s;
    uint64_t sum = 0;
    for (uint64_t index = 0; index < 120; index++) {
        said_scene(&s, index);
        for (int i = 0; i < s.n_objects; i++) {
            gr_phrase text = { 0 };
            gr_draws d = gr_draws_for(1, 2, 3, (uint32_t)index, (uint32_t)i);
            if (!gr_seen(&s, i))
                continue;
            gr_describe(&text, &s, i, (gr_describe_level)(index % GR_DESCRIBE_LEVELS), &d);
            sum = gr_fnv1a64(text.text, text.n, sum);
        }
        for (int family = 0; family < GR_ASK_FAMILIES; family++) {
            gr_draws d = gr_draws_for(9, 2, 0, (uint32_t)index, (uint32_t)family);
            gr_asking a = { .s = &s, .d = &d };
            gr_question q;
            if (!gr_question_make(&q, &a, (gr_ask)family))
                continue;
            sum = gr_fnv1a64(q.text.text, q.text.n, sum);
            for (int k = 0; k < q.n_options; k++)
                sum = gr_fnv1a64(q.options[k], strlen(q.options[k]), sum);
        }
    }
    if (sum != WORDS)
        fail_msg("the words come to %016llx, expected %016llx", (unsigned long long)sum,
                 (unsigned long long)WORDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_option_of_each_question_is_true),
        cmocka_unit_test(options_give_nothing_away),
        cmocka_unit_test(questions_about_what_is_shown_keep_it),
        cmocka_unit_test(free_answers_fit_the_regions),
        cmocka_unit_test(a_list_answers_for_those_it_names),
        cmocka_unit_test(no_question_is_one_of_the_published_benchmark),
        cmocka_unit_test(every_compiler_gives_the_same_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
