/* tokenizer_write.h - the tokenizer files of a new model: a byte-level vocabulary and special tokens.
 *
 * The vocabulary is what was learned (bpe_train.h), or the 256 bytes alone, byte b with id b. The split is
 * Llama-3's, so that readers of published files take it unchanged. */
#ifndef GR_TEXT_TOKENIZER_WRITE_H
#define GR_TEXT_TOKENIZER_WRITE_H

#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/folder.h"
#include "grasp/error.h"
#include "text/bpe_train.h"

typedef struct {
    int32_t id; /* behind the vocabulary */
    const char *content;
} gr_special_token;

/* What the files say. */
typedef struct {
    const gr_bpe_learned *learned; /* NULL: the 256 bytes */
    const gr_special_token *specials;
    size_t n_specials;
    int32_t bos, eos; /* ids of `specials` */
    int context;      /* model_max_length */
} gr_tokenizer_text;

/* Append the text of tokenizer.json, tokenizer_config.json and special_tokens_map.json to `out`. The first
 * puts `bos` before every text (TemplateProcessing).
 * GR_ERR_ARG  a special id of the vocabulary or given twice, an empty or repeated content, bos or eos not
 * among the specials. GR_ERR_MEM  `out` could not grow. */
gr_status gr_tokenizer_write(gr_buf *out, const gr_tokenizer_text *t, gr_error *err);
gr_status gr_tokenizer_write_config(gr_buf *out, const gr_tokenizer_text *t, gr_error *err);
gr_status gr_tokenizer_write_special_map(gr_buf *out, const gr_tokenizer_text *t, gr_error *err);

/* All three, as files. Also GR_ERR_IO. */
gr_status gr_tokenizer_write_files(const gr_folder *folder, gr_runtime *rt, const gr_tokenizer_text *t,
                                   gr_error *err);

#endif
