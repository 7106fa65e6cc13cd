/* loader_source.h - rows of data sets as the samples of a run: files, their order, and a loader that makes
 * samples ahead (loader.h). */
#ifndef GR_TRAIN_LOADER_SOURCE_H
#define GR_TRAIN_LOADER_SOURCE_H

#include "engine/model.h"
#include "train/gar_sample.h"
#include "train/ranks.h"
#include "train/train_source.h"

typedef struct {
    const char *paths;      /* files of rows (json_rows.h), folders of Arrow files (arrow_records.h), names of
                               drawn rows      (synth_rows.h), joined by commas */
    const char *image_root; /* the folder that relative paths of pictures are below; "": as they are */
    uint64_t seed;
    int accumulation; /* samples of a step: the order is cut into groups of them */
    gr_ranks ranks;   /* which of them are asked for; all zero: all */
    bool by_length;   /* grouped by length (order.h): every row is read once while it is opened */
    int max_tiles;    /* without the thumbnail and crops */
    size_t max_rows;
    gr_region_source regions;
    bool no_picture; /* gar_sample.h */
} gr_loader_source_options;

typedef struct gr_loader_source gr_loader_source;

/* `m` is borrowed: its configuration and tokenizer. GR_ERR_ARG: no file. GR_ERR_FORMAT, GR_ERR_IO: one that
 * cannot be read. Also as gr_gar_sample_rules_check. GR_ERR_MEM. */
gr_status gr_loader_source_open(gr_loader_source **out, const gr_model *m, const gr_loader_source_options *o,
                                gr_error *err);
void gr_loader_source_close(gr_loader_source *s); /* NULL is fine */

/* Borrows `s`. Of several ranks only elements rank + a * world can be asked for. Asked for an element that
 * does not follow the last one, it begins anew from there. */
gr_train_source gr_loader_source_of(gr_loader_source *s);

#endif
