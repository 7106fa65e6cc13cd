/* folder.h - a folder that appears when it is complete: made as DIR.tmp-PID beside its place, filled, synced,
 * renamed; and what is done with whole folders. */
#ifndef GR_BASE_FOLDER_H
#define GR_BASE_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "grasp/error.h"

typedef struct {
    char place[3900];
    char work[4096]; /* where it is filled */
    bool replaces;
} gr_folder;

/* Touches nothing on the disk. GR_ERR_ARG: a name that is empty or too long, or something in the way other
 * than an empty folder. */
gr_status gr_folder_init(gr_folder *f, const char *dir, gr_error *err);
/* The same for a folder that takes the place of what stands there, once it is complete. */
gr_status gr_folder_init_over(gr_folder *f, const char *dir, gr_error *err);

/* f->work, in place of one that was left there. GR_ERR_IO */
gr_status gr_folder_make(gr_folder *f, gr_error *err);
/* A file in it. GR_ERR_ARG, GR_ERR_IO. */
gr_status gr_folder_add(const gr_folder *f, const char *name, const void *bytes, size_t n, gr_error *err);
/* Gives it its name, if `st` is GR_OK; otherwise, and when that fails, removes it and what is in it. */
gr_status gr_folder_finish(gr_folder *f, gr_status st, gr_error *err);

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
