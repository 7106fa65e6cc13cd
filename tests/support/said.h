/* said.h - a checker of what is said of scenes: it knows the words and the scene, and nothing of how texts
 * are made. */
#ifndef TEST_SAID_H
#define TEST_SAID_H

#include "synth/phrase.h"
#include "synth/relation.h"

/* How many scenes a test looks at. */
enum { SAID_SCENES = TEST_EMULATED ? 150 : 600 };

/* Scene `index` of the training split, not painted: all of an object's bounds within the picture is seen. */
void said_scene(gr_scene *s, uint64_t index);

/* The text in small letters, and where words stand in such a text as words; NULL: they do not. */
void said_lower(char *to, size_t n, const char *text);
const char *said_words(const char *text, const char *words);

/* Every colour, pattern, material and noun of the text belongs to the object. */
bool said_fits(const char *text, const gr_object *o);
bool said_entity(const char *text, gr_entity e);
bool said_place_is_true(const gr_scene *s, int i, const char *text);

/* A relation as it is put into words, from either side. */
typedef struct {
    const char *words;
    gr_relation kind;
    bool inverse;
} said_view;

/* The first of a text, the longest where several begin there; NULL: there is none. */
const char *said_next_view(const char *text, said_view *out);
/* Some object of the scene is what the text says, and stands so to i. */
bool said_relation_is_true(const gr_scene *s, int i, const said_view *v, const char *text);

#endif
