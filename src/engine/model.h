/* model.h - the inside of a gr_model: checkpoint, tokenizer, and the device its weights are for. */
#ifndef GR_ENGINE_MODEL_H
#define GR_ENGINE_MODEL_H

#include "engine/core.h"
#include "grasp/model.h"
#include "grasp/session.h"
#include "model/gar_markers.h"
#include "text/tokenizer.h"

#define GR_MAX_BRANCHES 64

struct gr_model {
    gr_runtime *rt;
    gr_gar *gar;
    gr_backend *backend;
    gr_tokenizer *tokenizer; /* NULL: the folder has none; then it can be inspected and no more */
    gr_gar_markers markers;
    gr_profile profile; /* what the checkpoint states, else released */
    char dtypes[128];
    int engines; /* that exist */
};

/* An engine made through grasp/engine.h. */
struct gr_engine {
    gr_model *model;
    gr_core *core;
    int max_tiles, max_context;
    gr_session **sessions; /* [n_sessions] */
    int n_sessions;
    size_t token_bytes; /* of the longest token */
};

/* GR_ERR_IO with a sentence when the folder has no tokenizer. */
gr_status gr_model_need_text(const gr_model *m, gr_error *err);

#endif
