#include "synth/score.h"

#include <string.h>

#include "synth/vocabulary.h"

/* --- finding words ------------------------------------------------------------------------------------- */

enum { TEXT_BYTES = 4096 };

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || c == '-'; }

/* Whether the word or words stand at `at`, whole. */
static size_t stands(const char *text, size_t at, size_t end, const char *words)
{
    const size_t n = strlen(words);
    if (n == 0 || end - at < n || memcmp(text + at, words, n) != 0 || (at > 0 && is_letter(text[at - 1])))
        return 0;
    return at + n < end && is_letter(text[at + n]) ? 0 : n;
}

/* Where the words stand first in [at, end); `end`: nowhere. */
static size_t find(const char *text, size_t at, size_t end, const char *words)
{
    for (; at < end; at++)
        if (stands(text, at, end, words))
            return at;
    return end;
}

/* Another way to say a word of the vocabulary. */
typedef struct {
    const char *said, *means;
} synonym;

static const synonym colour_words[] = { { "gray", "grey" }, { "violet", "purple" } };
static const synonym material_words[] = { { "metallic", "metal" }, { "cloth", "fabric" } };
static const synonym pattern_words[] = {
    { "stripes", "striped" }, { "stripe", "striped" },    { "dots", "dotted" },       { "spotted", "dotted" },
    { "checks", "checked" },  { "checkered", "checked" }, { "chequered", "checked" }, { "zigzags", "zigzag" },
    { "net", "netted" },      { "no pattern", "plain" },  { "unpatterned", "plain" },
};
static const synonym entity_words[] = {
    { "reflection", "reflection" },    { "reflected", "reflection" },     { "mirror image", "reflection" },
    { "in a mirror", "reflection" },   { "in the mirror", "reflection" }, { "shadow", "shadow" },
    { "shown on a screen", "screen" }, { "on a screen", "screen" },       { "on the screen", "screen" },
};
static const synonym view_words[] = {
    { "left of", "to the left of" },
    { "right of", "to the right of" },
    { "on the left of", "to the left of" },
    { "on the right of", "to the right of" },
    { "beside", "next to" },
    { "underneath", "under" },
};
static const synonym noun_words[] = { { "figure", "person" } };

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* --- vocabularies: word k means meaning k -------------------------------------------------------------- */

typedef const char *(*word_at)(int k, const char **means); /* NULL: there are no more */

static const char *from_synonyms(const synonym *list, size_t n, int k, const char **means)
{
    if ((size_t)k >= n)
        return NULL;
    *means = list[k].means;
    return list[k].said;
}

static const char *colour_at(int k, const char **means)
{
    if (k >= GR_COLOURS)
        return from_synonyms(colour_words, COUNT(colour_words), k - GR_COLOURS, means);
    return *means = gr_colour_word((gr_colour)k);
}

static const char *pattern_at(int k, const char **means)
{
    if (k >= GR_PATTERNS)
        return from_synonyms(pattern_words, COUNT(pattern_words), k - GR_PATTERNS, means);
    return *means = gr_pattern_word((gr_pattern)k);
}

static const char *material_at(int k, const char **means)
{
    if (k >= 2 * GR_MATERIALS)
        return from_synonyms(material_words, COUNT(material_words), k - 2 * GR_MATERIALS, means);
    const gr_material_words *w = gr_material_word((gr_material)(k / 2));
    *means = w->noun;
    return k % 2 ? w->adjective : w->noun;
}

static const char *entity_at(int k, const char **means)
{
    return from_synonyms(entity_words, COUNT(entity_words), k, means);
}

static const char *view_at(int k, const char **means)
{
    if (k >= 2 * GR_RELATIONS)
        return from_synonyms(view_words, COUNT(view_words), k - 2 * GR_RELATIONS, means);
    return *means = gr_relation_view((gr_relation)(k / 2), k % 2);
}

static const char *noun_at(int k, const char **means)
{
    static const char *const others[] = { "person", "mirror", "screen" };
    if (k < GR_SHAPES)
        return *means = gr_shape_noun((gr_shape_kind)k)->word;
    k -= GR_SHAPES;
    if (k < GR_THINGS)
        return *means = gr_thing_at(k)->noun.word;
    k -= GR_THINGS;
    if (k < 3)
        return *means = others[k];
    return from_synonyms(noun_words, COUNT(noun_words), k - 3, means);
}

/* The longest word of a vocabulary that stands at `at`; 0: none. */
static size_t longest_at(const char *text, size_t at, size_t end, word_at vocabulary, const char **means)
{
    size_t best = 0;
    const char *word, *meaning = NULL;
    for (int k = 0; (word = vocabulary(k, &meaning)) != NULL; k++) {
        const size_t n = stands(text, at, end, word);
        if (n > best) {
            best = n;
            *means = meaning;
        }
    }
    return best;
}

/* --- statements ---------------------------------------------------------------------------------------- */

enum { STATED_MAX = 16 };

/* What was said, each meaning once. */
typedef struct {
    const char *v[STATED_MAX];
    int n;
} stated;

static bool was_stated(const stated *s, const char *word)
{
    for (int i = 0; i < s->n; i++)
        if (strcmp(s->v[i], word) == 0)
            return true;
    return false;
}

static void state(stated *s, const char *word)
{
    if (s->n < STATED_MAX && !was_stated(s, word))
        s->v[s->n++] = word;
}

typedef struct {
    stated colours, patterns, materials, entities, nouns;
} about;

/* All that [at, end) states. */
static void read_about(about *a, const char *text, size_t at, size_t end)
{
    const struct {
        word_at words;
        stated *to;
    } vocabularies[] = { { entity_at, &a->entities }, /* first: "in a mirror" is no mirror */
                         { noun_at, &a->nouns },
                         { colour_at, &a->colours },
                         { pattern_at, &a->patterns },
                         { material_at, &a->materials } };
    while (at < end) {
        size_t n = 0;
        for (size_t k = 0; k < COUNT(vocabularies) && n == 0; k++) {
            const char *means;
            n = longest_at(text, at, end, vocabularies[k].words, &means);
            if (n > 0)
                state(vocabularies[k].to, means);
        }
        at += n > 0 ? n : 1;
    }
}

enum { SAID_MAX = 256 };

/* A relation that was judged: to say it again is no second statement. */
typedef struct {
    const char *view, *noun, *colour; /* colour: the first that was said, or "" */
} said_relation;

typedef struct {
    const gr_truths *truth;
    gr_score score;
    about region;
    bool met[GR_TRUTH_RELATIONS];
    said_relation said[SAID_MAX];
    int n_said;
} scoring;

static bool is_said_again(scoring *s, const char *view, const about *other)
{
    const said_relation r = { view, other->nouns.v[0], other->colours.n > 0 ? other->colours.v[0] : "" };
    for (int i = 0; i < s->n_said; i++)
        if (strcmp(s->said[i].view, r.view) == 0 && strcmp(s->said[i].noun, r.noun) == 0 &&
            strcmp(s->said[i].colour, r.colour) == 0)
            return true;
    if (s->n_said < SAID_MAX)
        s->said[s->n_said++] = r;
    return false;
}

/* "VIEW [at, end)": the object is the first noun. Of two that are called the same both are meant. */
static void judge_relation(scoring *s, const char *view, const char *text, size_t at, size_t end)
{
    about other = { .nouns = { .n = 0 } };
    bool is_true = false, is_open = false;
    read_about(&other, text, at, end);
    if (other.nouns.n == 0 || is_said_again(s, view, &other))
        return; /* "to the left of it all" */
    for (int i = 0; i < s->truth->n_relations; i++) {
        const gr_truth_relation *r = &s->truth->relations[i];
        if (strcmp(r->view, view) != 0 || strcmp(r->noun, other.nouns.v[0]) != 0 ||
            (r->colour[0] && other.colours.n > 0 && !was_stated(&other.colours, r->colour)))
            continue;
        s->met[i] = s->met[i] || r->weight == GR_RELATION_MAIN;
        is_true = is_true || r->weight != GR_RELATION_OPEN;
        is_open = is_open || r->weight == GR_RELATION_OPEN;
    }
    s->score.part[GR_SCORE_RELATION].n_true += is_true;
    s->score.part[GR_SCORE_RELATION].n_false += !is_true && !is_open;
}

/* Where a sentence goes over to the background, or `end`. */
static size_t background_of(const char *text, size_t at, size_t end)
{
    static const char *const starts[] = { "background", "backdrop", "elsewhere" };
    size_t first = end;
    for (size_t k = 0; k < COUNT(starts); k++) {
        const size_t where = find(text, at, end, starts[k]);
        first = where < first ? where : first;
    }
    if (first == end)
        return end;
    static const char *const before[] = { "on a", "against a", "before a", "in front of a" };
    for (size_t back = first; back > at && first - back < 40; back--)
        for (size_t k = 0; k < COUNT(before); k++)
            if (stands(text, back, first, before[k]))
                return back;
    return first;
}

/* "in the lower left of the picture" is a place, and no relation to something else. */
static bool is_place(const char *text, size_t at, size_t end)
{
    static const char *const wholes[] = { " the picture", " the image", " it" };
    for (size_t k = 0; k < COUNT(wholes); k++) {
        const size_t n = strlen(wholes[k]);
        if (end - at >= n && memcmp(text + at, wholes[k], n) == 0 &&
            (at + n == end || !is_letter(text[at + n])))
            return true;
    }
    return false;
}

static void read_sentence(scoring *s, const char *text, size_t at, size_t end)
{
    const char *view = NULL, *means = NULL;
    size_t from = at;
    end = background_of(text, at, end);
    for (size_t i = at; i <= end;) {
        const size_t n = i < end ? longest_at(text, i, end, view_at, &means) : 0;
        if (i < end && (n == 0 || is_place(text, i + n, end))) {
            i += n ? n : 1;
            continue;
        }
        if (view)
            judge_relation(s, view, text, from, i);
        else
            read_about(&s->region, text, from, i);
        view = means;
        i += n ? n : 1;
        from = i;
    }
}

/* What is true and was to be stated. */
static void want(gr_score_part *p, const stated *said, const char *word)
{
    p->n_known += word[0] != '\0';
    p->n_missing += word[0] && !was_stated(said, word);
}

/* One kind of words: those that are true, and those that are not. `second`: true as well; "": there is none.
 */
static void judge(gr_score_part *p, const stated *said, const char *first, const char *second)
{
    if (!first[0])
        return; /* nothing is known, so nothing is wrong */
    for (int i = 0; i < said->n; i++)
        if (strcmp(said->v[i], first) == 0 || (second[0] && strcmp(said->v[i], second) == 0))
            p->n_true++;
        else
            p->n_false++;
    want(p, said, first);
}

static void judge_entity(scoring *s)
{
    gr_score_part *p = &s->score.part[GR_SCORE_ENTITY];
    if (strcmp(s->truth->entity, gr_entity_word(GR_ENTITY)) == 0)
        p->n_false += s->region.entities.n; /* silence is enough to be right */
    else
        judge(p, &s->region.entities, s->truth->entity, "");
}

static void judge_all(scoring *s)
{
    gr_score_part *part = s->score.part;
    const gr_truths *t = s->truth;
    judge(&part[GR_SCORE_NOUN], &s->region.nouns, t->noun, "");
    judge(&part[GR_SCORE_COLOUR], &s->region.colours, t->colour, t->second);
    if (t->colour[0])
        want(&part[GR_SCORE_SECOND], &s->region.colours, t->second);
    judge(&part[GR_SCORE_PATTERN], &s->region.patterns, t->pattern, "");
    judge(&part[GR_SCORE_MATERIAL], &s->region.materials, t->material, "");
    judge_entity(s);
    for (int i = 0; i < t->n_relations; i++) {
        part[GR_SCORE_RELATION].n_known += t->relations[i].weight == GR_RELATION_MAIN;
        part[GR_SCORE_RELATION].n_missing += t->relations[i].weight == GR_RELATION_MAIN && !s->met[i];
    }
    for (int k = 0; k < GR_SCORE_KINDS; k++) {
        s->score.n_true += part[k].n_true;
        s->score.n_false += part[k].n_false;
        s->score.n_known += part[k].n_known;
        s->score.n_missing += part[k].n_missing;
    }
}

const char *gr_score_word(gr_score_kind kind)
{
    static const char *const words[] = { "noun",     "colour", "second colour", "pattern",
                                         "material", "entity", "relation" };
    return words[kind];
}

gr_score gr_score_description(const char *text, size_t n, const gr_truths *truth)
{
    char lower[TEXT_BYTES];
    scoring s = { .truth = truth };
    if (n >= TEXT_BYTES)
        n = TEXT_BYTES - 1;
    for (size_t i = 0; i < n; i++)
        lower[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] - 'A' + 'a' : text[i]);
    for (size_t at = 0; at < n;) {
        size_t end = at;
        while (end < n && !strchr(".!?\n", lower[end]))
            end++;
        read_sentence(&s, lower, at, end);
        at = end + 1;
    }
    judge_all(&s);
    return s.score;
}
