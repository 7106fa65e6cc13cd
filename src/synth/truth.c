#include "synth/truth.h"

#include <stdio.h>
#include <string.h>

#include "synth/seen.h"
#include "synth/vocabulary.h"

static const char *const kinds[] = { [GR_OBJECT_SHAPE] = "shape",
                                     [GR_OBJECT_THING] = "thing",
                                     [GR_OBJECT_FIGURE] = "person",
                                     [GR_OBJECT_MIRROR] = "mirror",
                                     [GR_OBJECT_SCREEN] = "screen" };
enum { KINDS = sizeof kinds / sizeof *kinds };

const char *gr_entity_word(gr_entity entity)
{
    static const char *const words[] = { "entity", "reflection", "shadow", "screen" };
    return words[entity];
}

const char *gr_relation_view(gr_relation kind, bool inverse)
{
    const gr_relation_words *w = gr_relation_word(kind);
    return inverse ? w->inverse : w->phrase;
}

static void word(char to[GR_TRUTH_WORD], const char *text) { snprintf(to, GR_TRUTH_WORD, "%s", text); }

static void add_relation(gr_truths *t, const gr_scene *s, gr_relation_weight weight, gr_relation kind,
                         bool inverse, int with)
{
    if (t->n_relations == GR_TRUTH_RELATIONS)
        return;
    gr_truth_relation *r = &t->relations[t->n_relations++];
    *r = (gr_truth_relation){ .weight = weight, .with = with };
    word(r->view, gr_relation_view(kind, inverse));
    word(r->noun, gr_object_noun(&s->objects[with])->word);
    const gr_object *o = &s->objects[with];
    if (gr_seen_colour(s, with) && (o->kind == GR_OBJECT_FIGURE || o->pattern == GR_PATTERN_PLAIN))
        word(r->colour, gr_colour_word(o->colour));
}

static void add_main(gr_truths *t, const gr_scene *s, gr_relation kind, bool inverse, int with)
{
    if (t->n_main == GR_TRUTH_MAIN)
        return;
    add_relation(t, s, GR_RELATION_MAIN, kind, inverse, with);
    t->n_main = t->n_relations;
}

static bool is_main(const gr_truths *t, gr_relation kind, bool inverse, int with)
{
    for (int k = 0; k < t->n_main; k++)
        if (t->relations[k].with == with &&
            strcmp(t->relations[k].view, gr_relation_view(kind, inverse)) == 0)
            return true;
    return false;
}

/* The nearest object on the left or the right. */
static void find_neighbour(gr_truths *t, const gr_scene *s, int i)
{
    int nearest = -1, least = 0;
    bool right = false;
    for (int k = 0; k < s->n_objects; k++) {
        const bool left_of = gr_seen_relation(s, GR_RELATION_LEFT_OF, i, k) == GR_TRUE;
        if (!left_of && gr_seen_relation(s, GR_RELATION_LEFT_OF, k, i) != GR_TRUE)
            continue;
        const int *a = s->objects[left_of ? i : k].box, *b = s->objects[left_of ? k : i].box;
        if (nearest < 0 || b[0] - a[2] < least) {
            nearest = k;
            least = b[0] - a[2];
            right = !left_of;
        }
    }
    if (nearest >= 0)
        add_main(t, s, GR_RELATION_LEFT_OF, right, nearest);
}

/* What compose lists is what matters; where it lists nothing, the neighbour. */
static void find_main(gr_truths *t, const gr_scene *s, int i)
{
    for (int k = 0; k < s->n_relations; k++) {
        const gr_scene_relation *r = &s->relations[k];
        const bool inverse = r->subject != i;
        const int with = inverse ? r->subject : r->object;
        if ((r->subject == i || r->object == i) && !is_main(t, r->kind, inverse, with) &&
            gr_seen_relation(s, r->kind, r->subject, r->object) == GR_TRUE)
            add_main(t, s, r->kind, inverse, with);
    }
    if (t->n_main == 0)
        find_neighbour(t, s, i);
}

/* All others that are not false. */
static void find_others(gr_truths *t, const gr_scene *s, int i)
{
    for (int k = 0; k < s->n_objects; k++)
        for (int kind = 0; kind < GR_RELATIONS; kind++)
            for (int inverse = 0; k != i && gr_seen(s, k) && inverse < 2; inverse++) {
                const gr_truth holds =
                    gr_seen_relation(s, (gr_relation)kind, inverse ? k : i, inverse ? i : k);
                if (holds != GR_FALSE && !is_main(t, (gr_relation)kind, inverse, k) &&
                    !(kind == GR_RELATION_NEXT_TO && inverse))
                    add_relation(t, s, holds == GR_TRUE ? GR_RELATION_ALSO : GR_RELATION_OPEN,
                                 (gr_relation)kind, inverse, k);
            }
}

void gr_truth_of(gr_truths *t, const gr_scene *s, int i)
{
    const gr_object *o = &s->objects[i];
    *t = (gr_truths){ .n_relations = 0 };
    word(t->kind, kinds[o->kind]);
    word(t->noun, gr_object_noun(o)->word);
    word(t->entity, gr_entity_word(o->entity));
    if (gr_seen_colour(s, i)) {
        word(t->colour, gr_colour_word(o->colour));
        if (o->kind == GR_OBJECT_SHAPE && o->pattern != GR_PATTERN_PLAIN)
            word(t->second, gr_colour_word(o->second));
    }
    if (gr_seen_surface(s, i)) {
        word(t->pattern, gr_pattern_word(o->pattern));
        word(t->material, gr_material_word(o->material)->noun);
    }
    find_main(t, s, i);
    find_others(t, s, i);
}

/* --- as JSON ------------------------------------------------------------------------------------------- */

static const char *const weights[] = { "main", "also", "open" }; /* as gr_relation_weight */

static void put(gr_json_writer *w, const char *key, const char *text)
{
    if (!text[0])
        return;
    gr_json_put_key(w, key);
    gr_json_put_text(w, text);
}

void gr_truth_put(gr_json_writer *w, const gr_truths *t)
{
    gr_json_put_object(w);
    put(w, t->kind, t->noun);
    put(w, "colour", t->colour);
    put(w, "second", t->second);
    put(w, "pattern", t->pattern);
    put(w, "material", t->material);
    put(w, "entity", t->entity);
    gr_json_put_key(w, "relations");
    gr_json_put_array(w);
    for (int i = 0; i < t->n_relations; i++) {
        gr_json_put_object(w);
        put(w, "view", t->relations[i].view);
        put(w, "noun", t->relations[i].noun);
        put(w, "colour", t->relations[i].colour);
        put(w, "weight", weights[t->relations[i].weight]);
        gr_json_put_end(w, '}');
    }
    gr_json_put_end(w, ']');
    gr_json_put_end(w, '}');
}

/* Words that do not fit are none of ours. */
static void read_word(gr_json *j, char to[GR_TRUTH_WORD])
{
    const char *text = gr_json_string(j, NULL);
    if (strlen(text) >= GR_TRUTH_WORD)
        gr_json_fail(j, GR_ERR_FORMAT, "a word of %zu letters, at most %d are expected", strlen(text),
                     GR_TRUTH_WORD - 1);
    else
        word(to, text);
}

static void read_relation(gr_json *j, gr_truth_relation *r)
{
    const char *key;
    char weight[GR_TRUTH_WORD] = "";
    *r = (gr_truth_relation){ .with = -1 };
    for (gr_json_object(j); gr_json_key(j, &key);) {
        if (strcmp(key, "view") == 0)
            read_word(j, r->view);
        else if (strcmp(key, "noun") == 0)
            read_word(j, r->noun);
        else if (strcmp(key, "colour") == 0)
            read_word(j, r->colour);
        else if (strcmp(key, "weight") == 0)
            read_word(j, weight);
        else
            gr_json_skip(j);
    }
    while (strcmp(weights[r->weight], weight) != 0)
        if (++r->weight > GR_RELATION_OPEN) {
            r->weight = GR_RELATION_MAIN;
            gr_json_fail(j, GR_ERR_FORMAT, "the weight of a relation is '%s', expected main, also or open",
                         weight);
            return;
        }
}

static void read_relations(gr_json *j, gr_truths *t)
{
    for (gr_json_array(j); gr_json_item(j);) {
        if (t->n_relations == GR_TRUTH_RELATIONS) {
            gr_json_fail(j, GR_ERR_LIMIT, "more than %d relations of a region", GR_TRUTH_RELATIONS);
            return;
        }
        gr_truth_relation *r = &t->relations[t->n_relations++];
        read_relation(j, r);
        if (r->weight == GR_RELATION_MAIN)
            t->n_main++;
    }
}

/* The member of a word, or NULL. */
static char *member(gr_truths *t, const char *key)
{
    const struct {
        const char *key;
        char *to;
    } members[] = { { "colour", t->colour },
                    { "second", t->second },
                    { "pattern", t->pattern },
                    { "material", t->material },
                    { "entity", t->entity } };
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (strcmp(key, members[i].key) == 0)
            return members[i].to;
    for (int i = 0; i < KINDS; i++)
        if (strcmp(key, kinds[i]) == 0) {
            word(t->kind, key);
            return t->noun;
        }
    return NULL;
}

void gr_truth_read(gr_json *j, gr_truths *t)
{
    const char *key;
    *t = (gr_truths){ .n_relations = 0 };
    for (gr_json_object(j); gr_json_key(j, &key);) {
        char *to = member(t, key);
        if (to)
            read_word(j, to);
        else if (strcmp(key, "relations") == 0)
            read_relations(j, t);
        else
            gr_json_skip(j);
    }
}
