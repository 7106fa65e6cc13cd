#include "base/target.h"

#include <sys/stat.h>

gr_status gr_target_check(const char *path, gr_error *err)
{
    struct stat s;
    if (stat(path, &s) != 0 || S_ISREG(s.st_mode))
        return GR_OK; /* what else may be wrong with it, creating the file beside it tells */
    return gr_fail(err, GR_ERR_IO, "%s: %s, and a file of that name would take its place", path,
                   S_ISDIR(s.st_mode) ? "a directory"
                                      : "not a regular file but a device, a pipe or a socket");
}
