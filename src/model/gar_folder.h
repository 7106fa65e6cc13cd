/* gar_folder.h - the files of a GAR folder beside its weights, for a new model and for a trained one. */
#ifndef GR_MODEL_GAR_FOLDER_H
#define GR_MODEL_GAR_FOLDER_H

#include "base/folder.h"
#include "grasp/runtime.h"
#include "model/gar_config.h"

/* config.json of a configuration; its `stored` is what it states as the type of the weights. Beside it
 * preprocessor_config.json, processor_config.json, video_preprocessor_config.json and generation_config.json:
 * copies of those in the folder `from`, which may say more than a configuration holds, written where it has
 * none or `from` is NULL. */
gr_status gr_gar_folder_config(gr_runtime *rt, const gr_gar_config *c, const gr_folder *folder,
                               const char *from, gr_error *err);

/* Copies a tokenizer: `from` is tokenizer.json, or its folder, whose other tokenizer files come along. */
gr_status gr_gar_folder_tokenizer(gr_runtime *rt, const gr_folder *folder, const char *from, gr_error *err);

/* The chat template of published files, as transformers reads one (chat_template.jinja): the text that
 * gr_gar_prompt makes of the same messages. */
gr_status gr_gar_folder_chat_template(gr_runtime *rt, const gr_folder *folder, gr_error *err);

#endif
