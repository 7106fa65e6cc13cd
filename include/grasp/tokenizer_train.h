/* tokenizer_train.h - a new tokenizer, learned from text: byte-level byte-pair encoding in the layout of the
 * published GAR tokenizer.
 *
 * Ids begin with the 256 bytes, in the order of the published vocabulary; then come learned tokens, the
 * earliest first; the special tokens are the last. A text is cut into words as Llama 3 cuts it, and the pair
 * of neighbouring tokens in words that occurs most often becomes a token, again and again; of pairs that
 * occur equally often, the one with the lower left id, then the lower right one. What is learned follows from
 * the texts alone: not from their order, the cut into files, or the number of threads. */
#ifndef GRASP_TOKENIZER_TRAIN_H
#define GRASP_TOKENIZER_TRAIN_H

#include <stdbool.h>
#include <stdint.h>
#include "grasp/tokenizer.h"

typedef enum {
    GR_TRAIN_READ, /* words are counted: bytes of text */
    GR_TRAIN_JOIN, /* tokens are learned: tokens, of those asked for without the special ones */
} gr_train_phase;

/* Begin with gr_tokenizer_train_options_init; fields are only ever added at the end. Texts are borrowed. */
typedef struct {
    size_t size;           /* sizeof(gr_tokenizer_train_options), set by init */
    int32_t vocab_size;    /* ids in all, at most 1048576; has to be set */
    int32_t min_frequency; /* pairs that occur less often in the texts are not joined; >= 1; default 2 */
    const char *field; /* files are JSON Lines: each line is an object, its member of this name the text */
    bool whole_files; /* a text is a whole file of at most GR_TEXT_MAX bytes; default: a line, with its end */
    const char *const *specials; /* [n_specials] contents in the order of their ids; NULL: GAR's 262 */
    size_t n_specials;
    const char *bos, *eos; /* of the specials; default "<|begin_of_text|>", "<|eot_id|>" */
    uint64_t max_words;    /* distinct words; default 8388608. Memory: see gr_tokenizer_train */
    /* Several times a second; false cancels. May be NULL. */
    bool (*progress)(void *user, gr_train_phase phase, uint64_t done, uint64_t total);
    void *progress_user;
} gr_tokenizer_train_options;

GR_API void gr_tokenizer_train_options_init(gr_tokenizer_train_options *options);

typedef struct {
    size_t size;              /* sizeof(gr_tokenizer_training), set by the caller */
    uint64_t bytes, texts;    /* of the files, and texts in them */
    uint64_t words, distinct; /* words of the texts, and different ones */
    int32_t vocab_size;       /* ids there are: fewer than asked for when no pair was left */
    int32_t n_learned, n_specials;
} gr_tokenizer_training;

/* Learns from the files at paths[0..n_paths) and makes `dir`, which must not exist or be empty, with
 * tokenizer.json, tokenizer_config.json and special_tokens_map.json. The folder appears when it is complete;
 * on failure nothing is left behind. `training` may be NULL.
 *
 * Bytes that are not UTF-8 count as they are, except in JSON, where they are refused. No learned token is
 * spelled as a special one, or longer than 4096 bytes. Memory of a distinct word: about 40 bytes and its
 * length, and while pairs are joined 16 bytes and 36 times its length more. What that will be is told to the
 * log before it begins, as a warning when it is over 1 GB.
 *
 * GR_ERR_ARG: no file; a vocabulary without room for the bytes and the special tokens; special tokens that
 * are empty, over 256 bytes, not UTF-8, there twice, or spelled as a byte; bos or eos not among them; a `dir`
 * with something in it. GR_ERR_FORMAT: a line of a JSON Lines file that is no object, or does not have one
 * member `field`, a text. GR_ERR_LIMIT: more than max_words distinct words, a text of more than GR_TEXT_MAX
 * bytes. GR_ERR_IO, GR_ERR_MEM, GR_ERR_CANCELLED. */
GR_API gr_status gr_tokenizer_train(gr_runtime *rt, const char *const *paths, size_t n_paths, const char *dir,
                                    const gr_tokenizer_train_options *options,
                                    gr_tokenizer_training *training, gr_error *err);

#endif
