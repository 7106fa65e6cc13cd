/* source.h - bytes that are read by position: an open file, or memory that somebody else keeps.
 *
 * Files are read and never mapped: a file that another program cuts short while it is in use is then a failed
 * call with a sentence, where a mapping would end the process with SIGBUS (docs/memory.md). */
#ifndef GR_BASE_SOURCE_H
#define GR_BASE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "grasp/runtime.h"

typedef struct {
    const uint8_t *memory; /* NULL: the file */
    size_t size;           /* bytes; of a file, when it was opened */
    int fd;                /* of the file */
    bool is_file;
} gr_source;

/* A regular file. GR_ERR_IO, beginning with the path: it cannot be opened, or is a folder, a pipe, ... */
gr_status gr_source_open(gr_source *s, const char *path, gr_error *err);
void gr_source_close(gr_source *s); /* an all-zero source is fine */

/* `memory` is borrowed and must outlive the source; NULL when size is 0. */
gr_source gr_source_of(const void *memory, size_t size);

/* Reads [offset, offset + bytes) whole; from any thread. GR_ERR_IO: the bytes are not there, or the disk
 * failed. The sentence tells what was expected and found and leaves the name to the caller. */
gr_status gr_source_read(const gr_source *s, size_t offset, void *to, size_t bytes, gr_error *err);

/* All of it, with a terminating zero byte that is not counted; `*data` is the caller's (gr_free). Sentences
 * begin with `path`. GR_ERR_LIMIT: more than `max` bytes. GR_ERR_IO, GR_ERR_MEM. */
gr_status gr_source_read_whole(gr_runtime *rt, const gr_source *s, const char *path, size_t max, char **data,
                               size_t *size, gr_error *err);

#endif
