/* synth_files.h - the folders that gr_synth_write makes, each filled before it gets its name. */
#ifndef GR_SYNTH_SYNTH_FILES_H
#define GR_SYNTH_SYNTH_FILES_H

#include "base/folder.h"
#include "grasp/synth.h"
#include "synth/synth_items.h"

/* What all of them share. */
typedef struct {
    gr_runtime *rt;
    const gr_synth_options *o;
    gr_synth_rules rules;
    const gr_folder *folder;
    gr_synth_written written;
    uint64_t done, total;
} gr_synth_writing;

/* Counts one more; GR_ERR_CANCELLED when the caller wants no more. */
gr_status gr_synth_done(gr_synth_writing *w, gr_error *err);
/* Counts what a row has. */
void gr_synth_count(gr_synth_writing *w, const gr_record *r);
/* The folder of pictures. */
gr_status gr_synth_images(const gr_synth_writing *w, gr_error *err);

gr_status gr_synth_write_arrow(gr_synth_writing *w, gr_error *err);
gr_status gr_synth_write_jsonl(gr_synth_writing *w, gr_error *err);
gr_status gr_synth_write_texts(gr_synth_writing *w, gr_error *err);
gr_status gr_synth_write_bench(gr_synth_writing *w, gr_error *err);
/* The PNG of the first scenes, side by side. */
gr_status gr_synth_write_sheet(gr_runtime *rt, const gr_synth_rules *rules, uint64_t count, const char *path,
                               gr_error *err);

#endif
