/* arrow_schema.h - the columns of an Arrow table: names and types, as a flat list of fields.
 *
 * Fields stand in pre-order, parents before children: that is the order in which a record batch lists their
 * lengths and buffers. The children of field f begin at f + 1, and `next` leads from one to the following
 * one; the columns of the table begin at field 0. Source: apache/arrow, format/Schema.fbs. */
#ifndef GR_DATASET_ARROW_SCHEMA_H
#define GR_DATASET_ARROW_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "dataset/flatbuffer.h"
#include "grasp/error.h"
#include "grasp/runtime.h"

#define GR_ARROW_FIELDS_MAX 4096
#define GR_ARROW_DEPTH_MAX  64 /* of lists and structs in each other */

/* The numbers of the format. */
typedef enum {
    GR_ARROW_NULL = 1,
    GR_ARROW_INT,
    GR_ARROW_FLOAT,
    GR_ARROW_BINARY,
    GR_ARROW_UTF8,
    GR_ARROW_BOOL,
    GR_ARROW_DECIMAL,
    GR_ARROW_DATE,
    GR_ARROW_TIME,
    GR_ARROW_TIMESTAMP,
    GR_ARROW_INTERVAL,
    GR_ARROW_LIST,
    GR_ARROW_STRUCT,
    GR_ARROW_UNION,
    GR_ARROW_FIXED_BINARY,
    GR_ARROW_FIXED_LIST,
    GR_ARROW_MAP,
    GR_ARROW_DURATION,
    GR_ARROW_LARGE_BINARY,
    GR_ARROW_LARGE_UTF8,
    GR_ARROW_LARGE_LIST,
    GR_ARROW_RUN_END,
    GR_ARROW_BINARY_VIEW,
    GR_ARROW_UTF8_VIEW,
    GR_ARROW_LIST_VIEW,
    GR_ARROW_LARGE_LIST_VIEW,
    GR_ARROW_TYPE_COUNT
} gr_arrow_type;

/* How the rows of a column lie in its buffers. */
typedef enum {
    GR_ARROW_NO_DATA,     /* no buffer: every row is null */
    GR_ARROW_BITS,        /* validity, a bit a row */
    GR_ARROW_NUMBERS,     /* validity, whole or floating-point numbers of `width` bytes */
    GR_ARROW_BLOBS,       /* validity, `width` bytes a row */
    GR_ARROW_BYTES,       /* validity, offsets, bytes */
    GR_ARROW_ITEMS,       /* validity, offsets; a child */
    GR_ARROW_FIXED_ITEMS, /* validity; a child of `width` items a row */
    GR_ARROW_MEMBERS,     /* validity; children */
    GR_ARROW_PASSED_OVER  /* known well enough to find what follows it, and not read */
} gr_arrow_layout;

typedef struct {
    const char *name; /* zero-terminated */
    gr_arrow_type type;
    int width;      /* bytes of a number or a blob, items of a row of a fixed-size list; else 0 */
    bool is_signed; /* GR_ARROW_INT */
    bool is_image;  /* to be written: a struct {bytes, path} whose feature is a picture. Not set by reading */
    bool nullable;
    int n_children;

    /* Found out; ignored in what gr_arrow_schema_of takes. */
    int parent, next, depth;
    int offset_width; /* 4, 8, or 0 where there are no offsets */
    gr_arrow_layout layout;
    bool is_dictionary; /* rows are indices into the values of dictionary `dictionary`; a leaf */
    int64_t dictionary;
    int index_width;
    bool index_signed;
} gr_arrow_field;

typedef struct gr_arrow_schema {
    gr_runtime *rt;
    gr_arrow_field *fields;
    int n_fields;
    char *huggingface; /* JSON of the schema's metadata of that key, or NULL */
} gr_arrow_schema;

/* Reads a Schema table (`fb` says when it broke a rule of FlatBuffers). On failure nothing is left to free.
 * Sentences name the column. GR_ERR_FORMAT, GR_ERR_LIMIT, GR_ERR_UNSUPPORTED (big-endian numbers, unions,
 * dictionaries of lists), GR_ERR_MEM. */
gr_status gr_arrow_schema_parse(gr_arrow_schema *s, gr_runtime *rt, gr_fb_table table, gr_error *err);

/* A schema of one's own: n fields in pre-order; names are copied. GR_ERR_ARG: no such type or width, wrong
 * numbers of children. GR_ERR_LIMIT, GR_ERR_MEM. */
gr_status gr_arrow_schema_of(gr_arrow_schema *s, gr_runtime *rt, const gr_arrow_field *fields, int n,
                             gr_error *err);
void gr_arrow_schema_fini(gr_arrow_schema *s); /* an all-zero schema is fine */

/* Buffers of a field in a record batch, without those that a batch counts itself (views). */
int gr_arrow_n_buffers(const gr_arrow_field *f);

/* Appends the table of a schema whose types can all be written (gr_arrow_writable); returns its place. */
size_t gr_arrow_schema_put(const gr_arrow_schema *s, gr_fb_writer *w);
bool gr_arrow_writable(gr_arrow_type type);

/* Field of a column, or of a member of structs, by its path ("image", "image.bytes"); -1: there is none. A
 * column whose own name holds dots comes first. */
int gr_arrow_find(const gr_arrow_schema *s, const char *path);
/* Child of field f by name, of its columns for f = -1; -1: there is none. */
int gr_arrow_child(const gr_arrow_schema *s, int f, const char *name, size_t n);

/* "mask_rle.item.counts" into text[n], cut where it does not fit; returns text. */
const char *gr_arrow_path(const gr_arrow_schema *s, int f, char *text, size_t n);
/* "utf8", "int", "fixed_size_list", ...; NULL: no such type. */
const char *gr_arrow_type_name(gr_arrow_type type);

/* GR_OK: both have the same columns, whatever they say about nulls. Else GR_ERR_FORMAT with the first
 * difference. */
gr_status gr_arrow_schema_compare(const gr_arrow_schema *expected, const gr_arrow_schema *found,
                                  gr_error *err);

#endif
