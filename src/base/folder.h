/* folder.h - a folder that appears when it is complete: made as DIR.tmp-PID beside its place, filled,
 * renamed. It holds plain files only. */
#ifndef GR_BASE_FOLDER_H
#define GR_BASE_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include "grasp/error.h"

typedef struct {
    char place[3900];
    char work[4096]; /* where it is filled */
} gr_folder;

/* Touches nothing on the disk. GR_ERR_ARG: a name that is empty or too long, or something in the way other
 * than an empty folder. */
gr_status gr_folder_init(gr_folder *f, const char *dir, gr_error *err);

gr_status gr_folder_make(gr_folder *f, gr_error *err); /* f->work. GR_ERR_IO */
/* A file in it. GR_ERR_ARG, GR_ERR_IO. */
gr_status gr_folder_add(const gr_folder *f, const char *name, const void *bytes, size_t n, gr_error *err);
/* Gives it its name, if `st` is GR_OK; otherwise, and when that fails, removes it and what is in it. */
gr_status gr_folder_finish(gr_folder *f, gr_status st, gr_error *err);

#endif
