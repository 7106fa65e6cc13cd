/* strip.h - Python's str.strip: White_Space of Unicode and the four separators of ASCII. */
#ifndef GR_TEXT_STRIP_H
#define GR_TEXT_STRIP_H

#include <stddef.h>

/* The part of text[0..n) without white space at its end, or at both ends: *text moves,
 * *n shrinks. */
typedef enum { GR_STRIP_RIGHT, GR_STRIP_BOTH } gr_strip_sides;

void gr_strip(const char **text, size_t *n, gr_strip_sides sides);

#endif
