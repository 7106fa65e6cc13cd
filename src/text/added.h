/* added.h - finds the spellings of added tokens in a text: leftmost, longest first. */
#ifndef GR_TEXT_ADDED_H
#define GR_TEXT_ADDED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "grasp/runtime.h"

#define GR_ADDED_BYTES_MAX 256

typedef struct {
    const uint8_t *bytes; /* borrowed */
    size_t len;           /* 1..GR_ADDED_BYTES_MAX */
    int32_t id;
    bool special;
} gr_added_token;

typedef struct {
    gr_runtime *rt;
    gr_added_token *v;
    size_t n, cap;
    bool starts[256]; /* some token begins with this byte */
} gr_added_set;

bool gr_added_add(gr_added_set *s, gr_added_token token); /* false: no memory */
/* Makes gr_added_find work. Gives the first of two neighbours in s->v with the same bytes, or NULL. */
const gr_added_token *gr_added_sort(gr_added_set *s);
void gr_added_fini(gr_added_set *s);

/* The first token in text[0..n): `at` receives its place. NULL: none. Special ones count only if `specials`.
 */
const gr_added_token *gr_added_find(const gr_added_set *s, const uint8_t *text, size_t n, bool specials,
                                    size_t *at);

#endif
