/* truth.h - what a full description of a region states, as words: to compare a text with. */
#ifndef GR_SYNTH_TRUTH_H
#define GR_SYNTH_TRUTH_H

#include "io/json.h"
#include "synth/scene.h"

enum { GR_TRUTH_MAIN = 3, GR_TRUTH_RELATIONS = 128, GR_TRUTH_WORD = 24 };

typedef enum {
    GR_RELATION_MAIN, /* a full description states it */
    GR_RELATION_ALSO, /* as true, and not missed */
    GR_RELATION_OPEN  /* neither true nor false, see seen.h */
} gr_relation_weight;

/* The region VIEW the object: "held by", "to the left of". */
typedef struct {
    gr_relation_weight weight;
    int with; /* the object's number in the scene; -1: read from a file */
    char view[GR_TRUTH_WORD], noun[GR_TRUTH_WORD], colour[GR_TRUTH_WORD]; /* colour: "" */
} gr_truth_relation;

/* "" where nothing can be told. */
typedef struct {
    char kind[GR_TRUTH_WORD]; /* what `noun` is: "shape", "thing", "person", "mirror", "screen" */
    char noun[GR_TRUTH_WORD];
    char colour[GR_TRUTH_WORD], second[GR_TRUTH_WORD];
    char pattern[GR_TRUTH_WORD], material[GR_TRUTH_WORD];
    char entity[GR_TRUTH_WORD];                      /* "entity", "reflection", "shadow", "screen" */
    gr_truth_relation relations[GR_TRUTH_RELATIONS]; /* the main ones first; what is not there is false */
    int n_relations, n_main;
} gr_truths;

/* Of an object that is seen. */
void gr_truth_of(gr_truths *t, const gr_scene *s, int i);

const char *gr_entity_word(gr_entity entity);
/* What stands to something in a relation, or the other way round: "holding", "held by". */
const char *gr_relation_view(gr_relation kind, bool inverse);

/* {"shape" or "thing" or ...: noun, "colour": ..., "second": ..., "pattern": ..., "material": ..., "entity":
 * ..., "relations": [{"view": ..., "noun": ..., "colour": ..., "weight": "main", "also" or "open"}]}, without
 * what is "". */
void gr_truth_put(gr_json_writer *w, const gr_truths *t);
/* Reads it back. Failure is the reader's. */
void gr_truth_read(gr_json *j, gr_truths *t);

#endif
