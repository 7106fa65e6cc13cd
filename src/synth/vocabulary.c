#include "synth/vocabulary.h"
#include <string.h>

static const gr_noun shapes[GR_SHAPES] = {
    [GR_SHAPE_CIRCLE] = { "circle", "circles", "a" },
    [GR_SHAPE_OVAL] = { "oval", "ovals", "an" },
    [GR_SHAPE_SQUARE] = { "square", "squares", "a" },
    [GR_SHAPE_RECTANGLE] = { "rectangle", "rectangles", "a" },
    [GR_SHAPE_TRIANGLE] = { "triangle", "triangles", "a" },
    [GR_SHAPE_DIAMOND] = { "diamond", "diamonds", "a" },
    [GR_SHAPE_PENTAGON] = { "pentagon", "pentagons", "a" },
    [GR_SHAPE_HEXAGON] = { "hexagon", "hexagons", "a" },
    [GR_SHAPE_STAR] = { "star", "stars", "a" },
    [GR_SHAPE_CROSS] = { "cross", "crosses", "a" },
    [GR_SHAPE_HEART] = { "heart", "hearts", "a" },
    [GR_SHAPE_RING] = { "ring", "rings", "a" },
};

static const struct {
    const char *word;
    gr_rgb rgb;
} colours[GR_COLOURS] = {
    [GR_COLOUR_RED] = { "red", { 214, 32, 32 } },        [GR_COLOUR_ORANGE] = { "orange", { 245, 130, 20 } },
    [GR_COLOUR_YELLOW] = { "yellow", { 246, 216, 30 } }, [GR_COLOUR_GREEN] = { "green", { 40, 160, 56 } },
    [GR_COLOUR_BLUE] = { "blue", { 36, 84, 214 } },      [GR_COLOUR_PURPLE] = { "purple", { 132, 44, 176 } },
    [GR_COLOUR_PINK] = { "pink", { 248, 140, 190 } },    [GR_COLOUR_BROWN] = { "brown", { 118, 70, 32 } },
    [GR_COLOUR_BLACK] = { "black", { 26, 26, 28 } },     [GR_COLOUR_GREY] = { "grey", { 132, 134, 138 } },
    [GR_COLOUR_WHITE] = { "white", { 242, 242, 240 } },
};

static const gr_material_words materials[GR_MATERIALS] = {
    [GR_MATERIAL_PLASTIC] = { "plastic", "plastic" }, [GR_MATERIAL_METAL] = { "metal", "metal" },
    [GR_MATERIAL_WOOD] = { "wood", "wooden" },        [GR_MATERIAL_GLASS] = { "glass", "glass" },
    [GR_MATERIAL_STONE] = { "stone", "stone" },       [GR_MATERIAL_FABRIC] = { "fabric", "fabric" },
};

static const char *const patterns[GR_PATTERNS] = {
    [GR_PATTERN_PLAIN] = "plain",     [GR_PATTERN_STRIPED] = "striped", [GR_PATTERN_DOTTED] = "dotted",
    [GR_PATTERN_CHECKED] = "checked", [GR_PATTERN_ZIGZAG] = "zigzag",   [GR_PATTERN_NET] = "netted",
};

static const char *const backdrops[GR_BACKDROPS] = {
    [GR_BACKDROP_PLAIN] = "a plain background",
    [GR_BACKDROP_GRADIENT] = "a background that changes from one colour to another",
    [GR_BACKDROP_NOISE] = "a cloudy background",
    [GR_BACKDROP_ROOM] = "a room",
    [GR_BACKDROP_LANDSCAPE] = "a landscape",
};

static const gr_relation_words relations[GR_RELATIONS] = {
    [GR_RELATION_HOLDING] = { "is holding", "holding", "held by" },
    [GR_RELATION_ON_TOP_OF] = { "is on top of", "on top of", "under" },
    [GR_RELATION_INSIDE] = { "is inside", "inside", "around" },
    [GR_RELATION_BEHIND] = { "is behind", "behind", "in front of" },
    [GR_RELATION_LEFT_OF] = { "is to the left of", "to the left of", "to the right of" },
    [GR_RELATION_WEARING] = { "is wearing", "wearing", "worn by" },
    [GR_RELATION_POINTING_AT] = { "is pointing at", "pointing at", "pointed at by" },
    [GR_RELATION_NEXT_TO] = { "is next to", "next to", "next to" },
};

#define HELD     GR_THING_HELD
#define WORN     GR_THING_WORN
#define CARRIES  GR_THING_CARRIES
#define STANDS   GR_THING_STANDS
#define CONTAINS GR_THING_CONTAINS

static const gr_thing things[GR_THINGS] = {
    /* animals */
    { { "dog", "dogs", "a" }, 0x1F415, STANDS, 0x145c7c7c7e3f3f3eU, 0.95F, 0, 0, 0 },
    { { "cat", "cats", "a" }, 0x1F408, STANDS, 0x2c687c7c9e9e1c14U, 0.90F, 0, 0, 0 },
    { { "rabbit", "rabbits", "a" }, 0x1F407, STANDS, 0x3c7cfc3e1e3c6c08U, 0.80F, 0, 0, 0 },
    { { "elephant", "elephants", "an" }, 0x1F418, STANDS, 0x047e3c7e7f3f1f1aU, 1.09F, 0, 0, 0 },
    { { "fish", "fish", "a" }, 0x1F41F, HELD, 0x3c3effffbe3e1808U, 1.49F, 0, 0, 0 },
    { { "duck", "ducks", "a" }, 0x1F986, STANDS, 0x10187cfefc0c0f0cU, 0.89F, 0, 0, 0 },
    { { "owl", "owls", "an" }, 0x1F989, STANDS, 0x7e7e7eff7e7efe02U, 0.72F, 0, 0, 0 },
    { { "butterfly", "butterflies", "a" }, 0x1F98B, 0, 0x087c7c7efff3c080U, 1.22F, 0, 0, 0 },
    { { "turtle", "turtles", "a" }, 0x1F422, STANDS, 0x121e7e7fff7e7c38U, 1.25F, 0, 0, 0 },
    { { "snail", "snails", "a" }, 0x1F40C, STANDS, 0x0c3e7e7f7e7e3e06U, 1.06F, 0, 0, 0 },
    /* what grows and what is eaten */
    { { "apple", "apples", "an" }, 0x1F34E, HELD | STANDS, 0x3c7efffffffe3860U, 0.93F, 0, 0, 0 },
    { { "banana", "bananas", "a" }, 0x1F34C, HELD, 0x0e5dfb7e38181808U, 0.89F, 0, 0, 0 },
    { { "pineapple", "pineapples", "a" }, 0x1F34D, HELD | STANDS, 0x7c7efe7e7e7e7e3cU, 0.62F, 0, 0, 0 },
    { { "mushroom", "mushrooms", "a" }, 0x1F344, HELD | STANDS, 0x3c3c3c7fffff7e3cU, 0.98F, 0, 0, 0 },
    { { "carrot", "carrots", "a" }, 0x1F955, HELD, 0x01060c1c78e0e060U, 1.14F, 0, 0, 0 },
    { { "cupcake", "cupcakes", "a" }, 0x1F9C1, HELD | STANDS, 0x7e7efeffff7e3c10U, 0.77F, 0, 0, 0 },
    { { "tree", "trees", "a" }, 0x1F333, 0, 0x18183cfeffff7e3cU, 0.90F, 0, 0, 0 },
    { { "cactus", "cactuses", "a" }, 0x1F335, STANDS, 0x18183e7fffff1818U, 0.76F, 0, 0, 0 },
    { { "tulip", "tulips", "a" }, 0x1F337, HELD, 0x387cd63e7e7e7e3cU, 0.68F, 0, 0, 0 },
    { { "sunflower", "sunflowers", "a" }, 0x1F33B, HELD, 0x083c3c7eff7e7e18U, 0.77F, 0, 0, 0 },
    /* what is used */
    { { "key", "keys", "a" }, 0x1F511, HELD, 0x03070e7cf8d8f870U, 0.98F, 0, 0, 0 },
    { { "umbrella", "umbrellas", "an" }, 0x2602, HELD, 0x08000000ff7e3c00U, 1.02F, 0, 0, 0 },
    { { "hammer", "hammers", "a" }, 0x1F528, HELD, 0x804060301a0f0608U, 1.00F, 0, 0, 0 },
    { { "book", "books", "a" }, 0x1F4D5, HELD | STANDS, 0xffffffffffffffffU, 0.83F, 0, 0, 0 },
    { { "bell", "bells", "a" }, 0x1F514, HELD | STANDS, 0x7eff7e7e7e3c3c10U, 1.03F, 0, 0, 0 },
    { { "guitar", "guitars", "a" }, 0x1F3B8, HELD, 0x0e0f1f1e1c2c40c0U, 1.00F, 0, 0, 0 },
    { { "balloon", "balloons", "a" }, 0x1F388, HELD, 0x00103c7e7f7f7f3cU, 0.70F, 0, 0, 0 },
    { { "football", "footballs", "a" }, 0x26BD, HELD | STANDS, 0x3c7effffffff7e3cU, 1.01F, 0, 0, 0 },
    { { "teddy bear", "teddy bears", "a" }, 0x1F9F8, HELD | STANDS, 0xe7ff7e7e3c3c7c3cU, 0.87F, 0, 0, 0 },
    { { "alarm clock", "alarm clocks", "an" }, 0x23F0, HELD | STANDS, 0x3c7effffff7eff66U, 0.85F, 0, 0, 0 },
    { { "present", "presents", "a" }, 0x1F381, HELD | STANDS, 0x187effffffff7e66U, 0.93F, 0, 0, 0 },
    { { "drum", "drums", "a" }, 0x1F941, STANDS, 0x7effffffff7e0001U, 0.97F, 0, 0, 0 },
    { { "basket", "baskets", "a" },
      0x1F9FA,
      STANDS | CONTAINS,
      0x3c7e7e7effffa7c3U,
      1.10F,
      0.31F,
      0.09F,
      0.45F },
    { { "bucket", "buckets", "a" },
      0x1FAA3,
      STANDS | CONTAINS,
      0x3c7e7e7f7f7ffefeU,
      1.00F,
      0.11F,
      0.07F,
      0.42F },
    /* what is worn */
    { { "top hat", "top hats", "a" }, 0x1F3A9, WORN | HELD, 0x7effff3c3c3c7e3cU, 1.20F, 0, 0, 0 },
    { { "crown", "crowns", "a" }, 0x1F451, WORN | HELD, 0x7e7e7efe7e25a524U, 1.07F, 0, 0, 0 },
    { { "cap", "caps", "a" }, 0x1F9E2, WORN | HELD, 0x183ffefcfcfc7830U, 1.33F, 0, 0, 0 },
    /* what is large */
    { { "chair", "chairs", "a" }, 0x1FA91, 0, 0x088898fe7f111f1fU, 0.62F, 0, 0, 0 },
    { { "car", "cars", "a" }, 0x1F697, CARRIES, 0x46fffffffffe7c38U, 1.56F, 0, 0, 0 },
    { { "bus", "buses", "a" }, 0x1F68C, CARRIES, 0x43fffffffffffe18U, 1.49F, 0, 0, 0 },
};

static const gr_noun person = { "person", "people", "a" }, mirror = { "mirror", "mirrors", "a" },
                     screen = { "screen", "screens", "a" };

const gr_noun *gr_shape_noun(gr_shape_kind shape) { return &shapes[shape]; }
const char *gr_colour_word(gr_colour colour) { return colours[colour].word; }
gr_rgb gr_colour_rgb(gr_colour colour) { return colours[colour].rgb; }
const gr_material_words *gr_material_word(gr_material m) { return &materials[m]; }
const char *gr_pattern_word(gr_pattern pattern) { return patterns[pattern]; }
const char *gr_backdrop_word(gr_backdrop backdrop) { return backdrops[backdrop]; }
const gr_relation_words *gr_relation_word(gr_relation kind) { return &relations[kind]; }
const gr_thing *gr_thing_at(int thing) { return &things[thing]; }

const char *gr_article_of(const char *word) { return word[0] && strchr("aeiou", word[0]) ? "an" : "a"; }

const gr_noun *gr_object_noun(const gr_object *o)
{
    switch (o->kind) {
    case GR_OBJECT_SHAPE:
        return &shapes[o->shape];
    case GR_OBJECT_THING:
        return &things[o->thing].noun;
    case GR_OBJECT_FIGURE:
        return &person;
    case GR_OBJECT_MIRROR:
        return &mirror;
    case GR_OBJECT_SCREEN:
        return &screen;
    }
    return &shapes[0];
}

gr_colour gr_colour_nearest(gr_rgb rgb)
{
    gr_colour best = 0;
    int least = 1 << 30;
    for (int c = 0; c < GR_COLOURS; c++) {
        const int r = rgb.r - colours[c].rgb.r, g = rgb.g - colours[c].rgb.g, b = rgb.b - colours[c].rgb.b;
        const int distance = r * r + g * g + b * b;
        if (distance < least) {
            least = distance;
            best = (gr_colour)c;
        }
    }
    return best;
}
