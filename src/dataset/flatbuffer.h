/* flatbuffer.h - what of FlatBuffers the metadata of Arrow need: tables read in place, every position
 * checked, and tables written forwards.
 *
 * A buffer begins with the u32 position of its root table. A table at t begins with an i32: its vtable lies
 * at t - that. The vtable is u16 bytes of itself, u16 bytes of the table, then for each slot a u16: where in
 * the table the field is, 0 for absent. Strings, vectors and tables within a table are u32 distances from the
 * field, always forwards, so there are no circles. Source: google/flatbuffers, docs, "FlatBuffer Internals".
 *
 * Reading never fails on the spot: after the first broken rule all is absent, empty or 0, and `fault` says
 * what was found. Parse straight through, check once (as with gr_reader). */
#ifndef GR_DATASET_FLATBUFFER_H
#define GR_DATASET_FLATBUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"

/* --- reading ------------------------------------------------------------------------------------------- */

typedef struct {
    const uint8_t *data; /* borrowed */
    size_t size;
    const char *fault; /* the first broken rule, or NULL */
    size_t fault_at;   /* the byte it was found at */
} gr_fb;

/* An absent table has at = 0. */
typedef struct {
    gr_fb *fb;
    size_t at, vtable;
    uint16_t vtable_bytes, table_bytes;
} gr_fb_table;

typedef struct {
    gr_fb *fb;
    const uint8_t *data; /* n elements in place, perhaps misaligned */
    size_t at, n;
} gr_fb_vector;

/* `data` is borrowed and must outlive all that is taken from it. */
gr_fb gr_fb_of(const void *data, size_t size);
gr_fb_table gr_fb_root(gr_fb *fb);

/* A number of 1, 2, 4 or 8 bytes; `absent` where the slot is not there. */
int64_t gr_fb_int(gr_fb_table t, int slot, int bytes, int64_t absent);
gr_fb_table gr_fb_child(gr_fb_table t, int slot);
/* Text in place, not terminated; n = 0 where it is absent. */
gr_fb_vector gr_fb_string(gr_fb_table t, int slot);
/* A vector of numbers or structs of `bytes` each. */
gr_fb_vector gr_fb_elements(gr_fb_table t, int slot, size_t bytes);
/* A vector of tables, and table i < n of it. */
gr_fb_vector gr_fb_tables(gr_fb_table t, int slot);
gr_fb_table gr_fb_table_at(gr_fb_vector tables, size_t i);

/* Little-endian numbers anywhere, for elements of vectors. */
uint64_t gr_fb_number(const uint8_t *at, int bytes);
static inline int64_t gr_fb_i64(const uint8_t *at) { return (int64_t)gr_fb_number(at, 8); }

/* --- writing ------------------------------------------------------------------------------------------- */

/* Positions are counted from `base`, a multiple of 8 of the buffer. A failure (no memory) is the buffer's. */
typedef struct {
    gr_buf *out;
    size_t base;
} gr_fb_writer;

/* A field of a table to be written: a number, or a reference that is set later (bytes 4, value 0). */
typedef struct {
    int slot, bytes;
    int64_t value;
    size_t at; /* set by gr_fb_put_table: where the field is */
} gr_fb_field;

#define GR_FB_SLOTS_MAX 8 /* of a table to be written */

/* Begins a buffer at the end of `out`, whose length is padded to a multiple of 8. */
gr_fb_writer gr_fb_writer_begin(gr_buf *out);
/* Appends a table of n fields; every number lies on a multiple of its size. Returns its place. */
size_t gr_fb_put_table(gr_fb_writer *w, gr_fb_field *fields, int n);
size_t gr_fb_put_string(gr_fb_writer *w, const char *text, size_t n);
/* The head of a vector of n elements that the caller appends. `align` is 4 or 8: that of the elements. */
size_t gr_fb_put_vector(gr_fb_writer *w, size_t n, int align);
/* A vector of n tables; set element i with gr_fb_point(w, place + 4 + 4 * i, table). */
size_t gr_fb_put_tables(gr_fb_writer *w, size_t n);
/* Sets the reference at `at` (a field's, or 0 for the root) to `place`, which comes after it. */
void gr_fb_point(gr_fb_writer *w, size_t at, size_t place);
/* Appends a little-endian number. */
void gr_fb_put_number(gr_fb_writer *w, uint64_t value, int bytes);
/* Ends the buffer: zeros up to a multiple of 8. */
void gr_fb_writer_end(gr_fb_writer *w);

#endif
