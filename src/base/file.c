#define _GNU_SOURCE
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/source.h"

gr_status gr_file_read(gr_runtime *rt, const char *path, size_t max, char **data, size_t *size, gr_error *err)
{
    *data = NULL;
    *size = 0;
    gr_source file;
    GR_TRY(gr_source_open(&file, path, err));
    const gr_status st = gr_source_read_whole(rt, &file, path, max, data, size, err);
    gr_source_close(&file);
    return st;
}

gr_status gr_file_writer_open(gr_file_writer *w, const char *path, gr_error *err)
{
    *w = (gr_file_writer){ 0 };
    if (strlen(path) >= sizeof w->path)
        return gr_fail(err, GR_ERR_ARG, "a path of %zu bytes is too long, at most %zu", strlen(path),
                       sizeof w->path - 1);
    memcpy(w->path, path, strlen(path) + 1);
    snprintf(w->temporary, sizeof w->temporary, "%s.tmp-%ld", path, (long)getpid());
    w->stream = fopen(w->temporary, "wbe");
    if (!w->stream)
        return gr_fail(err, GR_ERR_IO, "%s: cannot create: %s", w->temporary, strerror(errno));
    return GR_OK;
}

gr_status gr_file_writer_reserve(gr_file_writer *w, size_t bytes, gr_error *err)
{
#ifdef __linux__
    if (bytes > 0 && fallocate(fileno(w->stream), FALLOC_FL_KEEP_SIZE, 0, (off_t)bytes) != 0 &&
        (errno == ENOSPC || errno == EFBIG || errno == EDQUOT))
        return gr_fail(err, GR_ERR_IO, "%s: no space for %zu bytes: %s", w->path, bytes, strerror(errno));
#else
    (void)w, (void)bytes, (void)err;
#endif
    return GR_OK;
}

void gr_file_writer_to_memory(gr_file_writer *w, gr_buf *to)
{
    *w = (gr_file_writer){ .memory = to, .path = "(memory)" };
}

void gr_file_writer_add(gr_file_writer *w, const void *bytes, size_t n)
{
    if (w->memory) {
        if (!gr_buf_add(w->memory, bytes, n))
            w->cause = ENOMEM;
        return;
    }
    if (n && !w->cause && fwrite(bytes, 1, n, w->stream) != n)
        w->cause = errno ? errno : EIO;
}

gr_status gr_file_writer_status(const gr_file_writer *w, gr_error *err)
{
    return w->cause ? gr_fail(err, GR_ERR_IO, "%s: cannot write it: %s", w->path, strerror(w->cause)) : GR_OK;
}

gr_status gr_file_writer_commit(gr_file_writer *w, gr_error *err)
{
    const char *what = "write";
    if (!w->cause && (fflush(w->stream) != 0 || fsync(fileno(w->stream)) != 0))
        w->cause = errno;
    if (fclose(w->stream) != 0 && !w->cause)
        w->cause = errno;
    w->stream = NULL;
    if (!w->cause && rename(w->temporary, w->path) != 0) {
        w->cause = errno;
        what = "rename the finished file to";
    }
    if (!w->cause)
        return GR_OK;
    unlink(w->temporary);
    return gr_fail(err, GR_ERR_IO, "%s: cannot %s it: %s", w->path, what, strerror(w->cause));
}

void gr_file_writer_abort(gr_file_writer *w)
{
    if (!w->stream)
        return;
    fclose(w->stream);
    w->stream = NULL;
    unlink(w->temporary);
}

gr_status gr_file_write(const char *path, const void *bytes, size_t n, gr_error *err)
{
    gr_file_writer file;
    GR_TRY(gr_file_writer_open(&file, path, err));
    gr_file_writer_add(&file, bytes, n);
    return gr_file_writer_commit(&file, err);
}

bool gr_path_is_dir(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

bool gr_path_exists(const char *path) { return access(path, F_OK) == 0; }

bool gr_path_join(char *out, size_t n, const char *dir, const char *name)
{
    const size_t d = strlen(dir);
    const int len = snprintf(out, n, d && dir[d - 1] == '/' ? "%s%s" : "%s/%s", dir, name);
    return len >= 0 && (size_t)len < n;
}
