/* word_table.h - distinct strings of bytes, numbered in the order they came, and a count of each. */
#ifndef GR_TEXT_WORD_TABLE_H
#define GR_TEXT_WORD_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"

/* Bytes of all words of a table: places in it are 32 bits. */
#define GR_WORD_BYTES_MAX ((size_t)1 << 30)

typedef struct {
    uint64_t hash, count;
    uint32_t at, len; /* in gr_word_table.bytes */
} gr_word;

typedef struct {
    gr_runtime *rt;
    gr_buf bytes; /* of all words, one after the other */
    gr_word *v;
    size_t n, cap;
    uint32_t *slots; /* number + 1 by hash, 0 empty */
    size_t n_slots;  /* a power of two, or 0 */
    uint64_t probes; /* steps past the first slot so far, and look-ups: see gr_word_table_is_slow */
    uint64_t lookups;
} gr_word_table;

void gr_word_table_init(gr_word_table *t, gr_runtime *rt);
void gr_word_table_fini(gr_word_table *t);
void gr_word_table_clear(gr_word_table *t); /* keeps memory */

/* Adds `count` to the word, whose gr_word_hash is `hash`; a word that was not there gets the next number.
 * Gives its number, or -1: no memory, or over GR_WORD_BYTES_MAX or 2^31 - 1 words. */
int32_t gr_word_table_add(gr_word_table *t, uint64_t hash, const void *bytes, size_t n, uint64_t count);
/* The number of the word, or -1. */
int32_t gr_word_table_find(const gr_word_table *t, const void *bytes, size_t n);
const uint8_t *gr_word_bytes(const gr_word_table *t, const gr_word *word);

/* Whether words were chosen to share their slots, so that looking them up takes more steps than it ever does
 * by chance. */
bool gr_word_table_is_slow(const gr_word_table *t);

uint64_t gr_word_hash(const void *bytes, size_t n);

#endif
