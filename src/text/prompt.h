/* prompt.h - a prompt as a list of pieces, and its rows.
 *
 * User text is never parsed for special tokens: what is special is a piece of its own. Text that is appended
 * to text continues it, so its tokens are those of the whole contiguous run, whoever wrote its parts. */
#ifndef GR_TEXT_PROMPT_H
#define GR_TEXT_PROMPT_H

#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "grasp/error.h"
#include "text/tokenizer.h"

#define GR_PROMPT_REGIONS_MAX 256

typedef enum {
    GR_PIECE_TEXT,
    GR_PIECE_SPECIAL, /* one token by its id */
    GR_PIECE_IMAGE,   /* `rows` feature rows of the next image */
    GR_PIECE_REGION   /* `rows` feature rows of region `region` */
} gr_piece_kind;

typedef struct {
    gr_piece_kind kind;
    size_t at, bytes; /* TEXT: where in gr_prompt.text */
    int32_t id;       /* SPECIAL; IMAGE and REGION: what their rows carry as token id */
    size_t rows;
    int region;
} gr_piece;

typedef struct {
    gr_runtime *rt;
    gr_piece *pieces;
    size_t n, cap;
    gr_buf text; /* of all TEXT pieces, in order */
} gr_prompt;

void gr_prompt_init(gr_prompt *p, gr_runtime *rt);
void gr_prompt_fini(gr_prompt *p);
void gr_prompt_clear(gr_prompt *p);

/* Append a piece. GR_ERR_MEM; GR_ERR_LIMIT: more than GR_TEXT_MAX bytes of text in all; GR_ERR_ARG: a region
 * outside 0..GR_PROMPT_REGIONS_MAX-1, or a second piece of a region. No bytes and no rows are nothing. */
gr_status gr_prompt_text(gr_prompt *p, const char *text, size_t n, gr_error *err);
gr_status gr_prompt_words(gr_prompt *p, const char *text, gr_error *err); /* zero-terminated */
gr_status gr_prompt_special(gr_prompt *p, int32_t id, gr_error *err);
gr_status gr_prompt_image(gr_prompt *p, int32_t id, size_t rows, gr_error *err);
gr_status gr_prompt_region(gr_prompt *p, int region, int32_t id, size_t rows, gr_error *err);

/* The rows of the prompt, appended to two lists of the same length:
 *   ids     the token id of every row, as the published processor gives them (placeholders repeated);
 *   source  -1: the row is the embedding of its id. Otherwise the row is feature row `source`, counted over
 *           the rows of all images in their order, then those of region 0, of region 1, ...
 * GR_ERR_LIMIT: more rows than a list's max. GR_ERR_MEM. */
gr_status gr_prompt_rows(const gr_prompt *p, const gr_tokenizer *t, gr_ids *ids, gr_ids *source,
                         gr_error *err);

#endif
