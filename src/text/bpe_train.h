/* bpe_train.h - learns the merges of a byte-level vocabulary from counted words.
 *
 * The first 256 tokens are the bytes, in the order of the characters that spell them (byte_alphabet.h), as
 * published vocabularies have them. Then, again and again, the pair of neighbouring tokens that occurs most
 * often becomes a token, everywhere, from left to right; of pairs that occur equally often, the one with the
 * lower left id, then the lower right one. Words do not touch. That is the order of the tokenizers library's
 * BpeTrainer (0.22), and the merges are the same.
 *
 * No two merges spell the same token: tokens only grow, so what lies between the borders of one was joined as
 * it would be alone, in the same way everywhere. */
#ifndef GR_TEXT_BPE_TRAIN_H
#define GR_TEXT_BPE_TRAIN_H

#include "text/bpe.h"
#include "text/word_count.h"

typedef struct {
    int32_t max_tokens;    /* bytes and learned ones; at least 256 */
    int64_t min_frequency; /* pairs that occur less often are not joined; at least 1 */
    /* Spellings no token may have, since the file's readers would take the two for one. */
    const char *const *reserved;
    size_t n_reserved;
    /* Told after every merge, with the tokens so far; false cancels. May be NULL. */
    bool (*progress)(void *user, uint64_t tokens, uint64_t max_tokens);
    void *user;
} gr_bpe_train_options;

typedef struct {
    gr_word_table tokens; /* bytes by id; the count is that of the pair when it was joined, 0 of bytes */
    gr_merge *merges;     /* [n_merges] by rank */
    size_t n_merges, cap;
} gr_bpe_learned;

/* Fewer tokens than max_tokens when no pair is left. GR_ERR_ARG: a reserved spelling of one byte.
 * GR_ERR_CANCELLED, GR_ERR_LIMIT, GR_ERR_MEM. Its memory, besides the words: about gr_bpe_train_bytes. */
gr_status gr_bpe_train(gr_bpe_learned *out, gr_runtime *rt, const gr_word_counter *words,
                       const gr_bpe_train_options *options, gr_error *err);
void gr_bpe_learned_fini(gr_bpe_learned *l); /* fine after a failure */

uint64_t gr_bpe_train_bytes(const gr_word_totals *words);

#endif
