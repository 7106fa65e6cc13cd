/* vocabulary.h - the words of the synthetic world, and what they stand for.
 *
 * All tables are ordered as the enumerations of scene.h; texts are static and never NULL unless it says so.
 * Words are lower case. */
#ifndef GR_SYNTH_VOCABULARY_H
#define GR_SYNTH_VOCABULARY_H

#include "synth/scene.h"

enum { GR_THINGS = 40 };

/* What a thing may do in a relation. */
enum {
    GR_THING_HELD = 1,     /* a hand can hold it */
    GR_THING_WORN = 2,     /* on a head */
    GR_THING_CARRIES = 4,  /* its top edge is flat enough that something stands on it */
    GR_THING_STANDS = 8,   /* it can stand on something */
    GR_THING_CONTAINS = 16 /* it is open at the top, and what is inside looks out of it */
};

typedef struct {
    const char *word, *plural;
    const char *article; /* "a" or "an" */
} gr_noun;

typedef struct {
    gr_noun noun;
    uint32_t code; /* the code point of its drawing */
    unsigned can;  /* GR_THING_* */
    /* Which cells of 8 x 8 the drawing covers at least half of: bit 8 * row + column. */
    uint64_t cells;
    float aspect; /* width of the drawing over its height, without empty margins */
    /* The front edge of the opening of what contains: the lower half of an ellipse, its centre from the top,
     * half its height and half its width, in parts of the drawing. */
    float rim_y, rim_h, rim_w;
} gr_thing;

typedef struct {
    uint8_t r, g, b;
} gr_rgb;

typedef struct {
    const char *noun;      /* "wood": made of wood */
    const char *adjective; /* "wooden" */
} gr_material_words;

typedef struct {
    const char *present; /* "is holding": subject PRESENT object */
    const char *phrase;  /* "holding": the figure HOLDING the apple */
    const char *inverse; /* "held by"; of "behind" "in front of", of "next to" itself */
} gr_relation_words;

const gr_noun *gr_shape_noun(gr_shape_kind shape);        /* "circle", "circles", "a" */
const char *gr_colour_word(gr_colour colour);             /* "red" */
gr_rgb gr_colour_rgb(gr_colour colour);                   /* its purest; painting varies it a little */
const gr_material_words *gr_material_word(gr_material m); /* "wood", "wooden" */
const char *gr_pattern_word(gr_pattern pattern);          /* "striped"; of GR_PATTERN_PLAIN "plain" */
const char *gr_backdrop_word(gr_backdrop backdrop);       /* "a room": what is behind the objects */
const gr_relation_words *gr_relation_word(gr_relation kind);
const gr_thing *gr_thing_at(int thing); /* 0..GR_THINGS-1 */
/* "a" or "an", as the word that follows is said. */
const char *gr_article_of(const char *word);

/* What an object is called without any of its attributes: "circle", "apple", "person", "mirror", "screen". */
const gr_noun *gr_object_noun(const gr_object *o);

/* The colour whose purest form is nearest to this one. */
gr_colour gr_colour_nearest(gr_rgb rgb);

#endif
