#include "test.h"

#include "support/said.h"

#include "synth/compose.h"
#include "synth/name.h"
#include "synth/outline.h"
#include "synth/vocabulary.h"

/* In place of painting: all of an object's bounds within the picture is seen. */
static void look(gr_scene *s)
{
    for (int i = 0; i < s->n_objects; i++) {
        gr_object *o = &s->objects[i];
        float b[4];
        gr_object_bounds(o, b);
        const int limits[4] = { s->width, s->height, s->width, s->height };
        for (int k = 0; k < 4; k++) {
            o->box[k] = (int)(b[k] + 0.5F);
            o->box[k] = o->box[k] < 0 ? 0 : o->box[k] > limits[k] ? limits[k] : o->box[k];
        }
        o->whole = (int64_t)((b[2] - b[0]) * (b[3] - b[1]));
        o->visible = (int64_t)(o->box[2] - o->box[0]) * (o->box[3] - o->box[1]);
    }
}

void said_scene(gr_scene *s, uint64_t index)
{
    gr_scene_compose(s, 11, GR_SPLIT_TRAIN, index);
    look(s);
}

/* --- words --------------------------------------------------------------------------------------------- */

static bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

void said_lower(char *to, size_t n, const char *text)
{
    size_t i = 0;
    for (; text[i] && i + 1 < n; i++)
        to[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 32 : text[i]);
    to[i] = '\0';
}

/* Whether the words stand in the text as such. */
const char *said_words(const char *text, const char *word)
{
    const size_t n = strlen(word);
    for (const char *at = text; (at = strstr(at, word)) != NULL; at++)
        if ((at == text || !letter(at[-1])) && !letter(at[n]))
            return at;
    return NULL;
}

/* --- whether a text can be about an object ------------------------------------------------------------- */

/* Every colour, pattern, material and noun of the text belongs to the object. */
bool said_fits(const char *text, const gr_object *o)
{
    const bool shape = o->kind == GR_OBJECT_SHAPE, two = shape && o->pattern != GR_PATTERN_PLAIN;
    for (int c = 0; c < GR_COLOURS; c++)
        if (said_words(text, gr_colour_word((gr_colour)c)) &&
            !((shape || o->kind == GR_OBJECT_FIGURE) &&
              ((int)o->colour == c || (two && (int)o->second == c))))
            return false;
    for (int p = 0; p < GR_PATTERNS; p++)
        if ((said_words(text, gr_pattern_word((gr_pattern)p)) ||
             said_words(text, gr_pattern_phrase((gr_pattern)p)->noun)) &&
            !(shape && (int)o->pattern == p))
            return false;
    for (int m = 0; m < GR_MATERIALS; m++)
        if ((said_words(text, gr_material_word((gr_material)m)->noun) ||
             said_words(text, gr_material_word((gr_material)m)->adjective)) &&
            !(shape && (int)o->material == m))
            return false;
    for (int k = 0; k < GR_SHAPES; k++)
        if (said_words(text, gr_shape_noun((gr_shape_kind)k)->word) && !(shape && (int)o->shape == k))
            return false;
    for (int k = 0; k < GR_THINGS; k++)
        if (said_words(text, gr_thing_at(k)->noun.word) && !(o->kind == GR_OBJECT_THING && o->thing == k))
            return false;
    return !said_words(text, "person") || o->kind == GR_OBJECT_FIGURE;
}

bool said_entity(const char *text, gr_entity e)
{
    switch (e) {
    case GR_REFLECTION:
        return said_words(text, "reflection") || said_words(text, "reflected") ||
               said_words(text, "in a mirror") || said_words(text, "mirror image");
    case GR_SHADOW:
        return said_words(text, "shadow") != NULL;
    case GR_ON_SCREEN:
        return said_words(text, "on a screen") != NULL;
    default:
        return true;
    }
}

const char *said_next_view(const char *text, said_view *out)
{
    const char *first = NULL;
    size_t longest = 0;
    for (int k = 0; k < GR_RELATIONS; k++)
        for (int inverse = 0; inverse < 2; inverse++) {
            const gr_relation_words *w = gr_relation_word((gr_relation)k);
            const char *words = inverse ? w->inverse : w->phrase, *at = said_words(text, words);
            if (at && (!first || at < first || (at == first && strlen(words) > longest))) {
                first = at;
                longest = strlen(words);
                *out = (said_view){ words, (gr_relation)k, inverse };
            }
        }
    return first;
}

static bool stated_or_clear(const gr_scene *s, const said_view *v, int i, int k)
{
    const gr_relation kind = v->kind;
    const int a = v->inverse ? k : i, b = v->inverse ? i : k;
    return gr_relation_truth(s, kind, a, b) == GR_TRUE ||
           (kind == GR_RELATION_NEXT_TO && gr_relation_truth(s, kind, b, a) == GR_TRUE);
}

/* Some object of the scene is what the text says, and stands so to i. */
bool said_relation_is_true(const gr_scene *s, int i, const said_view *v, const char *text)
{
    for (int k = 0; k < s->n_objects; k++)
        if (k != i && said_fits(text, &s->objects[k]) &&
            said_words(text, gr_object_noun(&s->objects[k])->word) && stated_or_clear(s, v, i, k))
            return true;
    return false;
}

bool said_place_is_true(const gr_scene *s, int i, const char *text)
{
    const int *b = s->objects[i].box;
    const double x = (b[0] + b[2]) / 2.0 / s->width, y = (b[1] + b[3]) / 2.0 / s->height;
    if ((strstr(text, "in the upper") || strstr(text, "at the top")) && y > 0.34)
        return false;
    if ((strstr(text, "in the lower") || strstr(text, "at the bottom")) && y < 0.66)
        return false;
    if ((strstr(text, "upper left") || strstr(text, "lower left") || strstr(text, "on the left side")) &&
        x > 0.34)
        return false;
    if ((strstr(text, "upper right") || strstr(text, "lower right") || strstr(text, "on the right side")) &&
        x < 0.66)
        return false;
    return !strstr(text, "in the middle") || (x > 0.33 && x < 0.67 && y > 0.33 && y < 0.67);
}
