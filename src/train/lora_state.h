/* lora_state.h - which adapters a checkpoint holds, as JSON: null, or {"layers": ["q_proj", "v_proj"],
 * "rank": 16, "alpha": 32.0, "seed": 16 hex digits}. */
#ifndef GR_TRAIN_LORA_STATE_H
#define GR_TRAIN_LORA_STATE_H

#include "io/json.h"
#include "model/lora.h"

/* A value of `j`. */
void gr_lora_state_put(gr_json_writer *j, const gr_lora *l);
/* Reads one; members that are not known are passed over. Fails in `j` with GR_ERR_FORMAT: a layer that cannot
 * have an adapter; a rank or alpha missing or out of its range. */
void gr_lora_state_read(gr_json *j, gr_lora *l);

/* GR_ERR_ARG: what was saved does not fit what is there; names the first that differs. The seed may differ:
 * what was drawn from it is in the checkpoint. */
gr_status gr_lora_state_compare(const gr_lora *saved, const gr_lora *now, gr_error *err);

#endif
