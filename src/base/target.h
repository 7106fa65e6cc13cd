/* target.h - the name of a file that will be written. */
#ifndef GR_BASE_TARGET_H
#define GR_BASE_TARGET_H

#include "grasp/error.h"

/* A finished file is renamed to its name, which would replace whatever stands there: /dev/null, a pipe. GR_OK
 * where nothing does, or a regular file, or a link to one; else GR_ERR_IO and a sentence that begins with the
 * path. */
gr_status gr_target_check(const char *path, gr_error *err);

#endif
