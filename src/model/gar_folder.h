/* gar_folder.h - the files of a GAR folder beside its weights, for a new model and for a trained one. */
#ifndef GR_MODEL_GAR_FOLDER_H
#define GR_MODEL_GAR_FOLDER_H

#include "base/folder.h"
#include "grasp/runtime.h"
#include "model/gar_config.h"

/* config.json, preprocessor_config.json, processor_config.json and generation_config.json of a configuration;
 * its `stored` is what they state as the type of the weights. */
gr_status gr_gar_folder_config(gr_runtime *rt, const gr_gar_config *c, const gr_folder *folder,
                               gr_error *err);

/* Copies a tokenizer: `from` is tokenizer.json, or its folder, whose other tokenizer files come along. */
gr_status gr_gar_folder_tokenizer(gr_runtime *rt, const gr_folder *folder, const char *from, gr_error *err);

#endif
