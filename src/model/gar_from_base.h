/* gar_from_base.h - the GAR that training begins with: a Perception-LM, and what GAR adds to it.
 *
 * As the published recipe begins (training-and-data.md 2.1): a mask embedding of zeros, so that a mask
 * changes nothing yet, and the tokens <Prompt0> to <Prompt4> and <NO_Prompt> behind the vocabulary, whose
 * rows of embedding and head are the mean of the others'. All other weights are the base's, byte for byte. */
#ifndef GR_MODEL_GAR_FROM_BASE_H
#define GR_MODEL_GAR_FROM_BASE_H

#include "model/gar_new.h"

/* Makes `dir`, which must not exist or be empty; of `options` shard_bytes and progress count, and it may be
 * NULL. GR_ERR_ARG: the base is a GAR already, has one of the tokens, or lacks one that GAR needs; something
 * is in the way. GR_ERR_UNSUPPORTED: weights as Meta stores them. Others as gr_gar_config_load,
 * gr_checkpoint_open and gr_gar_new have. Nothing is left behind. */
gr_status gr_gar_from_base(gr_runtime *rt, const char *base, const char *dir,
                           const gr_gar_new_options *options, gr_error *err);

/* The text of a tokenizer.json with tokens added, ids from `first` on; the rest is as it was. GR_ERR_FORMAT:
 * it has no list "added_tokens". */
gr_status gr_gar_grow_tokenizer(gr_buf *out, gr_runtime *rt, const char *json, size_t n, const char *name,
                                const char *const *tokens, size_t n_tokens, int32_t first, gr_error *err);

#endif
