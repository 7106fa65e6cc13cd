/* arrow_records.h - rows from a folder of Arrow files, as `save_to_disk` leaves it, or from one such file.
 *
 * Columns are taken by their names, whatever their order; others are passed over. Of GAR's data: image,
 * conversations, mask_rle, id (gar_row.h). Of records that this library wrote: key, image {bytes, path},
 * width, height, regions, turns, spans, task, meta (record.h).
 *
 * Memory: what dataset_folder.h says, and a cursor (arrow_cursor.h) for each thread that reads at a time. */
#ifndef GR_DATASET_ARROW_RECORDS_H
#define GR_DATASET_ARROW_RECORDS_H

#include "dataset/rows.h"

/* `split` and the errors are those of gr_dataset_open; `name` is that of the data set, NULL: the last part of
 * the path. GR_ERR_FORMAT too: the columns have no conversation. On failure *out is NULL. */
gr_status gr_arrow_records_open(gr_row_source **out, gr_runtime *rt, const char *path, const char *split,
                                const char *name, gr_error *err);

#endif
