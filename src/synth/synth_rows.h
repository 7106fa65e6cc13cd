/* synth_rows.h - the synthetic world as a source of rows: nothing is on disk, row i is drawn when it is read.
 */
#ifndef GR_SYNTH_SYNTH_ROWS_H
#define GR_SYNTH_SYNTH_ROWS_H

#include "dataset/rows.h"

/* "synth:SPLIT:SEED:COUNT", SPLIT one of train, validation, test. Behind it may stand which rows alone:
 * ":closeups" show one object large and name it, ":looking" say in a few words what many regions are and look
 * like (what a model learns to see with, before it learns to talk), ":captions" describe, ":choices" ask with
 * options. True: `name` begins so. */
bool gr_synth_rows_named(const char *name);

/* COUNT rows, of which row i is gr_synth_record's; pictures are PPM, which costs nothing to read again. As
 * many scenes are painted at a time as threads read. GR_ERR_ARG: the name. Others as gr_synth_new. */
gr_status gr_synth_rows_open(gr_row_source **out, gr_runtime *rt, const char *name, gr_error *err);

#endif
