/* gar_new_internal.h - shared by gar_new*.c. */
#ifndef GR_MODEL_GAR_NEW_INTERNAL_H
#define GR_MODEL_GAR_NEW_INTERNAL_H

#include "base/alloc.h"
#include "base/folder.h"
#include "model/gar_new.h"
#include "text/tokenizer_write.h"

#define GR_SPECIAL_NAME 48

typedef struct {
    gr_special_token *tokens; /* [n], the names below as content */
    char (*names)[GR_SPECIAL_NAME];
    size_t n;
} gr_new_specials;

/* The special tokens that the ids of a configuration imply when everything below bos is bytes. GR_ERR_ARG: an
 * order other than the published one. */
gr_status gr_gar_new_specials(gr_new_specials *s, gr_runtime *rt, const gr_gar_config *c, gr_error *err);
void gr_gar_new_specials_fini(gr_new_specials *s, gr_runtime *rt);

/* GR_ERR_ARG: the tokenizer at `path` does not have the ids of the configuration. */
gr_status gr_gar_new_check_tokenizer(gr_runtime *rt, const gr_gar_config *c, const char *path, gr_error *err);

/* Draws and writes model.safetensors, or shards and index, into a folder. */
gr_status gr_gar_new_weights(gr_runtime *rt, const gr_gar_config *c, const gr_folder *folder,
                             const gr_gar_new_options *o, gr_error *err);

/* The type of the stored weights. GR_ERR_ARG: not F32, BF16 or F16. */
gr_status gr_gar_new_dtype(gr_dtype *out, const gr_gar_config *c, const gr_gar_new_options *o, gr_error *err);

#endif
