/* tokenizer_data.h - the inside of a gr_tokenizer, shared by tokenizer.c and tokenizer_read.c. */
#ifndef GR_TEXT_TOKENIZER_DATA_H
#define GR_TEXT_TOKENIZER_DATA_H

#include "text/added.h"
#include "text/bpe.h"
#include "text/tokenizer.h"
#include "text/vocab.h"

struct gr_tokenizer {
    gr_runtime *rt;
    gr_vocab vocab;
    gr_bpe bpe;
    bool ignore_merges;    /* a piece that is a token is that token, whatever the merges say */
    gr_added_set added[2]; /* first those with "normalized": false, then, in what is left, the others */
    int32_t bos;
};

#endif
