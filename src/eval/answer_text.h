/* answer_text.h - what the published scripts make of generated tokens before they write or score them.
 *
 * Source: Grasp-Any-Region, demo/gar_*.py and evaluation/ (spec gar.md section 6); decode of transformers'
 * fast tokenizers. */
#ifndef GR_EVAL_ANSWER_TEXT_H
#define GR_EVAL_ANSWER_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "text/tokenizer.h"

typedef enum {
    GR_ANSWER_CAPTION, /* special tokens, <PromptK> among them, left out; stripped */
    GR_ANSWER_BENCH /* GAR-Bench: special tokens kept; stripped; a text that ends with <|eot_id|> loses every
                     * one of them, and is not stripped again */
} gr_answer_kind;

/* Appends the text of an answer's tokens, the end token included. `clean_up`: see gr_answer_clean_up.
 * GR_ERR_LIMIT or GR_ERR_MEM: `out` could not grow. */
gr_status gr_answer_text(gr_buf *out, const gr_tokenizer *t, const int32_t *ids, size_t n,
                         gr_answer_kind kind, bool clean_up, gr_error *err);

/* Whether the folder's tokenizer removes spaces before punctuation when it decodes:
 * clean_up_tokenization_spaces of DIR/tokenizer_config.json; false when the file or the key is not there, as
 * in the version of transformers that the release pins. GR_ERR_IO, GR_ERR_FORMAT, GR_ERR_LIMIT, GR_ERR_MEM.
 */
gr_status gr_answer_clean_up(bool *clean_up, gr_runtime *rt, const char *dir, gr_error *err);
/* The same from the file's text; `name` is for messages. */
gr_status gr_answer_clean_up_parse(bool *clean_up, gr_runtime *rt, const char *json, size_t n,
                                   const char *name, gr_error *err);

#endif
