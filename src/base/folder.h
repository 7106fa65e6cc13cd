/* folder.h - a folder that appears under its name only when it is complete: made as PLACE.tmp-PID beside it,
 * synced, renamed. */
#ifndef GR_BASE_FOLDER_H
#define GR_BASE_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include "grasp/error.h"

typedef struct {
    char place[3900], work[4096]; /* its name, without slashes at the end, and where it is made */
    bool replaces;
} gr_folder;

/* Settles the names; makes nothing. GR_ERR_ARG: a name that is empty or too long; unless `replaces`, one
 * where something other than an empty folder stands. */
gr_status gr_folder_init(gr_folder *f, const char *place, bool replaces, gr_error *err);
/* Makes the folder `work`, in place of one that was left there. GR_ERR_IO. */
gr_status gr_folder_make(gr_folder *f, gr_error *err);
/* Gives it its name. Where it fails, what was written is removed. GR_ERR_IO. */
gr_status gr_folder_commit(gr_folder *f, gr_error *err);
void gr_folder_abort(gr_folder *f); /* removes `work` */
/* The one where `st` is GR_OK, else the other; gives `st`, or why it could not be named. */
gr_status gr_folder_finish(gr_folder *f, gr_status st, gr_error *err);
/* A file in `work`. GR_ERR_ARG: the path is too long. GR_ERR_IO. */
gr_status gr_folder_add(const gr_folder *f, const char *name, const void *bytes, size_t n, gr_error *err);

/* Puts the entries of a folder on the disk; those that are no folders were synced when they were written. */
gr_status gr_folder_sync(const char *path, gr_error *err);

/* Calls `visit` with the path of everything below `path`, relative to it; folders come after what they hold.
 * Links are not followed. GR_ERR_IO: a folder cannot be read. GR_ERR_LIMIT: a path is too long, or folders
 * are nested more than 8 deep. Ends at the first failure. */
gr_status gr_folder_walk(const char *path,
                         gr_status (*visit)(void *user, const char *name, bool is_dir, gr_error *err),
                         void *user, gr_error *err);

/* Removes a folder with all it holds, as far as that is possible. */
void gr_folder_remove(const char *path);

#endif
