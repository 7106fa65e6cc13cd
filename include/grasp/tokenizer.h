/* tokenizer.h - text to tokens and back, as the model's tokenizer.json, tokenizer.model or GGUF vocabulary
 * has it.
 *
 * A tokenizer does not change after it was opened; any number of threads may use it. */
#ifndef GRASP_TOKENIZER_H
#define GRASP_TOKENIZER_H

#include <stdbool.h>
#include <stdint.h>
#include "grasp/runtime.h"

#define GR_TEXT_MAX ((size_t)64 << 20) /* bytes of one text */

typedef struct gr_tokenizer gr_tokenizer;

/* `path`: tokenizer.json, NAME.model, a folder that holds one of them, such as a model's (tokenizer.json
 * first), or a GGUF file. On failure *out is NULL. GR_ERR_IO, GR_ERR_LIMIT (file, ids, lengths),
 * GR_ERR_FORMAT, GR_ERR_UNSUPPORTED, GR_ERR_MEM. */
GR_API gr_status gr_tokenizer_open(gr_tokenizer **out, gr_runtime *rt, const char *path, gr_error *err);
GR_API void gr_tokenizer_free(gr_tokenizer *t); /* NULL is fine */

/* The tokens of text[0..n), without a begin-of-text token; *count is how many there are, at most n + 1. `ids`
 * has room for `max`, or is NULL to learn the count. With `specials`, spellings of special tokens become
 * those tokens; without (text that comes from a user), they are ordinary characters. The bytes of the tokens
 * join to the text, whatever it is, but for the space that SentencePiece puts before it. GR_ERR_LIMIT: more
 * than GR_TEXT_MAX bytes, or more than `max` tokens. GR_ERR_MEM. */
GR_API gr_status gr_tokenizer_to_ids(const gr_tokenizer *t, const char *text, size_t n, bool specials,
                                     int32_t *ids, size_t max, size_t *count, gr_error *err);

/* ends[i] = the byte of the encoded text where token i ends, which is where token i + 1 begins. */
GR_API void gr_tokenizer_ends(const gr_tokenizer *t, const int32_t *ids, size_t n, size_t *ends);

enum {
    GR_DECODE_SKIP_SPECIAL = 1, /* special tokens give no text */
    GR_DECODE_CLEAN_UP = 2,     /* clean_up_tokenization_spaces: "it 's ." becomes "it's." */
};

/* The text of the tokens and a terminating zero: always UTF-8, every maximal ill-formed part is one U+FFFD.
 * Ids without a token give nothing; what SentencePiece put before the text is left out. *bytes is its length;
 * `text` has room for `max` bytes, or is NULL to learn the length. GR_ERR_LIMIT: `max` is not more than
 * *bytes, or the text is over GR_TEXT_MAX. GR_ERR_MEM. */
GR_API gr_status gr_tokenizer_to_text(const gr_tokenizer *t, const int32_t *ids, size_t n, unsigned flags,
                                      char *text, size_t max, size_t *bytes, gr_error *err);

/* The added token of that content, else the vocabulary's token of those bytes, else -1. Spaces are spaces,
 * whatever the file spells them as. */
GR_API int32_t gr_tokenizer_id(const gr_tokenizer *t, const char *content);
/* The bytes of a token, not terminated, maybe not UTF-8; NULL when no token has this id. */
GR_API const uint8_t *gr_tokenizer_bytes(const gr_tokenizer *t, int32_t id, size_t *n);
GR_API bool gr_tokenizer_is_special(const gr_tokenizer *t, int32_t id);
GR_API int32_t gr_tokenizer_n_vocab(const gr_tokenizer *t); /* the largest id + 1 */
GR_API int32_t gr_tokenizer_bos(const gr_tokenizer *t);     /* what a prompt begins with, or -1 */

#endif
