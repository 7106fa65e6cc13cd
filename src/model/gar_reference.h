/* gar_reference.h - how a text names regions: <Prompt0>, <region:dog>, <region:0>. */
#ifndef GR_MODEL_GAR_REFERENCE_H
#define GR_MODEL_GAR_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    size_t at, len;   /* of all of it, in the text */
    bool is_prompt;   /* <PromptK>; else <region:...> */
    int number;       /* K, or the number in <region:0>; -1: a name */
    const char *name; /* what stands before '>', in the text */
    size_t name_bytes;
} gr_gar_reference;

/* The next well-formed reference from byte `at` on, whether or not there is such a region. Numbers are
 * written as usual and below 1000; names are [A-Za-z_][A-Za-z0-9_.-]{0,63}. False: none. */
bool gr_gar_find_reference(const char *text, size_t n, size_t at, gr_gar_reference *out);

#endif
