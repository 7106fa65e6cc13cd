/* tokenizer_data.h - the inside of a gr_tokenizer, shared by tokenizer.c and what reads its files. */
#ifndef GR_TEXT_TOKENIZER_DATA_H
#define GR_TEXT_TOKENIZER_DATA_H

#include "text/added.h"
#include "text/bpe.h"
#include "text/spm.h"
#include "text/tokenizer.h"
#include "text/vocab.h"

typedef enum { GR_TOKENIZER_BPE, GR_TOKENIZER_SPM } gr_tokenizer_kind;

struct gr_tokenizer {
    gr_runtime *rt;
    gr_tokenizer_kind kind;
    gr_vocab vocab;
    gr_bpe bpe;            /* of GR_TOKENIZER_BPE */
    bool ignore_merges;    /* a piece that is a token is that token, whatever the merges say */
    gr_spm spm;            /* of GR_TOKENIZER_SPM */
    bool prefix;           /* a space is put before texts */
    gr_added_set added[2]; /* first those with "normalized": false, then, in what is left, the others */
    int32_t bos;
};

/* An empty one, to be filled; NULL when there is no memory. */
gr_tokenizer *gr_tokenizer_new(gr_runtime *rt, gr_tokenizer_kind kind);

#endif
