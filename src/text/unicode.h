/* unicode.h - UTF-8 and the few character classes that text splitting asks for. Tables: Unicode 16.0. */
#ifndef GR_TEXT_UNICODE_H
#define GR_TEXT_UNICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GR_REPLACEMENT 0xFFFDu

typedef enum {
    GR_UTF8_OK,
    GR_UTF8_BAD,       /* these bytes can never become a character */
    GR_UTF8_INCOMPLETE /* the text ends inside a character */
} gr_utf8_state;

typedef struct {
    uint32_t cp; /* GR_REPLACEMENT unless OK */
    int bytes;   /* 1..4; for BAD and INCOMPLETE the maximal part that one U+FFFD stands for */
    gr_utf8_state state;
} gr_utf8;

/* The character at p[0], n >= 1 bytes being there. Ill-formed text is cut as the Unicode Standard recommends
 * (section 3.9, "substitution of maximal subparts"), as Python's and Rust's lossy decoders do. */
gr_utf8 gr_utf8_decode(const uint8_t *p, size_t n);

/* Writes 1..4 bytes; cp is a Unicode scalar value. */
int gr_utf8_encode(uint32_t cp, uint8_t out[4]);

bool gr_utf8_valid(const void *text, size_t n);

typedef enum {
    GR_CHAR_OTHER,
    GR_CHAR_LETTER, /* general category L: \p{L} */
    GR_CHAR_NUMBER, /* N: \p{N} */
    GR_CHAR_SPACE   /* White_Space: \s. U+180E is not among them */
} gr_char_class;

gr_char_class gr_char_classify(uint32_t cp);

#endif
