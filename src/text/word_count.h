/* word_count.h - the words of a corpus, cut as an encoder cuts its text (bpe_split.h), and how often each
 * occurs.
 *
 * Threads first count a fixed share of a block each, then join what they found by a fixed share of all words
 * each. So nothing depends on the number of threads, the order of words included. */
#ifndef GR_TEXT_WORD_COUNT_H
#define GR_TEXT_WORD_COUNT_H

#include "text/corpus.h"
#include "text/word_table.h"

enum { GR_WORD_UNITS = 32, GR_WORD_SHARDS = 32 };

typedef struct {
    gr_runtime *rt;
    uint64_t max_words;
    gr_word_table units[GR_WORD_UNITS];   /* of the block that is being counted */
    gr_word_table shards[GR_WORD_SHARDS]; /* of all blocks so far, by hash; no word is in two of them */
    uint64_t unit_documents[GR_WORD_UNITS];
    uint64_t documents; /* that were counted */
} gr_word_counter;

void gr_word_counter_init(gr_word_counter *c, gr_runtime *rt, uint64_t max_words);
void gr_word_counter_fini(gr_word_counter *c);

/* Counts the words of the corpus's block. GR_ERR_LIMIT: more than max_words distinct words, or
 * GR_WORD_BYTES_MAX bytes of them. GR_ERR_FORMAT, GR_ERR_MEM. */
gr_status gr_word_counter_add(gr_word_counter *c, const gr_corpus *block, gr_error *err);

/* What was counted: distinct words, bytes of them, words of the text. */
typedef struct {
    uint64_t words, bytes, occurrences;
} gr_word_totals;

gr_word_totals gr_word_counter_totals(const gr_word_counter *c);

#endif
