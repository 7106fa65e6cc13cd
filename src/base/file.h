/* file.h - small files read whole, and files written whole or not at all. Large files are read by position:
 * source.h. */
#ifndef GR_BASE_FILE_H
#define GR_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "base/buf.h"
#include "grasp/runtime.h"

/* Reads a whole file into memory of the runtime, with a terminating zero byte that is not counted. `*data` is
 * the caller's (gr_free). GR_ERR_LIMIT when the file is larger than `max` bytes. */
gr_status gr_file_read(gr_runtime *rt, const char *path, size_t max, char **data, size_t *size,
                       gr_error *err);

/* A file that appears under its name only when it is complete: written as NAME.tmp-PID beside it, synced,
 * renamed. */
typedef struct {
    FILE *stream;
    gr_buf *memory; /* where bytes go instead of a file, or NULL */
    int cause;      /* errno of the first write that failed, or 0 */
    char path[4096], temporary[4096 + 32];
} gr_file_writer;

/* A writer into memory: neither committed nor aborted. */
void gr_file_writer_to_memory(gr_file_writer *w, gr_buf *to);
gr_status gr_file_writer_open(gr_file_writer *w, const char *path, gr_error *err);
/* Asks for space on the disk for a file of that size, so that a full disk is known before the work. Success
 * where the system cannot tell. */
gr_status gr_file_writer_reserve(gr_file_writer *w, size_t bytes, gr_error *err);
/* Once a write failed, later ones do nothing; gr_file_writer_status and _commit report it. */
void gr_file_writer_add(gr_file_writer *w, const void *bytes, size_t n);
gr_status gr_file_writer_status(const gr_file_writer *w, gr_error *err);
gr_status gr_file_writer_commit(gr_file_writer *w, gr_error *err); /* closes in every case */
void gr_file_writer_abort(gr_file_writer *w); /* removes what was written; fine after commit */
/* A whole file at once. */
gr_status gr_file_write(const char *path, const void *bytes, size_t n, gr_error *err);

bool gr_path_is_dir(const char *path);
bool gr_path_exists(const char *path);
/* Joins dir and name into out[n]; false when it does not fit. */
bool gr_path_join(char *out, size_t n, const char *dir, const char *name);

#endif
