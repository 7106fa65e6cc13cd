/* record.h - one row of a data set as everything behind the files sees it: a picture, regions of it, and a
 * conversation about them. Importers produce records, exporters write them.
 *
 * All a record points to lies in its arena and is valid until the record is cleared, read into again, or
 * ended. Texts are UTF-8, zero-terminated, and may hold zero bytes. */
#ifndef GR_DATASET_RECORD_H
#define GR_DATASET_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"
#include "grasp/error.h"

#define GR_RECORD_BYTES_MAX   ((size_t)512 << 20) /* of one record, its encoded picture included */
#define GR_RECORD_REGIONS_MAX 4096
#define GR_RECORD_TURNS_MAX   4096
#define GR_RECORD_SPANS_MAX   65536

typedef struct {
    const char *at; /* never NULL; "" when there is nothing */
    size_t n;
} gr_chars;

typedef enum { GR_FROM_HUMAN, GR_FROM_GPT } gr_from;

/* How the row holds its picture, which also says how it is turned: the Image feature of the public library
 * applies the EXIF orientation, its other readers do not. */
typedef enum {
    GR_PICTURE_NONE,
    GR_PICTURE_PATH,  /* path */
    GR_PICTURE_DATA,  /* bytes of an encoded file, written as "data:base64,..." */
    GR_PICTURE_STORED /* {bytes, path}: bytes, or the path where there are none; EXIF is applied */
} gr_picture_form;

typedef struct {
    int32_t id;
    bool has_box;
    float box[4]; /* x0, y0, x1, y1 in pixels */
    bool has_rle;
    int32_t rle_height, rle_width;
    gr_chars rle; /* COCO's compressed run lengths; whether they make a mask is seen when it is made */
    gr_chars label, source;
    float score; /* NaN: not stated */
} gr_record_region;

/* Indices into the record's regions. */
typedef struct {
    const int32_t *v;
    size_t n;
} gr_region_list;

typedef struct {
    gr_from from;
    gr_chars value;
    gr_region_list regions;
} gr_record_turn;

/* Bytes [start, end) of a turn's text are about these regions. */
typedef struct {
    int32_t turn, start, end;
    gr_region_list regions;
} gr_record_span;

typedef struct {
    gr_arena arena;
    gr_chars key; /* unique: DATASET/IMAGE[/N]; "" when the row states none */
    gr_picture_form form;
    gr_chars path, bytes;  /* bytes are an encoded file */
    int32_t width, height; /* 0: not stated */
    gr_record_region *regions;
    size_t n_regions, regions_capacity;
    gr_record_turn *turns;
    size_t n_turns, turns_capacity;
    gr_record_span *spans;
    size_t n_spans, spans_capacity;
    gr_chars task, meta; /* meta is JSON */
} gr_record;

void gr_record_init(gr_record *r, gr_runtime *rt);
void gr_record_fini(gr_record *r);
/* An empty record; memory is kept for the next. */
void gr_record_clear(gr_record *r);

/* --- for importers: everything is copied into the arena. GR_ERR_MEM; GR_ERR_LIMIT over a number above. ---
 */

gr_status gr_record_text(gr_record *r, gr_chars *to, const char *text, size_t n, gr_error *err);
/* *region is valid until the next one is added. id is its index, score NaN. */
gr_status gr_record_add_region(gr_record *r, gr_record_region **region, gr_error *err);
gr_status gr_record_add_turn(gr_record *r, gr_from from, const char *text, size_t n, gr_error *err);
gr_status gr_record_add_span(gr_record *r, gr_record_span **span, gr_error *err);
gr_status gr_record_list(gr_record *r, gr_region_list *to, const int32_t *v, size_t n, gr_error *err);
/* Why the arena gave nothing: GR_ERR_LIMIT or GR_ERR_MEM. */
gr_status gr_record_no_room(const gr_record *r, gr_error *err);
/* "human", "gpt". GR_ERR_FORMAT: another word. */
gr_status gr_from_parse(gr_from *out, const char *word, size_t n, gr_error *err);
const char *gr_from_name(gr_from from);

/* Whether the parts agree: sizes, boxes, lists, spans. GR_ERR_FORMAT with the part that does not. */
gr_status gr_record_check(const gr_record *r, gr_error *err);

/* Whether two records say the same; memory and capacities aside. */
bool gr_record_same(const gr_record *a, const gr_record *b);

#endif
