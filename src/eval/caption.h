/* caption.h - descriptions of regions of which everything is known: what they state is compared with the
 * item's "truth", by words, as synth/score.h tells. */
#ifndef GR_EVAL_CAPTION_H
#define GR_EVAL_CAPTION_H

#include "eval/vqa.h"
#include "synth/score.h"

/* GR_ERR_FORMAT: an item that is not of one region, or whose truth does not say what the region is. `name` is
 * the file's. */
gr_status gr_caption_check(const gr_evaluation *e, const char *name, gr_error *err);

/* The answer of item i; without one, an empty text. GR_ERR_MEM. */
gr_status gr_caption_score(const gr_evaluation *e, size_t i, gr_score *score, gr_error *err);

/* "statements": {"true", "false", "known", "missing"} of item i, as a member of an object. */
void gr_caption_put(gr_json_writer *w, const gr_evaluation *e, size_t i);

#endif
