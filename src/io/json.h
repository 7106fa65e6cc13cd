/* json.h - a pull reader for big files and headers, and a writer.
 *
 * RFC 8259, UTF-8, no BOM. The caller walks the text in order and asks for what it expects; nothing is built.
 * Failure is sticky: after the first one every call yields an empty value, loops end, and gr_json_status
 * gives the sentence with file, line and column. Bounds: nesting 64, keys and strings as long as
 * `max_string` (strings that are passed over are checked but not limited). Duplicate keys are the caller's to
 * refuse. */
#ifndef GR_IO_JSON_H
#define GR_IO_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "grasp/error.h"

typedef enum {
    GR_JSON_END, /* after the last value, or after a failure */
    GR_JSON_NULL,
    GR_JSON_BOOL,
    GR_JSON_NUMBER,
    GR_JSON_STRING,
    GR_JSON_ARRAY,
    GR_JSON_OBJECT
} gr_json_kind;

#define GR_JSON_MAX_DEPTH 64

typedef struct {
    const char *text, *at, *end, *name; /* borrowed; name is for messages */
    const char *mark;                   /* where the last value or key began: gr_json_fail points there */
    const char *about; /* the caller's, may be NULL: what is being read, put into messages after the place */
    size_t lines_before; /* the caller's: of the file, when the text is a later part of it */
    gr_buf string;       /* the last decoded key or string */
    int depth;
    bool first[GR_JSON_MAX_DEPTH]; /* no member of this level was read yet */
    gr_error err;
} gr_json;

/* `text` and `name` are borrowed until gr_json_fini. */
void gr_json_init(gr_json *j, gr_runtime *rt, const char *text, size_t n, const char *name,
                  size_t max_string);
void gr_json_fini(gr_json *j);

/* The kind of the value that comes next; reads nothing. What cannot begin a value is a failure. */
gr_json_kind gr_json_peek(gr_json *j);

/* for (gr_json_object(j); gr_json_key(j, &key);) { read or skip exactly one value }
 * The key is decoded, zero-terminated and valid until the next key or string is read. A key with a zero byte
 * in it is refused. */
void gr_json_object(gr_json *j);
bool gr_json_key(gr_json *j, const char **key);

/* for (gr_json_array(j); gr_json_item(j);) { read or skip exactly one value } */
void gr_json_array(gr_json *j);
bool gr_json_item(gr_json *j);

/* The decoded string, zero-terminated, valid until the next key or string; "" on failure. Lone surrogates and
 * bad UTF-8 are refused. `n` may be NULL: then a zero byte inside is refused. */
const char *gr_json_string(gr_json *j, size_t *n);
/* The nearest double, whatever the locale. Numbers beyond the range of double are refused. */
double gr_json_number(gr_json *j);
/* A number without fraction or exponent in lo..hi. */
int64_t gr_json_int(gr_json *j, int64_t lo, int64_t hi);
bool gr_json_bool(gr_json *j);
/* True, and read, when the next value is null. */
bool gr_json_null(gr_json *j);
/* Passes over one whole value. */
void gr_json_skip(gr_json *j);
/* The same, and gives the value's own text, in place. */
const char *gr_json_raw(gr_json *j, size_t *n);

/* Records a failure at the last value or key, for what the caller finds wrong: "file: line 3, column 7:
 * ...". */
void gr_json_fail(gr_json *j, gr_status status, const char *fmt, ...) GR_PRINTF(3, 4);
/* GR_OK when everything so far was well formed; otherwise copies the sentence to err. With `whole`, also
 * requires that nothing but white space follows. */
gr_status gr_json_status(gr_json *j, bool whole, gr_error *err);

/* Writer: text onto a gr_buf, commas and quoting taken care of. Invalid UTF-8 is written as U+FFFD. A failure
 * (no memory, over the buffer's maximum) is the buffer's `failed`. */
typedef struct {
    gr_buf *out;
    int depth;
    bool comma[GR_JSON_MAX_DEPTH]; /* this level has a member */
    bool after_key;                /* the next value belongs to a key */
    bool pretty;                   /* two-space indentation */
} gr_json_writer;

void gr_json_writer_init(gr_json_writer *w, gr_buf *out, bool pretty);
void gr_json_put_key(gr_json_writer *w, const char *key);
void gr_json_put_object(gr_json_writer *w);            /* { */
void gr_json_put_array(gr_json_writer *w);             /* [ */
void gr_json_put_end(gr_json_writer *w, char bracket); /* '}' or ']' */
void gr_json_put_string(gr_json_writer *w, const char *text, size_t n);
void gr_json_put_text(gr_json_writer *w, const char *text); /* zero-terminated */
/* The text with fewest digits (of 15 and more; put_f32: 6 and more) that reads back as the same double
 * (float). Not finite: null. */
void gr_json_put_number(gr_json_writer *w, double x);
void gr_json_put_f32(gr_json_writer *w, float x);
void gr_json_put_int(gr_json_writer *w, int64_t x);
void gr_json_put_bool(gr_json_writer *w, bool x);
void gr_json_put_null(gr_json_writer *w);
/* A value that is JSON already. */
void gr_json_put_raw(gr_json_writer *w, const char *json, size_t n);

#endif
