/* tokenizer_reading.h - a tokenizer.json half way: what was read (tokenizer_read.c) and is to be joined, once
 * all of it is there (tokenizer_join.c). The parts of the file may come in any order. */
#ifndef GR_TEXT_TOKENIZER_READING_H
#define GR_TEXT_TOKENIZER_READING_H

#include "io/json.h"
#include "text/tokenizer_data.h"

/* An added token, or the two halves of a merge, as they stand in the file: what they refer to may come later.
 */
typedef struct {
    size_t at; /* in gr_tokenizer_reading.bytes */
    uint32_t len, right_len;
    int32_t id;
    bool special, normalized;
} gr_noted;

typedef struct {
    gr_json json;
    gr_tokenizer *t;
    const char *name;
    gr_buf bytes; /* of what was noted */
    gr_noted *added, *merges, *templates;
    size_t n_added, added_cap, n_merges, merges_cap, n_templates, templates_cap;
    bool split, byte_level; /* the two steps of the pre-tokeniser were seen */
    char bos[GR_ADDED_BYTES_MAX + 1];
} gr_tokenizer_reading;

/* Builds the tables of r->t from what was noted. GR_ERR_FORMAT, GR_ERR_UNSUPPORTED: parts that do not fit
 * together. GR_ERR_LIMIT, GR_ERR_MEM. */
gr_status gr_tokenizer_join(gr_tokenizer_reading *r, gr_error *err);

#endif
