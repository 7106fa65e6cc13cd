#include "base/source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"

gr_status gr_source_open(gr_source *s, const char *path, gr_error *err)
{
    *s = (gr_source){ 0 };
    /* Not to wait for the other end when it is a pipe, which is refused below. */
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return gr_fail(err, GR_ERR_IO, "%s: cannot open: %s", path, strerror(errno));
    struct stat stat;
    gr_status st = GR_OK;
    if (fstat(fd, &stat) != 0)
        st = gr_fail(err, GR_ERR_IO, "%s: cannot stat: %s", path, strerror(errno));
    else if (!S_ISREG(stat.st_mode))
        st = gr_fail(err, GR_ERR_IO, "%s: not a regular file", path);
    else if ((uintmax_t)stat.st_size > SIZE_MAX)
        st = gr_fail(err, GR_ERR_IO, "%s: %jd bytes do not fit the address space", path,
                     (intmax_t)stat.st_size);
    if (st != GR_OK)
        close(fd);
    else
        *s = (gr_source){ .size = (size_t)stat.st_size, .fd = fd, .is_file = true };
    return st;
}

void gr_source_close(gr_source *s)
{
    if (s->is_file)
        close(s->fd);
    *s = (gr_source){ 0 };
}

gr_source gr_source_of(const void *memory, size_t size)
{
    return (gr_source){ .memory = memory, .size = size };
}

/* Why fewer bytes came than are there by the size that the file had. */
static gr_status cut_short(const gr_source *s, size_t offset, size_t bytes, size_t found, gr_error *err)
{
    struct stat now;
    if (s->is_file && fstat(s->fd, &now) == 0 && (uintmax_t)now.st_size != s->size)
        return gr_fail(err, GR_ERR_IO,
                       "expected %zu bytes at %zu, found %zu: the file had %zu bytes when it was opened and "
                       "has %jd now",
                       bytes, offset, found, s->size, (intmax_t)now.st_size);
    return gr_fail(err, GR_ERR_IO, "expected %zu bytes at %zu, found %zu of %zu bytes in all", bytes, offset,
                   found, s->size);
}

gr_status gr_source_read(const gr_source *s, size_t offset, void *to, size_t bytes, gr_error *err)
{
    const size_t left = offset < s->size ? s->size - offset : 0;
    if (bytes > left)
        return cut_short(s, offset, bytes, left, err);
    if (!s->is_file) {
        if (bytes)
            memcpy(to, s->memory + offset, bytes);
        return GR_OK;
    }
    for (size_t done = 0; done < bytes;) {
        const ssize_t n = pread(s->fd, (char *)to + done, bytes - done, (off_t)(offset + done));
        if (n == 0)
            return cut_short(s, offset, bytes, done, err);
        if (n > 0)
            done += (size_t)n;
        else if (errno != EINTR)
            return gr_fail(err, GR_ERR_IO, "cannot read %zu bytes at %zu: %s", bytes, offset,
                           strerror(errno));
    }
    return GR_OK;
}

gr_status gr_source_read_whole(gr_runtime *rt, const gr_source *s, const char *path, size_t max, char **data,
                               size_t *size, gr_error *err)
{
    gr_error why = { 0 };
    *data = NULL;
    *size = 0;
    if (s->size > max)
        return gr_fail(err, GR_ERR_LIMIT, "%s: %zu bytes, the limit for this file is %zu", path, s->size,
                       max);
    char *bytes = s->size < SIZE_MAX ? gr_malloc(rt, s->size + 1, 1) : NULL;
    if (!bytes)
        return gr_fail(err, GR_ERR_MEM, "%s: no memory for %zu bytes", path, s->size);
    if (gr_source_read(s, 0, bytes, s->size, &why) != GR_OK) {
        gr_free(rt, bytes);
        return gr_fail(err, why.status, "%s: %s", path, why.msg);
    }
    bytes[s->size] = '\0';
    *data = bytes;
    *size = s->size;
    return GR_OK;
}
