/* scene.h - the scene graph of a synthetic picture: what is in it, how it looks, how it stands to the rest.
 *
 * A scene is complete without its pixels: painting draws it, language talks about it, and neither decides
 * anything about it. Words of the enumerations are in vocabulary.h. */
#ifndef GR_SYNTH_SCENE_H
#define GR_SYNTH_SCENE_H

#include <stdbool.h>
#include <stdint.h>

enum { GR_SCENE_OBJECTS_MAX = 64, GR_SCENE_RELATIONS_MAX = 64 };

typedef enum {
    GR_SHAPE_CIRCLE,
    GR_SHAPE_OVAL,
    GR_SHAPE_SQUARE,
    GR_SHAPE_RECTANGLE,
    GR_SHAPE_TRIANGLE,
    GR_SHAPE_DIAMOND,
    GR_SHAPE_PENTAGON,
    GR_SHAPE_HEXAGON,
    GR_SHAPE_STAR,
    GR_SHAPE_CROSS,
    GR_SHAPE_HEART,
    GR_SHAPE_RING,
    GR_SHAPES
} gr_shape_kind;

typedef enum {
    GR_COLOUR_RED,
    GR_COLOUR_ORANGE,
    GR_COLOUR_YELLOW,
    GR_COLOUR_GREEN,
    GR_COLOUR_BLUE,
    GR_COLOUR_PURPLE,
    GR_COLOUR_PINK,
    GR_COLOUR_BROWN,
    GR_COLOUR_BLACK,
    GR_COLOUR_GREY,
    GR_COLOUR_WHITE,
    GR_COLOURS
} gr_colour;

typedef enum {
    GR_MATERIAL_PLASTIC, /* a soft highlight */
    GR_MATERIAL_METAL,   /* bands of light across, sharp highlight */
    GR_MATERIAL_WOOD,    /* grain along one direction */
    GR_MATERIAL_GLASS,   /* the background shines through, bright rim */
    GR_MATERIAL_STONE,   /* speckles */
    GR_MATERIAL_FABRIC,  /* weave */
    GR_MATERIALS
} gr_material;

typedef enum {
    GR_PATTERN_PLAIN,
    GR_PATTERN_STRIPED,
    GR_PATTERN_DOTTED,
    GR_PATTERN_CHECKED,
    GR_PATTERN_ZIGZAG,
    GR_PATTERN_NET, /* thin crossing lines */
    GR_PATTERNS
} gr_pattern;

typedef enum {
    GR_BACKDROP_PLAIN,
    GR_BACKDROP_GRADIENT,
    GR_BACKDROP_NOISE,     /* natural-looking: octaves of noise between two colours */
    GR_BACKDROP_ROOM,      /* wall and floor, between them an edge */
    GR_BACKDROP_LANDSCAPE, /* sky, hills, ground */
    GR_BACKDROPS
} gr_backdrop;

typedef enum {
    GR_OBJECT_SHAPE,  /* shape, colours, material, pattern */
    GR_OBJECT_THING,  /* thing: a drawing of the emoji font; its colour is its own */
    GR_OBJECT_FIGURE, /* a person of few strokes: colour is that of its clothes; holds, wears, points */
    GR_OBJECT_MIRROR,
    GR_OBJECT_SCREEN
} gr_object_kind;

/* What a picture of an object is, where it is not the object itself. */
typedef enum { GR_ENTITY, GR_REFLECTION, GR_SHADOW, GR_ON_SCREEN } gr_entity;

typedef enum {
    GR_RELATION_HOLDING,
    GR_RELATION_ON_TOP_OF,
    GR_RELATION_INSIDE,
    GR_RELATION_BEHIND, /* partly hidden by it */
    GR_RELATION_LEFT_OF,
    GR_RELATION_WEARING,
    GR_RELATION_POINTING_AT,
    GR_RELATION_NEXT_TO,
    GR_RELATIONS
} gr_relation;

typedef struct {
    gr_object_kind kind;
    gr_entity entity;
    int of;    /* the object that this is a reflection, shadow or screen picture of; it may be outside the
                  picture: -1. Of entities -1 */
    int frame; /* the mirror or screen that it is seen in; -1 */
    gr_shape_kind shape;
    gr_colour colour, second; /* second: of the pattern; meaningless for plain */
    gr_material material;
    gr_pattern pattern;
    int thing;     /* index into the vocabulary's things; -1 */
    float x, y;    /* centre, in pixels */
    float w, h;    /* extent before it is turned */
    float angle;   /* radians, clockwise */
    bool mirrored; /* left and right exchanged */
    uint32_t seed; /* of grain, speckles, phase of the pattern */
    int row, col;  /* in the grid, from 0; -1: in none */
    /* Filled by painting. */
    int64_t whole, visible; /* pixels of it without, and with, what is before it and the picture's edge */
    int box[4]; /* of the visible ones: x0, y0, x1, y1, maxima exclusive; all 0: nothing is seen */
} gr_object;

typedef struct {
    gr_relation kind;
    int subject, object; /* "subject is KIND object" */
} gr_scene_relation;

typedef enum {
    GR_SCENE_FREE,
    GR_SCENE_GRID,
    GR_SCENE_RELATED,
    GR_SCENE_MIRROR,
    GR_SCENE_SHADOWS,
    GR_SCENE_SCREEN,
    GR_SCENE_KINDS
} gr_scene_kind;

typedef struct {
    gr_scene_kind kind;
    int width, height;
    gr_backdrop backdrop;
    gr_colour backdrop_colours[2];
    uint32_t backdrop_seed;
    int rows, cols;                          /* of a grid; 0 */
    int cell_count[GR_SCENE_OBJECTS_MAX];    /* objects of each row: rows may differ in length */
    gr_object objects[GR_SCENE_OBJECTS_MAX]; /* painted in this order: later ones hide earlier ones */
    int n_objects;
    gr_scene_relation relations[GR_SCENE_RELATIONS_MAX];
    int n_relations;
    float blur;  /* radius of the Gaussian over all of it, in pixels; 0: none */
    int quality; /* JPEG quality that the picture has gone through; 0: none */
} gr_scene;

#endif
