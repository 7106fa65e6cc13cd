/* describe_words.h - the wordings of descriptions. Sentences about something else than the region begin with
 * what score.c knows as such ("The background", "Elsewhere"); relations to others are named by the views of
 * truth.h, and what follows a view is about the other object. */
#ifndef GR_SYNTH_DESCRIBE_WORDS_H
#define GR_SYNTH_DESCRIBE_WORDS_H

/* {np}: the region's name. */
static const char *const identities[] = {
    "{np}.",
    "this is {np}.",
    "it is {np}.",
    "here is {np}.",
    "the region shows {np}.",
    "the marked part is {np}.",
    "what is marked is {np}.",
    "one sees {np}.",
    "the outlined area holds {np}.",
    "{np} can be seen.",
    "there is {np} here.",
    "what the region covers is {np}.",
    "the chosen part of the picture is {np}.",
    "in this region we find {np}.",
};

/* And {place}: "in the upper left". */
static const char *const placed_identities[] = {
    "{np} {place}.",
    "{np} {place} of the picture.",
    "this is {np} {place} of the picture.",
    "{place} of the picture there is {np}.",
    "{place} is {np}.",
    "{np} can be seen {place}.",
    "we see {np} {place} of the image.",
    "the region shows {np} {place}.",
    "the marked part, {place}, is {np}.",
    "what is marked is {np} {place} of the image.",
    "it is {np}, found {place}.",
};

/* And {views}: "next to a dog and to the left of a cat". */
static const char *const related_identities[] = {
    "{np}, {views}.",
    "{np} {views}.",
    "{np} can be seen {views}.",
    "this is {np} {views}.",
    "the region shows {np} {views}.",
    "the marked part is {np} {views}.",
    "one sees {np}, which is {views}.",
    "here is {np} that is {views}.",
    "it is {np} {views}.",
    "there is {np} {views}.",
};

/* Clauses about the region itself. */
static const char *const place_clauses[] = {
    "it lies {place} of the picture",
    "it is {place}",
    "its place is {place}",
    "it can be found {place} of the image",
    "it stands {place} of the picture",
};
static const char *const size_clauses[] = {
    "it is {size}",
    "it is {size} in the picture",
    "its size is {size}",
    "compared with the picture it is {size}",
};
static const char *const material_clauses[] = {
    "it is made of {material}",  "its material is {material}",       "it looks as if it were {material}",
    "it consists of {material}", "what it is made of is {material}",
};
static const char *const pattern_clauses[] = {
    "it is {adjective}",
    "its surface is {adjective}",
    "its pattern is {adjective}",
    "its surface shows {noun}",
    "it has {noun}",
};
static const char *const plain_clauses[] = {
    "it is plain",         "its surface is plain",         "it has no pattern",
    "no pattern is on it", "its surface shows no pattern",
};

static const char *const view_sentences[] = {
    "it is {views}.",
    "the {noun} is {views}.",
    "in the picture it is {views}.",
    "one finds it {views}.",
    "looking at the others, it is {views}.",
};

/* {backdrop}: "a plain green background". */
static const char *const backdrop_sentences[] = {
    "the background is {backdrop}.",
    "the backdrop is {backdrop}.",
    "in the background there is {backdrop}.",
    "the background shows {backdrop}.",
    "as a background the picture has {backdrop}.",
};
static const char *const elsewhere_sentences[] = {
    "elsewhere there is {other}.",
    "elsewhere in the picture one sees {other}.",
    "elsewhere stands {other}.",
    "elsewhere in the image is {other}.",
};

#endif
