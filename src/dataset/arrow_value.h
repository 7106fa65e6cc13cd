/* arrow_value.h - one value of an Arrow column as a small tagged view: what a row is read as, and what a row
 * is written from.
 *
 * A view borrows all it points to: of a value that was read, from the cursor (arrow_cursor.h), until that
 * reads from another row; of a value to be written, from the caller. */
#ifndef GR_DATASET_ARROW_VALUE_H
#define GR_DATASET_ARROW_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "grasp/error.h"

struct gr_arrow_schema;

typedef enum {
    GR_VALUE_NULL,
    GR_VALUE_BOOL,
    GR_VALUE_INT,    /* whole numbers of any width, dates and times as they are stored */
    GR_VALUE_DOUBLE, /* half, single and double precision */
    GR_VALUE_BYTES,  /* text, binary, decimals and intervals */
    GR_VALUE_LIST,   /* lists of any kind; a map is a list of structs of its keys and values */
    GR_VALUE_STRUCT,
    GR_VALUE_KIND_COUNT
} gr_value_kind;

typedef struct gr_arrow_value gr_arrow_value;
struct gr_arrow_value {
    gr_value_kind kind;
    union {
        bool flag;
        int64_t integer;
        double number;
        struct {
            const uint8_t *at; /* not terminated; text is said to be UTF-8, which is not checked */
            size_t n;
        } bytes;
        struct {
            const gr_arrow_value *items;
            size_t n;
        } list;
        /* Member k of a struct is members[k][row]: structs of one list share the arrays of their members. */
        struct {
            const gr_arrow_value *const *members;
            size_t row;
            const struct gr_arrow_schema *schema; /* these two name the members; NULL and 0 where nobody */
            int field;                            /* looks a member up by name                           */
        } fields;
    } as;
};

/* "null", "list", ... for messages. */
const char *gr_value_kind_name(gr_value_kind kind);

/* Member k >= 0 of a struct, which has more than k members. */
const gr_arrow_value *gr_arrow_member_at(const gr_arrow_value *v, size_t k);
/* The member of that name of a struct that was read; NULL: there is none, or v is no struct. */
const gr_arrow_value *gr_arrow_member(const gr_arrow_value *v, const char *name);
/* Members of a struct that was read; 0 of anything else. */
size_t gr_arrow_n_members(const gr_arrow_value *v);

/* Whether the value is the text, byte for byte. */
bool gr_arrow_value_is(const gr_arrow_value *v, const char *text);

#endif
